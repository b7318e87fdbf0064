// `style`: photographs painted by a trained style, each signed with its source as an ingredient.

import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { requireDevice } from '@zeuxis/graph/node';
import { type AnimatedFormat, type Animation, animatedFormat, RASTER_EXTENSION, type Raster, type RasterFormat, readAnimation, readRaster, requireFits, UserError } from '@zeuxis/pictures';
import { type Edit, type HumanWork, publishEdited, sameHuman, sayMakers, sayRights, verify } from '@zeuxis/provenance';
import type { StyleCard } from '../card.js';
import { humanOf } from '../edit/authorship.js';
import { BatchFault, type BatchItem, type BatchOptions, type BatchResult, type EditedFile, formatOfName, inBatch, type Work } from '../edit/batch.js';
import { markingOf } from '../edit/marking.js';
import { findStyle, type ListedModel, named, trainedOn } from '../models.js';
import { tileProgress } from '../progress.js';
import { VERSION } from '../version.js';
import { MixedPainter } from './mixed.js';
import { Painter, type PaintOptions, type Paints, painterOf } from './painter.js';
import { paintAnimation, paintRaster } from './raster.js';

export interface StyleOptions extends BatchOptions {
  /** A shipped name, a .onnx file or a run folder; or two, to be mixed. */
  model: string | readonly [string, string];
  /** Of two models: how much of the second, 0 to 1; 0.5 by default. */
  mix?: number;
  /** 0 to 1 (default): how much is painted. 0 leaves the photograph as it is. */
  strength?: number;
  /** Keep the photograph's colours and take the painting's light and dark alone. Off by default. */
  keepColour?: boolean;
  /** A grey picture of the photograph's size: white is painted, black stays, and what lies between is between. */
  mask?: string;
  /** Of the noise that strokes begin from; by default each picture's own, the first eight digits of its file's SHA-256. */
  seed?: number | string;
}

export type StyleResult = BatchResult;

type Seeded = Required<Pick<PaintOptions, 'seed'>>;

/** What files' painting depends on beside each file, its seed and the model; kept in their manifests. */
type Settings = Pick<StyleOptions, 'strength' | 'keepColour' | 'mix'> & {
  human?: HumanWork;
  /** Hexadecimal SHA-256 of the second model. */
  with?: string;
  /** Hexadecimal SHA-256 of the mask's pixels. */
  mask?: string;
};

/**
 * Paints photographs. Depths, opacity, colour profiles and camera data are kept; grey ones become colour, and of animated ones only frames and
 * their times are kept.
 * @throws UserError for options, models and folders that cannot serve; a fault of one file is told in `failures`.
 */
export async function style(options: StyleOptions): Promise<StyleResult> {
  const { strength = 1, keepColour = false } = options;
  if (!(strength >= 0 && strength <= 1)) throw new UserError(`the strength must be from 0 to 1, not ${strength}`);
  const names = typeof options.model === 'string' ? [options.model] : options.model;
  const { mix = 0.5 } = options;
  if (names.length === 1 && options.mix !== undefined) throw new UserError('--mix is for two styles; give --model twice');
  if (names.length > 2) throw new UserError(`two styles can be mixed, not ${names.length}`);
  if (!(mix >= 0 && mix <= 1)) throw new UserError(`the mix must be from 0 to 1, not ${mix}`);
  const models = await Promise.all(names.map(findStyle));
  const mask = options.mask === undefined ? undefined : await readMask(options.mask, options.maximumPixels);
  const human = humanOf(options, {
    chose: [
      `the style ${models.map(({ name }) => `'${name}'`).join(' and ')}`,
      options.strength !== undefined && `strength ${strength}`,
      options.mix !== undefined && `a mix of ${mix}`,
      keepColour && "the photograph's colours",
      options.seed !== undefined && `seed ${options.seed}`,
    ],
    edited: [mask && 'where it is painted, by a mask'],
  });
  const settings: Settings = { strength, ...human, ...(models[1] ? { mix, with: models[1].sha256 } : {}), ...(keepColour ? { keepColour } : {}), ...(mask ? { mask: mask.sha256 } : {}) };
  await requireDevice(options.device);
  const painter = lazily(paintsOf(models, options, strength, mix));
  const job = { options, models, painter, mask: mask?.raster, settings };
  return inBatch(options, { done: 'painted', isOurs: ({ scale }) => scale === undefined }, (item) => plan(item, job)).finally(() => painter.close());
}

/** How the one painter is opened, or both mixed. */
function paintsOf([first, second]: readonly ListedModel<StyleCard>[], options: StyleOptions, strength: number, mix: number): () => Promise<Paints> {
  if (!second) return painterOf(first!, options, strength);
  const shares = MixedPainter.shares(strength, mix);
  const [one, other] = [painterOf(first!, options, shares.first), painterOf(second, options, shares.second, shares.share)];
  return async () => {
    const painter = await one();
    const over = await other().catch(async (error: Error) => {
      await painter.close();
      throw error;
    });
    return new MixedPainter(painter, over);
  };
}

/** A painter that is opened when it is first asked for, as threads decode what it is to paint. */
interface Lazy {
  get(): Promise<Paints>;
  close(): Promise<void>;
}

function lazily(open: () => Promise<Paints>): Lazy {
  let opened: Promise<Paints> | undefined;
  const tried = () =>
    open().catch((error: Error) => {
      throw new BatchFault(error);
    });
  return { get: () => (opened ??= tried()), close: async () => (await opened?.catch(() => undefined))?.close() };
}

interface Job {
  options: StyleOptions;
  models: readonly ListedModel<StyleCard>[];
  painter: Lazy;
  mask: Raster | undefined;
  settings: Settings;
}

