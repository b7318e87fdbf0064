// `evaluate`: how far a generator's pictures are from real ones, in the space of a feature network, beside how far two
// halves of the real ones are from each other. Pixels are measured before `publish`: they never leave.

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import { FEWEST_MEASURED, type Measures, measure, pick, Random, type Rows } from '@zeuxis/nets';
import { type Dataset, UserError, writeFault } from '@zeuxis/pictures';
import type { GanCard } from './card.js';
import { writePairs } from './copies.js';
import { type FeatureIdentity, type Features, openFeatures } from './features.js';
import { type Checked, type Guard, type GuardCalibration, guardOf, type NearPicture, noteLeftOut, openTraining } from './memorisation.js';
import { type ListedModel, openModel } from './models.js';
import { drive, pictureProgress, type VerbOptions } from './progress.js';
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
  /** Folder for the packed pictures and their features; the user's cache by default. */
  cache?: string;
  /** Folder of pictures that were not trained on, to say how near strangers come to training pictures; by default each of those is held out in turn. */
  heldOut?: string;
  /** HTML file for the generated pictures that are nearest to training pictures, side by side with those. */
  report?: string;
}

/** A generated picture and the training picture that it is nearest to. */
export interface NearPair extends NearPicture {
  /** Position in the seed's series. */
  index: number;
  seed: number | string;
  label?: string;
  /** Distance over the threshold. */
  ratio: number;
}

/** How near generated pictures are to those of training, by the same features as all else. */
export interface Memorisation {
  /** Whether the folder is the one that the model was trained on. Of another one a copy is a coincidence. */
  trainingSet: boolean;
  /** What is nearer is named a copy: nearer than all but 0.1% of held-out pictures. */
  threshold: number;
  calibration: GuardCalibration;
  /** Median distance of a generated picture to its nearest. */
  median: number;
  /** That over the median of held-out pictures: far below 1, the generator stays with what it saw. Null where no distance was held out. */
  medianRatio: number | null;
  /** Every copy, nearest first. */
  copied: NearPair[];
  /** The nearest pairs, copies or not. */
  nearest: NearPair[];
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
  memorisation: Memorisation;
}

/** Nearest pairs that a result and a report name. */
const PAIRS = 24;

/**
 * Measures a generator against a folder of pictures: Fréchet and kernel distance, precision, recall, density, coverage.
 * Labels are drawn as often as the folder has them. Names what is a copy of one of the pictures.
 * @throws UserError for a model, folder, feature network or option that cannot serve.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { count = 2000, truncation = 1, seed = 0 } = options;
  if (!Number.isInteger(count) || count < FEWEST_MEASURED)
    throw new UserError(`the count must be a whole number from ${FEWEST_MEASURED}, not ${count}`);
  if (!(truncation >= 0 && truncation <= 1)) throw new UserError(`the truncation must be from 0 to 1, not ${truncation}`);
  const model = await openModel(options.model);
  // Where it cannot be written is said before the work.
  if (options.report !== undefined)
    await mkdir(dirname(options.report), { recursive: true }).catch((error) => {
      throw writeFault(error, options.report!);
    });
  const features = await openFeatures(options.features, options);
  try {
    const data = await openTraining(options.pictures, model.card, options);
    try {
      noteLeftOut(data, options);
      const labels = drawLabels(model, data, count);
      const guard = await guardOf(data, features, { ...options, neighbours: 1 });
      const { real } = guard;
      const drawn = { labels, truncation, seed };
      const generated = await describeGenerated(options, model, features, drawn);
      const memorisation = memorisationOf(guard, await guard.judge(generated, options), drawn, model.card);
      const halves = new Random(`${seed}/halves`).permutation(data.count);
      const middle = data.count >> 1;
      const [half, others] = [halves.subarray(0, middle), halves.subarray(middle).subarray(0, count)].map((some) => pick(real, some));
      const result: EvaluateResult = {
        model: { name: model.name, sha256: model.sha256 },
        pictures: { folder: options.pictures, count: data.count, fingerprint: data.fingerprint },
        features: { name: features.name, sha256: features.sha256, width: real.width },
        truncation,
        seed,
        generated: await evaluation(options, 'measure', real, generated, seed),
        floor: await evaluation(options, 'measure halves', half!, others!, seed),
        memorisation: { trainingSet: data.fingerprint === model.card.trainingSet.fingerprint, ...memorisation },
      };
      if (options.report !== undefined) await writePairs(options.report, result, data, await drawAgain(options, model, drawn, memorisation.nearest));
      return result;
    } finally {
      data.close();
    }
  } finally {
    await features.close();
  }
}

/** What is drawn of a seed: the label of each picture, and how far from the middle. */
interface Drawn {
  labels: number[];
  truncation: number;
  seed: number | string;
}

function memorisationOf({ threshold, calibration }: Guard, checked: Checked[], { labels, seed }: Drawn, card: GanCard): Omit<Memorisation, 'trainingSet'> {
  const pairs = checked.map(({ nearest: [near], ratio, copied }, index) => {
    const label = card.labels[labels[index]!];
    return { copied, pair: { index, seed, ...(label === undefined ? {} : { label }), ...near, ratio } };
  });
  pairs.sort((a, b) => a.pair.distance - b.pair.distance);
  const median = pairs[pairs.length >> 1]!.pair.distance;
  return {
    threshold,
    calibration,
    median,
    medianRatio: calibration.median === null ? null : median / calibration.median,
    copied: pairs.filter(({ copied }) => copied).map(({ pair }) => pair),
    nearest: pairs.slice(0, PAIRS).map(({ pair }) => pair),
  };
}

/** Pictures of a series by their places: those that a report shows were not kept, as 2,000 large ones would fill the memory. */
async function drawAgain(options: EvaluateOptions, { bytes, card }: ListedModel<GanCard>, { labels, truncation, seed }: Drawn, pairs: readonly NearPair[]): Promise<Uint8Array> {
  const { device = 'cpu', threads = availableParallelism(), signal } = options;
  const indices = pairs.map(({ index }) => index);
  const session = await openSession(bytes, { device, threads });
  try {
    const parts: Uint8Array[] = [];
    const of = { seed, indices, labels: indices.map((index) => labels[index]!), classes: card.labels.length, size: card.size, truncation, signal };
    for await (const { pictures } of sample(session, of)) parts.push(pictures);
    return Buffer.concat(parts);
  } finally {
    await session.close();
  }
}

async function describeGenerated(
  options: EvaluateOptions,
  { bytes, card }: ListedModel<GanCard>,
  features: Features,
  { labels, truncation, seed }: Drawn,
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
    return await features.describe(labels.length, card.size, read, pictureProgress('generate', labels.length, options));
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
