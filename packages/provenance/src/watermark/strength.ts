// How strong the watermark may be from place to place, so that the eye does not see it and the whole keeps its PSNR.

import { markLoops } from '@zeuxis/loops';
import { LUMA } from '@zeuxis/pictures';

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
/** Deviation of the pattern in places without detail, black to white being 255. */
const FLAT = 0.6;
/**
 * How much more the eye lets pass for each deviation of what is there, from so much on: a sky's gradient hides nothing. In large pictures, and in small ones,
 * which hold so few tiles that it is more than three times as much; and their blocks are judged by the third of four quarters as much as by the second, so that along edges
 * the mark can be seen in them from near.
 */
const HIDDEN = { large: 0.7, small: 2.4 };
const GRADIENT = 0.6;
/** Shorter sides from which, and up to which, that is so, in px of the pattern. */
const [LARGE, LITTLE] = [512, 256];
/**
 * Where much goes on the mark may be strong, but a detector hears it badly there: what 42 dB leave to it is worth more in between. Most of it, over
 * the root of the detail, and the detail that is always taken for granted.
 */
const [MOST, LEAST_DETAIL] = [100, 2];
/** Side of the blocks whose detail is measured, in px of the pattern. */
const BLOCK = 8;

/** What each colour gets of a change of luminance: of all changes of one luminance the one that costs the least PSNR. */
export function sharesOf(channels: 1 | 3): readonly number[] {
  const energy = LUMA.reduce((sum, weight) => sum + weight * weight, 0);
  return channels === 1 ? [1] : LUMA.map((weight) => weight / energy);
}

/** The second and the third of four by size. */
function middleOf(a: number, b: number, c: number, d: number): [number, number] {
  const low = Math.max(Math.min(a, b), Math.min(c, d));
  const high = Math.min(Math.max(a, b), Math.max(c, d));
  return low < high ? [low, high] : [high, low];
}

/** Values of the blocks of a picture, row by row. */
export interface Blocks {
  /** Of a block, in px. */
  side: number;
  across: number;
  down: number;
  values: Float32Array;
}

/** How much goes on in each block: the deviation of luminance, black to white being 255. @param scale px of the picture to one of the pattern. */
export function detailOf({ width, height, channels, alpha, data }: Marked, scale: number): Blocks {
  const bands = channels + (alpha ? 1 : 0);
  const side = Math.max(BLOCK, Math.round(BLOCK * scale));
  const [across, down] = [Math.ceil(width / side), Math.ceil(height / side)];
  const unit = (data instanceof Uint16Array ? 65535 : 255) / 255;
  // Four quarters of each block: where an edge passes, one is full of it and others are flat.
  const half = side / 2;
  const [qa, qd] = [2 * across, 2 * down];
  const step = Math.max(1, Math.floor(scale / 1.5));
  const { run, room, write, read } = markLoops();
  const [line, luma, places, sums, deviations] = room(width * bands, 3, width, 6 * qa, qa * qd);
  write(luma, LUMA);
  write(places, Float32Array.from({ length: width }, (_, x) => Math.min(qa - 1, Math.floor(x / half))));
  write(sums, new Float32Array(6 * qa));
  // Of a last block that the picture ends in, nothing may be there.
  write(deviations, new Float32Array(qa * qd));
  const rowOf = (y: number) => Math.min(qd - 1, Math.floor(y / half));
  for (let y = 0; y < height; y += step) {
    write(line, data.subarray(y * width * bands, (y + 1) * width * bands));
    run.gather(line, width, bands, channels, step, luma, places, sums);
    if (y + step >= height || rowOf(y + step) > rowOf(y)) run.deviations(sums, qa, unit, deviations + rowOf(y) * qa * Float32Array.BYTES_PER_ELEMENT);
  }
  const deviation = read(deviations, qa * qd);
  const small = smallness(width, height, scale);
  const values = new Float32Array(across * down);
  for (let j = 0; j < down; j++)
    for (let i = 0; i < across; i++) {
      const at = 2 * (j * qa + i);
      const [second, third] = middleOf(deviation[at]!, deviation[at + 1]!, deviation[at + qa]!, deviation[at + qa + 1]!);
      values[j * across + i] = second + (small / 2) * (third - second);
    }
  return { side, across, down, values };
}

/** How far a picture is on the way from a large one, 0, to a little one, 1. */
const smallness = (width: number, height: number, scale: number): number => Math.max(0, Math.min(1, (LARGE - Math.min(width, height) / scale) / (LARGE - LITTLE)));

/** How strong the mark may be in each block, by how much goes on there, so that the whole keeps its PSNR. */
export function strengths({ width, height, channels }: Pick<Marked, 'width' | 'height' | 'channels'>, detail: Blocks, scale: number): Blocks {
  const hidden = HIDDEN.large + smallness(width, height, scale) * (HIDDEN.small - HIDDEN.large);
  const cost = sharesOf(channels).reduce((sum, share) => sum + share * share, 0) / channels;
  const wanted = 255 ** 2 / 10 ** (LEAST_PSNR / 10);
  const { length } = detail.values;
  const [seen, heard] = [new Float32Array(length), new Float32Array(length)];
  for (let i = 0; i < length; i++) {
    seen[i] = FLAT + hidden * Math.max(0, detail.values[i]! - GRADIENT);
    heard[i] = 1 / Math.sqrt(detail.values[i]! + LEAST_DETAIL);
  }
  const energy = (most: number) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += Math.min(most * heard[i]!, seen[i]!) ** 2;
    return (cost * sum) / length + 1 / 12;
  };
  let [low, top] = [0, MOST];
  if (energy(top) > wanted)
    for (let i = 0; i < 20; i++) {
      const middle = (low + top) / 2;
      if (energy(middle) > wanted) top = middle;
      else low = middle;
    }
  else low = top;
  return { ...detail, values: seen.map((most, i) => Math.min(low * heard[i]!, most)) };
}
