// What strokes begin from: noise smeared along the forms of the photograph (line integral convolution, Cabral and Leedom, 1993).
//
// A painter's brush follows the edge of what it paints. Which way that is says the structure tensor of luminance, smoothed (Kang et
// al., Flow-based image abstraction, 2009); where a photograph is flat the brush swirls, by noise of its own. White noise would have
// a network of convolutions make grain; of noise that already runs, it makes strokes.
//
// All of it at a quarter of the picture's sides, where the painter takes noise in.

import type { Luminance } from '../metrics/style.js';
import { Random } from '../random.js';
import { NOISE } from './network.js';

/**
 * Deviations in px of each channel's strokes, across and along, from the fine brush to the broad; and what brings the channel to a deviation of 2, as
 * measured on an even picture of 160 px.
 */
const BRUSHES = [
  { across: 0.5, along: 4, gain: 1.0472 },
  { across: 0.7, along: 6, gain: 0.9925 },
  { across: 1, along: 8, gain: 0.9552 },
  { across: 1.6, along: 12, gain: 0.9412 },
] as const;
/** Longest walk along the flow, either way, px. */
const REACH = 24;
/** Where strokes are cut off. */
const MOST = 4.4;
/** Deviation in px of the windows that forms are seen through: leaves and gravel have too many for a brush, which goes over them as they lie on the whole. */
const FORMS = 7;
/** Deviation in px of the swirls, and how strong they are beside forms: a slope of luminance of a hundredth a pixel. */
const [SWIRL, SWIRL_COUNTS] = [12, 1e-4];
/** Where a bell is cut off, in deviations. */
const CUT = 2.5;
/** Pixels around a pixel that its strokes are laid by: a walk, as far around its end as the flow is smoothed, and the neighbour there that makes a slope. */
export const STROKE_SURROUNDINGS = REACH + Math.ceil(CUT * SWIRL) + 1;

/** Sum 1. */
function bell(deviation: number): Float32Array {
  const reach = Math.ceil(CUT * deviation);
  const values = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const sum = values.reduce((a, b) => a + b);
  return values.map((value) => value / sum);
}

/** Blurred down and across; edges go on beyond the picture. */
function blurred(x: Float32Array, width: number, height: number, deviation: number): Float32Array {
  const kernel = bell(deviation);
  const reach = kernel.length >> 1;
  const across = new Float32Array(x.length);
  const line = new Float32Array(width + 2 * reach);
  for (let row = 0, at = 0; row < height; row++, at += width) {
    line.fill(x[at]!, 0, reach).set(x.subarray(at, at + width), reach);
    line.fill(x[at + width - 1]!, reach + width);
    for (let i = 0; i < width; i++) {
      let sum = kernel[reach]! * line[i + reach]!;
      for (let k = 0; k < reach; k++) sum += kernel[k]! * (line[i + k]! + line[i + 2 * reach - k]!);
      across[at + i] = sum;
    }
  }
  const out = new Float32Array(x.length);
  for (let row = 0; row < height; row++)
    for (let k = 0; k <= reach; k++) {
      const [above, below] = [Math.max(0, row + k - reach) * width, Math.min(height - 1, row + reach - k) * width];
      // The middle is its own opposite.
      const [weight, to] = [k < reach ? kernel[k]! : kernel[k]! / 2, row * width];
      for (let i = 0; i < width; i++) out[to + i]! += weight * (across[above + i]! + across[below + i]!);
    }
  return out;
}

/** Unit vectors along the forms, by which of two opposite ways does not matter. */
interface Flow {
  x: Float32Array;
  y: Float32Array;
}

