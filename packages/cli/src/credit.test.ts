// What the record of rights is for, from the command: training on what it states, and on nothing else.

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { run } from './main.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-credit-'));
  vi.stubEnv('ZEUXIS_HOME', join(home, 'config'));
  vi.stubEnv('ZEUXIS_CACHE', join(home, 'cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

async function zeuxis(...args: string[]) {
  const [out, err] = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
  try {
    const code = await run(args);
    return { code, out: out!.mock.calls.join(''), err: err!.mock.calls.join('') };
  } finally {
    out!.mockRestore();
    err!.mockRestore();
  }
}

it('lets pictures be trained on that it states a right to, and no others', async () => {
  const pictures = join(home, 'set');
  await mkdir(pictures);
  for (let i = 0; i < 3; i++) await sharp({ create: { width: 140, height: 120, channels: 3, background: { r: 80 * i, g: 90, b: 40 }, noise: { type: 'gaussian', mean: 120, sigma: 30 } } }).png().toFile(join(pictures, `${i}.png`));
  const train = (...more: string[]) => zeuxis('train', 'upscaler', pictures, '--scale', '2', '--preset', 'fast', '--batch', '2', '--images', '2', '--threads', '1', '--quiet', '--out', join(home, 'run'), ...more);
  expect(await train()).toMatchObject({ code: 2, err: expect.stringMatching(/--rights.*zeuxis rights/) });
  await zeuxis('rights', pictures, '--quiet');
  expect(await train()).toMatchObject({ code: 1, err: expect.stringMatching(/^error: 3 of 3 pictures in .* have no stated right \(0\.png, 1\.png, 2\.png\): .*--stated-only\n$/) });
  await zeuxis('rights', pictures, '--quiet', '--creator', 'Ada', '--licence', 'CC BY 4.0', '--terms', '0.05 EUR per picture');
  expect(await train('--json')).toMatchObject({ code: 0 });
  const shown = await zeuxis('models', 'show', join(home, 'run'));
  expect(shown.out).toMatch(/^rights +by its rights record CC BY 4\.0 \(3 pictures\)$/m);
  expect(shown.out).toMatch(/^by +Ada: 3 pictures, 100\.0%, 0\.05 EUR per picture$/m);
  expect(shown.out).toMatch(/^attribution +3 pictures by Ada, CC BY 4\.0 \(https:\/\/creativecommons\.org\/licenses\/by\/4\.0\/\)$/m);
});

it('says whose pictures a model learned from and what a person did, and states what is due', async () => {
  const source = join(home, 'set', '0.png');
  expect(await zeuxis('upscale', source, '--model', join(home, 'run'), '--out', join(home, 'large'), '--chose', 'this frame')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: say who chose or edited: --author NAME\n$/) });
  expect(await zeuxis('upscale', source, '--model', join(home, 'run'), '--out', join(home, 'large'), '--author', 'Grace Hopper', '--chose', 'this frame', '--edited', 'the sky', '--quiet')).toMatchObject({ code: 0 });
  const file = join(home, 'large', '0.png');
  expect((await zeuxis('verify', file)).out).toMatch(/^signed .*; learned from pictures by Ada; Grace Hopper edited the sky and chose the model 'run', this frame, signed by/);
  const stated = await zeuxis('rights', 'statement', '--from', '2026-01-01', '--csv', join(home, 'dues.csv'));
  expect(stated).toMatchObject({ code: 0, err: '' });
  expect(stated.out).toMatch(/^contributor +pictures +weighted +due\nAda +1 +1\.0000 +0\.05 EUR\npublished +1; of 0 .*\ntotal +0\.05 EUR\n$/);
  expect(await readFile(join(home, 'dues.csv'), 'utf8')).toBe('contributor,pictures,weighted,currency,amount,exact,terms\r\nAda,1,1.0000,EUR,0.05,0.05,0.05 EUR per picture\r\n');
  expect(JSON.parse((await zeuxis('rights', 'statement', '--to', '2025-12-31', '--json')).out)).toMatchObject({ pictures: 0, lines: [] });
  expect(await zeuxis('rights', 'statement', '--from', 'soon')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: --from takes a day/) });
});
