// What a run was begun with. It rides in the checkpoint, so that `--resume` alone goes on with the same run; only its length,
// its licence, how often it is put away and, of a style, the weights of its losses may be changed on the way.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { opener } from '@zeuxis/graph/node';
import { type Gan, type GanShape, type PartsOption, partsOf, type TrainerOptions, type Weight } from '@zeuxis/nets';
import { type Dataset, UserError } from '@zeuxis/pictures';
import type { StatedRights, TrainingRights, TrainingRightsOptions } from '@zeuxis/provenance';
import type { VerbOptions } from '../progress.js';
import { type Checkpoint, readCheckpoint, type TrainingState } from './checkpoint.js';
import type { TrainGanOptions } from './gan.js';
import type { RunLength } from './loop.js';
import { fixedRights, keptRights } from './sets.js';

/** What every kind of training takes. */
export interface TrainingOptions extends VerbOptions {
  /** Run folder, made where it is missing. */
  out: string;
  /** Pictures or crops to show, all parts of a run together. One of `images` and `minutes`. */
  images?: number;
  minutes?: number;
  /** The right to train on pictures that carry no statement of their own. A new run needs it where no rights record states one; a resumed one knows it. */
  rights?: StatedRights;
  /** Train on those pictures alone that the rights record of their folder states a right to. Off by default. */
  statedOnly?: boolean;
  /** Asked once where a record states no right to some pictures and neither of these says what to do; without an answer that is refused. */
  askRights?: TrainingRightsOptions['ask'];
  /** 0 by default. */
  seed?: number | string;
  /** Multiplies the learning rates of the schedule, 1 by default: less is slower and safer. */
  rateScale?: number;
  /** Licence of the weights, for the card. 'unstated' by default. */
  licence?: string;
  /** Go on from the run folder's checkpoint. All settings are then the checkpoint's; length, licence and snapshots may be given anew, and a style's weights. */
  resume?: boolean;
  /** Grids, checkpoints and models written along the way, evenly spread; 16 by default. One is written every 5 minutes at least. */
  snapshots?: number;
}

export interface RunSettings extends TrainerOptions, KeptSettings {
  shape: GanShape;
  labels: string[];
  /** Multiplies the schedule's penalty. */
  gammaScale: number;
}

export const DEFAULT_MINUTES = 30;
/** Of a GAN. */
const DEFAULT_BATCH = 16;
export const DEFAULT_SNAPSHOTS = 16;

export const lengthOf = ({ images, minutes }: Numbers): RunLength | undefined =>
  images !== undefined ? { images } : minutes !== undefined ? { minutes } : undefined;

/** A hash of networks' tables of weights. */
export const networksOf = (...networks: { table: readonly Weight[] }[]): string =>
  createHash('sha256').update(JSON.stringify(networks.map(({ table }) => table))).digest('hex');

/** Parts of a batch of a new run, which keeps them: another number of parts adds up otherwise, in the last bits. Other devices than the CPU share work out themselves. */
export const newParts = (batch: number, { device = 'cpu', threads = availableParallelism() }: VerbOptions): number => (device === 'cpu' ? partsOf(batch, threads) : 1);

/** Opens the graphs of a run. */
export function openerOf({ parts = 1 }: PartsOption, { device = 'cpu', threads = availableParallelism() }: VerbOptions) {
  const here = device === 'cpu' ? parts : 1;
  return { parts: here, open: opener(here, { device, threads }) };
}