/** @param swirls white noise [2, height, width]. */
function flowOf({ width, height, data }: Luminance, swirls: Float32Array): Flow {
  const size = width * height;
  // The structure tensor as twice the slope's angle: opposite slopes are one direction, and do not cancel.
  const [cosine, sine] = [new Float32Array(size), new Float32Array(size)];
  for (let row = 0; row < height; row++) {
    const [above, here, below] = [Math.max(0, row - 1) * width, row * width, Math.min(height - 1, row + 1) * width];
    for (let i = 0; i < width; i++) {
      const [l, r] = [Math.max(0, i - 1), Math.min(width - 1, i + 1)];
      // Sobel's slopes, an eighth; which way up is no matter.
      const gx = (data[above + l]! - data[above + r]! + 2 * (data[here + l]! - data[here + r]!) + data[below + l]! - data[below + r]!) / 8;
      const gy = (data[above + l]! + 2 * data[above + i]! + data[above + r]! - data[below + l]! - 2 * data[below + i]! - data[below + r]!) / 8;
      cosine[here + i] = gx * gx - gy * gy;
      sine[here + i] = 2 * gx * gy;
    }
  }
  // Of white noise blurred, the deviation is the kernel's norm, down and across.
  const swirl = SWIRL_COUNTS / bell(SWIRL).reduce((sum, v) => sum + v * v, 0);
  const smoothed = [cosine, sine].map((x, c) => {
    const forms = blurred(x, width, height, FORMS);
    const own = blurred(swirls.subarray(c * size, (c + 1) * size), width, height, SWIRL);
    return forms.map((value, i) => value + swirl * own[i]!);
  }) as [Float32Array, Float32Array];
  const [x, y] = smoothed;
  for (let i = 0; i < size; i++) {
    // Across the slope: the opposite of twice its angle is twice the angle of what runs along.
    const angle = Math.atan2(-y[i]!, -x[i]!) / 2;
    x[i] = Math.cos(angle);
    y[i] = Math.sin(angle);
  }
  return { x, y };
}

/** What each channel counts at each step of a walk, [REACH + 1, NOISE]. */
function walkWeights(): Float32Array {
  const weights = new Float32Array((REACH + 1) * NOISE);
  for (const [c, { along }] of BRUSHES.entries()) for (let step = 0; step <= Math.min(REACH, Math.ceil(CUT * along)); step++) weights[step * NOISE + c] = Math.exp(-(step * step) / (2 * along * along));
  return weights;
}

