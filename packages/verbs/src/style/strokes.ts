// Strokes of whole pictures, in bands of rows.

import { setImmediate } from 'node:timers/promises';
import { type Luminance, NOISE, STROKE_SURROUNDINGS, strokesAlong, whiteRows } from '@zeuxis/nets';

/** What a picture is painted from beside itself: [NOISE, height, width] at a quarter of its sides. */
export interface Strokes {
  width: number;
  height: number;
  values: Float32Array;
}

/** Rows that are laid at one go, at most: what that takes in memory stays taken, and nothing else has its turn meanwhile. */
const ROWS = 256;

/** Strokes along the forms of a whole picture, by its luminance at a quarter of its sides: the same by the band as at one go. */
export async function layStrokes({ width, height, data }: Luminance, seed: number | string): Promise<Strokes> {
  /** Those of the rows from `top` up to `bottom`. */
  const lay = (top: number, bottom: number): Float32Array => {
    const [first, last] = [Math.max(0, top - STROKE_SURROUNDINGS), Math.min(height, bottom + STROKE_SURROUNDINGS)];
    const seen = { width, height: last - first, data: data.subarray(first * width, last * width) };
    return strokesAlong(seen, whiteRows(width, seen.height, seed, first), top - first, bottom - first);
  };
  const bands = Math.ceil(height / ROWS);
  if (bands === 1) return { width, height, values: lay(0, height) };
  const values = new Float32Array(NOISE * width * height);
  for (let i = 0; i < bands; i++) {
    const [top, bottom] = [Math.floor((i * height) / bands), Math.floor(((i + 1) * height) / bands)];
    const laid = lay(top, bottom);
    const size = (bottom - top) * width;
    for (let c = 0; c < NOISE; c++) values.set(laid.subarray(c * size, (c + 1) * size), (c * height + top) * width);
    await setImmediate();
  }
  return { width, height, values };
}
