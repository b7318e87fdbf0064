// What a detector sees of a picture: its luminance at a bounded size.

import { lookLoops, sampleLoops } from '@zeuxis/loops';
import { LUMA } from '@zeuxis/pictures';
import type { Sharp } from 'sharp';

/** Pictures are looked at with a shorter side of at most so many px. */
export const LOOKED = 512;
/** Longer side at most, for panoramas. */
export const LONGEST = 2048;

export interface Look {
  width: number;
  height: number;
  /** Px to one of the pattern, where the picture is as it was written. */
  scale: number;
  /** Luminance, 0 to 255, or what `weighed` makes of it. */
  data: Float32Array;
}

/** How many times smaller a picture is looked at. */
export const lookedAt = (width: number, height: number): number => Math.max(1, Math.min(width, height) / LOOKED);

/** The luminance that is looked at, that of JPEG (BT.601), which encoders keep best. @param picture of any size and colours. */
export async function luminanceOf(picture: Sharp, width: number, height: number): Promise<Look> {
  const by = Math.max(lookedAt(width, height), Math.max(width, height) / LONGEST);
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side / by))) as [number, number];
  const { data, info } = await (by > 1 ? picture.resize(w, h, { fit: 'fill', kernel: 'lanczos3' }) : picture)
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, scale: lookedAt(width, height) / by, data: luminanceIn(data, info.channels, info.width * info.height) };
}

/** Pixels that are weighed at one go. */
const AT_ONCE = 4096;

/** Of interleaved bytes of sRGB or grey. */
export function luminanceIn(data: Uint8Array, channels: number, count: number): Float32Array {
  if (channels === 1) return new Float32Array(data);
  const out = new Float32Array(count);
  if (channels < 3) {
    for (let i = 0; i < count; i++) out[i] = data[i * channels]!;
    return out;
  }
  const { run, room, write, view } = sampleLoops();
  const [line, weighed] = room(channels * AT_ONCE, AT_ONCE);
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Math.min(AT_ONCE, count - from);
    write(line, data.subarray(from * channels, (from + some) * channels));
    run.weigh(line, some, channels, ...LUMA, weighed);
    out.set(view(weighed, some), from);
  }
  return out;
}

/** Means over windows of 2 reach + 1 px, of what lies in the picture. */
export function boxMean(values: Float32Array, width: number, height: number, reach: number): Float32Array {
  const { run, room, write, read } = lookLoops();
  const [field, line, across] = room(values.length, 2 * (width + reach + 16), values.length);
  write(field, values);
  run.boxMean(field, width, height, reach, line, across, field);
  return read(field, values.length);
}
