// Which of a generator's pictures are copies of training pictures: the measure behind `evaluate`, and the guard of `generate`.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Calibration, calibrate, isCopy, nearest, pick, type Rows, rows, spread } from '@zeuxis/nets';
import { type Dataset, openDataset, UserError, writeWhole } from '@zeuxis/pictures';
import type { GanCard } from './card.js';
import { type Features, openFeatures } from './features.js';
import type { ListedModel } from './models.js';
import { cacheFolder } from './places.js';
import { drive, pictureProgress, type VerbOptions } from './progress.js';

/** Training pictures that are held out in turn: as many show the 0.1%, and more only take time. */
const MOST_HELD_OUT = 5000;

/** A training picture near a generated one. */
export interface NearPicture {
  /** Its file, below the folder. */
  file: string;
  /** Euclidean, in feature space. */
  distance: number;
  /** Whether it is its mirror image that is so near. */
  mirrored: boolean;
}

export interface Checked {
  /** Nearest first. */
  nearest: [NearPicture, ...NearPicture[]];
  /** The nearest's distance over the threshold: below 1 it is a copy. */
  ratio: number;
  copied: boolean;
}

/** What a threshold stands on. */
export interface GuardCalibration extends Pick<Calibration, 'duplicates' | 'quantile'> {
  /** 'leave-one-out': each training picture was held out in turn. 'held-out': a folder of pictures was. */
  method: 'leave-one-out' | 'held-out';
  /** Held-out pictures whose distances were used; those that have an equal among the training pictures are `duplicates`. */
  pictures: number;
  /** Median of their distances; null where there are none. */
  median: number | null;
}

type Following = Pick<VerbOptions, 'onProgress'> & { signal?: AbortSignal | undefined };

export interface Guard {
  /** A picture with a smaller distance is a copy: 99.9% of held-out pictures are farther from their nearest training picture. */
  threshold: number;
  calibration: GuardCalibration;
  /** Features of the training pictures, as they are. */
  real: Rows;
  /** Judges features, as of the network that the guard was made with. */
  judge(features: Rows, options: Following): Promise<Checked[]>;
}

export interface GuardSettings extends VerbOptions {
  /** Folder of pictures that were not trained on; by default every training picture is held out in turn. */
  heldOut?: string | undefined;
  /** Folder for packed pictures and their features; the user's cache by default. */
  cache?: string;
  /** Neighbours to name of each picture, 3 by default. */
  neighbours?: number;
}

/**
 * A guard by an opened set of training pictures. Their features are kept in the cache: later guards find them there.
 * @throws UserError for a folder of held-out pictures that cannot serve.
 */
export async function guardOf(data: Dataset, features: Features, options: GuardSettings): Promise<Guard> {
  const { cache = cacheFolder(), device = 'cpu', neighbours = 3, heldOut } = options;
  // Kernels of other devices round differently.
  const kept = (what: string, of: Dataset) => {
    const key = createHash('sha256').update(`1 ${what} ${of.fingerprint} ${of.count} ${of.size} ${features.sha256} ${device}`).digest('hex');
    return join(cache, `${key.slice(0, 24)}.features`);
  };
  const describe = async (of: Dataset, stage: string, mirror: boolean) => {
    const read = (first: number, n: number) => {
      const pictures = of.read(Array.from({ length: n }, (_, i) => first + i));
      return mirror ? mirrored(pictures, of.size) : pictures;
    };
    const values = await cached(kept(mirror ? 'mirrored' : 'as it is', of), async () => (await features.describe(of.count, of.size, read, pictureProgress(stage, of.count, options))).data);
    return rows(of.count, values.length / of.count, Float64Array.from(values));
  };
  const real = await describe(data, 'real', false);
  const variants = [real, await describe(data, 'real, mirrored', true)];

  const strangers = async (): Promise<ArrayLike<number>> => {
    if (heldOut === undefined)
      return cached(kept('leave-one-out', data), async () => {
        const count = Math.min(data.count, MOST_HELD_OUT);
        const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * data.count) / count));
        return distancesOf(await drive(nearest(pick(real, chosen), variants, 1, chosen), 'hold out', options));
      });
    const others = await openHeldOut(heldOut, data.size, options);
    try {
      return distancesOf(await drive(nearest(await describe(others, 'held out', false), variants, 1), 'hold out', options));
    } finally {
      others.close();
    }
  };
  const calibration = calibrate(await strangers(), spread(real));
  const { threshold, median, distances, duplicates, quantile } = calibration;
  return {
    threshold,
    calibration: { method: heldOut === undefined ? 'leave-one-out' : 'held-out', pictures: distances, duplicates, quantile, median: Number.isNaN(median) ? null : median },
    real,
    async judge(described, following) {
      const found = await drive(nearest(described, variants, neighbours), 'compare', following);
      return found.map((list) => {
        const near = list.map(({ index, distance, variant }): NearPicture => ({ file: data.files[index]!, distance, mirrored: variant === 1 }));
        const { distance } = near[0]!;
        // Of a set whose pictures are all the same.
        const ratio = threshold > 0 ? distance / threshold : distance > 0 ? Number.MAX_VALUE : 0;
        return { nearest: near as Checked['nearest'], ratio, copied: isCopy(distance, calibration) };
      });
    },
  };
}