/** The settings of a new run. */
export const newSettings = (options: TrainGanOptions, data: Dataset, gan: Gan, rights: TrainingRights): RunSettings => ({
  shape: gan.shape,
  ...keptRights(rights, options, data.files),
  labels: data.labels,
  fingerprint: data.fingerprint,
  networks: networksOf(gan.generator, gan.discriminator),
  seed: options.seed ?? 0,
  batch: options.batch ?? DEFAULT_BATCH,
  parts: newParts(options.batch ?? DEFAULT_BATCH, options),
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

/** Numbers that several kinds of training are asked with. */
type Numbers = Partial<Record<'images' | 'minutes' | 'batch' | 'crop' | 'adversarial' | 'penaltyEvery' | 'rateScale' | 'gammaScale' | 'snapshots', number>>;

/** @throws UserError for numbers that mean nothing. */
export function checkOptions(options: Numbers): void {
  if (options.images !== undefined && options.minutes !== undefined) throw new UserError('give --images or --minutes, not both');
  for (const name of ['images', 'minutes', 'batch', 'crop', 'adversarial', 'penaltyEvery', 'rateScale', 'gammaScale', 'snapshots'] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw new UserError(`--${kebab(name)} must be more than 0, not ${value}`);
    if (['batch', 'crop', 'penaltyEvery', 'snapshots'].includes(name) && value !== undefined && !Number.isInteger(value))
      throw new UserError(`--${kebab(name)} must be a whole number, not ${value}`);
  }
  if (options.batch !== undefined && options.batch > LARGEST_BATCH)
    throw new UserError(`--batch must be at most ${LARGEST_BATCH}, not ${options.batch}`);
}

/** @throws UserError for weights of a loss below nothing. */
export function checkWeights(weights: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(weights))
    if (value !== undefined && !(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new UserError(`--${kebab(name)} must be 0 or more, not ${value}`);
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What every run keeps of how it was begun. */
export interface KeptSettings {
  /** As it was stated for pictures without a statement of their own; without it a record states all. */
  rights?: StatedRights;
  statedOnly?: boolean;
  /** Hash of the names of the pictures trained on. Checkpoints of before there were records lack it. */
  used?: string;
  /** Multiplies the schedule's learning rates. */
  rateScale: number;
  /** Of the pictures. */
  fingerprint: string;
  /** Of the networks' tables of weights: a later version may order them differently. */
  networks: string;
  length: RunLength;
  licence: string;
  snapshots: number;
}

/** What every kind of training is asked with. */
interface AskedOptions extends Numbers {
  out: string;
  resume?: boolean;
  licence?: string;
}

/**
 * The checkpoint to go on from, its settings changed where they may be; undefined for a new run.
 * @param fixed names of options that cannot change, with what is asked for and what was kept.
 * @throws UserError where there is a run and none is asked for, or none and one is, and for settings that cannot change.
 */
export async function resumable<Settings extends KeptSettings, State extends TrainingState>(
  task: string,
  options: AskedOptions,
  path: string,
  fixed: (settings: Settings) => [name: string, asked: unknown, kept: unknown][],
): Promise<Checkpoint<Settings, State> | undefined> {
  if (!options.resume) {
    if (await stat(path).catch(() => undefined))
      throw new UserError(`'${options.out}' already holds a run; add --resume to go on with it, delete it, or choose another folder`);
    return undefined;
  }
  const checkpoint = await readCheckpoint<Settings, State>(path, task);
  const { settings } = checkpoint;
  // The command line's seed is text, the library's may be a number; they draw alike.
  for (const [name, asked, kept] of fixed(settings))
    if (asked !== undefined && String(asked) !== String(kept))
      throw new UserError(`the checkpoint in '${options.out}' was begun with${kept === undefined ? 'out' : ''} --${kebab(name)}${kept === undefined ? '' : ` ${kept}`}, not ${asked}; leave --${kebab(name)} out, or start a new run`);
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

/** What a GAN's run cannot change. */
export const fixedOfGan =
  (options: TrainGanOptions) =>
  (settings: RunSettings): [string, unknown, unknown][] => [
    ['size', options.size, settings.shape.size],
    ['preset', options.preset, settings.shape.preset],
    ['labels', options.labels, settings.labels.length > 0 ? 'folders' : 'none'],
    ...fixedRights(options, settings),
    ...(['batch', 'seed', 'mirror', 'augment', 'penaltyEvery', 'rateScale', 'gammaScale'] as const).map(
      (name) => [name, options[name], settings[name]] as [string, unknown, unknown],
    ),
  ];
