// Upscalers as a user meets them: trained, measured and used from the command.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../bin/zeuxis.js', import.meta.url));
let home: string;
const zeuxis = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, ZEUXIS_HOME: join(home, 'config'), ZEUXIS_CACHE: join(home, 'cache') };
    execFile(process.execPath, [bin, ...args], { cwd: home, env }, (error, out, err) => resolve({ code: error ? Number(error.code ?? 255) : 0, out, err }));
  });
const TRAIN = ['train', 'upscaler', 'pictures', '--scale', '2', '--preset', 'fast', '--crop', '12', '--batch', '4', '--threads', '1', '--rights', 'drawn by this test, the test'];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-cli-upscale-'));
  await mkdir(join(home, 'pictures'));
  await mkdir(join(home, 'pairs'));
  const circle = (side: number, i: number) =>
    sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 48 48"><rect width="48" height="48" fill="#dcd"/><circle cx="24" cy="24" r="${8 + i}" fill="hsl(${i * 30},50%,50%)"/></svg>`)).removeAlpha().png();
  for (let i = 0; i < 6; i++) await circle(48, i).toFile(join(home, 'pictures', `${i}.png`));
  await circle(48, 7).toFile(join(home, 'pairs', 'a-hr.png'));
  await circle(24, 7).toFile(join(home, 'pairs', 'a-lr.png'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('an upscaler', () => {
  it('is trained, shown, measured and used', async () => {
    const trained = await zeuxis(...TRAIN, '--out', 'run', '--images', '40', '--json');
    expect(trained).toMatchObject({ code: 0 });
    expect(JSON.parse(trained.out)).toMatchObject({ finished: true, card: { task: 'upscaler', scale: 2 } });
    expect(trained.err).toMatch(/PSNR dB/);

    const shown = await zeuxis('models', 'show', 'run');
    expect(shown.out).toMatch(/run: upscaler, fast, 2 times\n[\s\S]*40 crops shown/);

    const measured = await zeuxis('evaluate', 'run', 'pairs');
    expect(measured.out).toMatch(/PSNR +SSIM +bicubic +SSIM\na +\d+\.\d\d +0\.\d{4} +\d+\.\d\d +0\.\d{4}\nmean /);
    const { each, mean, border } = JSON.parse((await zeuxis('evaluate', 'run', 'pairs', '--json')).out);
    expect(each).toMatchObject([{ name: 'a', model: { psnr: expect.any(Number), ssim: expect.any(Number) }, bicubic: { psnr: expect.any(Number) } }]);
    expect([mean.model.psnr, border]).toEqual([each[0].model.psnr, 2]);
    expect(await zeuxis('evaluate', 'run', 'pictures')).toMatchObject({ code: 1, err: expect.stringMatching(/holds no pairs NAME-lr\.png/) });

    await writeFile(join(home, 'pictures', 'torn.png'), 'no picture');
    const enlarged = await zeuxis('upscale', 'pictures', '--model', 'run', '--out', 'large', '--threads', '1');
    expect(enlarged.code).toBe(1);
    expect(enlarged.out).toMatch(/^large\/0\.png +96x96\n/);
    expect(enlarged.err).toMatch(/error: 'pictures\/torn\.png' is no picture[^\n]*\n1 of 7 files failed\n$/);
    expect((await readdir(join(home, 'large'))).sort()).toEqual(['0.png', '1.png', '2.png', '3.png', '4.png', '5.png']);

    const verified = await zeuxis('verify', 'large/0.png');
    expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/^signed .*enlarged 2 times by the model 'run', which estimated the detail, from '0\.png'/) });
    const again = JSON.parse((await zeuxis('upscale', 'pictures/0.png', '--model', 'run', '--out', 'large', '--json')).out);
    expect(again).toMatchObject({ scale: 2, files: [], kept: [{ path: 'large/0.png' }], failures: [] });
    await writeFile(join(home, 'large', '2.png'), 'something else');
    expect(await zeuxis('upscale', 'pictures/2.png', '--model', 'run', '--out', 'large')).toMatchObject({ code: 1, err: expect.stringMatching(/is there already; --overwrite replaces it/) });
    expect(await zeuxis('upscale', 'pictures/2.png', '--model', 'run', '--out', 'large', '--overwrite', '--quiet')).toMatchObject({ code: 0, err: '' });
    expect((await zeuxis('verify', 'large/2.png')).out).toMatch(/^signed/);
  });

  it('is refused in one line where something is missing or wrong', async () => {
    for (const [args, code, message] of [
      [['upscale', 'pictures'], 2, /required option '--out <dir>'/],
      [['upscale', 'pictures', '--out', 'x', '--scale', '0.5'], 2, /whole number from 1/],
      [['upscale', 'pictures', '--out', 'x', '--quality', '90.5'], 2, /whole number/],
      [['upscale', 'pictures', '--out', 'x', '--model', 'nowhere'], 1, /^error: there is no model 'nowhere'/],
      [['upscale', 'pictures', '--out', 'x', '--model', 'features'], 1, /is no upscaler but a model for features/],
      [['upscale', 'nothing.png', '--out', 'x', '--model', 'run'], 1, /^error: there is no file 'nothing\.png'\n$/],
      [[...TRAIN.filter((word) => !['--scale', '2'].includes(word)), '--out', 'y'], 2, /required option '--scale <n>'/],
      [[...TRAIN, '--out', 'y', '--images', '4', '--minutes', '1'], 2, /--images or --minutes, not both/],
      [[...TRAIN, '--out', 'run'], 1, /already holds a run/],
    ] as const) {
      const outcome = await zeuxis(...args);
      expect(outcome.code, args.join(' ')).toBe(code);
      expect(outcome.err, args.join(' ')).toMatch(message);
    }
  });
});
