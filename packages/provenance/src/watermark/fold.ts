// A picture seen as the pattern lies in it: all its tiles in one, and what stands on the pattern's frequencies there.

import { lookLoops } from '@zeuxis/loops';
import type { PayloadBits } from './code.js';
import { fourierOf, type Spectrum } from './fourier.js';
import { COSINE, FASTEST, type Frequency, SINE, TILE } from './frequency.js';
import type { Look } from './look.js';
import type { Pattern } from './pattern.js';

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

/** Below this scale a picture holds far fewer px than the pattern, and every other row of that is enough. */
const DENSE = 0.7;

/** Mean of a picture over all tiles, TILE^2 values. @param rows every so many of the pattern's are looked at; not where it lies straight. */
export function folded({ width, height, data }: Look, { scale, angle }: Geometry, rows = scale < DENSE ? 2 : 1): Float64Array {
  const sums = new Float64Array(TILE * TILE);
  const counts = new Float64Array(TILE * TILE);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (scale === 1 && angle === 0) {
    const { run, room, write, read } = lookLoops();
    const [values, tile] = room(data.length, sums.length);
    write(values, data);
    run.fold(values, width, height, TILE, tile);
    sums.set(read(tile, sums.length));
    // Tiles that reach to here: of the last ones a part may lie beyond the picture.
    const [across, down] = [width, height].map((side) => Float64Array.from({ length: TILE }, (_, at) => Math.max(0, Math.ceil((side - at) / TILE)))) as [Float64Array, Float64Array];
    for (let y = 0; y < TILE; y++) for (let x = 0; x < TILE; x++) counts[y * TILE + x] = across[x]! * down[y]!;
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
        sums[at] = sums[at]! + above + (y - y0) * (below - above);
        counts[at] = counts[at]! + 1;
      }
    }
  }
  for (let at = 0; at < counts.length; at++) sums[at] = counts[at]! > 0 ? sums[at]! / counts[at]! : 0;
  return sums;
}

/** Frequencies across and down, in cycles a tile, that anything here asks for: the pattern's, and those of one radius with its fastest. */
const ASKED = FASTEST + 1;

/** What stands on the pattern's frequencies, 2 TILE^2 values. */
export const spectrumOf = (tile: Float64Array): Spectrum => fourierOf(TILE).ofReal(tile, ASKED);

/** Energy of a few frequencies, without a whole transform: their rows first, those of one u together. */
export function energyOf(tile: Float64Array, frequencies: readonly Frequency[]): number {
  let energy = 0;
  const [re, im] = [new Float64Array(TILE), new Float64Array(TILE)];
  for (const u of new Set(frequencies.map((frequency) => Math.abs(frequency.u)))) {
    for (let y = 0; y < TILE; y++) {
      let [a, b] = [0, 0];
      for (let x = 0, at = y * TILE, turn = 0; x < TILE; x++, at++, turn = (turn + u) & (TILE - 1)) {
        a += tile[at]! * COSINE[turn]!;
        b -= tile[at]! * SINE[turn]!;
      }
      re[y] = a;
      im[y] = b;
    }
    for (const frequency of frequencies) {
      if (Math.abs(frequency.u) !== u) continue;
      // Of real values: what stands at -u, v is the mirror image of what stands at u, -v.
      const v = frequency.u < 0 ? -frequency.v : frequency.v;
      let [a, b] = [0, 0];
      for (let y = 0; y < TILE; y++) {
        const turn = (v * y) & (TILE - 1);
        a += re[y]! * COSINE[turn]! + im[y]! * SINE[turn]!;
        b += im[y]! * COSINE[turn]! - re[y]! * SINE[turn]!;
      }
      energy += a * a + b * b;
    }
  }
  return energy;
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

/** Real and imaginary part of each carrying frequency, its phase turned back: two values each. */
export function partsOf(spectrum: Spectrum, { frequencies }: Pattern, turn = ORIENTATIONS[0]!, { x, y } = { x: 0, y: 0 }): Float64Array {
  const parts = new Float64Array(2 * frequencies.length);
  for (const [f, { phase, ...frequency }] of frequencies.entries()) {
    const seen = turn(frequency);
    const at = indexOf(seen);
    const angle = (2 * Math.PI * (seen.u * x + seen.v * y)) / TILE - phase;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [re, im] = [spectrum[at]!, spectrum[at + 1]!];
    parts[2 * f] = re * c - im * s;
    parts[2 * f + 1] = re * s + im * c;
  }
  return parts;
}

/** Soft values of the coded bits. */
export const softOf = (parts: Float64Array, { carriers }: Pattern, bits: PayloadBits): Float64Array =>
  Float64Array.from(carriers[bits], (repeated) => repeated.reduce((sum, { frequency, part }) => sum + parts[2 * frequency + part]!, 0));

/** How far each known frequency is as it was written. */
export const syncOf = (spectrum: Spectrum, { sync }: Pattern): Float64Array =>
  Float64Array.from(sync, ({ phase, ...frequency }) => {
    const at = indexOf(frequency);
    return spectrum[at]! * Math.cos(phase) + spectrum[at + 1]! * Math.sin(phase);
  });
