// What a detector sees of a picture: its luminance at a bounded size, less what its surroundings foretell, and evened out, so that no part of it
// outweighs the others.

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
  /** Luminance, or what `evened` makes of it: a pixel's difference from its surroundings, in deviations of those. */
  data: Float32Array;
}

/** How many times smaller a picture is looked at. */
export const lookedAt = (width: number, height: number): number => Math.max(1, Math.min(width, height) / LOOKED);

/** The luminance that is looked at, 0 to 255, not evened out yet. @param picture of any size and colours. */
export async function luminanceOf(picture: Sharp, width: number, height: number): Promise<Look> {
  const by = Math.max(lookedAt(width, height), Math.max(width, height) / LONGEST);
  const [w, h] = [Math.round(width / by), Math.round(height / by)];
  const { data, info } = await (by > 1 ? picture.resize(w, h, { fit: 'fill', kernel: 'lanczos3' }) : picture)
    .flatten({ background: 'white' })
    .toColourspace('b-w')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const luminance = new Float32Array(info.width * info.height);
  for (let i = 0; i < luminance.length; i++) luminance[i] = data[i * info.channels]!;
  return { width: info.width, height: info.height, scale: lookedAt(width, height) / by, data: luminance };
}

/** Reach in px of the surroundings that foretell a pixel, and of those that say how much is to be expected there. */
const [NEAR, WIDE] = [3, 6];
/** Deviation that is taken for granted everywhere, black to white being 255. */
const LEAST = 1;
/** No pixel counts more, in deviations. */
const MOST = 3;

export function evened(luminance: Float32Array, width: number, height: number): Float32Array {
  const rest = boxMean(boxMean(luminance, width, height, NEAR), width, height, NEAR);
  const squares = new Float32Array(rest.length);
  for (let i = 0; i < rest.length; i++) {
    rest[i] = luminance[i]! - rest[i]!;
    squares[i] = rest[i]! * rest[i]!;
  }
  const energy = boxMean(squares, width, height, WIDE);
  for (let i = 0; i < rest.length; i++) rest[i] = Math.max(-MOST, Math.min(MOST, rest[i]! / Math.sqrt(energy[i]! + LEAST * LEAST)));
  return rest;
}

/** Means over windows of 2 reach + 1 px, of what lies in the picture. */
export function boxMean(values: Float32Array, width: number, height: number, reach: number): Float32Array {
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let sum = 0;
    for (let x = 0; x < Math.min(reach, width); x++) sum += values[row + x]!;
    for (let x = 0; x < width; x++) {
      if (x + reach < width) sum += values[row + x + reach]!;
      if (x - reach - 1 >= 0) sum -= values[row + x - reach - 1]!;
      across[row + x] = sum / (Math.min(width - 1, x + reach) - Math.max(0, x - reach) + 1);
    }
  }
  const out = new Float32Array(values.length);
  const sums = new Float64Array(width);
  for (let y = 0; y < Math.min(reach, height); y++) for (let x = 0; x < width; x++) sums[x]! += across[y * width + x]!;
  for (let y = 0; y < height; y++) {
    if (y + reach < height) for (let x = 0; x < width; x++) sums[x]! += across[(y + reach) * width + x]!;
    if (y - reach - 1 >= 0) for (let x = 0; x < width; x++) sums[x]! -= across[(y - reach - 1) * width + x]!;
    const count = Math.min(height - 1, y + reach) - Math.max(0, y - reach) + 1;
    for (let x = 0; x < width; x++) out[y * width + x] = sums[x]! / count;
  }
  return out;
}
