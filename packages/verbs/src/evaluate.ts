// `evaluate`: how far a generator's pictures are from real ones, in the space of a feature network, beside how far two
// halves of the real ones are from each other. Pixels are measured before `publish`: they never leave.

import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { openSession } from '@zeuxis/graph/node';
import { FEWEST_MEASURED, type Measures, measure, pick, Random, type Rows, type Work } from '@zeuxis/nets';
import { type Dataset, openDataset, UserError } from '@zeuxis/pictures';
import type { GanCard } from './card.js';
import { type FeatureIdentity, type Features, openFeatures } from './features.js';
import { type ListedModel, openModel } from './models.js';
import { cacheFolder } from './places.js';
import type { VerbOptions } from './progress.js';
import { sample } from './sample.js';

export interface EvaluateOptions extends VerbOptions {
  /** A shipped name, a .onnx file or a run folder. */
  model: string;
  /** Folder of real pictures. All of them are measured against, cut and scaled as for training. */
  pictures: string;
  /** Pictures to generate, 2,000 by default. Fréchet distances compare only between equal counts. */
  count?: number;
  /**
   * An ONNX network from pictures [n, 3, height, width] to features; the shipped one by default. A float input is given
   * -1 (black) to 1 (white) unless the file's metadata says '0..1' or '0..255' under 'zeuxis.range'.
   */
  features?: string;
  /** 0 to 1, 1 by default. */
  truncation?: number;
  /** Of what is generated and of every random subset; 0 by default. */
  seed?: number | string;
  /** Folder for the packed pictures; the user's cache by default. */
  cache?: string;
}

/** Measures, and the numbers of pictures they were made from. */
export interface Evaluation extends Measures {
  realCount: number;
  generatedCount: number;
}

export interface EvaluateResult {
  model: { name: string; sha256: string };
  pictures: { folder: string; count: number; fingerprint: string };
  /** The network whose features were compared: figures compare only under the same SHA-256. */
  features: FeatureIdentity & { width: number };
  truncation: number;
  seed: number | string;
  /** Generated pictures against all real ones. */
  generated: Evaluation;
  /** What a perfect generator would reach: one random half of the real pictures against the other, cut to as many as were generated. */
  floor: Evaluation;
}

/**
 * Measures a generator against a folder of pictures: Fréchet and kernel distance, precision, recall, density, coverage.
 * Labels are drawn as often as the folder has them.
 * @throws UserError for a model, folder, feature network or option that cannot serve.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { count = 2000, truncation = 1, seed = 0, signal, onProgress = () => {} } = options;
  if (!Number.isInteger(count) || count < FEWEST_MEASURED)
    throw new UserError(`the count must be a whole number from ${FEWEST_MEASURED}, not ${count}`);
  if (!(truncation >= 0 && truncation <= 1)) throw new UserError(`the truncation must be from 0 to 1, not ${truncation}`);
  const model = await openModel(options.model);
  const features = await openFeatures(options.features, options);
  try {
    const data = await openDataset(options.pictures, {
      size: model.card.size,
      // Without labels of its own a model is measured against pictures beside label folders too.
      ...(model.card.labels.length === 0 ? { labels: 'none' } : {}),
      cache: options.cache ?? cacheFolder(),
      ...(signal ? { signal } : {}),
      onProgress: ({ done, total }) => onProgress({ stage: 'decode', done, total, unit: 'pictures' }),
    });
    try {
      for (const { file, reason } of [...data.skipped, ...data.reserved])
        onProgress({ stage: 'decode', done: data.count, total: data.count, unit: 'pictures', note: `left out ${file}: ${reason}` });
      const labels = drawLabels(model, data, count);
      const read = (first: number, n: number) => data.read(Array.from({ length: n }, (_, i) => first + i));
      const real = await features.describe(data.count, data.size, read, follow(options, 'real', data.count));
      const generated = await describeGenerated(options, model, features, { labels, truncation, seed });
      const halves = new Random(`${seed}/halves`).permutation(data.count);
      const middle = data.count >> 1;
      const [half, others] = [halves.subarray(0, middle), halves.subarray(middle).subarray(0, count)].map((some) => pick(real, some));
      return {
        model: { name: model.name, sha256: model.sha256 },
        pictures: { folder: options.pictures, count: data.count, fingerprint: data.fingerprint },
        features: { name: features.name, sha256: features.sha256, width: real.width },
        truncation,
        seed,
        generated: await evaluation(options, 'measure', real, generated, seed),
        floor: await evaluation(options, 'measure halves', half!, others!, seed),
      };
    } finally {
      data.close();
    }
  } finally {
    await features.close();
  }
}

/** Progress events of a stage that counts pictures. */
function follow({ onProgress = () => {} }: VerbOptions, stage: string, total: number): (done: number) => void {
  const start = performance.now();
  return (done) => {
    const rate = (done / (performance.now() - start)) * 1000;
    onProgress({ stage, done, total, unit: 'pictures', rate, secondsLeft: (total - done) / rate });
  };
}

