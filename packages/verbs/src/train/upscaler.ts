// `train upscaler`: a folder of pictures in, an upscaler's model file out, with everything needed to watch and resume it.

import { stat } from 'node:fs/promises';
import { openSession, targetOf } from '@zeuxis/graph/node';
import {
  defineUpscaler,
  patchDiscriminator,
  type SharpenState,
  SharpenTrainer,
  startSharpening,
  startUpscaler,
  type UpscalerPreset,
  type UpscalerShape,
  type UpscalerState,
  UpscalerTrainer,
  type UpscalerTrainerOptions,
} from '@zeuxis/nets';
import { DEGRADATIONS, type Degradation, openPairs, UserError } from '@zeuxis/pictures';
import { readModel, type UpscalerCard } from '../card.js';
import { cacheFolder } from '../places.js';
import { readCheckpoint } from './checkpoint.js';
import { asUserError, inRunFolder } from './folder.js';
import { Loop, type RunResult, runPaths } from './loop.js';
import { fixedRights, keptRights, requireSame, rightsOf, setOf, tellLeftOut } from './sets.js';
import { checkOptions, DEFAULT_MINUTES, DEFAULT_SNAPSHOTS, type KeptSettings, lengthOf, networksOf, newParts, openerOf, resumable, type TrainingOptions } from './settings.js';
import { SHARPEN_CURVES, SharpenTraining, UPSCALER_CURVES, UpscalerTraining } from './upscaler-training.js';

/** For 30 minutes where no length is given. */
export interface TrainUpscalerOptions extends TrainingOptions {
  /** Folder of JPEG, PNG, WebP, AVIF or TIFF, and folders in it. They are reduced to make the pairs to learn from. */
  pictures: string;
  /** 2, 3 or 4. A new run needs it; a resumed one knows it. */
  scale?: number;
  /** 'best' by default. */
  preset?: UpscalerPreset;
  /** How the small pictures are made of the large ones: 'bicubic' (default), or 'photo', with blur, noise and JPEG to be undone. */
  degrade?: Degradation;
  /**
   * Run folder of a trained upscaler, to be sharpened against a discriminator; scale, preset and channels are its. The new model
   * holds both weights, and `upscale` blends them by its `detail`.
   */
  sharpen?: string;
  /** Weight of the discriminator's word beside the errors of pixels, 0.02 by default: more is sharper, and invents more. */
  adversarial?: number;
  /** Train on luma alone, for grey pictures. Off by default. */
  grey?: boolean;
  /** Crops a step, 8 by default: within an hour many noisy steps lead further than few good ones. */
  batch?: number;
  /** Side of a crop of the small picture in px, 32 by default. */
  crop?: number;
  /** Folder for the packed pictures; the user's cache by default. */
  cache?: string;
}

export type TrainUpscalerResult = RunResult<UpscalerCard>;

export interface UpscalerSettings extends UpscalerTrainerOptions, KeptSettings {
  shape: UpscalerShape;
  degradation: Degradation;
  /** Of a run that sharpens: the card of what it began with, and the discriminator's weight. */
  faithful?: UpscalerCard;
  adversarial?: number;
}

const DEFAULT_BATCH = 8;
const DEFAULT_CROP = 32;
const DEFAULT_ADVERSARIAL = 0.02;
/** A discriminator sees the large crop, whose sides it halves thrice. */
const DISCRIMINATED = 8;

/** What a run sharpens: its settings, its card and the weights that it came to. */
async function readFaithful({ sharpen: run, preset, grey }: TrainUpscalerOptions & { sharpen: string }) {
  if (!(await stat(runPaths(run).checkpoint).catch(() => undefined))) throw new UserError(`there is no run in '${run}' to be sharpened; give the run folder of a trained upscaler`);
  const { settings, state } = await readCheckpoint<UpscalerSettings, UpscalerState>(runPaths(run).checkpoint, 'upscaler');
  if (settings.faithful) throw new UserError(`the run in '${run}' has sharpened already; give the run that it began with`);
  const { shape } = settings;
  if ((preset !== undefined && preset !== shape.preset) || (grey !== undefined && grey !== (shape.channels === 1)))
    throw new UserError(`the run in '${run}' is of ${shape.preset}${shape.channels === 1 ? ', grey' : ''}; leave --preset and --grey out`);
  const { training } = defineUpscaler(shape);
  if (settings.networks !== networksOf(training.network) || state.vectors.average?.length !== training.network.size)
    throw new UserError(`the run in '${run}' is of another network than this version's; train it anew`);
  const { card } = await readModel(runPaths(run).model);
  return { shape, degradation: settings.degradation, card: card as UpscalerCard, weights: await training.fold(state.vectors.average, openSession) };
}

const fixedOf =
  (options: TrainUpscalerOptions) =>
  ({ shape, side, degradation, ...settings }: UpscalerSettings): [string, unknown, unknown][] => [
    ['scale', options.scale, shape.scale],
    ['preset', options.preset, shape.preset],
    ['degrade', options.degrade, degradation],
    ['adversarial', options.adversarial, settings.adversarial],
    ['grey', options.grey, shape.channels === 1],
    ...fixedRights(options, settings),
    ['crop', options.crop, side],
    ...(['batch', 'seed', 'rateScale'] as const).map((name) => [name, options[name], settings[name]] as [string, unknown, unknown]),
  ];

