// Copies at the boundary a user sees. One model here is a table: some of its labels draw training pictures, verbatim and
// disguised, the others pictures of the same kind that were never trained on. Another is the shipped one, said to be
// trained on a folder in which one of its own pictures lies.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { add, cast, compile, constant, input, matmul, mul, replaceMetadata, reshape, sliceAxis } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { LATENT, Random } from '@zeuxis/nets';
import { interleave, openDataset } from '@zeuxis/pictures';
import { verify } from '@zeuxis/provenance';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardMetadata, type GanCard } from './card.js';
import { type EvaluateOptions, type EvaluateResult, evaluate } from './evaluate.js';
import { type GenerateOptions, generate } from './generate.js';
import { mirrored, openGuard } from './memorisation.js';
import { openModel } from './models.js';
import type { Progress } from './progress.js';
import { sample } from './sample.js';

const SIZE = 32;
const [TRAINED, STRANGERS] = [1200, 600];
/** What is made of training pictures 10, 20, ... */
const DISGUISES = ['verbatim', 'mirrored', 'noisy', 'jpeg', 'mirroredJpeg'] as const;
let home: string;
let card: GanCard;
const at = (...names: string[]) => join(home, ...names);

/** A landscape of a sky, a ground, a disc and a house, planar RGB; each number another. */
function draw(name: string): Uint8Array {
  const random = new Random(name);
  const next = (from: number, to: number) => from + random.uniform() * (to - from);
  const colour = () => [next(0, 255), next(0, 255), next(0, 255)];
  const [sky, ground, disc, house] = [colour(), colour(), colour(), colour()];
  const [horizon, x0, y0, radius] = [next(10, 26), next(4, 28), next(4, 28), next(3, 10)];
  const [left, top, wide, high] = [next(0, 20), next(6, 20), next(5, 14), next(5, 14)];
  const picture = new Uint8Array(3 * SIZE * SIZE);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const inDisc = (x - x0) ** 2 + (y - y0) ** 2 < radius ** 2;
      const inHouse = x >= left && x < left + wide && y >= top && y < top + high;
      const of = inHouse ? house : inDisc ? disc : y > horizon ? ground : sky;
      for (let c = 0; c < 3; c++) picture[(c * SIZE + y) * SIZE + x] = of[c]! * (1 - y / 80);
    }
  return picture;
}

const write = (path: string, planar: Uint8Array, size = SIZE) => sharp(interleave(planar, size, size).data, { raw: { width: size, height: size, channels: 3 } }).png().toFile(path);

function noisy(planar: Uint8Array): Uint8Array {
  const noise = new Random('noise').normals(planar.length);
  return planar.map((value, i) => Math.min(255, Math.max(0, value + 3 * noise[i]!)));
}

async function jpeg(planar: Uint8Array): Promise<Uint8Array> {
  const file = await sharp(interleave(planar, SIZE, SIZE).data, { raw: { width: SIZE, height: SIZE, channels: 3 } }).jpeg({ quality: 85 }).toBuffer();
  const pixels = await sharp(file).raw().toBuffer();
  return Uint8Array.from({ length: planar.length }, (_, i) => pixels[(i % (SIZE * SIZE)) * 3 + Math.floor(i / (SIZE * SIZE))]!);
}

/** A generator whose label i draws picture i. */
function tableOf(pictures: Uint8Array[], names: string[], of: Partial<GanCard['trainingSet']>): Uint8Array {
  const table = Float32Array.from(pictures.flatMap((picture) => [...picture]));
  const trainingSet = { name: 'trained', pictures: TRAINED, fingerprint: '', skipped: 0, reserved: 0, rights: { text: 'drawn by this test', name: 'the test' }, ...of };
  card = { card: 1, task: 'gan', name: 'table', preset: 'fast', size: SIZE, channels: 3, latent: LATENT, labels: names, trainingSet, seed: 0, images: 0, steps: 0, batch: 1, hours: 0, licence: 'CC0-1.0', zeuxis: '0.1.0' };
  const chosen = matmul(input('labels', [1, names.length]), constant(table, [names.length, 3 * SIZE * SIZE]));
  // The latent counts for nothing, but a generator takes one.
  const pixels = add(chosen, mul(sliceAxis(input('z', [1, LATENT]), 1, 0, 1), 0));
  return compile({ pictures: cast(reshape(pixels, [1, 3, SIZE, SIZE]), 'uint8') }, { openBatch: true, metadata: cardMetadata(card) }).bytes;
}