/** Noise summed along the flow from every place both ways, of white noise [NOISE, height, width]: [NOISE, to - from, width], of the rows `from` up to `to`. */
function smeared(noise: Float32Array, flow: Flow, width: number, height: number, from: number, to: number): Float32Array {
  const size = width * height;
  // Channels side by side: this is where the time goes, and a walk asks for all four of a place.
  const source = new Float32Array(NOISE * size);
  for (const [c, { across }] of BRUSHES.entries()) {
    const channel = blurred(noise.subarray(c * size, (c + 1) * size), width, height, across);
    for (let i = 0; i < size; i++) source[i * NOISE + c] = channel[i]!;
  }
  const weights = walkWeights();
  const [first, count] = [from * width, (to - from) * width];
  const out = new Float32Array(NOISE * count);
  const [right, bottom, below] = [width - 1, height - 1, width * NOISE];
  // Both ways in step: every step waits for the one before it, and two such chains go on side by side.
  const [xs, ys] = [new Float64Array(2 * REACH), new Float64Array(2 * REACH)];
  for (let start = first; start < first + count; start++) {
    let px = start % width;
    let py = (start - px) / width;
    let qx = px;
    let qy = py;
    let vx = flow.x[start]!;
    let vy = flow.y[start]!;
    let ux = -vx;
    let uy = -vy;
    for (let n = 0; n < 2 * REACH; n += 2) {
      px += vx;
      py += vy;
      qx += ux;
      qy += uy;
      px = px < 0 ? 0 : px > right ? right : px;
      py = py < 0 ? 0 : py > bottom ? bottom : py;
      qx = qx < 0 ? 0 : qx > right ? right : qx;
      qy = qy < 0 ? 0 : qy > bottom ? bottom : qy;
      xs[n] = px;
      ys[n] = py;
      xs[n + 1] = qx;
      ys[n + 1] = qy;
      const p = ((py + 0.5) | 0) * width + ((px + 0.5) | 0);
      const q = ((qy + 0.5) | 0) * width + ((qx + 0.5) | 0);
      const forth = flow.x[p]! * vx + flow.y[p]! * vy < 0 ? -1 : 1;
      const back = flow.x[q]! * ux + flow.y[q]! * uy < 0 ? -1 : 1;
      vx = forth * flow.x[p]!;
      vy = forth * flow.y[p]!;
      ux = back * flow.x[q]!;
      uy = back * flow.y[q]!;
    }
    let a = source[start * NOISE]!;
    let b = source[start * NOISE + 1]!;
    let c = source[start * NOISE + 2]!;
    let d = source[start * NOISE + 3]!;
    for (let n = 0; n < 2 * REACH; n++) {
      const x = xs[n]! < right ? xs[n]! | 0 : right - 1;
      const y = ys[n]! < bottom ? ys[n]! | 0 : bottom - 1;
      const fx = xs[n]! - x;
      const fy = ys[n]! - y;
      const w11 = fx * fy;
      const w01 = fx - w11;
      const w10 = fy - w11;
      const w00 = 1 - fx - w10;
      const i = (y * width + x) * NOISE;
      const j = i + below;
      const k = ((n >> 1) + 1) * NOISE;
      a += weights[k]! * (w00 * source[i]! + w01 * source[i + 4]! + w10 * source[j]! + w11 * source[j + 4]!);
      b += weights[k + 1]! * (w00 * source[i + 1]! + w01 * source[i + 5]! + w10 * source[j + 1]! + w11 * source[j + 5]!);
      c += weights[k + 2]! * (w00 * source[i + 2]! + w01 * source[i + 6]! + w10 * source[j + 2]! + w11 * source[j + 6]!);
      d += weights[k + 3]! * (w00 * source[i + 3]! + w01 * source[i + 7]! + w10 * source[j + 3]! + w11 * source[j + 7]!);
    }
    const at = start - first;
    out[at] = a;
    out[count + at] = b;
    out[2 * count + at] = c;
    out[3 * count + at] = d;
  }
  return out;
}

/** Noise smeared along a photograph's forms, not yet brought to one deviation; otherwise as `strokesAlong`. */
export function smearedAlong(luminance: Luminance, white: Float32Array, from = 0, to = luminance.height): Float32Array {
  const { width, height } = luminance;
  return smeared(white, flowOf(luminance, white.subarray(NOISE * width * height)), width, height, from, to);
}

/**
 * Strokes for a photograph: [NOISE, to - from, width], of mean 0 and a deviation of about 2, and never beyond 4.4.
 * @param luminance at a quarter of the photograph's sides.
 * @param white standard normal, [NOISE + 2, height, width]: what is smeared, and what flat places swirl by.
 * @param from first of the rows that are laid, up to `to`; all by default.
 */
export function strokesAlong(luminance: Luminance, white: Float32Array, from = 0, to = luminance.height): Float32Array {
  const size = (to - from) * luminance.width;
  const out = smearedAlong(luminance, white, from, to);
  for (const [c, { gain }] of BRUSHES.entries()) for (let i = c * size; i < (c + 1) * size; i++) out[i] = Math.min(MOST, Math.max(-MOST, gain * out[i]!));
  return out;
}

/** White noise for `strokesAlong`, by the row: a row has the same however high the picture is. @param first of the rows, 0 by default. */
export function whiteRows(width: number, height: number, seed: number | string, first = 0): Float32Array {
  const out = new Float32Array((NOISE + 2) * width * height);
  for (let row = 0; row < height; row++) {
    const values = new Random(`${seed}/noise/${first + row}`).normals((NOISE + 2) * width);
    for (let c = 0; c < NOISE + 2; c++) out.set(values.subarray(c * width, (c + 1) * width), (c * height + row) * width);
  }
  return out;
}
