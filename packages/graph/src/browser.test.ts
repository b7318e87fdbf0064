// Sessions in a page keep the promises of the interface that they share with Node's.

import type { Page as BrowserPage } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPlace, openPage } from './agreement.js';
import type { Page } from './agreement-page.js';
import { compile, input, mul, sum } from './index.js';

// What stands in `page.evaluate` runs there, where these are globals.
declare const openSession: Page['openSession'];
declare const devices: Page['devices'];

const { browser, skip } = browserPlace();
const x = input('x', [4]);
const { bytes: model } = compile({ y: mul(x, 2), total: sum(x) });

describe.skipIf(skip)('a session in a browser', () => {
  let page: BrowserPage;
  let close: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    if (!browser) throw new Error('there is no Chromium; `node scripts/test-needs.mjs` says more');
    ({ page, close } = await openPage(browser));
  });
  afterAll(() => close?.());

  it('is offered on wasm and webgpu', async () => {
    expect(await page.evaluate(() => devices())).toEqual(['wasm', 'webgpu']);
  });

  it.each(['wasm', 'webgpu'])('writes into the arrays it is given, on %s', async (device) => {
    const given = await page.evaluate(
      async ([bytes, on]) => {
        const session = await openSession(bytes, on);
        const y = { data: new Float32Array(4), shape: [4], type: 'float32' as const };
        const values = await session.run({ x: { data: Float32Array.of(1, 2, 3, 4), shape: [4], type: 'float32' } }, { y });
        await session.close();
        return { y: [...y.data], same: values.y === y, total: [...(values.total!.data as Float32Array)] };
      },
      [model, device] as const,
    );
    expect(given).toEqual({ y: [2, 4, 6, 8], same: true, total: [10] });
  });

  it.each(['wasm', 'webgpu'])('takes calls before others have ended, on %s', async (device) => {
    const totals = await page.evaluate(
      async ([bytes, on]) => {
        const sessions = await Promise.all([openSession(bytes, on), openSession(bytes, on)]);
        const feeds = (k: number) => ({ x: { data: new Float32Array(4).fill(k), shape: [4], type: 'float32' as const } });
        const values = await Promise.all([0, 1, 2, 3, 4, 5].map((k) => sessions[k % 2]!.run(feeds(k))));
        await Promise.all(sessions.map((session) => session.close()));
        return values.map(({ total }) => (total!.data as Float32Array)[0]);
      },
      [model, device] as const,
    );
    expect(totals).toEqual([0, 4, 8, 12, 16, 20]);
  });

  it('names what is wrong', async () => {
    const open = (device: string, threads?: number) =>
      page.evaluate(
        async ([bytes, on, count]) => {
          const session = await openSession(bytes, on, count ? { threads: count } : {});
          await session.run({});
        },
        [model, device, threads] as const,
      );
    await expect(open('cuda')).rejects.toThrow("the device 'cuda' is not available here; this browser offers wasm, webgpu");
    await expect(open('wasm')).rejects.toThrow("the input 'x' was not given");
    await expect(open('wasm', 7)).rejects.toThrow(/this page's sessions run on \d+ threads; 7 need a new page/);
  });
});
