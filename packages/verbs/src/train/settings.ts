// What a run was begun with. It rides in the checkpoint, so that `--resume` alone goes on with the same run; only its length,
// its licence and how often it is put away may be changed on the way.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Gan, GanShape, TrainerOptions } from '@zeuxis/nets';
import { type Dataset, UserError } from '@zeuxis/pictures';
import type { Rights } from '../card.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import type { TrainGanOptions } from './gan.js';
import type { RunLength } from './loop.js';

export interface RunSettings extends TrainerOptions {
  shape: GanShape;
  labels: string[];
  rights: Rights;
  /** Multiplies the schedule's learning rate and its penalty. */
  rateScale: number;
  gammaScale: number;
  /** Of the data set. */
  fingerprint: string;
  /** Of both networks' tables of weights: a later version may order them differently. */
  networks: string;
  length: RunLength;
  licence: string;
  snapshots: number;
}

const DEFAULT_MINUTES = 30;
const DEFAULT_SNAPSHOTS = 16;

const lengthOf = ({ images, minutes }: TrainGanOptions): RunLength | undefined =>
  images !== undefined ? { images } : minutes !== undefined ? { minutes } : undefined;

export const networksOf = ({ generator, discriminator }: Gan): string =>
  createHash('sha256').update(JSON.stringify([generator.table, discriminator.table])).digest('hex');

/** The settings of a new run. */
export const newSettings = (options: TrainGanOptions, data: Dataset, gan: Gan, rights: Rights): RunSettings => ({
  shape: gan.shape,
  rights,
  labels: data.labels,
  fingerprint: data.fingerprint,
  networks: networksOf(gan),
  seed: options.seed ?? 0,
  batch: options.batch ?? 16,
  penaltyEvery: options.penaltyEvery ?? 4,
  augment: options.augment ?? true,
  mirror: options.mirror ?? false,
  rateScale: options.rateScale ?? 1,
  gammaScale: options.gammaScale ?? 1,
  length: lengthOf(options) ?? { minutes: DEFAULT_MINUTES },
  licence: options.licence ?? 'unstated',
  snapshots: options.snapshots ?? DEFAULT_SNAPSHOTS,
});

/** The largest batch: beyond it a step outgrows the memory of the machines this is for. */
const LARGEST_BATCH = 1024;

/** @throws UserError for numbers that mean nothing. */
export function checkOptions(options: TrainGanOptions): void {
  if (options.images !== undefined && options.minutes !== undefined) throw new UserError('give --images or --minutes, not both');
  for (const name of ['images', 'minutes', 'batch', 'penaltyEvery', 'rateScale', 'gammaScale', 'snapshots'] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw new UserError(`--${kebab(name)} must be more than 0, not ${value}`);
    if (['batch', 'penaltyEvery', 'snapshots'].includes(name) && value !== undefined && !Number.isInteger(value))
      throw new UserError(`--${kebab(name)} must be a whole number, not ${value}`);
  }
  if (options.batch !== undefined && options.batch > LARGEST_BATCH)
    throw new UserError(`--batch must be at most ${LARGEST_BATCH}, not ${options.batch}`);
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The checkpoint to go on from, its settings changed where they may be; undefined for a new run.
 * @throws UserError where there is a run and none is asked for, or none and one is, and for settings that cannot change.
 */
export async function resumable(options: TrainGanOptions, path: string): Promise<Checkpoint | undefined> {
  if (!options.resume) {
    if (await stat(path).catch(() => undefined))
      throw new UserError(`'${options.out}' already holds a run; add --resume to go on with it, delete it, or choose another folder`);
    return undefined;
  }
  const checkpoint = await readCheckpoint(path);
  const { settings } = checkpoint;
  const { shape } = settings;
  const fixed: [name: string, asked: unknown, kept: unknown][] = [
    ['size', options.size, shape.size],
    ['preset', options.preset, shape.preset],
    ['labels', options.labels, settings.labels.length > 0 ? 'folders' : 'none'],
    ['rights', options.rights && `${options.rights.text}, ${options.rights.name}`, `${settings.rights.text}, ${settings.rights.name}`],
    ...(['batch', 'seed', 'mirror', 'augment', 'penaltyEvery', 'rateScale', 'gammaScale'] as const).map(
      (name) => [kebab(name), options[name], settings[name]] as [string, unknown, unknown],
    ),
  ];
  // The command line's seed is text, the library's may be a number; they draw alike.
  for (const [name, asked, kept] of fixed)
    if (asked !== undefined && String(asked) !== String(kept))
      throw new UserError(`the checkpoint in '${options.out}' was begun with --${name} ${kept}, not ${asked}; leave --${name} out, or start a new run`);
  const { licence = settings.licence, snapshots = settings.snapshots } = options;
  const length = lengthOf(options) ?? settings.length;
  const { images } = checkpoint.state;
  const over = 'images' in length ? images >= length.images : checkpoint.seconds >= length.minutes * 60;
  if (over)
    throw new UserError(
      `the run in '${options.out}' has come to its end, after ${images} pictures and ${(checkpoint.seconds / 60).toFixed(1)} minutes; ask for more in total with --images or --minutes`,
    );
  return { ...checkpoint, settings: { ...settings, length, licence, snapshots } };
}