function newSettings(options: TrainUpscalerOptions, given: Pick<UpscalerSettings, 'shape' | 'degradation' | 'faithful' | keyof ReturnType<typeof keptRights> | 'fingerprint' | 'networks'>): UpscalerSettings {
  return {
    ...given,
    ...(given.faithful ? { adversarial: options.adversarial ?? DEFAULT_ADVERSARIAL } : {}),
    seed: options.seed ?? 0,
    batch: options.batch ?? DEFAULT_BATCH,
    parts: newParts(options.batch ?? DEFAULT_BATCH, options),
    side: options.crop ?? DEFAULT_CROP,
    rateScale: options.rateScale ?? 1,
    length: lengthOf(options) ?? { minutes: DEFAULT_MINUTES },
    licence: options.licence ?? 'unstated',
    snapshots: options.snapshots ?? DEFAULT_SNAPSHOTS,
  };
}

/**
 * Trains an upscaler on a folder of pictures, against the same pictures reduced: by MATLAB's bicubic, or as photographs suffer.
 * An abort through `signal` ends the run after the step at hand, with a checkpoint; the result says `finished: false`.
 * @throws UserError for pictures, options or a run folder that cannot serve, a full disk, and a run that diverges.
 */
export async function trainUpscaler(options: TrainUpscalerOptions): Promise<TrainUpscalerResult> {
  const { out, onProgress = () => {}, signal, device } = options;
  checkOptions(options);
  const before = await resumable<UpscalerSettings, UpscalerState | SharpenState>('upscaler', options, runPaths(out).checkpoint, fixedOf(options));
  const faithful = options.sharpen !== undefined && !before ? await readFaithful({ ...options, sharpen: options.sharpen }) : undefined;
  const { scale = faithful?.shape.scale } = options;
  if (faithful && faithful.shape.scale !== scale) throw new UserError(`the run in '${options.sharpen}' enlarges ${faithful.shape.scale} times, not ${scale}; leave --scale out`);
  if (!before && scale === undefined) throw new UserError('say how many times larger: --scale 2, 3 or 4');
  const shape = before?.settings.shape ?? faithful?.shape ?? { preset: options.preset ?? 'best', scale: scale!, channels: options.grey ? 1 : 3 };
  const upscaler = asUserError(() => defineUpscaler(shape));
  const degradation = before?.settings.degradation ?? options.degrade ?? faithful?.degradation ?? 'bicubic';
  if (!DEGRADATIONS.includes(degradation)) throw new UserError(`there is no degradation '${degradation}'; choose ${DEGRADATIONS.join(' or ')}`);
  const rights = rightsOf(options, before?.settings);
  const settled = await rights.settle(options.pictures);
  const side = before?.settings.side ?? options.crop ?? DEFAULT_CROP;
  if (faithful && (side * shape.scale) % DISCRIMINATED !== 0) throw new UserError(`--crop ${side} at scale ${shape.scale} is no multiple of ${DISCRIMINATED} px, which sharpening needs; try ${DEFAULT_CROP}`);
  return inRunFolder(options, async (begin) => {
    if (before) begin();
    const pairs = await openPairs(options.pictures, {
      scale: shape.scale,
      degradation,
      channels: shape.channels,
      side,
      cache: options.cache ?? cacheFolder(),
      ...(settled.admit ? { admit: settled.admit } : {}),
      ...(signal ? { signal } : {}),
      onProgress: ({ done, total }) => onProgress({ stage: 'decode', done, total, unit: 'pictures' }),
    });
    try {
      tellLeftOut('decode', pairs, onProgress);
      const sharpens = faithful !== undefined || before?.settings.faithful !== undefined;
      const moved = sharpens ? upscaler.network : upscaler.training.network;
      const networks = networksOf(moved, ...(sharpens ? [patchDiscriminator(shape.channels)] : []));
      const given = { shape, degradation, ...keptRights(rights, options, pairs.files), fingerprint: pairs.fingerprint, networks, ...(faithful ? { faithful: faithful.card } : {}) };
      const settings = before?.settings ?? newSettings(options, given);
      requireSame(settings, pairs.fingerprint, out, pairs.files);
      const fits = Object.entries(before?.state.vectors ?? {}).every(([name, vector]) => name.startsWith('discriminator') || vector.length === moved.size);
      if (settings.networks !== networks || !fits)
        throw new UserError(`the checkpoint in '${out}' is of another network than '${shape.preset}' at scale ${shape.scale} in this version; start a new run`);
      onProgress({ stage: 'compile', done: 0, total: 1, unit: 'networks' });
      const { parts, open } = openerOf(settings, options);
      const target = await targetOf(device);
      const { length, snapshots, seed } = settings;
      const loop = { ...options, length, snapshots, secondsBefore: before?.seconds ?? 0 };
      const set = setOf(options.pictures, pairs, settled);
      if (settings.faithful) {
        const { adversarial = DEFAULT_ADVERSARIAL } = settings;
        const state = (before?.state as SharpenState | undefined) ?? startSharpening(upscaler, faithful!.weights, seed);
        const trainer = await SharpenTrainer.open(upscaler, { ...settings, parts, adversarial }, state, open, target);
        begin();
        const shown = { 'D loss': 'discriminatorLoss', 'G loss': 'generatorLoss', error: 'loss' };
        return await new Loop(new SharpenTraining(options, settings, pairs, trainer, set), { ...loop, shown, curves: SHARPEN_CURVES }).train().finally(() => trainer.close());
      }
      const state = (before?.state as UpscalerState | undefined) ?? startUpscaler(upscaler, seed);
      const trainer = await UpscalerTrainer.open(upscaler, { ...settings, parts }, state, open, target);
      begin();
      const shown = { loss: 'loss', 'PSNR dB': 'psnr' };
      return await new Loop(new UpscalerTraining(options, settings, pairs, trainer, set), { ...loop, shown, curves: UPSCALER_CURVES }).train().finally(() => trainer.close());
    } finally {
      pairs.close();
    }
  });
}
