// Frequencies of a tile, and what a few of them add up to.

import { lookLoops } from '@zeuxis/loops';

/** Side of a tile in px of the pattern. */
export const TILE = 128;
/** The fastest that is used, in cycles a tile: what is faster is lost in a picture of half the size. */
export const FASTEST = 26;

/** A frequency in cycles a tile, one of two that are each other's mirror image through zero. */
export interface Frequency {
  u: number;
  v: number;
}

/** A frequency and how much of it, in real and imaginary part. */
export type Part = Frequency & { re: number; im: number };

/** Cosines and sines of u x for whole turns in a tile. */
export const COSINE = Float64Array.from({ length: TILE }, (_, i) => Math.cos((2 * Math.PI * i) / TILE));
export const SINE = Float64Array.from({ length: TILE }, (_, i) => Math.sin((2 * Math.PI * i) / TILE));

/** The sum of a few frequencies at each place of a tile, its real part. */
export function planeOf(parts: readonly Part[]): Float32Array {
  const { run, room, write, read } = lookLoops();
  const [given, turns, waves, out] = room(4 * parts.length, 2 * TILE, 2 * TILE * parts.length, TILE * TILE);
  write(given, parts.flatMap(({ u, v, re, im }) => [u, v, re, im]));
  write(turns, [...COSINE, ...SINE]);
  run.plane(given, parts.length, TILE, turns, waves, out);
  return read(out, TILE * TILE);
}