const measure = (options: Partial<EvaluateOptions> = {}) =>
  evaluate({ model: at('table.onnx'), pictures: at('trained'), cache: at('cache'), count: DISGUISES.length + STRANGERS, threads: 1, ...options });
const make = (options: Partial<GenerateOptions> = {}) =>
  generate({ model: at('table.onnx'), guard: at('trained'), cache: at('cache'), out: at('made'), identityFolder: at('identity'), threads: 1, ...options });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-memorisation-'));
  for (const folder of ['trained', 'held', 'repeating', 'other']) await mkdir(at(folder));
  const number = (i: number) => `${String(i).padStart(4, '0')}.png`;
  for (let i = 0; i < TRAINED; i++) await write(at('trained', number(i)), draw(`trained/${i}`));
  for (let i = 0; i < 120; i++) await write(at('held', number(i)), draw(`held/${i}`));
  // Two held-out pictures were trained on after all.
  for (let i = 0; i < 2; i++) await write(at('held', `leak-${i}.png`), draw(`trained/${i}`));
  for (let i = 0; i < 120; i++) await write(at('repeating', number(i)), draw(`trained/${i - (i % 2)}`));
  for (let i = 0; i < 40; i++) await write(at('other', number(i)), draw(`other/${i}`));
  const { fingerprint, close } = await openDataset(at('trained'), { size: SIZE, cache: at('cache') });
  close();
  const of = [10, 20, 30, 40, 50].map((i) => draw(`trained/${i}`));
  const copies = [of[0]!, mirrored(of[1]!, SIZE), noisy(of[2]!), await jpeg(of[3]!), await jpeg(mirrored(of[4]!, SIZE))];
  const strangers = Array.from({ length: STRANGERS }, (_, i) => draw(`stranger/${i}`));
  const names = [...DISGUISES, ...strangers.map((_, i) => `stranger${i}`)];
  await writeFile(at('table.onnx'), tableOf([...copies, ...strangers], names, { fingerprint }));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const COPIES = { verbatim: '0010.png', mirrored: '0020.png', noisy: '0030.png', jpeg: '0040.png', mirroredJpeg: '0050.png' };
const isDisguise = ({ label }: { label?: string }) => DISGUISES.some((name) => name === label);

