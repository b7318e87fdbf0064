// The rights record from the command: what it prints, with what it ends, what may be trained on by it, and what is due.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { run } from './main.js';

let home: string;
// Every run in this process listens for Ctrl-C.
const listeners = process.getMaxListeners();
beforeAll(async () => {
  process.setMaxListeners(50);
  home = await mkdtemp(join(tmpdir(), 'zeuxis-rights-'));
  vi.stubEnv('ZEUXIS_HOME', join(home, 'config'));
  vi.stubEnv('ZEUXIS_CACHE', join(home, 'cache'));
  await mkdir(join(home, 'pictures'));
  for (let i = 0; i < 3; i++) await sharp({ create: { width: 20 + i, height: 20, channels: 3, background: 'red' } }).png().toFile(join(home, 'pictures', `${i}.png`));
});
afterAll(async () => {
  process.setMaxListeners(listeners);
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

it('is built, filled in, checked, and found out when a picture changes', async () => {
  const pictures = join(home, 'pictures');
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1, err: expect.stringMatching(/has no rights.csv/) });
  expect(await zeuxis('rights', pictures, '--quiet')).toMatchObject({ code: 0, out: expect.stringMatching(/no right {5}3 \(0.png, 1.png, 2.png\)/) });
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1 });
  const filled = await zeuxis('rights', pictures, '--licence', 'CC BY 4.0', '--terms', '5% of revenue', '--quiet');
  expect(filled.out).toMatch(/^no maker {5}3 \(0\.png, 1\.png, 2\.png\); their licence asks for the name/m);
  expect(filled.out).toMatch(/^terms {8}no statement can sum up '5% of revenue'/m);
  await zeuxis('rights', pictures, '--creator', 'Ada', '--quiet');
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 0, out: expect.stringMatching(/no right {5}0\n/) });
  expect(await readFile(join(pictures, 'rights.csv'), 'utf8')).toMatch(/0\.png,[0-9a-f]{64},.*Ada.*CC-BY-4\.0/);
  await sharp({ create: { width: 30, height: 30, channels: 3, background: 'blue' } }).png().toFile(join(pictures, '1.png'));
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1, out: expect.stringMatching(/changed {6}1 \(1.png\)/) });
  await writeFile(join(pictures, 'rights.csv'), 'no record at all');
  expect(await zeuxis('rights', pictures, '--quiet')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: .*rights.csv/) });
});

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
  expect(shown.out).toMatch(/^rights +by its rights record: CC BY 4\.0 \(3 pictures\)$/m);
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
  expect(await zeuxis('rights', 'statement', '--terms', 'Ada')).toMatchObject({ code: 2, err: expect.stringMatching(/Ada=0\.05 EUR per picture/) });
  expect(await zeuxis('rights', 'statement', '--from', 'soon')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: --from takes a day/) });
});
