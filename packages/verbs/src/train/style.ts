// `train style`: paintings and photographs in, a style's model file out, with everything needed to watch and resume it.

import { targetOf } from '@zeuxis/graph/node';
import { banksOf, defineStyle, judgedSide, paintingDiscriminator, STYLE_VECTORS, type StyleState, StyleTrainer, type StyleTrainerOptions, startStyle } from '@zeuxis/nets';
import { type Canvases, openCanvases, UserError } from '@zeuxis/pictures';
import type { SettledRights } from '@zeuxis/provenance';
import type { StyleCard } from '../card.js';
import { planarsOf } from '../edit/samples.js';
import { findStyle, setsOf } from '../models.js';
import { weightsOf } from '../style/painter.js';
import { inRunFolder } from './folder.js';
import { Loop, type RunResult, runPaths } from './loop.js';
import { fixedRights, keptRights, requireSame, rightsOf, setOf, tellLeftOut } from './sets.js';
import { checkOptions, checkWeights, DEFAULT_SNAPSHOTS, type KeptSettings, lengthOf, networksOf, newParts, openerOf, resumable, type TrainingOptions } from './settings.js';
import { STYLE_CURVES, StyleTraining } from './style-training.js';

/** For 60 minutes where no length is given. The five weights may be turned when a run is resumed. */
export interface TrainStyleOptions extends TrainingOptions {
  /** A painting, or a folder of paintings that make one style. */
  pictures: string;
  /** Folder of photographs to learn to paint; 300 of them are taken at most. */
  content: string;
  /** A style to begin with in place of nothing: a shipped name, a .onnx file or a run folder. What that was trained on is named with the new one's. */
  from?: string;
  /** How wide a brush is, 1.5 by default: the paintings are seen with a shorter side of 480 px times this. */
  scale?: number;
  /** Weight of the photograph's structure, 1.5 by default: less lets more of it go. */
  contentWeight?: number;
  /** Weight of the painting's colours, 42 by default: more takes them as often as the painting has them. At first a third of it counts; from two thirds of the run on, all. */
  palette?: number;
  /** Weight of the run of the brush, as a discriminator sees it, 1 by default. */
  strokes?: number;
  /** Weight of the painting's patches, 1 by default: how fine and how strong the strokes are. */
  patches?: number;
  /** Weight of flat places staying flat in the large, 30 by default: more keeps a smooth sky from falling apart into the painting's colours. */
  calm?: number;
  /** Crops a step, 1 by default: within an hour many noisy steps lead further than few good ones. */
  batch?: number;
  /** Side of a crop in px, a multiple of 32; 448 by default: what a picture's colours are to be is asked of every crop, which should hold a scene. */
  crop?: number;
}

export type TrainStyleResult = RunResult<StyleCard>;

export interface StyleSettings extends Omit<StyleTrainerOptions, 'warm'>, KeptSettings {
  scale: number;
  from?: NonNullable<StyleCard['from']>;
}

const [DEFAULT_BATCH, DEFAULT_CROP, DEFAULT_MINUTES] = [1, 448, 60];
const WEIGHTS = { contentWeight: 1.5, palette: 42, strokes: 1, patches: 1, calm: 30 };
const DEFAULT_SCALE = 1.5;
/** Shorter side in px of the paintings at scale 1. */
const PAINTED = 480;
/** Shorter sides of photographs, of a crop's: seen whole or nearly so, for what a picture's colours are to be is asked of all of it. */
const PHOTOGRAPHED = [1, 8 / 7];
/** The finest brush and the widest: at this, 64 paintings take a gigabyte. */
const SCALES = [0.1, 4] as const;
/** The most paintings, and the smallest in px: below it there are no strokes to see. */
export const PAINTINGS = { most: 64, least: 128 } as const;
const MOST_PHOTOGRAPHS = 300;
/** The smallest photograph, unless crops are small: enlarged to a crop it is soft, but its colours and forms serve. */
const SMALLEST_PHOTOGRAPH = 96;
/** Crops are judged at an eighth of their sides, where the smallest holds a patch. */
const [CROP_STEP, SMALLEST_CROP] = [32, 96];

const fixedOf =
  (options: TrainStyleOptions) =>
  ({ side, ...settings }: StyleSettings): [string, unknown, unknown][] => [
    ...fixedRights(options, settings),
    ['crop', options.crop, side],
    ...(['batch', 'seed', 'scale', 'rateScale'] as const).map((name) => [name, options[name], settings[name]] as [string, unknown, unknown]),
  ];

const shorterOf = (scale: number): number => Math.round(PAINTED * scale);

/** By what right both sets are used. */
type Settled = Record<'paintings' | 'photographs', SettledRights>;

