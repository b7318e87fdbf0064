// What a detector sees of a picture: its luminance at a bounded size.

import { LUMA } from '@zeuxis/pictures';
import type { Sharp } from 'sharp';

/** Pictures are looked at with a shorter side of at most so many px. */
export const LOOKED = 512;
/** Longer side at most, for panoramas. */
const LONGEST = 2048;

export interface Look {
  width: number;
  height: number;
  /** Px to one of the pattern, where the picture is as it was written. */
  scale: number;
  /** Luminance, 0 to 255, or what `evened` makes of it. */
  data: Float32Array;
}

/** How many times smaller a picture is looked at. */
export const lookedAt = (width: number, height: number): number => Math.max(1, Math.min(width, height) / LOOKED);

/** The luminance that is looked at, that of JPEG (BT.601), which encoders keep best. @param picture of any size and colours. */
export async function luminanceOf(picture: Sharp, width: number, height: number): Promise<Look> {
  const by = Math.max(lookedAt(width, height), Math.max(width, height) / LONGEST);
  const [w, h] = [Math.round(width / by), Math.round(height / by)];
  const { data, info } = await (by > 1 ? picture.resize(w, h, { fit: 'fill', kernel: 'lanczos3' }) : picture)
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const luminance = new Float32Array(info.width * info.height);
  const { channels } = info;
  const [g, b] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0, at = 0; i < luminance.length; i++, at += channels) luminance[i] = LUMA[0] * data[at]! + LUMA[1] * data[at + g]! + LUMA[2] * data[at + b]!;
  return { width: info.width, height: info.height, scale: lookedAt(width, height) / by, data: luminance };
}

/** Means over windows of 2 reach + 1 px, of what lies in the picture. */
export function boxMean(values: Float32Array, width: number, height: number, reach: number): Float32Array {
  const across = new Float32Array(values.length);
  const share = Float64Array.from({ length: width }, (_, x) => 1 / (Math.min(width, x + reach + 1) - Math.max(0, x - reach)));
  // A row between zeros: what enters a window and what leaves it.
  const line = new Float64Array(width + 2 * reach + 1);
  const begin = reach + 1;
  for (let y = 0, row = 0; y < height; y++, row += width) {
    for (let x = 0; x < width; x++) line[begin + x] = values[row + x]!;
    let sum = 0;
    for (let x = 0; x < reach; x++) sum += line[begin + x]!;
    for (let x = 0; x < width; x++) {
      sum += line[x + 2 * reach + 1]! - line[x]!;
      across[row + x] = sum * share[x]!;
    }
  }
  const out = new Float32Array(values.length);
  const sums = new Float64Array(width);
  const none = new Float32Array(width);
  const rowOf = (y: number) => (y >= 0 && y < height ? across.subarray(y * width, (y + 1) * width) : none);
  for (let y = 0; y < reach; y++) for (const [x, value] of rowOf(y).entries()) sums[x] = sums[x]! + value;
  for (let y = 0; y < height; y++) {
    const [enters, leaves] = [rowOf(y + reach), rowOf(y - reach - 1)];
    const part = 1 / (Math.min(height - 1, y + reach) - Math.max(0, y - reach) + 1);
    for (let x = 0, at = y * width; x < width; x++, at++) {
      const sum = sums[x]! + enters[x]! - leaves[x]!;
      sums[x] = sum;
      out[at] = sum * part;
    }
  }
  return out;
}
