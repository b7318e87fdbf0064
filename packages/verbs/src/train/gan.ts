// `train gan`: a folder of pictures in, a generator's model file out, with everything needed to watch and resume it.
//
// A run folder holds model.onnx, checkpoint, metrics.jsonl, report.html and grids/.

import { targetOf } from '@zeuxis/graph/node';
import { defineGan, type GanState, GanTrainer, type Preset, startGan, VECTORS } from '@zeuxis/nets';
import { openDataset, UserError } from '@zeuxis/pictures';
import type { GanCard } from '../card.js';
import { cacheFolder } from '../places.js';
import { asUserError, inRunFolder } from './folder.js';
import { GAN_CURVES, GanTraining } from './gan-training.js';
import { Loop, type RunResult, runPaths } from './loop.js';
import { requireSame, rightsOf, setOf, tellLeftOut } from './sets.js';
import { checkOptions, fixedOfGan, networksOf, newSettings, openerOf, type RunSettings, resumable, type TrainingOptions } from './settings.js';

/** For 30 minutes where no length is given. */
export interface TrainGanOptions extends TrainingOptions {
  /** Folder of JPEG, PNG, WebP, AVIF or TIFF; its first folders are the labels. */
  pictures: string;
  /** Side in px: 32, 64 (default), 128 or 256. */
  size?: number;
  /** 'fast' by default. */
  preset?: Preset;
  /** 'folders' (default where there are any) or 'none'. */
  labels?: 'folders' | 'none';
  /** Pictures a step, 16 by default. */
  batch?: number;
  /** Mirror pictures by chance: right for garments, wrong where left and right differ. Off by default. */
  mirror?: boolean;
  /** Augment as strongly as over-fitting demands. On by default. */
  augment?: boolean;
  /** Steps from one gradient penalty to the next, 4 by default; 1 is every step. */
  penaltyEvery?: number;
  /** Multiplies the weight of the gradient penalty, 1 by default: more is safer, and blurs. */
  gammaScale?: number;
  /** Folder for the packed pictures; the user's cache by default. */
  cache?: string;
}

export type TrainGanResult = RunResult<GanCard>;

/**
 * Trains a generator on a folder of pictures.
 * An abort through `signal` ends the run after the step at hand, with a checkpoint; the result says `finished: false`.
 * @throws UserError for pictures, options or a run folder that cannot serve, a full disk, and a run that diverges.
 */
export async function trainGan(options: TrainGanOptions): Promise<TrainGanResult> {
  const { out, onProgress = () => {}, signal, device } = options;
  checkOptions(options);
  const paths = runPaths(out);
  const before = await resumable<RunSettings, GanState>('gan', options, paths.checkpoint, fixedOfGan(options));
  const size = before?.settings.shape.size ?? options.size ?? 64;
  const preset = before?.settings.shape.preset ?? options.preset ?? 'fast';
  asUserError(() => defineGan({ preset, size, classes: 0 }));
  const rights = rightsOf(options, before?.settings);
  const settled = await rights.settle(options.pictures);
  const labels = before ? (before.settings.labels.length > 0 ? 'folders' : 'none') : options.labels;
  return inRunFolder(options, async (begin) => {
    if (before) begin();
    const data = await openDataset(options.pictures, {
      size,
      cache: options.cache ?? cacheFolder(),
      ...(settled.admit ? { admit: settled.admit } : {}),
      ...(labels ? { labels } : {}),
      ...(signal ? { signal } : {}),
      onProgress: ({ done, total }) => onProgress({ stage: 'decode', done, total, unit: 'pictures' }),
    });
    try {
      tellLeftOut('decode', data, onProgress);
      const gan = defineGan({ preset, size, classes: data.labels.length });
      const settings = before?.settings ?? newSettings(options, data, gan, rights);
      requireSame(settings, data.fingerprint, out, data.files);
      if (String(settings.labels) !== String(data.labels)) throw new UserError(`the labels in '${options.pictures}' are not those of the checkpoint in '${out}'; start a new run in another folder`);
      const state = before?.state ?? startGan(gan, settings.seed);
      const fits = VECTORS.every((name) => state.vectors[name]?.length === gan[name.startsWith('discriminator') ? 'discriminator' : 'generator'].size);
      if (!fits || settings.networks !== networksOf(gan.generator, gan.discriminator))
        throw new UserError(`the checkpoint in '${out}' is of another network than '${preset}' at ${size} px in this version; start a new run`);
      onProgress({ stage: 'compile', done: 0, total: 1, unit: 'networks' });
      const { parts, open } = openerOf(settings, options);
      const trainer = await GanTrainer.open(gan, { ...settings, parts }, state, open, await targetOf(device));
      begin();
      try {
        const { length, snapshots } = settings;
        const shown = { 'D loss': 'discriminatorLoss', 'G loss': 'generatorLoss' };
        const loop = { ...options, length, snapshots, secondsBefore: before?.seconds ?? 0, shown, curves: GAN_CURVES };
        return await new Loop(new GanTraining(options, settings, data, trainer, setOf(options.pictures, data, settled)), loop).train();
      } finally {
        await trainer.close();
      }
    } finally {
      data.close();
    }
  });
}
