// How much of the photograph a painted picture still shows: SSIM (Wang et al., 2004) and the correlation of edges, both of luminance reduced. How near it
// is to its painting is measured in painting.ts.

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