const distancesOf = (found: { distance: number }[][]): Float64Array => Float64Array.from(found, ([near]) => near!.distance);

async function openHeldOut(folder: string, size: number, options: GuardSettings): Promise<Dataset> {
  const others = await openDataset(folder, { size, labels: 'none', ...decoding(options) });
  noteLeftOut(others, options);
  return others;
}

/** Says which pictures of a set do not count, and why. */
export function noteLeftOut({ count, skipped, reserved }: Dataset, { onProgress = () => {} }: VerbOptions): void {
  for (const { file, reason } of [...skipped, ...reserved]) onProgress({ stage: 'decode', done: count, total: count, unit: 'pictures', note: `left out ${file}: ${reason}` });
}

const decoding = ({ cache = cacheFolder(), signal, onProgress = () => {} }: GuardSettings) => ({
  cache,
  ...(signal ? { signal } : {}),
  onProgress: ({ done, total }: { done: number; total: number }) => onProgress({ stage: 'decode', done, total, unit: 'pictures' }),
});

/** Pictures [n, 3, side, side] with left and right changed. */
export function mirrored(pictures: Uint8Array, side: number): Uint8Array {
  const out = Uint8Array.from(pictures);
  for (let row = 0; row < out.length; row += side) out.subarray(row, row + side).reverse();
  return out;
}

/** Float32 values from a file that begins with their SHA-256; where there is none, or a damaged one, they are made and kept. */
async function cached(path: string, make: () => Promise<Float64Array>): Promise<Float32Array> {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const file = await readFile(path).catch(() => undefined);
  if (file && file.length > 32 && digest(file.subarray(32)).equals(file.subarray(0, 32))) return new Float32Array(Uint8Array.from(file.subarray(32)).buffer);
  const values = Float32Array.from(await make());
  const bytes = new Uint8Array(values.buffer);
  await writeWhole(path, [digest(bytes), bytes]);
  return values;
}

export interface OpenGuardOptions extends GuardSettings {
  /** Folder of the training pictures. */
  pictures: string;
  /** The generator that is guarded. */
  model: Pick<ListedModel<GanCard>, 'name' | 'card'>;
  /** A feature network of one's own, as of `evaluate`. */
  features?: string;
}

export interface OpenGuard extends Pick<Guard, 'threshold' | 'calibration'> {
  /** Judges pictures, planar RGB, uint8 [count, 3, size, size]. */
  check(pictures: Uint8Array, count: number): Promise<Checked[]>;
  close(): Promise<void>;
}

/**
 * Opens a guard of a generator by the folder of pictures that it was trained on.
 * @throws UserError for folders and a feature network that cannot serve, and for any other pictures than those of the
 * model's training: a guard that does not know what was learned would promise what it cannot hold.
 */
export async function openGuard(options: OpenGuardOptions): Promise<OpenGuard> {
  const { pictures, model, signal } = options;
  const { size, trainingSet } = model.card;
  const data = await openTraining(pictures, model.card, options);
  let features: Features | undefined;
  try {
    if (data.fingerprint !== trainingSet.fingerprint)
      throw new UserError(
        `'${pictures}' is not what '${model.name}' was trained on: its fingerprint is ${data.fingerprint.slice(0, 12)}, that of the card ('${trainingSet.name}', ${trainingSet.pictures} pictures) ${trainingSet.fingerprint.slice(0, 12)}; guard by the folder as it was trained on`,
      );
    const opened = await openFeatures(options.features, options);
    features = opened;
    const { threshold, calibration, judge } = await guardOf(data, opened, options);
    const each = 3 * size * size;
    return {
      threshold,
      calibration,
      // It is a part of each batch of the generator, which tells of its progress.
      check: async (all, count) => judge(await opened.describe(count, size, (first, n) => all.subarray(first * each, (first + n) * each), () => {}), { signal }),
      close: () => opened.close(),
    };
  } catch (error) {
    await features?.close();
    throw error;
  } finally {
    data.close();
  }
}

/** The training pictures of a generator as it saw them: without labels of its own, those beside label folders too. */
export const openTraining = (folder: string, { size, labels }: GanCard, options: GuardSettings): Promise<Dataset> =>
  openDataset(folder, { size, ...(labels.length === 0 ? { labels: 'none' } : {}), ...decoding(options) });
