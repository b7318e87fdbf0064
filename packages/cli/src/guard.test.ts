// Copies as a user of the command meets them: what is withheld, what is said of it, and exit codes.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { add, cast, compile, constant, input, matmul, reshape } from '@zeuxis/graph';
import { openDataset } from '@zeuxis/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../bin/zeuxis.js', import.meta.url));
const SIZE = 32;
let home: string;

const zeuxis = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, ZEUXIS_HOME: join(home, 'config'), ZEUXIS_CACHE: join(home, 'cache') };
    execFile(process.execPath, [bin, ...args, '--threads', '1'], { cwd: home, env, maxBuffer: 2 ** 26 }, (error, out, err) => resolve({ code: error ? Number(error.code ?? 255) : 0, out, err }));
  });

/** A model whose label 'copy' draws a training picture; 'other' draws noise. */
async function model(folder: string, name: string): Promise<void> {
  const data = await openDataset(folder, { size: SIZE, cache: join(home, 'cache') });
  const copy = data.read([data.files.indexOf('7.png')]);
  data.close();
  const table = Float32Array.from([...copy, ...copy.map((_, i) => (i * 7919) % 251)]);
  const trainingSet = { name: 'pictures', pictures: data.count, fingerprint: data.fingerprint, skipped: 0, reserved: 0, rights: { text: 'drawn by this test', name: 'the test' } };
  const card = { card: 1, task: 'gan', name, preset: 'fast', size: SIZE, channels: 3, latent: 64, labels: ['copy', 'other'], trainingSet, seed: 0, images: 0, steps: 0, batch: 1, hours: 0, licence: 'CC0-1.0', zeuxis: '0.1.0' };
  const still = matmul(input('z', [1, 64]), constant(new Float32Array(64), [64, 1]));
  const pixels = matmul(input('labels', [1, 2]), constant(table, [2, 3 * SIZE * SIZE]));
  const pictures = cast(reshape(add(pixels, still), [1, 3, SIZE, SIZE]), 'uint8');
  await writeFile(join(home, `${name}.onnx`), compile({ pictures }, { openBatch: true, metadata: { 'zeuxis.card': JSON.stringify(card) } }).bytes);
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-guard-'));
  for (const [folder, hue] of [['pictures', 0], ['others', 5]] as const) {
    await mkdir(join(home, folder));
    for (let i = 0; i < 40; i++)
      await sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="${12 + (i % 9)}" cy="20" r="${6 + (i % 7)}" fill="hsl(${hue + i * 9},80%,50%)"/></svg>`))
        .png()
        .toFile(join(home, folder, `${i}.png`));
  }
  await model(join(home, 'pictures'), 'table');
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('names what is withheld, publishes the rest, and lists it in the document', async () => {
  const made = await zeuxis('generate', 'table.onnx', '--guard', 'pictures', '--count', '4', '--out', 'made', '--json');
  expect(made.code).toBe(0);
  expect(made.err).toMatch(/^withheld copy 0: distance 0\S* from '7\.png'/m);
  expect(made.err).toMatch(/^withheld 2 of 4 pictures: /m);
  const { files, withheld, guard } = JSON.parse(made.out);
  expect(withheld).toMatchObject([{ index: 0, label: 'copy', file: '7.png', mirrored: false }, { index: 2, label: 'copy', file: '7.png' }]);
  expect(files.map(({ index }: { index: number }) => index)).toEqual([1, 3]);
  expect(guard.calibration).toMatchObject({ method: 'leave-one-out', pictures: 40 });
  expect(await readdir(join(home, 'made'))).toHaveLength(2);
  const verdict = JSON.parse((await zeuxis('verify', files[0].path, '--json')).out);
  expect(verdict[0].generation.guard).toEqual({ threshold: guard.threshold, ratio: expect.any(Number) });
});

it('fails with a line where every picture is a copy, and still gives the document', async () => {
  const made = await zeuxis('generate', 'table.onnx', '--guard', 'pictures', '--label', 'copy', '--count', '2', '--out', 'none', '--sheet', '--json', '--quiet');
  expect(made.code).toBe(1);
  expect(made.err).toMatch(/^error: every picture was a copy of a training picture, and none was written/m);
  expect(made.err).not.toMatch(/^withheld copy/m);
  expect(JSON.parse(made.out)).toMatchObject({ files: [], withheld: [{ index: 0 }, { index: 1 }] });
  expect(await readdir(join(home, 'none'))).toEqual([]);
});

it('refuses other pictures than those of the training, and wrong usage', async () => {
  const other = await zeuxis('generate', 'table.onnx', '--guard', 'others', '--out', 'refused');
  expect(other).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/'others' is not what 'table' was trained on/) });
  expect(await zeuxis('generate', 'table.onnx', '--held-out', 'others', '--out', 'refused')).toMatchObject({ code: 1, err: expect.stringMatching(/name the training pictures/) });
  expect(await zeuxis('evaluate', 'photo-x2', 'others', '--report', 'x.html')).toMatchObject({ code: 2, err: expect.stringMatching(/--report/) });
  expect(existsSync(join(home, 'refused'))).toBe(false);
});

it('names copies in the table of evaluate, and writes its report', async () => {
  const measured = await zeuxis('evaluate', 'table.onnx', 'pictures', '--count', '30', '--report', 'copies/report.html', '--held-out', 'others');
  expect(measured.code).toBe(0);
  expect(measured.out).toMatch(/^copies +15 of 30 are nearer to one of these than all but 0\.1% of others \(\S+, by 40 held-out pictures, extrapolated\)$/m);
  expect(measured.out).toMatch(/^ {2}copy 0 and '7\.png', distance 0/m);
  expect(measured.out).toMatch(/^ {2}and 5 more, which --json names$/m);
  expect(measured.out).toMatch(/^nearest +median distance \S+, \S+ times that of held-out pictures$/m);
  expect(await readFile(join(home, 'copies/report.html'), 'utf8')).toContain('<strong>a copy</strong>');
});
