// How near a painted picture is to a painting, and how much of the photograph it still shows. Patches, scales, directions and seeds are
// fixed, and are no loss's: those of training (style/distribution.ts) look at other sizes.
//
// Distance: sliced Wasserstein (Rabin et al., 2012) between patches, as in GPDM (Elnekave and Weiss, 2022): projected on random
// directions, sorted, and compared rank by rank. Structure: SSIM (Wang et al., 2004) and the correlation of edges, both of luminance reduced.
// Colour transfer, to compare with: Reinhard et al. (2001), means and deviations in l-alpha-beta.

import { sampleLoops } from '@zeuxis/loops';
import { Random } from '../random.js';
import { ssim } from '../upscaler/quality.js';

/** Planar RGB, 0 to 1, [3, height, width]. */
export interface Planar {
  width: number;
  height: number;
  data: Float32Array;
}

/** Luminance of red, green and blue (BT.601). */
export const LUMA = [0.299, 0.587, 0.114] as const;
const [SAMPLES, DIRECTIONS, SIDE] = [4096, 64, 9];
const REDUCTIONS = [1, 3, 6];
/** Reduction at which single colours are compared. */
const COLOUR = 2;
/** Reduction at which structure is compared. */
const LOW_PASS = 4;

/** Means of `factor` by `factor` pixels; what is left over at the right and below is left out. @param room for them, if there is some: what is not asked for anew is at hand. */
export function boxReduced({ width, height, data }: Planar, factor: number, room?: Float32Array): Planar {
  if (factor === 1) return { width, height, data };
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
  const out = room?.subarray(0, 3 * w * h) ?? new Float32Array(3 * w * h);
  const { run, room: fields, write, view } = sampleLoops();
  const [rows, means] = fields(factor * width, w);
  const made = view(means, w);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < h; y++) {
      const from = (c * height + y * factor) * width;
      write(rows, data.subarray(from, from + factor * width));
      run.box(rows, width, factor, means);
      out.set(made, (c * h + y) * w);
    }
  return { width: w, height: h, data: out };
}

/** Patches of `side` by `side` pixels from places drawn by a seed, one a row: SAMPLES rows of 3 side^2 values. */
function patches({ width, height, data }: Planar, side: number, seed: string): Float32Array {
  const random = new Random(seed);
  const length = 3 * side * side;
  const out = new Float32Array(SAMPLES * length);
  for (let n = 0, to = 0; n < SAMPLES; n++) {
    const [x, y] = [random.below(width - side + 1), random.below(height - side + 1)];
    for (let c = 0; c < 3; c++) for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) out[to++] = data[(c * height + y + i) * width + x + j]!;
  }
  return out;
}

/** Mean difference of sorted projections on unit directions, of rows of `length` values. */
function slicedWasserstein(a: Float32Array, b: Float32Array, length: number): number {
  const random = new Random(`directions ${length}`);
  let total = 0;
  for (let d = 0; d < DIRECTIONS; d++) {
    const direction = random.normals(length);
    const norm = Math.hypot(...direction);
    const projected = (rows: Float32Array) => {
      const out = new Float32Array(SAMPLES);
      for (let n = 0; n < SAMPLES; n++) {
        let sum = 0;
        for (let k = 0; k < length; k++) sum += rows[n * length + k]! * direction[k]!;
        out[n] = sum / norm;
      }
      return out.sort();
    };
    const [p, q] = [projected(a), projected(b)];
    for (let n = 0; n < SAMPLES; n++) total += Math.abs(p[n]! - q[n]!);
  }
  return total / (DIRECTIONS * SAMPLES);
}

export interface StyleDistance {
  /** Of patches of 9 by 9 pixels at full size, a third and a sixth, the mean; black to white is 1 a pixel. */
  patches: number;
  /** Of single pixels at half size. */
  colour: number;
}

/** @throws RangeError for pictures of less than 54 px. */
export function styleDistance(a: Planar, b: Planar): StyleDistance {
  const least = SIDE * REDUCTIONS.at(-1)!;
  for (const { width, height } of [a, b]) if (Math.min(width, height) < least) throw new RangeError(`a picture of ${width}x${height} is too small to measure; its shorter side must be ${least} px`);
  const at = (reduction: number) => {
    const [p, q] = [a, b].map((picture, i) => patches(boxReduced(picture, reduction), SIDE, `${i} ${reduction}`)) as [Float32Array, Float32Array];
    return slicedWasserstein(p, q, 3 * SIDE * SIDE);
  };
  return {
    patches: REDUCTIONS.reduce((sum, reduction) => sum + at(reduction), 0) / REDUCTIONS.length,
    colour: slicedWasserstein(patches(boxReduced(a, COLOUR), 1, '0 colour'), patches(boxReduced(b, COLOUR), 1, '1 colour'), 3),
  };
}

