// What strokes begin from: noise smeared along the forms of the photograph (line integral convolution, Cabral and Leedom, 1993).
//
// A painter's brush follows the edge of what it paints. Which way that is says the structure tensor of luminance, smoothed (Kang et
// al., Flow-based image abstraction, 2009); where a photograph is flat the brush swirls, by noise of its own. White noise would have
// a network of convolutions make grain; of noise that already runs, it makes strokes.
//
// All of it at a quarter of the picture's sides, where the painter takes noise in.

import { strokeLoops } from '@zeuxis/loops';
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

/** A bell's first half, from where it is cut off to its middle; the sum of the whole is 1. */
function bell(deviation: number): Float32Array {
  const reach = Math.ceil(CUT * deviation);
  const values = Float32Array.from({ length: reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const sum = overBell(values, (value) => value);
  return values.map((value) => value / sum);
}

const overBell = (half: Float32Array, of: (value: number) => number): number => half.reduce((sum, value, i) => sum + of(value) * (i < half.length - 1 ? 2 : 1), 0);

/** What each channel counts at each step of a walk, [REACH + 1, NOISE]. */
function walkWeights(): Float32Array {
  const weights = new Float32Array((REACH + 1) * NOISE);
  for (const [c, { along }] of BRUSHES.entries()) for (let step = 0; step <= Math.min(REACH, Math.ceil(CUT * along)); step++) weights[step * NOISE + c] = Math.exp(-(step * step) / (2 * along * along));
  return weights;
}

const [FORMS_BELL, SWIRL_BELL, WALK] = [bell(FORMS), bell(SWIRL), walkWeights()];
const BRUSH_BELLS = BRUSHES.map(({ across }) => bell(across));
/** Of white noise blurred, the deviation is the kernel's norm, down and across. */
const SWIRL_FACTOR = SWIRL_COUNTS / overBell(SWIRL_BELL, (value) => value * value);

/** Noise smeared along a photograph's forms, each channel times its gain and cut off at MOST where gains are given; otherwise as `strokesAlong`. */
export function smearedAlong({ width, height, data }: Luminance, white: Float32Array, from = 0, to = height, gains: readonly number[] = []): Float32Array {
  const { room, write, read, run } = strokeLoops();
  const size = width * height;
  const most = SWIRL_BELL.length;
  const [kernel, line, scratch, field, cosine, sine, flow, source, weights, out] = room(most, width + 2 * most, size, size, size, size, 2 * size, NOISE * size, WALK.length, NOISE * (to - from) * width);
  const blur = (values: number, half: Float32Array) => {
    write(kernel, half);
    run.blur(values, width, height, kernel, half.length - 1, line, scratch);
  };
  /** A channel of the noise, blurred, at `field`. */
  const blurredNoise = (channel: number, half: Float32Array) => {
    write(field, white.subarray(channel * size, (channel + 1) * size));
    blur(field, half);
  };
  write(field, data);
  run.tensor(field, cosine, sine, width, height);
  for (const [c, values] of [cosine, sine].entries()) {
    blur(values, FORMS_BELL);
    blurredNoise(NOISE + c, SWIRL_BELL);
    run.accumulate(values, field, SWIRL_FACTOR, size);
  }
  run.across(cosine, sine, flow, size);
  for (const [c, half] of BRUSH_BELLS.entries()) {
    blurredNoise(c, half);
    run.weave(field, source, c, size);
  }
  write(weights, WALK);
  run.smear(source, flow, weights, REACH, width, height, from, to, out);
  const laid = (to - from) * width;
  for (const [c, gain] of gains.entries()) run.scale(out + c * laid * Float32Array.BYTES_PER_ELEMENT, gain, MOST, laid);
  return read(out, NOISE * laid);
}

/**
 * Strokes for a photograph: [NOISE, to - from, width], of mean 0 and a deviation of about 2, and never beyond 4.4.
 * @param luminance at a quarter of the photograph's sides.
 * @param white standard normal, [NOISE + 2, height, width]: what is smeared, and what flat places swirl by.
 * @param from first of the rows that are laid, up to `to`; all by default.
 */
export function strokesAlong(luminance: Luminance, white: Float32Array, from = 0, to = luminance.height): Float32Array {
  return smearedAlong(luminance, white, from, to, BRUSHES.map(({ gain }) => gain));
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
