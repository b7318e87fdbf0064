// Writing the watermark into pixels: the pattern, as strong as the eye allows from place to place.

import { type MarkLoops, markLoops } from '@zeuxis/loops';
import sharp from 'sharp';
import { encodePayload, type PayloadBits } from './code.js';
import { evened } from './even.js';
import { folded, noiseOf, partsOf, softOf, spectrumOf, syncOf } from './fold.js';
import { LONGEST, LOOKED, type Look, lookedAt, luminanceIn, luminanceOf } from './look.js';
import { type Gains, type Pattern, TILE, tileOf } from './pattern.js';
import { type Marked, sharesOf, strengths } from './strength.js';

export type { Marked } from './strength.js';

/** Samples of the tile to a pixel of the pattern, in pictures that are larger than that. */
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
 * it speaks for weaker, so that all stand equally clear. Larger pictures hold so many tiles that they need no such help (informed embedding: Malvar and Florencio, 2003; Cox, Miller and McKellips, 1999). Tried on the
 * picture as a detector looks at it.
 */
async function gainsOf(picture: Marked, { pattern, payload, bits }: EmbedOptions): Promise<Gains | undefined> {
  const { width, height } = picture;
  if (Math.min(width, height) >= LOOKED) return undefined;
  const seen = await seenOf(picture);
  // Of a panorama, which is looked at smaller than it is marked.
  if (seen.scale !== 1) return undefined;
  const marked = { width: seen.width, height: seen.height, channels: 1 as const, alpha: false, data: seen.data.slice() };
  const geometry = { scale: 1, angle: 0 };
  const spectrum = (luminance: Float32Array): Float64Array => spectrumOf(folded({ ...seen, data: evened(luminance, seen.width, seen.height) }, geometry));
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

/** A picture as a detector looks at it. */
async function seenOf({ width, height, channels, alpha, data }: Marked): Promise<Look> {
  const bands = (channels + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4;
  if (alpha || !(data instanceof Uint8Array) || Math.max(width, height) > LONGEST) return luminanceOf(sharp(data as Uint8Array, { raw: { width, height, channels: bands }, limitInputPixels: false }), width, height);
  // Of these nothing is to be converted, and the way through a thread takes longer than all the rest of looking.
  return { width, height, scale: 1, data: luminanceIn(data, channels, width * height) };
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

/** Adds the pattern to a picture, in place. @param scale px of the picture to one of the pattern. */
function apply(picture: Marked, { pattern, payload, bits }: EmbedOptions, gains: Gains | undefined, scale = lookedAt(picture.width, picture.height)): void {
  const { width, height, channels, alpha, data } = picture;
  const bands = channels + (alpha ? 1 : 0);
  const strength = strengths(picture, scale);
  // Where pixels are the pattern's own there is nothing between its samples.
  const dense = scale === 1 ? 1 : OVERSAMPLED;
  const side = TILE * dense;
  const tile = tileOf(pattern, payload, bits, side, gains);
  const perPixel = dense / scale;
  const [fromTile, fromBlocks] = [placesOf(width, (x) => (x * perPixel) % side), placesOf(width, (x) => Math.max(0, x / strength.side - 0.5))];
  const { run, room, write, view } = markLoops();
  const [tiles, grid, line, amplitudes, tilePlaces, tileRests, blocks, blockRests, shares, row] = room(tile.length, strength.values.length, side + 1, strength.across + 1, width, width, width, width, channels, width * bands);
  const high = data instanceof Uint16Array ? 65535 : 255;
  write(tiles, tile);
  write(grid, strength.values);
  write(tilePlaces, fromTile.whole);
  write(tileRests, fromTile.rest);
  write(blocks, fromBlocks.whole);
  write(blockRests, fromBlocks.rest);
  write(shares, sharesOf(channels).map((share) => (share * high) / 255));
  const pixels = view(row, width * bands);
  for (let y = 0; y < height; y++) {
    betweenRows(run, tiles, side, side, (y * perPixel) % side, true, line);
    betweenRows(run, grid, strength.across, strength.down, Math.max(0, y / strength.side - 0.5), false, amplitudes);
    const own = data.subarray(y * width * bands, (y + 1) * width * bands);
    pixels.set(own);
    run.add(row, width, bands, channels, line, tilePlaces, tileRests, amplitudes, blocks, blockRests, shares, high, !(data instanceof Float32Array));
    own.set(pixels);
  }
}

/** Places between samples: the sample before, and how far behind it. */
function placesOf(width: number, place: (x: number) => number): { whole: Uint32Array; rest: Float32Array } {
  const whole = Uint32Array.from({ length: width }, (_, x) => Math.floor(place(x)));
  return { whole, rest: Float32Array.from(whole, (before, x) => place(x) - before) };
}

/** One row between the rows of a grid. */
function betweenRows(run: MarkLoops, grid: number, across: number, down: number, y: number, tiles: boolean, out: number): void {
  const y0 = Math.min(down - 1, y | 0);
  const y1 = tiles ? (y0 + 1) % down : Math.min(down - 1, y0 + 1);
  const rowAt = (at: number) => grid + at * across * Float32Array.BYTES_PER_ELEMENT;
  run.between(rowAt(y0), rowAt(y1), across, y - y0, tiles, out);
}
