// Writing the watermark into pixels: the pattern, as strong as the eye allows from place to place, added to all colours alike.

import { LUMA } from '@zeuxis/pictures';
import sharp from 'sharp';
import { encodePayload, type PayloadBits } from './code.js';
import { folded, noiseOf, partsOf, softOf, syncOf } from './fold.js';
import { evened, lookedAt, luminanceOf } from './look.js';
import { type Gains, type Pattern, TILE, tileOf } from './pattern.js';

/** Pixels in place, 8 or 16 bits (or, in trials, 0 to 255 with fractions), grey or RGB, opacity last. */
export interface Marked {
  width: number;
  height: number;
  channels: 1 | 3;
  alpha: boolean;
  data: Uint8Array | Uint16Array | Float32Array;
}

/** Peak signal to noise of a marked picture, in dB, at least. */
const LEAST_PSNR = 42.15;
/** Deviation of the pattern in places without detail, and at most, black to white being 255. */
const [FLAT, MOST] = [0.6, 8];
/** How much more the eye lets pass for each deviation of what is there, from so much on: a sky's gradient hides nothing. */
const [HIDDEN, GRADIENT] = [0.7, 0.6];
/** Side of the blocks whose detail is measured, in px of the pattern. */
const BLOCK = 8;
/** Samples of the tile to a pixel of the pattern. */
const OVERSAMPLED = 2;

/** Shorter sides from which 64 bits and 16 go in; below the latter there is no mark. */
export const SHORTEST: Record<PayloadBits, number> = { 64: 256, 16: 128 };

/** Bits that a picture of that size takes, or 0. */
export const payloadBits = (width: number, height: number): PayloadBits | 0 => {
  const shorter = Math.min(width, height);
  return shorter >= SHORTEST[64] ? 64 : shorter >= SHORTEST[16] ? 16 : 0;
};

export interface EmbedOptions {
  pattern: Pattern;
  payload: bigint;
  bits: PayloadBits;
}

/**
 * Marks a picture in place, or the frames of an animation, one below the other, each in the same way: what stands still stays still.
 * @param picture a frame's size, and the data of all.
 */
export async function embed(picture: Marked, options: EmbedOptions, frames = 1): Promise<void> {
  const { data } = picture;
  const each = data.length / frames;
  const frame = (n: number): Marked => ({ ...picture, data: data.subarray(n * each, (n + 1) * each) });
  const gains = await gainsOf(frame(0), options);
  for (let n = 0; n < frames; n++) apply(frame(n), options, gains);
}

/** No frequency and no bit is weaker or stronger than this. */
const [WEAKEST, STRONGEST] = [0.35, 2.2];

/**
 * What the picture itself says on the frequencies of the pattern is known here: a bit that it speaks against is written stronger, one that
 * it speaks for weaker, so that all stand equally clear (informed embedding: Malvar and Florencio, 2003; Cox, Miller and McKellips, 1999). Tried on the
 * picture as a detector looks at it.
 */