async function readMask(path: string, maximumPixels: number | undefined): Promise<{ raster: Raster; sha256: string }> {
  const raster = inGrey(await readRaster(path, { maximumPixels }));
  if (!raster) throw new UserError(`the mask '${path}' is in colour; give a grey picture, white where it is to be painted`);
  const { buffer, byteOffset, byteLength } = raster.data;
  return { raster, sha256: createHash('sha256').update(new Uint8Array(buffer, byteOffset, byteLength)).digest('hex') };
}

/** A picture as one of grey, as which many programs write none; undefined where a pixel is in colour. */
function inGrey(raster: Raster): Raster | undefined {
  const { channels, alpha, data, width, height } = raster;
  if (channels === 1) return raster;
  const [step, kept] = [alpha ? 4 : 3, alpha ? 2 : 1];
  const grey = data.slice(0, kept * width * height);
  for (let i = 0; i < width * height; i++) {
    const at = i * step;
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return undefined;
    grey[kept * i] = data[at]!;
    if (alpha) grey[kept * i + 1] = data[at + 3]!;
  }
  return { ...raster, channels: 1, data: grey };
}

/** What a file becomes. */
interface Form {
  format: RasterFormat | AnimatedFormat;
  animated: boolean;
}

/** Animated pictures stay animated. */
async function formOf({ path, bytes }: BatchItem, format: StyleOptions['format']): Promise<Form> {
  const animated = await animatedFormat(bytes);
  if (!animated) return { format: format === 'same' ? formatOfName(path) : (format ?? 'png'), animated: false };
  if (format !== undefined && format !== 'same' && format !== 'webp') throw new UserError(`'${path}' is animated, which ${format} cannot be; choose webp, or leave --format out`);
  return { format: format === 'webp' ? format : animated, animated: true };
}

async function plan(item: BatchItem, job: Job): Promise<Work> {
  const { options, models } = job;
  const settings = { ...job.settings, seed: seedOf(item, options) };
  const form = await formOf(item, options.format);
  const { format } = form;
  const target = join(options.out, `${item.name}${format === 'gif' ? '.gif' : RASTER_EXTENSION[format]}`);
  return {
    target,
    isMade: async () => {
      const verdict = await verify(target).catch(() => undefined);
      const made = verdict?.state === 'trusted' || verdict?.state === 'valid' ? verdict.edit : undefined;
      const same = (['seed', 'strength', 'keepColour', 'mask', 'mix', 'with'] as const).every((name) => String(made?.[name]) === String(settings[name]));
      return made !== undefined && sameHuman(made.human, settings.human) && made.parent.sha256 === item.sha256 && made.model.sha256 === models[0]!.sha256 && same;
    },
    make: () => make(item, target, form, settings, job),
  };
}

const seedOf = ({ sha256 }: BatchItem, { seed = sha256.slice(0, 8) }: StyleOptions): number | string => seed;

async function make({ path, bytes, identity }: BatchItem, target: string, form: Form, settings: Settings & Seeded, job: Job): Promise<EditedFile> {
  const { models, options } = job;
  const { quality } = options;
  const [model, second] = models as [ListedModel<StyleCard>, ListedModel<StyleCard> | undefined];
  // Whose hand it is stands in every picture painted in it.
  const told = ({ name, card: { trainingSet } }: ListedModel<StyleCard>) =>
    `the style '${name}', learned from ${trainingSet.pictures} ${trainingSet.pictures === 1 ? 'painting' : 'paintings'}${sayMakers(trainingSet)} (${sayRights(trainingSet)})`;
  const edit: Edit = {
    action: 'c2pa.filtered',
    description: `painted by ${models.map(told).join(' and ')}`,
    parent: { path, bytes },
    ...(second ? { alsoBy: [named(second)] } : {}),
    generation: { model: named(model), ...settings, trainingSet: trainedOn(model.card.trainingSet), ...(second ? { second: { ...named(second), trainingSet: trainedOn(second.card.trainingSet) } } : {}) },
  };
  // A single picture of GIF was read as an animation of one frame, and leaves as one.
  const published = await publishEdited(() => painted(path, bytes, form, settings, job), target, edit, { identity, version: VERSION, format: form.format, ...(quality === undefined ? {} : { quality }), ...markingOf(options) });
  return { ...published, source: path };
}

async function painted(path: string, bytes: Buffer, { format, animated }: Form, { seed }: Seeded, { options, painter: lazy, mask }: Job): Promise<Raster | Animation> {
  const { maximumPixels, signal, onProgress, keepColour = false } = options;
  const given = { seed, signal, keepColour, mask };
  // What cannot be is said before the work.
  const fits = ({ width, height }: { width: number; height: number }) => {
    if (format !== 'gif') requireFits(width, height, format);
    if (mask && (mask.width !== width || mask.height !== height))
      throw new UserError(`the mask is ${mask.width}x${mask.height} and '${path}' ${width}x${height}; give a mask of the same size`);
  };
  if (animated || format === 'gif') {
    const animation = await readAnimation(path, bytes, maximumPixels);
    fits(animation);
    const painter = await lazy.get();
    const onTile = tileProgress(basename(path), Painter.tiles(animation) * animation.delay.length * painter.passes, onProgress);
    return paintAnimation(painter, animation, { ...given, onTile });
  }
  // Threads decode it while a first picture's painter is opened.
  const reading = readRaster(path, { maximumPixels, bytes });
  const [raster, painter] = await Promise.all([reading, lazy.get()]);
  fits(raster);
  const onTile = tileProgress(basename(path), Painter.tiles(raster) * painter.passes, onProgress);
  return paintRaster(painter, raster, { ...given, onTile });
}
