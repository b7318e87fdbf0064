// One DICOM file enlarged: a derived object out, which says in its own tags that detail was estimated.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '@zeuxis/pictures';
import { type DicomPicture, readDicom, writeDerived } from '@zeuxis/pictures/dicom';
import { publishDicom } from '@zeuxis/provenance';
import { VERSION } from '../version.js';
import { enlarge, tileCount } from './tiles.js';
import type { Job, UpscaledFile } from './upscale.js';

export async function upscaleDicom(path: string, bytes: Uint8Array, target: string, { model, session, options }: Job): Promise<UpscaledFile> {
  const { signal, maximumPixels = Number.POSITIVE_INFINITY, onProgress = () => {} } = options;
  const { scale, channels, margin } = model.card;
  const picture = await readDicom(bytes, path);
  const { width, height, frames } = picture;
  if (picture.channels !== channels)
    throw new UserError(`'${path}' is ${picture.channels === 1 ? 'grey' : 'in colour'}, and the model '${model.name}' enlarges ${channels === 1 ? 'grey' : 'colour'} pictures; name another with --model`);
  if (width * height > maximumPixels) throw new UserError(`'${path}' has ${width}x${height} pixels, more than are allowed; --max-pixels raises it`);
  const total = tileCount(picture) * frames.length;
  let done = 0;
  const onTile = () => onProgress({ stage: basename(path), done: ++done, total, unit: 'tiles' });
  const { low, high } = range(picture);
  const plane = width * height;
  const large: Float32Array[] = [];
  for (const frame of frames) {
    const values = new Float32Array(channels * plane * scale ** 2);
    const source = {
      width,
      height,
      read(x: number, y: number, w: number, h: number, out: Float32Array) {
        for (let c = 0; c < channels; c++)
          for (let row = 0; row < h; row++)
            for (let column = 0; column < w; column++) out[(c * h + row) * w + column] = (frame[c * plane + (y + row) * width + x + column]! - low) / (high - low);
      },
    };
    const sink = (made: Float32Array, x: number, y: number, w: number, h: number) => {
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < h; row++)
          for (let column = 0; column < w; column++)
            values[(c * height * scale + y + row) * width * scale + x + column] = low + made[(c * h + row) * w + column]! * (high - low);
    };
    await enlarge(session, source, sink, { scale, channels, margin, signal, onTile });
    large.push(values);
  }
  const derived = writeDerived(picture, {
    scale,
    frames: large,
    description: `Enlarged ${scale} times by the model ${model.name} of zeuxis, which estimated the detail`,
    model: { name: model.name, sha256: model.sha256 },
    version: VERSION,
  });
  const published = await publishDicom(derived, target);
  return { ...published, source: path, width: width * scale, height: height * scale };
}

/**
 * The values that occur, but for those that stand for no value: what the network sees as black and as white, the same for all
 * frames. Beyond them it still works, being nearly linear.
 */
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

/** Whether a file says in its own bytes that the model made it. A DICOM object names its source by UID, which stays the same. */
export async function isMadeFrom(target: string, model: Job['model']): Promise<boolean> {
  const bytes = await readFile(target).catch(() => undefined);
  return bytes?.includes(model.sha256) ?? false;
}