describe('evaluate', () => {
  let result: EvaluateResult;
  beforeAll(async () => {
    result = await measure({ report: at('reports', 'copies.html') });
  });

  it('names copies, verbatim and disguised, and of strangers hardly any', () => {
    const { copied, threshold, calibration, trainingSet } = result.memorisation;
    expect(Object.fromEntries(copied.filter(isDisguise).map(({ label, file }) => [label, file]))).toEqual(COPIES);
    expect(copied.filter(isDisguise).map(({ label, mirrored }) => (mirrored ? label : '')).filter(Boolean).sort()).toEqual(['mirrored', 'mirroredJpeg']);
    expect(copied.filter((pair) => !isDisguise(pair)).length).toBeLessThanOrEqual(5);
    for (const { distance, ratio } of copied) expect(ratio).toBeCloseTo(distance / threshold, 12);
    expect(copied.find(({ label }) => label === 'verbatim')).toMatchObject({ index: 0, seed: 0, mirrored: false });
    expect(copied.find(({ label }) => label === 'verbatim')!.distance).toBeLessThan(threshold / 100);
    expect(calibration).toMatchObject({ method: 'leave-one-out', pictures: TRAINED, duplicates: 0, quantile: 'seen' });
    expect(trainingSet).toBe(true);
  });

  it('finds strangers about as far as held-out pictures, and the nearest pairs in their order', () => {
    const { medianRatio, nearest } = result.memorisation;
    expect(medianRatio).toBeGreaterThan(0.9);
    expect(medianRatio).toBeLessThan(1.1);
    expect(nearest).toHaveLength(24);
    expect(nearest.map(({ distance }) => distance)).toEqual(nearest.map(({ distance }) => distance).sort((a, b) => a - b));
  });

  it('shows them side by side in one file, what was generated under its mark', async () => {
    const html = await readFile(at('reports', 'copies.html'), 'utf8');
    expect(html.match(/<figure class="copy">/g)).toHaveLength(result.memorisation.copied.length);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    const pairs = [...html.matchAll(/generated" src="data:image\/webp;base64,([^"]+)"><img alt="of training" src="data:image\/png;base64,([^"]+)"/g)];
    expect(pairs).toHaveLength(24);
    const [made, real] = await Promise.all([1, 2].map((k) => sharp(Buffer.from(pairs[0]![k]!, 'base64')).raw().toBuffer({ resolveWithObject: true })));
    // A sheet of one, three times as large, with a border of 2 px and the strip of the mark below.
    expect(made!.info).toMatchObject({ width: 100, height: 118 });
    expect(real!.info).toMatchObject({ width: SIZE, height: SIZE });
    const first = result.memorisation.nearest[0]!;
    const wanted = interleave(draw(`trained/${Number(COPIES[first.label as 'verbatim'].slice(0, 4))}`), SIZE, SIZE).data;
    expect(Buffer.compare(real!.data, Buffer.from(wanted))).toBe(0);
    // Both show one picture, but for WebP's losses.
    const centre = (x: number, y: number, c: number) => Math.abs(made!.data[((3 + y * 3) * 100 + 3 + x * 3) * 3 + c]! - real!.data[(y * SIZE + (first.mirrored ? SIZE - 1 - x : x)) * 3 + c]!);
    const differences = Array.from({ length: 3 * SIZE * SIZE }, (_, i) => centre(i % SIZE, Math.floor(i / SIZE) % SIZE, Math.floor(i / SIZE / SIZE)));
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(8);
  });

  it('goes by a folder of held-out pictures, but not by those of them that were trained on', async () => {
    const { calibration, copied } = (await measure({ heldOut: at('held') })).memorisation;
    expect(calibration).toMatchObject({ method: 'held-out', pictures: 120, duplicates: 2, quantile: 'extrapolated' });
    expect(copied.filter(isDisguise).map(({ label }) => label).sort()).toEqual([...DISGUISES].sort());
    expect(copied.filter((pair) => !isDisguise(pair)).length).toBeLessThanOrEqual(5);
  });

  it('does not take a set that repeats itself for one whose strangers come near, and says so', async () => {
    const { calibration, threshold, trainingSet } = (await measure({ pictures: at('repeating') })).memorisation;
    // Each picture is there twice: nothing is left of leave-one-out, and equal pictures alone are named.
    expect(calibration).toMatchObject({ pictures: 0, duplicates: 120, quantile: 'none', median: null });
    expect(threshold).toBeGreaterThan(0);
    expect(trainingSet).toBe(false);
  });
});

describe('a guard', () => {
  const some = [...DISGUISES, 'stranger0', 'stranger1', 'stranger2'];

  it('withholds copies, says which, and publishes the rest with what it found', async () => {
    const events: Progress[] = [];
    const { files, withheld, guard, sheet } = await make({ count: 8, label: some, sheet: true, onProgress: (event) => events.push(event) });
    expect(Object.fromEntries(withheld!.map(({ label, file }) => [label, file]))).toEqual(COPIES);
    expect(files.map(({ label }) => label)).toEqual(['stranger0', 'stranger1', 'stranger2']);
    expect((await readdir(at('made'))).sort()).toEqual([...files.map(({ path }) => path), sheet!.path].map((path) => path.slice(at('made').length + 1)).sort());
    expect(events.flatMap(({ note }) => (note?.startsWith('withheld') ? [note] : []))).toEqual(expect.arrayContaining([expect.stringMatching(/^withheld mirrored 1: distance .* from the mirror image of '0020\.png'/)]));
    const { generation } = await verify(files[0]!.path, { identityFolder: at('identity') });
    expect(generation).toMatchObject({ index: 5, guard: { threshold: guard!.threshold } });
    expect(generation!.guard!.ratio).toBeGreaterThan(1);
    // The places of what was withheld are as grey as the sheet's ground.
    const pixels = await sharp(sheet!.path).raw().toBuffer({ resolveWithObject: true });
    const shown = (k: number) => pixels.data[(50 * pixels.info.width + 2 + k * 98 + 40) * 3]!;
    expect(DISGUISES.map((_, k) => shown(k))).toEqual(Array(5).fill(0x80));
    expect((await verify(sheet!.path, { identityFolder: at('identity') })).generation!.guard!.ratio).toBeCloseTo(Math.min(...(await Promise.all(files.map(async ({ path }) => (await verify(path, { identityFolder: at('identity') })).generation!.guard!.ratio)))), 6);
  });

  it('writes nothing where all are copies', async () => {
    const result = await make({ out: at('none'), count: 5, label: DISGUISES, sheet: true });
    expect(result).toMatchObject({ files: [] });
    expect(result.withheld).toHaveLength(5);
    expect(result).not.toHaveProperty('sheet');
    expect(await readdir(at('none'))).toEqual([]);
  });

  it('computes the features of the training pictures once, and anew where they are damaged', async () => {
    const stages = async () => {
      const seen = new Set<string>();
      const guard = await openGuard({ pictures: at('trained'), model: await openModel(at('table.onnx')), cache: at('cache'), threads: 1, onProgress: ({ stage }) => seen.add(stage) });
      const [found] = await guard.check(draw('trained/7'), 1);
      await guard.close();
      expect(found).toMatchObject({ copied: true, nearest: [{ file: '0007.png', mirrored: false }, {}, {}] });
      return [...seen];
    };
    await stages();
    expect(await stages()).toEqual([]);
    const kept = (await readdir(at('cache'))).filter((name) => name.endsWith('.features'));
    for (const name of kept) {
      const bytes = await readFile(at('cache', name));
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(at('cache', name), bytes);
    }
    expect(await stages()).toEqual(['real', 'real, mirrored', 'hold out']);
  });

  it.each<[string, () => Partial<GenerateOptions>, RegExp]>([
    ['pictures that the model was not trained on', () => ({ guard: at('other') }), /other' is not what 'table' was trained on: its fingerprint is [0-9a-f]{12}, that of the card \('trained', 1200 pictures\)/],
    ['held-out pictures without a guard', () => ({ guard: undefined as unknown as string, heldOut: at('held') }), /name the training pictures/],
    ['a folder that is not there', () => ({ guard: at('nowhere') }), /there is no folder/],
    ['held-out pictures that are not there', () => ({ heldOut: at('nowhere') }), /there is no folder/],
  ])('refuses %s, before anything is made', async (_, options, message) => {
    await expect(make({ ...options(), out: at('refused') })).rejects.toThrow(expect.objectContaining({ name: 'UserError', message: expect.stringMatching(message) }));
    await expect(readdir(at('refused'))).rejects.toThrow(/ENOENT/);
  });
});

it('withholds a picture of a shipped model that lies among its training pictures, and no other', async () => {
  const shipped = await openModel('garments');
  const { labels, size } = shipped.card;
  const session = await openSession(shipped.bytes, { device: 'cpu', threads: 1 });
  const drawn = async (seed: string, count: number) => {
    const parts: Uint8Array[] = [];
    for await (const { pictures } of sample(session, { seed, labels: Array.from({ length: count }, (_, i) => i % labels.length), classes: labels.length, size })) parts.push(pictures);
    const all = Buffer.concat(parts);
    return Array.from({ length: count }, (_, i) => all.subarray(i * 3 * size * size, (i + 1) * 3 * size * size));
  };
  await mkdir(at('own'));
  for (const [i, picture] of (await drawn('trained', 102)).entries()) await write(at('own', `${i}.png`), picture, size);
  await write(at('own', 'found.png'), (await drawn('0', 12))[11]!, size);
  await session.close();
  const { fingerprint, close } = await openDataset(at('own'), { size, cache: at('cache') });
  close();
  const told = { ...shipped.card, trainingSet: { ...shipped.card.trainingSet, fingerprint } };
  await writeFile(at('own.onnx'), replaceMetadata(shipped.bytes, cardMetadata(told)));
  const { files, withheld } = await make({ model: at('own.onnx'), guard: at('own'), out: at('own-made'), count: 17 });
  expect(withheld).toMatchObject([{ index: 11, label: labels[11], file: 'found.png', mirrored: false }]);
  expect(files).toHaveLength(16);
});
