// A small picture of a large one, from its pixels: to decode the file again would take memory that signing needs.

import sharp from 'sharp';
import { openPicture } from './claims.js';
import type { Raster } from './raster.js';

/** Longer side in px at most; a picture of this size needs no thumbnail. */
const THUMBNAIL = 256;

/** A JPEG of 256 px at most, on white where it is transparent; undefined where the picture itself is as small. */
export async function encodeThumbnail({ width, height, channels, alpha, data }: Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'>): Promise<Buffer | undefined> {
  const box = Math.ceil(Math.max(width, height) / THUMBNAIL);
  if (box === 1) return undefined;
  const [w, h] = [width, height].map((side) => Math.max(1, Math.floor(side / box))) as [number, number];
  const raw = { width, height, channels: (channels + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4 };
  const picture = sharp(data, { raw, limitInputPixels: false }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  return (alpha ? picture.flatten({ background: 'white' }) : picture).resize(w, h, { fit: 'fill' }).jpeg({ quality: 80 }).toBuffer();
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
