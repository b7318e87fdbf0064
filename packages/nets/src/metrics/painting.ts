// How near a painted picture is to a painting, by what is kept of the painting: a model takes it along, and can be measured without. Patches, scales,
// directions and seeds are fixed, and are no loss's: those of training (style/distribution.ts) look at other sizes.
//
// Distance: sliced Wasserstein (Rabin et al., 2012) between patches, as in GPDM (Elnekave and Weiss, 2022): projected on random
// directions, sorted, and compared rank by rank. Colour transfer, to compare with: Reinhard et al. (2001), means and deviations in l-alpha-beta.

import { Random } from '../random.js';
import { boxReduced, type Planar } from './style.js';

const [SAMPLES, DIRECTIONS] = [4096, 64];
/** Equal shares of sorted projections of which the means are kept. */
const SHARES = 64;

/** Patches at one reduction of a picture. */
interface Bank {
  name: string;
  reduction: number;
  /** Side of a patch in px. */
  side: number;
}
const PATCHES: readonly Bank[] = [1, 3, 6].map((reduction) => ({ name: `${reduction}`, reduction, side: 9 }));
/** Single pixels. */
const COLOUR: Bank = { name: 'colour', reduction: 2, side: 1 };
const BANKS = [...PATCHES, COLOUR];
const LEAST = Math.max(...BANKS.map(({ reduction, side }) => reduction * side));

/** A mean and a deviation each of l, alpha and beta. */
const MOMENTS = 6;
const KEPT = DIRECTIONS * SHARES;

/** What is kept of a painting, or of several as if they were one. */
export class PaintingProfile {
  /** How many values it has. */
  static readonly length = BANKS.length * KEPT + MOMENTS;

  /** @param values for each bank and direction the means of shares, ascending, black to white being 1 a pixel; then means and deviations of l, alpha and beta by turns. */
  constructor(readonly values: Float32Array) {}

  /** @param paintings one after another; @param count how many they are. @throws RangeError for paintings of less than 54 px. */
  static of(paintings: Iterable<Planar>, count: number): PaintingProfile {
    const values = new Float32Array(PaintingProfile.length);
    const sampled = BANKS.map(({ name, side }) => ({ random: new Random(`1 ${name}`), out: new Float32Array(SAMPLES * 3 * side * side) }));
    const moments = AXES.map(() => [0, 0] as [mean: number, square: number]);
    let n = 0;
    for (const painting of paintings) {
      requireSide(painting);
      const [from, to] = [n, n + 1].map((k) => Math.floor((k * SAMPLES) / count)) as [number, number];
      for (const [i, bank] of BANKS.entries()) patches(painting, bank, sampled[i]!.random, sampled[i]!.out, from, to);
      for (const [k, axis] of axesOf(painting).entries()) {
        const { mean, deviation } = momentsOf(axis);
        moments[k]![0] += mean / count;
        moments[k]![1] += (mean ** 2 + deviation ** 2) / count;
      }
      n++;
    }
    const share = SAMPLES / SHARES;
    for (const [i, bank] of BANKS.entries())
      for (const [d, sorted] of projections(sampled[i]!.out, bank).entries())
        for (let q = 0; q < SHARES; q++) values[i * KEPT + d * SHARES + q] = sorted.subarray(q * share, (q + 1) * share).reduce((sum, v) => sum + v, 0) / share;
    for (const [k, [mean, square]] of moments.entries()) values.set([mean, Math.sqrt(Math.max(0, square - mean ** 2))], BANKS.length * KEPT + 2 * k);
    return new PaintingProfile(values);
  }

  /** How far a picture's patches and colours are spread otherwise. @throws RangeError for pictures of less than 54 px. */
  distanceOf(picture: Planar): StyleDistance {
    requireSide(picture);
    const at = (bank: Bank) => this.distance(picture, bank);
    return { patches: PATCHES.reduce((sum, bank) => sum + at(bank), 0) / PATCHES.length, colour: at(COLOUR) };
  }

  /** The mean difference of sorted projections; between the middles of the painting's shares lie those of a straight line. */
  private distance(picture: Planar, bank: Bank): number {
    const rows = new Float32Array(SAMPLES * 3 * bank.side ** 2);
    patches(picture, bank, new Random(`0 ${bank.name}`), rows, 0, SAMPLES);
    const kept = BANKS.indexOf(bank) * KEPT;
    let total = 0;
    for (const [d, sorted] of projections(rows, bank).entries())
      for (let n = 0; n < SAMPLES; n++) {
        const place = ((n + 0.5) * SHARES) / SAMPLES - 0.5;
        const below = Math.min(SHARES - 2, Math.max(0, Math.floor(place)));
        const [a, b] = [this.values[kept + d * SHARES + below]!, this.values[kept + d * SHARES + below + 1]!];
        total += Math.abs(sorted[n]! - (a + (place - below) * (b - a)));
      }
    return total / (DIRECTIONS * SAMPLES);
  }

