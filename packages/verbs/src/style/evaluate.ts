// `evaluate` for styles: how near its pictures come to the painting, and how much of each photograph is left, beside the untouched
// photograph and a plain transfer of colours.

import { basename, join } from 'node:path';
import { flicker, PaintingProfile, type Planar, type Structure, type StyleDistance, stillFrame, structureKept } from '@zeuxis/nets';
import { findPictures, openCanvases, UserError } from '@zeuxis/pictures';
import { readPainting, type StyleCard } from '../card.js';
import { planar, planarsOf, planesOf, sinkTo, sourceOf } from '../edit/samples.js';
import type { ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';
import { PAINTINGS } from '../train/style.js';
import { type Manner, painterOf } from './painter.js';

/** Shorter side in px at which pictures are painted and measured. */
const MEASURED = 512;

export interface StyleFigures extends StyleDistance, Structure {
  /** Mean absolute change between two frames of the still scene that a camera's noise tells apart, black to white being 1. */
  flicker: number;
}

export interface StyleEvaluation {
  model: { name: string; sha256: string };
  pictures: { folder: string; count: number };
  /** What the paintings were. */
  against: string;
  strength: number;
  each: ({ name: string } & Record<'painted' | 'untouched' | 'transferred', StyleFigures>)[];
  mean: Record<'painted' | 'untouched' | 'transferred', StyleFigures>;
}

export interface EvaluateStyleOptions extends VerbOptions {
  /** A painting, or a folder of those, which are measured against as one; what the model keeps of its own by default. */
  against?: string;
  /** 1 by default. */
  strength?: number;
  seed?: number | string;
}

const FIGURES = ['patches', 'colour', 'ssim', 'edges', 'flicker'] as const;
const meanOf = <K extends string>(rows: readonly Record<K, number>[], names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0) / rows.length])) as Record<K, number>;

/** A picture of a set of canvases as planes, 0 to 1. */
async function planarOf(path: string, signal: AbortSignal | undefined): Promise<Planar> {
  const canvases = await openCanvases(path, { shorter: [MEASURED], least: 64, most: 1, ...(signal ? { signal } : {}) });
  return planesOf(canvases, 0);
}

/** What is known of the paintings to measure against, seen as wide as the style was taught to see its own. */
async function profileOf({ name, card, bytes }: ListedModel<StyleCard>, { against, signal, onProgress = () => {} }: EvaluateStyleOptions): Promise<PaintingProfile> {
  if (against === undefined) {
    const own = readPainting(bytes);
    if (!own) throw new UserError(`'${name}' was trained by a version whose models keep nothing of their paintings; give those: --against PATH`);
    return own;
  }
  const canvases = await openCanvases(against, { shorter: [card.painted], side: card.crop, ...PAINTINGS, ...(signal ? { signal } : {}) });
  if (canvases.fingerprint !== card.trainingSet.fingerprint)
    onProgress({ stage: 'measure', done: 0, total: 1, unit: 'pictures', note: `'${against}' is not, by its contents and names, what '${name}' was learned from` });
  return PaintingProfile.of(planarsOf(canvases), canvases.count);
}

/**
 * Measures a style on photographs, brought to a shorter side of 512 px.
 * @throws UserError for folders and pictures that cannot serve.
 */
export async function evaluateStyle(model: ListedModel<StyleCard>, folder: string, options: EvaluateStyleOptions): Promise<StyleEvaluation> {
  const { against, strength = 1, seed = 0, signal, onProgress = () => {} } = options;
  const profile = await profileOf(model, options);
  const files = await findPictures(folder);
  const painter = await painterOf(model, options, strength)();
  const each: StyleEvaluation['each'] = [];
  try {
    for (const file of files) {
      const photograph = await planarOf(join(folder, file), signal).catch((error: Error) => {
        if (error.name !== 'UserError') throw error;
        onProgress({ stage: 'measure', done: each.length, total: files.length, unit: 'pictures', note: `left out: ${error.message}` });
        return undefined;
      });
      if (!photograph) continue;
      const paint = async ({ width, height, data }: Planar, manner?: Manner): Promise<Planar> => {
        const out: Planar = { width, height, data: new Float32Array(data.length) };
        await painter.paint(sourceOf(planar(width, height, data), 3), sinkTo(planar(width, height, out.data), 3), { seed, signal }, manner);
        return out;
      };
      const frames: [Planar, Planar] = [stillFrame(photograph, 0), stillFrame(photograph, 1)];
      // As the frames of an animation are painted.
      const manner = await painter.mannerOver(frames.map(({ width, height, data }) => sourceOf(planar(width, height, data), 3)), { seed });
      const figures = async (made: Planar, frame: (still: Planar) => Planar | Promise<Planar>): Promise<StyleFigures> => ({
        ...profile.distanceOf(made),
        ...structureKept(photograph, made),
        flicker: flicker(await frame(frames[0]), await frame(frames[1])),
      });
      each.push({
        name: file,
        painted: await figures(await paint(photograph), (still) => paint(still, manner)),
        untouched: await figures(photograph, (still) => still),
        transferred: await figures(profile.coloured(photograph), (still) => profile.coloured(still)),
      });
      onProgress({ stage: 'measure', done: each.length, total: files.length, unit: 'pictures' });
    }
  } catch (error) {
    throw error instanceof RangeError ? new UserError(error.message) : error;
  } finally {
    await painter.close();
  }
  if (each.length === 0) throw new UserError(`'${folder}' holds no picture that can be measured`);
  const mean = (of: 'painted' | 'untouched' | 'transferred') => meanOf(each.map((row) => row[of]), FIGURES);
  return {
    model: { name: model.name, sha256: model.sha256 },
    pictures: { folder, count: each.length },
    against: against === undefined ? model.card.trainingSet.name : basename(against),
    strength,
    each,
    mean: { painted: mean('painted'), untouched: mean('untouched'), transferred: mean('transferred') },
  };
}
