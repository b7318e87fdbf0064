// What strokes begin from: noise smeared along the forms of the photograph (line integral convolution, Cabral and Leedom, 1993).
//
// A painter's brush follows the edge of what it paints. Which way that is says the structure tensor of luminance, smoothed (Kang et
// al., Flow-based image abstraction, 2009); where a photograph is flat the brush swirls, by noise of its own. White noise would have
// a network of convolutions make grain; of noise that already runs, it makes strokes.
//
// All of it at a quarter of the picture's sides, where the painter takes noise in.

import { LUMA, type Planar } from '../metrics/style.js';
import { Random } from '../random.js';
import { GRAIN, NOISE } from './network.js';

/** Luminance at a quarter of a picture's sides, 0 to 1, row by row. */
export interface Luminance {
  width: number;
  height: number;
  data: Float32Array;
}

/** Deviations in px of each channel's strokes, across and along: from the fine brush to the broad. */
const BRUSHES = [
  { across: 0.5, along: 4 },
  { across: 0.7, along: 6 },
  { across: 1, along: 8 },
  { across: 1.6, along: 12 },
] as const;
/** Longest walk along the flow, either way, px. */
const REACH = 24;
/** Deviation of the strokes given to the painter, which is to follow them, and where they are cut off. */
const [DEVIATION, MOST] = [2, 4.4];
/** Deviations in px of the windows that forms are seen through, near and far; what the far one counts. */
const [NEAR, FAR, FAR_COUNTS] = [2.5, 9, 0.5];
/** Deviation in px of the swirls, and how strong they are beside forms: a slope of luminance of a hundredth a pixel. */
const [SWIRL, SWIRL_COUNTS] = [12, 1e-4];

/** Sum 1, cut off at 2.5 deviations. */
function bell(deviation: number): Float32Array {
  const reach = Math.ceil(2.5 * deviation);
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
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * line[i + k]!;
      across[at + i] = sum;
    }
  }
  const out = new Float32Array(x.length);
  for (let row = 0; row < height; row++)
    for (let k = 0; k < kernel.length; k++) {
      const from = Math.min(height - 1, Math.max(0, row + k - reach)) * width;
      const [weight, to] = [kernel[k]!, row * width];
      for (let i = 0; i < width; i++) out[to + i]! += weight * across[from + i]!;
    }
  return out;
}

/** Unit vectors along the forms, by which of two opposite ways does not matter. */
export interface Flow {
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
    const near = blurred(x, width, height, NEAR);
    const far = blurred(x, width, height, FAR);
    const own = blurred(swirls.subarray(c * size, (c + 1) * size), width, height, SWIRL);
    return near.map((value, i) => value + FAR_COUNTS * far[i]! + swirl * own[i]!);
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

/** Noise summed along the flow from every place both ways: [NOISE, height, width], of white noise of that shape. */
function smeared(noise: Float32Array, flow: Flow, width: number, height: number): Float32Array {
  const size = width * height;
  const sources = BRUSHES.map(({ across }, c) => blurred(noise.subarray(c * size, (c + 1) * size), width, height, across));
  const weights = BRUSHES.map(({ along }) => Float32Array.from({ length: Math.min(REACH, Math.ceil(2.5 * along)) + 1 }, (_, i) => Math.exp(-(i * i) / (2 * along * along))));
  const out = new Float32Array(NOISE * size);
  for (const [c, source] of sources.entries()) out.set(source, c * size);
  const [right, bottom] = [width - 1, height - 1];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const start = row * width + column;
      for (const way of [1, -1]) {
        let [px, py] = [column, row];
        let [vx, vy] = [way * flow.x[start]!, way * flow.y[start]!];
        for (let step = 1; step <= REACH; step++) {
          px = Math.min(right, Math.max(0, px + vx));
          py = Math.min(bottom, Math.max(0, py + vy));
          const [x0, y0] = [Math.min(right - 1, px | 0), Math.min(bottom - 1, py | 0)];
          const [fx, fy] = [px - x0, py - y0];
          const at = y0 * width + x0;
          const [w00, w01, w10, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
          for (let c = 0; c < NOISE; c++) {
            const weight = weights[c]![step];
            if (weight === undefined) continue;
            const source = sources[c]!;
            out[c * size + start]! += weight * (w00 * source[at]! + w01 * source[at + 1]! + w10 * source[at + width]! + w11 * source[at + width + 1]!);
          }
          const near = at + (fx >= 0.5 ? 1 : 0) + (fy >= 0.5 ? width : 0);
          const [nx, ny] = [flow.x[near]!, flow.y[near]!];
          const turn = nx * vx + ny * vy < 0 ? -1 : 1;
          vx = turn * nx;
          vy = turn * ny;
        }
      }
    }
  return out;
}

/** Noise smeared along a photograph's forms, not yet brought to one deviation; otherwise as `strokesAlong`. */
export function smearedAlong(luminance: Luminance, white: Float32Array): Float32Array {
  const { width, height } = luminance;
  return smeared(white, flowOf(luminance, white.subarray(NOISE * width * height)), width, height);
}

let gains: number[] | undefined;
/** What brings each channel to its deviation: measured once, on the strokes of an even picture. */
function gainsOf(): number[] {
  if (gains) return gains;
  const side = 160;
  const size = side * side;
  const white = new Random('strokes').normals((NOISE + 2) * size);
  const even = { width: side, height: side, data: new Float32Array(size) };
  const out = smearedAlong(even, white);
  gains = BRUSHES.map((_, c) => DEVIATION / (Math.hypot(...out.subarray(c * size, (c + 1) * size)) / Math.sqrt(size)));
  return gains;
}

/**
 * Strokes for a photograph: [NOISE, height, width], of mean 0 and deviation 2, and never beyond 4.4.
 * @param white standard normal, [NOISE + 2, height, width]: what is smeared, and what flat places swirl by.
 */
export function strokesAlong(luminance: Luminance, white: Float32Array): Float32Array {
  const size = luminance.data.length;
  const out = smearedAlong(luminance, white);
  for (const [c, gain] of gainsOf().entries()) for (let i = c * size; i < (c + 1) * size; i++) out[i] = Math.min(MOST, Math.max(-MOST, gain * out[i]!));
  return out;
}

/** White noise for `strokesAlong`, by the row: a row has the same however high the picture is. */
export function whiteRows(width: number, height: number, seed: number | string): Float32Array {
  const out = new Float32Array((NOISE + 2) * width * height);
  for (let row = 0; row < height; row++) {
    const values = new Random(`${seed}/noise/${row}`).normals((NOISE + 2) * width);
    for (let c = 0; c < NOISE + 2; c++) out.set(values.subarray(c * width, (c + 1) * width), (c * height + row) * width);
  }
  return out;
}

/** Luminance at a quarter of the sides, which are multiples of 4. */
export function quarterLuminance({ width, height, data }: Planar): Luminance {
  const [w, h, plane] = [width / GRAIN, height / GRAIN, width * height];
  const out = new Float32Array(w * h);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++) {
      const [from, to] = [c * plane + y * width, ((y / GRAIN) | 0) * w];
      for (let x = 0; x < width; x++) out[to + ((x / GRAIN) | 0)]! += (LUMA[c]! / GRAIN ** 2) * data[from + x]!;
    }
  return { width: w, height: h, data: out };
}
