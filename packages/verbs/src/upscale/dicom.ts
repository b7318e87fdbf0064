// One DICOM file enlarged: a derived object out, which says in its own tags that detail was estimated.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '@zeuxis/pictures';
import { type DicomPicture, readDicom, writeDerived } from '@zeuxis/pictures/dicom';
import { publishDicom } from '@zeuxis/provenance';
import { fillUnknown, type Samples, sinkTo, sourceOf } from '../edit/samples.js';
import { enlarge, tileCount } from '../edit/tiles.js';
import { named } from '../models.js';
import { VERSION } from '../version.js';
import type { Job, UpscaledFile } from './upscale.js';

/** The most values of a result, all frames together: they are held as numbers of four bytes. */
const MOST_VALUES = 2 ** 28;

export async function upscaleDicom(path: string, bytes: Uint8Array, target: string, job: Job): Promise<UpscaledFile> {
  const { model, session, options } = job;
  const { signal, maximumPixels = Number.POSITIVE_INFINITY, onProgress = () => {} } = options;
  const { scale, channels, margin } = model.card;
  const picture = await readDicom(bytes, path);
  const { width, height, frames, padding } = picture;
  if (picture.channels !== channels)
    throw new UserError(`'${path}' is ${picture.channels === 1 ? 'grey' : 'in colour'}, and the model '${model.name}' enlarges ${channels === 1 ? 'grey' : 'colour'} pictures; name another with --model`);
  if (width * height > maximumPixels) throw new UserError(`'${path}' has ${width}x${height} pixels, more than are allowed; --max-pixels raises it`);
  if (width * height * scale ** 2 * channels * frames.length > MOST_VALUES)
    throw new UserError(`'${path}' holds ${frames.length} frames of ${width}x${height}, too many to be enlarged in one file; split it`);
  const total = tileCount(picture, { margin }) * frames.length;
  let done = 0;
  const onTile = () => onProgress({ stage: basename(path), done: ++done, total, unit: 'tiles' });
  const span = range(picture);
  const planes = (data: Float32Array, w: number, h: number): Samples => ({ width: w, height: h, count: channels, data, first: 0, apart: w * h, step: 1, ...span });
  const large: Float32Array[] = [];
  for (const frame of frames) {
    const known = Uint8Array.from({ length: width * height }, (_, i) => (padding !== undefined && frame[i] === padding ? 0 : 1));
    const source = planes(frame.slice(), width, height);
    // The network must not see what stands for no value: its distance from all others would ring far into the picture.
    fillUnknown(source, known.slice());
    const made = planes(new Float32Array(channels * width * height * scale ** 2), width * scale, height * scale);
    await enlarge(session, sourceOf(source, channels), sinkTo(made, channels), { scale, channels, margin, signal, onTile });
    for (let i = 0; padding !== undefined && i < made.data.length; i++) {
      const [x, y] = [i % made.width, Math.floor(i / made.width) % made.height];
      if (!known[Math.floor(y / scale) * width + Math.floor(x / scale)]) made.data[i] = padding;
    }
    large.push(made.data as Float32Array);
  }
  const derived = writeDerived(picture, {
    scale,
    frames: large,
    description: descriptionOf(job),
    model: { name: model.name, sha256: model.sha256 },
    version: VERSION,
  });
  const made = { width: width * scale, height: height * scale };
  const generation = { model: named(model), scale, ...(options.detail ? { detail: options.detail } : {}), ...(job.human ? { human: job.human } : {}) };
  const published = await publishDicom(derived, target, { ...made, parent: { title: basename(path), sha256: job.sha256 }, generation, identity: job.identity });
  return { ...published, source: path, ...made };
}

/** What was done, from what: equal for equal jobs alone. */
function descriptionOf({ model, options, sha256 }: Pick<Job, 'model' | 'options' | 'sha256'>): string {
  const detail = options.detail ? ` with detail ${options.detail}` : '';
  // DICOM's text is ASCII here, and a backslash would part it in two.
  const name = model.name.replace(/[^\x20-\x5b\x5d-\x7e]/g, '_');
  return `Enlarged ${model.card.scale} times${detail} by the model ${name} of zeuxis, which estimated the detail; SHA-256 of the model ${model.sha256}, of the source file ${sha256}`;
}

/** The values that occur, but for padding: what the network sees as black and as white, the same for all frames. */
function range({ frames, padding }: DicomPicture): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const frame of frames)
    for (const value of frame) {
      if (value === padding) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return high > low ? { low, high } : { low: 0, high: 1 };
}

/** Whether a file says in its own tags that it is the result of the same job. */
export async function isMadeFrom(target: string, job: Pick<Job, 'model' | 'options' | 'sha256'>): Promise<boolean> {
  const bytes = await readFile(target).catch(() => undefined);
  return bytes?.includes(descriptionOf(job)) ?? false;
}
