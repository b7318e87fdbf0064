// Measuring at the boundary a user sees. The pictures are drawn here; one model is trained for a few steps, one has
// learnt its pictures by heart.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { add, cast, compile, constant, type DataType, input, matmul, mean, mul, reshape, type Shape, sliceAxis, sum } from '@zeuxis/graph';
import { LATENT } from '@zeuxis/nets';
import { openDataset } from '@zeuxis/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardMetadata, type GanCard } from './card.js';
import { type EvaluateOptions, evaluate } from './evaluate.js';
import { generate } from './generate.js';
import { listModels } from './models.js';
import type { Progress } from './progress.js';
import { trainGan } from './train/gan.js';

let home: string;
const PICTURES = 48;
const rights = { text: 'drawn by this test', name: 'the test' };
const measure = (options: Partial<EvaluateOptions> = {}) =>
  evaluate({ model: join(home, 'run'), pictures: join(home, 'pictures'), cache: join(home, 'cache'), count: PICTURES, threads: 1, ...options });

/** A generator whose every label draws one picture of a data set: nothing tells its pictures from the real ones. */
async function byHeart(folder: string): Promise<Uint8Array> {
  const data = await openDataset(folder, { size: 32, cache: join(home, 'cache') });
  const table = Float32Array.from(data.read(Array.from({ length: data.count }, (_, i) => i)));
  data.close();
  const trainingSet = { name: 'own', pictures: data.count, fingerprint: data.fingerprint, skipped: 0, reserved: 0, rights };
  const card: GanCard = { card: 1, task: 'gan', name: 'heart', preset: 'fast', size: 32, channels: 3, latent: LATENT, labels: data.labels, trainingSet, seed: 0, images: 0, steps: 0, batch: 1, hours: 0, licence: 'CC0-1.0', zeuxis: '0.1.0' };
  const chosen = matmul(input('labels', [1, data.count]), constant(table, [data.count, 3 * 32 * 32]));
  // The latent counts for nothing, but a generator takes one.
  const pixels = add(chosen, mul(sliceAxis(input('z', [1, LATENT]), 1, 0, 1), 0));
  return compile({ pictures: cast(reshape(pixels, [1, 3, 32, 32]), 'uint8') }, { openBatch: true, metadata: cardMetadata(card) }).bytes;
}