  /** A photograph with the painting's colours: each axis of l-alpha-beta is given the painting's mean and deviation. */
  coloured(photograph: Planar): Planar {
    const axes = axesOf(photograph);
    for (const [k, axis] of axes.entries()) {
      const { mean, deviation } = momentsOf(axis);
      const at = BANKS.length * KEPT + 2 * k;
      const wanted = { mean: this.values[at]!, deviation: this.values[at + 1]! };
      for (let i = 0; i < axis.length; i++) axis[i] = ((axis[i]! - mean) * wanted.deviation) / (deviation || 1) + wanted.mean;
    }
    const plane = photograph.width * photograph.height;
    const out = new Float32Array(3 * plane);
    const back = transposed(AXES);
    for (let i = 0; i < plane; i++)
      for (const [c, v] of times(RGB, times(back, [axes[0]![i]!, axes[1]![i]!, axes[2]![i]!]).map((u) => 10 ** u)).entries()) out[c * plane + i] = Math.min(1, Math.max(0, v));
    return { ...photograph, data: out };
  }
}

export interface StyleDistance {
  /** Of patches of 9 by 9 pixels at full size, a third and a sixth, the mean; black to white is 1 a pixel. */
  patches: number;
  /** Of single pixels at half size. */
  colour: number;
}

function requireSide({ width, height }: Planar): void {
  if (Math.min(width, height) < LEAST) throw new RangeError(`a picture of ${width}x${height} is too small to measure; its shorter side must be ${LEAST} px`);
}

/** Patches from places that are drawn, one a row, from one row to another. */
function patches(picture: Planar, { reduction, side }: Bank, random: Random, out: Float32Array, from: number, to: number): void {
  const { width, height, data } = boxReduced(picture, reduction);
  for (let n = from, at = from * 3 * side * side; n < to; n++) {
    const [x, y] = [random.below(width - side + 1), random.below(height - side + 1)];
    for (let c = 0; c < 3; c++) for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) out[at++] = data[(c * height + y + i) * width + x + j]!;
  }
}

/** Rows on each unit direction, sorted. */
function projections(rows: Float32Array, { side }: Bank): Float32Array[] {
  const length = 3 * side * side;
  const random = new Random(`directions ${length}`);
  return Array.from({ length: DIRECTIONS }, () => {
    const direction = random.normals(length);
    const norm = Math.hypot(...direction);
    const out = new Float32Array(SAMPLES);
    for (let n = 0; n < SAMPLES; n++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += rows[n * length + k]! * direction[k]!;
      out[n] = sum / norm;
    }
    return out.sort();
  });
}

/** RGB to the cones' responses, and those, as logarithms, to l-alpha-beta (Ruderman et al., 1998; Reinhard et al., 2001). */
const LMS = [
  [0.3811, 0.5783, 0.0402],
  [0.1967, 0.7244, 0.0782],
  [0.0241, 0.1288, 0.8444],
];
const RGB = [
  [4.4679, -3.5873, 0.1193],
  [-1.2186, 2.3809, -0.1624],
  [0.0497, -0.2439, 1.2045],
];
/** Rows of l, alpha and beta by the cones'. */
const AXES = [
  [1 / Math.sqrt(3), 1 / Math.sqrt(3), 1 / Math.sqrt(3)],
  [1 / Math.sqrt(6), 1 / Math.sqrt(6), -2 / Math.sqrt(6)],
  [1 / Math.sqrt(2), -1 / Math.sqrt(2), 0],
];
const times = (matrix: number[][], v: readonly number[]) => matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i]!, 0));
const transposed = (matrix: number[][]) => matrix[0]!.map((_, i) => matrix.map((row) => row[i]!));

/** A picture's l, alpha and beta. Matrices are written out: a training looks at up to 64 paintings before it begins. */
function axesOf({ width, height, data }: Planar): Float64Array[] {
  const plane = width * height;
  const [long, medium, short] = LMS.map(([r, g, b]) => {
    const cone = new Float64Array(plane);
    for (let i = 0; i < plane; i++) cone[i] = Math.log10(Math.max(r! * data[i]! + g! * data[plane + i]! + b! * data[2 * plane + i]!, 1 / 255));
    return cone;
  }) as [Float64Array, Float64Array, Float64Array];
  return AXES.map(([l, m, s]) => long.map((value, i) => l! * value + m! * medium[i]! + s! * short[i]!));
}

function momentsOf(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
}
