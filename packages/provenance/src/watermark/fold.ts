// A picture seen as the pattern lies in it: all its tiles in one, and what stands on the pattern's frequencies there.

import type { PayloadBits } from './code.js';
import { fourierOf, type Spectrum } from './fourier.js';
import type { Look } from './look.js';
import { type Frequency, type Pattern, TILE } from './pattern.js';

/** How the pattern lies in a picture that is looked at: px of the picture to one of the pattern, and turned by so many radians. */
export interface Geometry {
  scale: number;
  angle: number;
}

/** The whole numbers i for which 0 <= start + step i < end. */
function inside(start: number, step: number, end: number): [number, number] {
  const most = end - 1e-6;
  if (Math.abs(step) < 1e-9) return start >= 0 && start <= most ? [-Infinity, Infinity] : [1, 0];
  const [a, b] = [-start / step, (most - start) / step];
  return [Math.ceil(Math.min(a, b)), Math.floor(Math.max(a, b))];
}

/** Mean of a picture over all tiles, and its transform, 2 TILE^2 values. @param rows every so many of the pattern's are looked at; not where it lies straight. */
export function folded({ width, height, data }: Look, { scale, angle }: Geometry, rows = 1): Spectrum {
  const sums = new Float64Array(2 * TILE * TILE);
  const counts = new Float64Array(TILE * TILE);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (scale === 1 && angle === 0) {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = (y % TILE) * TILE + (x % TILE);
        sums[2 * at]! += data[y * width + x]!;
        counts[at]!++;
      }
  } else {
    // Around the middle, so that an error of the geometry grows least. Every place of the pattern that lies in the picture is sampled.
    const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
    const [dx, dy] = [scale * c, scale * s];
    const reach = Math.ceil(Math.hypot(mx, my) / scale);
    for (let j = -reach; j <= reach; j += rows) {
      const [startX, startY] = [mx - dy * j, my + dx * j];
      // Where along the row both stay inside.
      const [a, b] = [inside(startX, dx, width - 1), inside(startY, dy, height - 1)];
      const row = ((j + 64 * TILE) % TILE) * TILE;
      for (let i = Math.max(a[0], b[0], -reach), last = Math.min(a[1], b[1], reach); i <= last; i++) {
        const [x, y] = [startX + dx * i, startY + dy * i];
        const [x0, y0] = [x | 0, y | 0];
        const from = y0 * width + x0;
        const fx = x - x0;
        const above = data[from]! + fx * (data[from + 1]! - data[from]!);
        const below = data[from + width]! + fx * (data[from + width + 1]! - data[from + width]!);
        const at = row + ((i + 64 * TILE) % TILE);
        sums[2 * at]! += above + (y - y0) * (below - above);
        counts[at]!++;
      }
    }
  }
  for (let at = 0; at < counts.length; at++) sums[2 * at] = counts[at]! > 0 ? sums[2 * at]! / counts[at]! : 0;
  return fourierOf(TILE).transform(sums);
}

/** What mirroring and quarter turns make of a frequency of the pattern: where it lies in the picture. */
export const ORIENTATIONS: readonly ((f: Frequency) => Frequency)[] = [
  ({ u, v }) => ({ u, v }),
  ({ u, v }) => ({ u: -u, v }),
  ({ u, v }) => ({ u: -u, v: -v }),
  ({ u, v }) => ({ u, v: -v }),
  ({ u, v }) => ({ u: -v, v: u }),
  ({ u, v }) => ({ u: v, v: -u }),
  ({ u, v }) => ({ u: v, v: u }),
  ({ u, v }) => ({ u: -v, v: -u }),
];

export const indexOf = ({ u, v }: Frequency): number => 2 * (((v + TILE) % TILE) * TILE + ((u + TILE) % TILE));

/** Mean squared magnitude by radius: what a frequency must be held against. */
export function noiseOf(spectrum: Spectrum): Float64Array {
  const sums = new Float64Array(TILE);
  const counts = new Float64Array(TILE);
  for (let y = 0; y < TILE; y++)
    for (let x = 0; x < TILE; x++) {
      const radius = Math.round(Math.hypot(x < TILE / 2 ? x : x - TILE, y < TILE / 2 ? y : y - TILE));
      const at = 2 * (y * TILE + x);
      sums[radius]! += spectrum[at]! ** 2 + spectrum[at + 1]! ** 2;
      counts[radius]!++;
    }
  return sums.map((sum, radius) => (counts[radius]! > 0 ? sum / counts[radius]! : 0) + 1e-12);
}

export const radiusOf = ({ u, v }: Frequency): number => Math.round(Math.hypot(u, v));

/** Real and imaginary part of each carrying frequency, its phase turned back, against the noise: two values each. */
export function partsOf(spectrum: Spectrum, noise: Float64Array, { frequencies }: Pattern, turn = ORIENTATIONS[0]!, { x, y } = { x: 0, y: 0 }): Float64Array {
  const parts = new Float64Array(2 * frequencies.length);
  for (const [f, { phase, ...frequency }] of frequencies.entries()) {
    const seen = turn(frequency);
    const at = indexOf(seen);
    const angle = (2 * Math.PI * (seen.u * x + seen.v * y)) / TILE - phase;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const size = 1 / noise[radiusOf(frequency)]!;
    const [re, im] = [spectrum[at]! * size, spectrum[at + 1]! * size];
    parts[2 * f] = re * c - im * s;
    parts[2 * f + 1] = re * s + im * c;
  }
  return parts;
}

/** Soft values of the coded bits. */
export const softOf = (parts: Float64Array, { carriers }: Pattern, bits: PayloadBits): Float64Array =>
  Float64Array.from(carriers[bits], (repeated) => repeated.reduce((sum, { frequency, part }) => sum + parts[2 * frequency + part]!, 0));

/** How far each known frequency is as it was written, against the noise. */
export const syncOf = (spectrum: Spectrum, noise: Float64Array, { sync }: Pattern): Float64Array =>
  Float64Array.from(sync, ({ phase, ...frequency }) => {
    const at = indexOf(frequency);
    return (spectrum[at]! * Math.cos(phase) + spectrum[at + 1]! * Math.sin(phase)) / Math.sqrt(noise[radiusOf(frequency)]!);
  });
