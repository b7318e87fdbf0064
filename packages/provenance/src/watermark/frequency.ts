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
/** Cosines, then sines of so many turns. */
const wavesOf = (side: number) => Float32Array.from({ length: 2 * side }, (_, i) => (i < side ? Math.cos : Math.sin)((2 * Math.PI * i) / side));
const WAVES = wavesOf(TILE);

/** The sum of frequencies at each place of a tile of `side` samples, a power of two: its real part. */
export function planeOf(parts: readonly Part[], side = TILE): Float32Array {
  const waves = side === TILE ? WAVES : wavesOf(side);
  // Those of one u side by side: from where on each stands.
  const starts = new Uint32Array(side);
  for (const { u } of parts) starts[Math.abs(u) + 1]!++;
  const across = starts.filter((count) => count > 0).length;
  for (let u = 1; u < side; u++) starts[u]! += starts[u - 1]!;
  const sorted = new Float32Array(4 * parts.length);
  for (const { u, v, re, im } of parts) {
    const at = 4 * starts[Math.abs(u)]!++;
    // What stands at -u, -v is the mirror image of what stands at u, v.
    const sign = u < 0 ? -1 : 1;
    sorted[at] = sign * u;
    sorted[at + 1] = sign * v;
    sorted[at + 2] = re;
    sorted[at + 3] = sign * im;
  }
  const { run, room, write, read } = lookLoops();
  const [given, turns, rows, out] = room(sorted.length, 2 * side, 2 * side * across, side * side);
  write(given, sorted);
  write(turns, waves);
  run.plane(given, parts.length, side, turns, rows, out);
  return read(out, side * side);
}
