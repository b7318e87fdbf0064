// One picture file enlarged: PNG, JPEG, WebP, AVIF or TIFF in, a signed file out.

import { basename, extname } from 'node:path';
import { type Raster, type RasterFormat, readRaster, requireFits, UserError } from '@zeuxis/pictures';
import { type Edit, publishEdited, sameHuman, verify } from '@zeuxis/provenance';
import { markingOf } from '../edit/marking.js';
import { tileCount } from '../edit/tiles.js';
import { named } from '../models.js';
import { tileProgress } from '../progress.js';
import { VERSION } from '../version.js';
import { enlargeRaster, passes } from './raster.js';
import type { Job, UpscaledFile } from './upscale.js';

export async function upscalePicture(path: string, bytes: Buffer, target: string, format: RasterFormat, job: Job): Promise<UpscaledFile> {
  const { model, identity, options, human } = job;
  const { quality, detail } = options;
  const edit: Edit = {
    action: 'c2pa.resized',
    description: `enlarged ${model.card.scale} times by the model '${model.name}', which estimated the detail`,
    parent: { path, bytes },
    generation: { model: named(model), scale: model.card.scale, ...(detail ? { detail } : {}), ...(human ? { human } : {}) },
  };
  const published = await publishEdited(() => enlarged(path, bytes, format, job), target, edit, { identity, version: VERSION, format, ...(quality === undefined ? {} : { quality }), ...markingOf(options) });
  return { ...published, source: path };
}

async function enlarged(path: string, bytes: Buffer, format: RasterFormat, { model, session, options }: Job): Promise<Raster> {
  const { maximumPixels, signal, onProgress } = options;
  const { scale, channels, margin } = model.card;
  const raster = await readRaster(path, { maximumPixels, bytes });
  if (channels === 1 && raster.channels === 3)
    throw new UserError(`'${path}' is in colour, and the model '${model.name}' enlarges grey pictures; name another with --model`);
  // What the format cannot hold is said before the work.
  requireFits(raster.width * scale, raster.height * scale, format);
  const onTile = tileProgress(basename(path), tileCount(raster, { margin }) * passes(raster), onProgress);
  return enlargeRaster(session, raster, { scale, channels, margin, signal, onTile });
}

/** Whether a file is the result of the same job: its own manifest says so, and holds. */
export async function isMadeBefore(target: string, job: Pick<Job, 'model' | 'sha256' | 'options' | 'human'>): Promise<boolean> {
  const { model, sha256, options } = job;
  if (extname(target) === '.dcm') return (await import('./dicom.js')).isMadeFrom(target, job);
  const verdict = await verify(target).catch(() => undefined);
  if (verdict?.state !== 'trusted' && verdict?.state !== 'valid') return false;
  const made = verdict.edit;
  return made !== undefined && sameHuman(made.human, job.human) && made.parent.sha256 === sha256 && made.model.sha256 === model.sha256 && made.scale === model.card.scale && (made.detail ?? 0) === (options.detail ?? 0);
}