/** Mean colours of a picture, as a feature network of one's own. */
const colours = (type: DataType, shape: Shape, range?: string, open = false) => {
  const x = cast(input('picture', shape, type), 'float32');
  const y = open ? mean(x, [2, 3]) : x;
  return compile({ y }, { openBatch: open, ...(range ? { metadata: { 'zeuxis.range': range } } : {}) }).bytes;
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-evaluate-'));
  for (let i = 0; i < PICTURES; i++) {
    const shape = i % 2 ? '<circle cx="20" cy="20" r="14"' : '<rect x="8" y="8" width="24" height="24"';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#eee"/>${shape} fill="hsl(${i * 7},80%,${30 + (i % 5) * 10}%)"/></svg>`;
    for (const folder of [join('pictures', i % 2 ? 'disc' : 'square'), join('own', `label${String(i).padStart(2, '0')}`), 'flat']) {
      await mkdir(join(home, folder), { recursive: true });
      await sharp(Buffer.from(svg)).png().toFile(join(home, folder, `${i}.png`));
    }
  }
  const common = { pictures: join(home, 'pictures'), cache: join(home, 'cache'), size: 32, batch: 8, images: 64, rights, threads: 1 };
  await trainGan({ ...common, out: join(home, 'run') });
  await trainGan({ ...common, labels: 'none', out: join(home, 'unlabelled') });
  await writeFile(join(home, 'heart.onnx'), await byHeart(join(home, 'own')));
  await writeFile(join(home, 'text.onnx'), 'no network at all');
  await writeFile(join(home, 'grey.onnx'), compile({ y: mean(input('x', [1, 1, 8, 8]), [2, 3]) }).bytes);
  await writeFile(join(home, 'flat.onnx'), compile({ y: sum(input('x', [1, 3, 8, 8]), [1, 2, 3]) }).bytes);
  await writeFile(join(home, 'range.onnx'), colours('float32', [1, 3, 8, 8], '0..100', true));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('evaluate', () => {
  it('finds a model of a few steps far worse than real halves, and says by what it was measured', async () => {
    const events: Progress[] = [];
    const result = await measure({ onProgress: (event) => events.push(event) });
    const { generated, floor, features } = result;
    expect(generated.frechet).toBeGreaterThan(3 * floor.frechet);
    expect(generated.kernel.mean).toBeGreaterThan(floor.kernel.mean + 3 * floor.kernel.deviation);
    expect(generated.coverage).toBeLessThan(floor.coverage);
    expect(generated).toMatchObject({ realCount: PICTURES, generatedCount: PICTURES });
    expect(floor).toMatchObject({ realCount: PICTURES / 2, generatedCount: PICTURES / 2 });
    expect(features).toMatchObject({ name: 'features 1', width: 192, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(result.model).toMatchObject({ name: 'run', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // Training has decoded the pictures already.
    expect([...new Set(events.map(({ stage }) => stage))]).toEqual(['real', 'real, mirrored', 'hold out', 'generate', 'compare', 'measure', 'measure halves']);
  });

  it('finds nothing between real pictures and those of a model that knows them by heart', async () => {
    const { generated, memorisation } = await measure({ model: join(home, 'heart.onnx'), pictures: join(home, 'own') });
    expect(generated.frechet).toBeLessThan(1e-3);
    expect(generated).toMatchObject({ precision: 1, recall: 1, coverage: 1 });
    expect(memorisation.copied).toHaveLength(PICTURES);
  });

  it('gives the same figures for the same seed, and others for another', async () => {
    const [a, b, c] = [await measure({ seed: 5 }), await measure({ seed: 5 }), await measure({ seed: 6 })];
    expect(a).toEqual(b);
    expect(c.generated.frechet).not.toBe(a.generated.frechet);
  });

  it('takes models without labels, and pictures without folders', async () => {
    for (const options of [{ model: join(home, 'unlabelled') }, { pictures: join(home, 'flat') }])
      expect((await measure(options)).generated.frechet).toBeGreaterThan(0);
  });

  it('takes any network from pictures to features, in its own range, size and batch', async () => {
    const by = async (name: string, network: Uint8Array) => {
      await writeFile(join(home, `${name}.onnx`), network);
      return measure({ features: join(home, `${name}.onnx`) });
    };
    const usual = await by('usual', colours('float32', [1, 3, 32, 32], undefined, true));
    expect(usual.features).toMatchObject({ name: 'usual.onnx', width: 3 });
    const ratio = ({ generated }: typeof usual) => generated.frechet / usual.generated.frechet;
    expect(ratio(await by('unit', colours('float32', [1, 3, 32, 32], '0..1', true)))).toBeCloseTo(1 / 4, 3);
    expect(ratio(await by('bytes', colours('uint8', [1, 3, 32, 32], undefined, true)))).toBeCloseTo(127.5 ** 2, -1);
    // Rank 4, averaged over places; a batch of 5, the last run filled up.
    expect(ratio(await by('places', colours('float32', [5, 3, 32, 32])))).toBeCloseTo(1, 3);
    // Scaling keeps mean colours but for rounding.
    expect(ratio(await by('small', colours('float32', [5, 3, 8, 8])))).toBeCloseTo(1, 1);
  });

  it.each<[string, () => Partial<EvaluateOptions>, RegExp]>([
    ['a feature network that is not there', () => ({ features: join(home, 'nowhere.onnx') }), /there is no feature network/],
    ['one that is no ONNX', () => ({ features: join(home, 'text.onnx') }), /is no ONNX file/],
    ['a generator for one', () => ({ features: join(home, 'run/model.onnx') }), /takes z \[n, 64\] and labels.*one picture input/],
    ['one for grey pictures', () => ({ features: join(home, 'grey.onnx') }), /\[1, 1, 8, 8\].*one picture input/],
    ['one without features', () => ({ features: join(home, 'flat.onnx') }), /gives y \[1\]; a feature network gives/],
    ['one of an unknown range', () => ({ features: join(home, 'range.onnx') }), /'0\.\.100'; known are/],
    ['an empty folder', () => ({ pictures: join(home, 'empty') }), /holds no JPEG/],
    ['fewer pictures than needed', () => ({ pictures: join(home, 'own/label00') }), /1 usable pictures.*at least 32 are needed/],
    ['folders that are no labels of the model', () => ({ pictures: join(home, 'own') }), /no label 'label00'.*it has disc, square/],
    ['a count that is too small', () => ({ count: 3 }), /whole number from 6, not 3/],
    ['a truncation beyond 1', () => ({ truncation: 2 }), /from 0 to 1/],
    ['the feature network for a model', () => ({ model: 'features' }), /'features' is no generator/],
  ])('refuses %s', async (_, options, message) => {
    await mkdir(join(home, 'empty'), { recursive: true });
    await expect(measure(options())).rejects.toThrow(expect.objectContaining({ name: 'UserError', message: expect.stringMatching(message) }));
  });

  it('stops at an abort', async () => {
    const controller = new AbortController();
    const stopped = measure({ signal: controller.signal, onProgress: ({ stage }) => stage === 'measure' && controller.abort() });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});

it('lists the feature network, and does not generate from it', async () => {
  const listed = (await listModels()).find(({ name }) => name === 'features');
  expect(listed).toMatchObject({ shipped: true, card: { task: 'features', version: 1, licence: 'CC0-1.0' } });
  expect(listed!.bytes.length).toBeLessThan(8e6);
  await expect(generate({ model: 'features', out: join(home, 'made') })).rejects.toThrow(/'features' is no generator/);
});