/** Paintings and photographs, none of them both. */
async function openBoth(options: TrainStyleOptions, side: number, scale: number, settled: Settled): Promise<{ paintings: Canvases; photographs: Canvases }> {
  const { pictures, content, signal, onProgress = () => {} } = options;
  const common = (stage: keyof Settled) => ({
    ...(signal ? { signal } : {}),
    ...(settled[stage].admit ? { admit: settled[stage].admit } : {}),
    onProgress: ({ done, total }: { done: number; total: number }) => onProgress({ stage, done, total, unit: 'pictures' }),
  });
  const paintings = await openCanvases(pictures, { shorter: [shorterOf(scale)], ...PAINTINGS, side, ...common('paintings') });
  const photographs = await openCanvases(content, { shorter: PHOTOGRAPHED.map((share) => Math.round(share * side)), least: Math.min(SMALLEST_PHOTOGRAPH, side / 2), side, most: MOST_PHOTOGRAPHS, not: paintings, ...common('photographs') });
  const opened = { paintings, photographs };
  for (const stage of ['paintings', 'photographs'] as const) tellLeftOut(stage, opened[stage], onProgress);
  return opened;
}

/**
 * Trains a style on a painting or several.
 * An abort through `signal` ends the run after the step at hand, with a checkpoint; the result says `finished: false`.
 * @throws UserError for pictures, options or a run folder that cannot serve, a full disk, and a run that diverges.
 */
export async function trainStyle(options: TrainStyleOptions): Promise<TrainStyleResult> {
  const { out, onProgress = () => {}, device } = options;
  checkOptions(options);
  const { contentWeight, palette, strokes, patches, calm } = options;
  checkWeights({ contentWeight, palette, strokes, patches, calm });
  const before = await resumable<StyleSettings, StyleState>('style', options, runPaths(out).checkpoint, fixedOf(options));
  if (before && options.from !== undefined) throw new UserError(`--from is for new runs, and this one goes on with '${out}'; leave it out`);
  const from = options.from === undefined ? undefined : await findStyle(options.from);
  const first = from && weightsOf(from);
  const rights = rightsOf(options, before?.settings);
  const settled: Settled = { paintings: await rights.settle(options.pictures), photographs: await rights.settle(options.content) };
  const [side, scale] = [before?.settings.side ?? options.crop ?? DEFAULT_CROP, before?.settings.scale ?? options.scale ?? DEFAULT_SCALE];
  if (!(scale >= SCALES[0] && scale <= SCALES[1])) throw new UserError(`--scale must be from ${SCALES[0]} to ${SCALES[1]}, not ${scale}`);
  if (side % CROP_STEP !== 0 || side < SMALLEST_CROP) throw new UserError(`--crop must be a multiple of ${CROP_STEP} px from ${SMALLEST_CROP} on, not ${side}; try ${DEFAULT_CROP}`);
  if (shorterOf(scale) < side) throw new UserError(`at --scale ${scale} the paintings would be smaller than a crop of ${side} px; take a larger scale or a smaller --crop`);
  return inRunFolder({ ...options, pictures: [options.pictures, options.content] }, async (begin) => {
    if (before) begin();
    const { paintings, photographs } = await openBoth(options, side, scale, settled);
    const fingerprint = `${paintings.fingerprint} ${photographs.fingerprint}`;
    const batch = options.batch ?? DEFAULT_BATCH;
    const networks = networksOf(defineStyle(), paintingDiscriminator(judgedSide(side)));
    // Weights may be turned on the way.
    const turned = Object.fromEntries(Object.entries({ contentWeight, palette, strokes, patches, calm }).filter(([, value]) => value !== undefined));
    // Runs of before there was calm go on without.
    const settings: StyleSettings = before ? { ...before.settings, calm: before.settings.calm ?? 0, ...turned } : {
      side,
      scale,
      ...(from ? { from: { name: from.name, sha256: from.sha256, licence: from.card.licence, trainingSets: setsOf(from.card) } } : {}),
      ...keptRights(rights, options, paintings.files, photographs.files),
      fingerprint,
      networks,
      batch,
      parts: newParts(batch, options),
      seed: options.seed ?? 0,
      ...WEIGHTS,
      ...turned,
      rateScale: options.rateScale ?? 1,
      length: lengthOf(options) ?? { minutes: DEFAULT_MINUTES },
      licence: options.licence ?? 'unstated',
      snapshots: options.snapshots ?? DEFAULT_SNAPSHOTS,
    };
    requireSame(settings, fingerprint, out, paintings.files, photographs.files);
    const state = before?.state ?? startStyle(side, settings.seed, first);
    if (settings.networks !== networks || !STYLE_VECTORS.every((name) => state.vectors[name]))
      throw new UserError(`the checkpoint in '${out}' is of another network than this version's; start a new run`);
    onProgress({ stage: 'compile', done: 0, total: 1, unit: 'networks' });
    const { parts, open } = openerOf(settings, options);
    const trainer = await StyleTrainer.open({ ...settings, parts, warm: settings.from !== undefined }, state, banksOf(planarsOf(paintings), paintings.count, judgedSide(side), settings.seed, settings.patches > 0), open, await targetOf(device));
    begin();
    const { length, snapshots } = settings;
    const shown = { 'D loss': 'discriminatorLoss', 'G loss': 'generatorLoss', content: 'content' };
    const loop = { ...options, length, snapshots, secondsBefore: before?.seconds ?? 0, shown, curves: STYLE_CURVES };
    return await new Loop(new StyleTraining(options, settings, { paintings, photographs, painted: shorterOf(scale), trainingSet: setOf(options.pictures, paintings, settled.paintings), content: setOf(options.content, photographs, settled.photographs) }, trainer), loop).train().finally(() => trainer.close());
  });
}
