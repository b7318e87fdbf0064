// A perceptual hash: 64 bits that stay nearly the same when a picture is encoded anew, scaled, or made lighter, and that tell others apart.
// The 'pHash' of DCT coefficients (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, 3.2.1): luma
// reduced to 32x32, its DCT, the 8x8 lowest frequencies against their median. Here the mean (DC) takes no part, its bit is 0, and
// the reduction is by means of boxes.

import { sampleLoops } from '@zeuxis/loops';
import { openPicture } from './claims.js';
import { UserError } from './errors.js';
import { LUMA } from './plane.js';
import type { Raster } from './raster.js';

/** Sides of the reduced picture and of what is kept of its frequencies. */
const [SIDE, KEPT] = [32, 8];
/** A file is decoded to sides of this length at most: whole boxes of the reduction, so that large pictures need not be held. */
const DECODED = 4 * SIDE;
/**
 * By how much a coefficient must surpass the median, on a scale where the picture's values go to 255: a drawing that is the same on
 * both sides has none in half of its frequencies, and without this their bits would be the noise of JPEG.
 */
const DEAD = 1;

/** Hashes of one picture differ in this many bits at most, those of different ones hardly ever: the measurements are in docs/provenance.md. */
export const SIMILAR = 10;

type Samples = Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'>;

/** The hash of a picture as it lies in memory: 16 hexadecimal digits, the lowest frequencies first. On white where it is transparent. */
export function perceptualHash(picture: Samples): string {
  const reduced = reduce(picture);
  const waves = cosines();
  // Columns, then rows.
  const half = new Float64Array(KEPT * SIDE);
  for (let v = 0; v < KEPT; v++)
    for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) half[v * SIDE + x]! += waves[v * SIDE + y]! * reduced[y * SIDE + x]!;
  const coefficients: number[] = [];
  for (let v = 0; v < KEPT; v++)
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += waves[u * SIDE + x]! * half[v * SIDE + x]!;
      coefficients.push(sum);
    }
  const threshold = coefficients.slice(1).sort((a, b) => a - b)[(KEPT * KEPT - 2) / 2]! + DEAD;
  let bits = 0n;
  for (const [i, value] of coefficients.entries()) bits = (bits << 1n) | (i > 0 && value > threshold ? 1n : 0n);
  return bits.toString(16).padStart(16, '0');
}

/**
 * The hash of an encoded picture: upright, of its first frame, in sRGB. It is that of its pixels within two bits or so, as large ones are
 * scaled on the way.
 * @throws UserError for what is no picture that can be read.
 */
export async function perceptualHashOf(file: Uint8Array): Promise<string> {
  try {
    const { picture, width, height } = await openPicture(file);
    const { data, info } = await picture
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .resize(Math.min(DECODED, width), Math.min(DECODED, height), { fit: 'fill', kernel: 'lanczos3' })
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return perceptualHash({ width: info.width, height: info.height, channels: info.channels as 1 | 3, alpha: false, data });
  } catch (error) {
    throw new UserError(`this is no picture that can be compared with others: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** Fewer bits than this are set only where a picture has next to no detail: then they say nothing, and all flat pictures would be alike. */
const FEWEST_BITS = 8;

/** Whether a hash tells pictures apart. */
export const isTelling = (hash: string): boolean => bitCount(Number.parseInt(hash.slice(0, 8), 16)) + bitCount(Number.parseInt(hash.slice(8), 16)) >= FEWEST_BITS;

/** In how many of their 64 bits two hashes differ. */
export function hashDistance(a: string, b: string): number {
  let distance = 0;
  for (const [from, to] of [[0, 8], [8, 16]] as const) distance += bitCount(Number.parseInt(a.slice(from, to), 16) ^ Number.parseInt(b.slice(from, to), 16));
  return distance;
}

/** How many of 32 bits are set (Warren, Hacker's Delight, 5-1). */
export function bitCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Luma, 0 to 255, as means of boxes whose edges may run through pixels: [32, 32]. */
function reduce({ width, height, channels, alpha, data }: Samples): Float64Array {
  const bands = channels + (alpha ? 1 : 0);
  const high = data instanceof Uint16Array ? 65535 : 255;
  const [columns, rows] = [shares(width), shares(height)];
  const out = new Float64Array(SIDE * SIDE);
  // Down first, in all bands at once; across there are but 32 rows left.
  const { run, room, write, view } = sampleLoops();
  const count = width * channels;
  // Sums go on in whole vectors beyond their last.
  const apart = Math.ceil(count / 4) * 4;
  const [row, sums] = room(count, SIDE * apart);
  const sumsOf = (box: number) => sums + box * apart * Float32Array.BYTES_PER_ELEMENT;
  write(sums, new Float32Array(SIDE * apart));
  for (let y = 0; y < height; y++) {
    const line = data.subarray(y * width * bands, (y + 1) * width * bands);
    write(row, alpha ? onWhite(line, channels, high) : line);
    for (let i = rows.from[y]!; i < rows.from[y + 1]!; i++) run.accumulate(sumsOf(rows.box[i]!), row, rows.share[i]!, count);
  }
  for (let box = 0; box < SIDE; box++) {
    const line = view(sumsOf(box), count);
    for (let x = 0; x < width; x++) {
      const at = x * channels;
      const value = channels === 3 ? LUMA[0] * line[at]! + LUMA[1] * line[at + 1]! + LUMA[2] * line[at + 2]! : line[at]!;
      for (let i = columns.from[x]!; i < columns.from[x + 1]!; i++) out[box * SIDE + columns.box[i]!]! += (columns.share[i]! * value * 255) / high;
    }
  }
  return out;
}

/** The colours of a row of pixels that have opacity, as they show on white. */
function onWhite(line: Uint8Array | Uint16Array, channels: number, high: number): Float32Array {
  const out = new Float32Array((line.length / (channels + 1)) * channels);
  for (let at = 0, to = 0; at < line.length; at += channels + 1) for (let c = 0; c < channels; c++) out[to++] = high + ((line[at + c]! - high) * line[at + channels]!) / high;
  return out;
}

/** In which boxes a pixel of a side of this length lies, and what part of the box it makes out: those of pixel i from `from[i]` to `from[i + 1]`. */
function shares(length: number): { from: Uint32Array; box: Uint8Array; share: Float64Array } {
  const from = new Uint32Array(length + 1);
  const [box, share]: [number[], number[]] = [[], []];
  // In units of which a pixel has SIDE and a box has `length`: whole numbers, so that nothing is lost at the edges.
  for (let i = 0; i < length; i++) {
    for (let b = Math.floor((i * SIDE) / length); b < SIDE && b * length < (i + 1) * SIDE; b++) {
      box.push(b);
      share.push((Math.min((i + 1) * SIDE, (b + 1) * length) - Math.max(i * SIDE, b * length)) / length);
    }
    from[i + 1] = box.length;
  }
  return { from, box: Uint8Array.from(box), share: Float64Array.from(share) };
}

/** The rows of an orthonormal DCT-II that are kept: [8, 32]. */
function cosines(): Float64Array {
  const out = new Float64Array(KEPT * SIDE);
  for (let k = 0; k < KEPT; k++)
    for (let i = 0; i < SIDE; i++) out[k * SIDE + i] = Math.sqrt((k === 0 ? 1 : 2) / SIDE) * Math.cos((Math.PI * k * (2 * i + 1)) / (2 * SIDE));
  return out;
}