async function gainsOf({ width, height, channels, alpha, data }: Marked, { pattern, payload, bits }: EmbedOptions): Promise<Gains | undefined> {
  const bands = (channels + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4;
  const seen = await luminanceOf(sharp(data as Uint8Array, { raw: { width, height, channels: bands }, limitInputPixels: false }), width, height);
  // Of a panorama more than four times as wide as high, which is looked at smaller than it is marked: it holds so many tiles that it needs no such help.
  if (seen.scale !== 1) return undefined;
  const marked = { width: seen.width, height: seen.height, channels: 1 as const, alpha: false, data: seen.data.slice() };
  const geometry = { scale: 1, angle: 0 };
  const spectrum = (luminance: Float32Array): Float64Array => folded({ ...seen, data: evened(luminance, seen.width, seen.height) }, geometry);
  const before = spectrum(seen.data);
  apply(marked, { pattern, payload, bits }, undefined, 1);
  const after = spectrum(marked.data);
  const noise = noiseOf(before);
  const coded = encodePayload(payload, bits);
  const signed = (values: Float64Array) => values.map((value, b) => value * coded[b]!);
  const [hostBits, markedBits] = [before, after].map((of) => signed(softOf(partsOf(of, noise, pattern), pattern, bits)));
  return {
    bits: evenly(hostBits!, markedBits!),
    sync: evenly(syncOf(before, noise, pattern), syncOf(after, noise, pattern)),
  };
}

/** Factors, of a mean square of 1, that bring values to one height as far as may be. @param host without the mark. @param marked with factors of 1. */
function evenly(host: Float64Array, marked: Float64Array): Float64Array {
  const steps = host.map((value, i) => Math.max(1e-9, marked[i]! - value));
  const at = (height: number) => host.map((value, i) => Math.min(STRONGEST, Math.max(WEAKEST, (height - value) / steps[i]!)));
  const energy = (factors: Float64Array) => factors.reduce((sum, f) => sum + f * f, 0) / factors.length;
  let [low, top] = [0, Math.max(...marked) * 2];
  for (let i = 0; i < 30; i++) {
    const middle = (low + top) / 2;
    if (energy(at(middle)) > 1) top = middle;
    else low = middle;
  }
  return at(low);
}

function apply(picture: Marked, { pattern, payload, bits }: EmbedOptions, gains: Gains | undefined, scale = lookedAt(picture.width, picture.height)): void {
  const { width, height, channels, alpha, data } = picture;
  const bands = channels + (alpha ? 1 : 0);
  const high = data instanceof Uint16Array ? 65535 : 255;
  const unit = high / 255;
  const whole = !(data instanceof Float32Array);
  const strength = strengths(picture, scale);
  const side = TILE * OVERSAMPLED;
  const tile = tileOf(pattern, payload, bits, side, gains);
  const perPixel = OVERSAMPLED / scale;
  const line = new Float32Array(side + 1);
  const amplitudes = new Float32Array(strength.across + 1);
  for (let y = 0; y < height; y++) {
    interpolateRow(tile, side, side, (y * perPixel) % side, line, true);
    line[side] = line[0]!;
    interpolateRow(strength.values, strength.across, strength.down, Math.max(0, y / strength.side - 0.5), amplitudes, false);
    amplitudes[strength.across] = amplitudes[strength.across - 1]!;
    let at = y * width * bands;
    for (let x = 0; x < width; x++, at += bands) {
      if (alpha && data[at + channels] === 0) continue;
      const t = (x * perPixel) % side;
      const t0 = t | 0;
      const w = line[t0]! + (t - t0) * (line[t0 + 1]! - line[t0]!);
      const b = x / strength.side - 0.5;
      const b0 = b < 0 ? 0 : b | 0;
      const a = amplitudes[b0]! + (b < 0 ? 0 : b - b0) * (amplitudes[b0 + 1]! - amplitudes[b0]!);
      const add = a * w * unit;
      for (let c = 0; c < channels; c++) {
        const value = data[at + c]! + add;
        data[at + c] = value <= 0 ? 0 : value >= high ? high : whole ? (value + 0.5) | 0 : value;
      }
    }
  }
}

/** One row between the rows of a grid. */
function interpolateRow(grid: Float32Array, across: number, down: number, y: number, out: Float32Array, wraps: boolean): void {
  const y0 = Math.min(down - 1, y | 0);
  const y1 = wraps ? (y0 + 1) % down : Math.min(down - 1, y0 + 1);
  const f = y - y0;
  for (let x = 0; x < across; x++) out[x] = grid[y0 * across + x]! + f * (grid[y1 * across + x]! - grid[y0 * across + x]!);
}

interface Strengths {
  /** Of a block, in px. */
  side: number;
  across: number;
  down: number;
  values: Float32Array;
}

/** How strong the mark may be in each block: by how much goes on there, so that the whole keeps its PSNR. */
function strengths({ width, height, channels, alpha, data }: Marked, scale: number): Strengths {
  const bands = channels + (alpha ? 1 : 0);
  const side = Math.max(BLOCK, Math.round(BLOCK * scale));
  const [across, down] = [Math.ceil(width / side), Math.ceil(height / side)];
  const unit = (data instanceof Uint16Array ? 65535 : 255) / 255;
  // Four quarters of each block: where an edge passes, one is full of it and others are flat.
  const half = side / 2;
  const [qa, qd] = [2 * across, 2 * down];
  const sums = new Float64Array(qa * qd);
  const squares = new Float64Array(qa * qd);
  const counts = new Float64Array(qa * qd);
  const step = Math.max(1, Math.floor(scale / 1.5));
  const quarter = Uint32Array.from({ length: width }, (_, x) => Math.min(qa - 1, Math.floor(x / half)));
  for (let y = 0; y < height; y += step) {
    const row = Math.min(qd - 1, Math.floor(y / half)) * qa;
    for (let x = 0; x < width; x += step) {
      const at = (y * width + x) * bands;
      const l = channels === 1 ? data[at]! : LUMA[0] * data[at]! + LUMA[1] * data[at + 1]! + LUMA[2] * data[at + 2]!;
      const q = row + quarter[x]!;
      sums[q]! += l;
      squares[q]! += l * l;
      counts[q]!++;
    }
  }
  const deviation = sums.map((sum, q) => (counts[q]! > 0 ? Math.sqrt(Math.max(0, squares[q]! / counts[q]! - (sum / counts[q]!) ** 2)) / unit : 0));
  const detail = new Float32Array(across * down);
  for (let j = 0; j < down; j++)
    for (let i = 0; i < across; i++) {
      const four = [0, 1, qa, qa + 1].map((d) => deviation[2 * j * qa + 2 * i + d]!).sort((a, b) => a - b);
      detail[j * across + i] = four[1]!;
    }
  const wanted = 255 ** 2 / 10 ** (LEAST_PSNR / 10);
  const amplitude = (most: number, d: number) => Math.min(most, FLAT + HIDDEN * Math.max(0, d - GRADIENT));
  const energy = (most: number) => detail.reduce((sum, d) => sum + amplitude(most, d) ** 2, 0) / detail.length + 1 / 12;
  let [low, top] = [FLAT, MOST];
  if (energy(top) > wanted)
    for (let i = 0; i < 20; i++) {
      const middle = (low + top) / 2;
      if (energy(middle) > wanted) top = middle;
      else low = middle;
    }
  else low = top;
  return { side, across, down, values: detail.map((d) => amplitude(low, d)) };
}