export interface Structure {
  /** SSIM of luminance at a quarter of the sides, at most 1. */
  ssim: number;
  /** Correlation of the strength of edges there, -1 to 1. */
  edges: number;
}

/** How much of a photograph's structure a picture of the same size shows. */
export function structureKept(photograph: Planar, made: Planar): Structure {
  const [a, b] = [photograph, made].map((picture) => luminance(boxReduced(picture, LOW_PASS))) as [Luminance, Luminance];
  return { ssim: ssim(a, b, 1), edges: correlation(gradients(a), gradients(b)) };
}

/** Deviation of a camera's noise in good light, black to white being 1. */
const CAMERA_NOISE = 2 / 255;

/** A frame of a still scene: the photograph with a camera's noise, another for every number. */
export function stillFrame({ width, height, data }: Planar, number: number): Planar {
  const noise = new Random(`frame ${number}`).normals(data.length);
  return { width, height, data: data.map((value, i) => Math.min(1, Math.max(0, value + CAMERA_NOISE * noise[i]!))) };
}

/** Mean absolute change from one frame to the next, black to white being 1. */
export const flicker = (a: Planar, b: Planar): number => a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;

/** Row by row, 0 to 1. */
export interface Luminance {
  width: number;
  height: number;
  data: Float64Array;
}

export function luminance({ width, height, data }: Planar): Luminance {
  const plane = width * height;
  const out = new Float64Array(plane);
  for (let i = 0; i < plane; i++) out[i] = LUMA[0] * data[i]! + LUMA[1] * data[plane + i]! + LUMA[2] * data[2 * plane + i]!;
  return { width, height, data: out };
}

/** Length of the gradient between neighbours, all but the last row and column. */
function gradients({ width, height, data }: Luminance): Float64Array {
  const out = new Float64Array((width - 1) * (height - 1));
  for (let y = 0, to = 0; y < height - 1; y++) for (let x = 0; x < width - 1; x++) out[to++] = Math.hypot(data[y * width + x + 1]! - data[y * width + x]!, data[(y + 1) * width + x]! - data[y * width + x]!);
  return out;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb);
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  }
  // Of a picture without edges nothing can be said but whether the other has none either.
  if (aa === 0 || bb === 0) return aa === bb ? 1 : 0;
  return ab / Math.sqrt(aa * bb);
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
const OPPONENT = [
  [1 / Math.sqrt(3), 1 / Math.sqrt(3), 1 / Math.sqrt(3)],
  [1 / Math.sqrt(6), 1 / Math.sqrt(6), -2 / Math.sqrt(6)],
  [1 / Math.sqrt(2), -1 / Math.sqrt(2), 0],
];
const times = (matrix: number[][], v: readonly number[]) => matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i]!, 0));
const transposed = (matrix: number[][]) => matrix[0]!.map((_, i) => matrix.map((row) => row[i]!));

/** A photograph with a painting's colours: each axis of l-alpha-beta is given the painting's mean and deviation. */
export function colourTransfer(photograph: Planar, painting: Planar): Planar {
  const toAxes = ({ width, height, data }: Planar) => {
    const plane = width * height;
    const axes = [0, 1, 2].map(() => new Float64Array(plane));
    for (let i = 0; i < plane; i++) {
      const cones = times(LMS, [data[i]!, data[plane + i]!, data[2 * plane + i]!]).map((v) => Math.log10(Math.max(v, 1 / 255)));
      for (const [k, v] of times(OPPONENT, cones).entries()) axes[k]![i] = v;
    }
    return axes;
  };
  const moments = (values: Float64Array) => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
  };
  const [from, to] = [toAxes(photograph), toAxes(painting)];
  for (const [k, values] of from.entries()) {
    const [a, b] = [moments(values), moments(to[k]!)];
    for (let i = 0; i < values.length; i++) values[i] = ((values[i]! - a.mean) * b.deviation) / (a.deviation || 1) + b.mean;
  }
  const plane = photograph.width * photograph.height;
  const out = new Float32Array(3 * plane);
  const back = transposed(OPPONENT);
  for (let i = 0; i < plane; i++)
    for (const [c, v] of times(RGB, times(back, [from[0]![i]!, from[1]![i]!, from[2]![i]!]).map((u) => 10 ** u)).entries()) out[c * plane + i] = Math.min(1, Math.max(0, v));
  return { ...photograph, data: out };
}