async function describeGenerated(
  options: EvaluateOptions,
  { bytes, card }: ListedModel<GanCard>,
  features: Features,
  { labels, truncation, seed }: { labels: number[]; truncation: number; seed: number | string },
): Promise<Rows> {
  const { device = 'cpu', threads = availableParallelism(), signal } = options;
  const session = await openSession(bytes, { device, threads });
  try {
    const each = 3 * card.size * card.size;
    const pictures = sample(session, { seed, labels, classes: card.labels.length, size: card.size, truncation, signal });
    // Two networks with batches of their own: what one has made and the other not yet taken waits here.
    let waiting = new Uint8Array(0);
    const read = async (_: number, n: number) => {
      while (waiting.length < n * each) {
        const { value } = await pictures.next();
        waiting = Buffer.concat([waiting, value!.pictures]);
      }
      const taken = waiting.subarray(0, n * each);
      waiting = waiting.subarray(n * each);
      return taken;
    };
    return await features.describe(labels.length, card.size, read, follow(options, 'generate', labels.length));
  } finally {
    await session.close();
  }
}

/** The label of each picture to be drawn, in the proportions of the data set; all of the model's in turn where the folder has none. */
function drawLabels({ name, card }: ListedModel<GanCard>, data: Dataset, count: number): number[] {
  const all = card.labels.length;
  if (all === 0 || data.labels.length === 0) return Array.from({ length: count }, (_, i) => i % Math.max(1, all));
  const indices = data.labels.map((label) => card.labels.indexOf(label));
  const unknown = data.labels.filter((_, i) => indices[i]! < 0);
  if (unknown.length > 0)
    throw new UserError(
      `the model '${name}' has no label ${unknown.map((label) => `'${label || '(no folder)'}'`).join(', ')}, as folders of the pictures are named; it has ${card.labels.join(', ')}`,
    );
  // Pictures of a label stand together in the data set, so that equal steps through it meet each as often as it is there.
  return Array.from({ length: count }, (_, i) => indices[data.labelOf[Math.floor(((i + 0.5) * data.count) / count)]!]!);
}

async function evaluation(options: EvaluateOptions, stage: string, real: Rows, generated: Rows, seed: number | string): Promise<Evaluation> {
  const measures = await drive(measure(real, generated, new Random(`${seed}/subsets`)), stage, options);
  return { ...measures, realCount: real.count, generatedCount: generated.count };
}

/** Runs long arithmetic a slice at a time, so that an abort is heard in between. */
async function drive<T>(work: Work<T>, stage: string, { signal, onProgress = () => {} }: VerbOptions): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    onProgress({ stage, done: Math.round(100 * value), total: 100, unit: '%' });
    await setImmediate();
    signal?.throwIfAborted();
  }
}
