// Writing the watermark into pixels: the pattern, as strong as the eye allows from place to place.

import { markLoops } from '@zeuxis/loops';
import sharp from 'sharp';
import { encodePayload, type PayloadBits } from './code.js';
import { folded, partsOf, softOf, spectrumOf, syncOf } from './fold.js';
import { TILE } from './frequency.js';
import { LONGEST, LOOKED, type Look, lookedAt, luminanceIn, luminanceOf } from './look.js';
import { type Gains, type Pattern, tileOf } from './pattern.js';
import { type Blocks, detailOf, type Marked, sharesOf, strengths } from './strength.js';
import { weighed } from './weighed.js';

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
  const informed = await informedBy(frame(0), options);
  for (let n = 0; n < frames; n++) apply(frame(n), options, n === 0 ? informed : { ...informed, detail: undefined });
}

/** What is known of a picture before it is marked, where it was looked at. */
interface Informed {
  gains?: Gains;
  detail?: Blocks | undefined;
}

/** No frequency and no bit is weaker or stronger than this. */
const [WEAKEST, STRONGEST] = [0.35, 2.2];

/**
 * What the picture itself says on the frequencies of the pattern is known here: a bit that it speaks against is written stronger, one that
 * it speaks for weaker, so that all stand equally clear. Larger pictures hold so many tiles that they need no such help (informed embedding: Malvar and Florencio, 2003; Cox, Miller and McKellips, 1999). Tried on the
 * picture as a detector looks at it.
 */
async function informedBy(picture: Marked, { pattern, payload, bits }: EmbedOptions): Promise<Informed> {
  const { width, height } = picture;
  if (Math.min(width, height) >= LOOKED) return {};
  const seen = await seenOf(picture);
  // Of a panorama, which is looked at smaller than it is marked.
  if (seen.scale !== 1) return {};
  const marked = { width: seen.width, height: seen.height, channels: 1 as const, alpha: false, data: seen.data.slice() };
  const geometry = { scale: 1, angle: 0 };
  const spectrum = (luminance: Float32Array): Float64Array => spectrumOf(folded({ ...seen, data: weighed(luminance, seen.width, seen.height) }, geometry));
  const before = spectrum(seen.data);
  const detail = detailOf(marked, 1);
  apply(marked, { pattern, payload, bits }, { detail }, 1);
  const after = spectrum(marked.data);
  const coded = encodePayload(payload, bits);
  const signed = (values: Float64Array) => values.map((value, b) => value * coded[b]!);
  const [hostBits, markedBits] = [before, after].map((of) => signed(softOf(partsOf(of, pattern), pattern, bits)));
  const gains = { bits: evenly(hostBits!, markedBits!), sync: evenly(syncOf(before, pattern), syncOf(after, pattern)) };
  return isSeenAsIs(picture) ? { gains, detail } : { gains };
}

/** Whether a detector sees the pixels themselves, nothing converted or made smaller. */
const isSeenAsIs = ({ width, height, alpha, data }: Marked): boolean => !alpha && data instanceof Uint8Array && Math.max(width, height) <= LONGEST;

/** A picture as a detector looks at it. */
async function seenOf(picture: Marked): Promise<Look> {
  const { width, height, channels, alpha, data } = picture;
  // The way through a thread takes longer than all the rest of looking.
  if (isSeenAsIs(picture)) return { width, height, scale: 1, data: luminanceIn(data as Uint8Array, channels, width * height) };
  const raw = { width, height, channels: (channels + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4 };
  return luminanceOf(sharp(data as Uint8Array, { raw, limitInputPixels: false }), width, height);
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

/** Rows that are marked at one go: what a processor keeps at hand. */
const ROWS = 8;
/** Widest strip of a picture that is marked at one go, px: the tile is made as wide, and what that takes in memory stays taken. */
const STRIP = 8192;

/** Adds the pattern to a picture, in place. @param scale px of the picture to one of the pattern. */
function apply(picture: Marked, { pattern, payload, bits }: EmbedOptions, { gains, detail }: Informed, scale = lookedAt(picture.width, picture.height)): void {
  const { width, height, channels, alpha, data } = picture;
  const bands = channels + (alpha ? 1 : 0);
  const strength = strengths(picture, detail ?? detailOf(picture, scale), scale);
  // Where pixels are the pattern's own there is nothing between its samples.
  const dense = scale === 1 ? 1 : OVERSAMPLED;
  const side = TILE * dense;
  const tile = tileOf(pattern, payload, bits, side, gains);
  const perPixel = dense / scale;
  const { across, down } = strength;
  const strips = Math.ceil(width / STRIP);
  const wide = Math.ceil(width / strips);
  const atOnce = strips === 1 ? ROWS : 1;
  const { run, room, write, take } = markLoops();
  const [grid, places, rests, tiles, blocks, shares, rows] = room(Math.max(tile.length, strength.values.length), wide, wide, side * wide, down * wide, 3, atOnce * wide * bands);
  const high = data instanceof Uint16Array ? 65535 : 255;
  write(shares, sharesOf(channels).map((share) => (share * high) / 255));
  for (let left = 0; left < width; left += wide) {
    const own = Math.min(wide, width - left);
    const rowOf = (field: number, row: number) => field + row * own * Float32Array.BYTES_PER_ELEMENT;
    /** A grid's rows, as wide as the strip. */
    const spread = (values: Float32Array, columns: number, lines: number, tiled: boolean, place: (x: number) => number, out: number) => {
      const { whole, rest } = placesOf(own, (x) => place(left + x));
      write(grid, values);
      write(places, whole);
      write(rests, rest);
      run.spread(grid, columns, lines, tiled, places, rests, own, out);
    };
    spread(tile, side, side, true, (x) => (x * perPixel) % side, tiles);
    spread(strength.values, across, down, false, (x) => Math.max(0, x / strength.side - 0.5), blocks);
    for (let top = 0; top < height; top += atOnce) {
      const bottom = Math.min(height, top + atOnce);
      const from = (top * width + left) * bands;
      const pixels = data.subarray(from, from + (bottom - top) * own * bands);
      write(rows, pixels);
      for (let y = top; y < bottom; y++) {
        const [inTile, inBlocks] = [(y * perPixel) % side, Math.max(0, y / strength.side - 0.5)];
        const [upper, above] = [Math.floor(inTile), Math.min(down - 1, Math.floor(inBlocks))];
        const [lower, below] = [(upper + 1) % side, Math.min(down - 1, above + 1)];
        run.add(rowOf(rows, (y - top) * bands), own, bands, channels, rowOf(tiles, upper), rowOf(tiles, lower), inTile - upper, rowOf(blocks, above), rowOf(blocks, below), inBlocks - above, shares, high, !(data instanceof Float32Array));
      }
      take(rows, pixels);
    }
  }
}

/** Places between samples: the sample before, and how far behind it. */
function placesOf(width: number, place: (x: number) => number): { whole: Float32Array; rest: Float32Array } {
  const [whole, rest] = [new Float32Array(width), new Float32Array(width)];
  for (let x = 0; x < width; x++) {
    const at = place(x);
    whole[x] = Math.floor(at);
    rest[x] = at - whole[x]!;
  }
  return { whole, rest };
}
