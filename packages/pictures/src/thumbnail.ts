// A small picture of a large one, from its pixels: to decode the file again would take memory that signing needs.

import sharp from 'sharp';
import { openPicture } from './claims.js';
import type { Raster } from './raster.js';

/** Longer side in px at most; a picture of this size needs no thumbnail. */
const THUMBNAIL = 256;
/** Pixels looked at along each side of the box that one of the thumbnail stands for. */
const LOOKS = 8;

/** A JPEG of 256 px at most, the means of boxes, on white where it is transparent; undefined where the picture itself is as small. */
export async function encodeThumbnail({ width, height, channels, alpha, data }: Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'>): Promise<Buffer | undefined> {
  const box = Math.ceil(Math.max(width, height) / THUMBNAIL);
  if (box === 1) return undefined;
  const [w, h] = [width, height].map((side) => Math.max(1, Math.floor(side / box))) as [number, number];
  const bands = channels + (alpha ? 1 : 0);
  const high = data instanceof Uint16Array ? 65535 : 255;
  const step = Math.max(1, Math.floor(box / LOOKS));
  const out = new Uint8Array(w * h * channels);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let c = 0; c < channels; c++) {
        let [sum, count] = [0, 0];
        for (let j = y * box; j < Math.min(height, (y + 1) * box); j += step)
          for (let i = x * box; i < Math.min(width, (x + 1) * box); i += step, count++) {
            const at = (j * width + i) * bands;
            const opacity = alpha ? data[at + channels]! / high : 1;
            sum += opacity * data[at + c]! + (1 - opacity) * high;
          }
        out[(y * w + x) * channels + c] = Math.round((sum / count / high) * 255);
      }
  return sharp(out, { raw: { width: w, height: h, channels } }).toColourspace('srgb').jpeg({ quality: 80 }).toBuffer();
}

/** A WebP of 240 px at most of a picture file from anybody, for a report; undefined where it cannot be decoded. */
export async function thumbnailOf(file: Uint8Array): Promise<Buffer | undefined> {
  try {
    const { picture } = await openPicture(file);
    return await picture.resize(240, 240, { fit: 'inside', withoutEnlargement: true }).flatten({ background: 'white' }).webp({ quality: 75 }).toBuffer();
  } catch {
    return undefined;
  }
}
