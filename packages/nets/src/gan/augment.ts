// Differentiable augmentation (Zhao et al., DiffAugment, 2020): the discriminator sees real and fake pictures through
// the same random changes, so that few pictures cannot be learnt by heart. Shifts and scalings are separable, so a
// picture is moved by one matrix for its rows and one for its columns; the numbers are drawn outside the graph and fed.
// Strength adapts as in Karras et al. (ADA, 2020), to what the discriminator makes of pictures held back from it.

import { add, type Feeds, floats, input, matmul, meanKeep, mul, reshape, sliceAxis, sub, type Tensor } from '@zeuxis/graph';
import type { Random } from '../random.js';

/** Largest changes at full strength, as in DiffAugment: shifts of an eighth, a cut-out of half a side. */
const SHIFT = 1 / 8;
const CUTOUT = 1 / 2;

/** A function that changes 2 n pictures [2n, 3, s, s] by what is fed as `rows`, `columns`, `tone` and `holes`. */
export function augmentation(pictures: number, size: number): (x: Tensor) => Tensor {
  const [rows, columns] = [input('rows', [pictures, size, size]), input('columns', [pictures, size, size])];
  const tone = input('tone', [pictures, 3]);
  const holes = input('holes', [pictures, 2, size]);
  const part = (i: number) => reshape(sliceAxis(tone, 1, i, 1), [pictures, 1, 1, 1]);
  return (x) => {
    // Brightness is added, saturation and contrast stretch about the mean of colours and of the picture.
    let y = add(x, part(0));
    const grey = meanKeep(y, [1]);
    y = add(grey, mul(sub(y, grey), part(1)));
    const level = meanKeep(y, [1, 2, 3]);
    y = add(level, mul(sub(y, level), part(2)));
    const moved = matmul(reshape(rows, [pictures, 1, size, size]), y);
    const placed = matmul(moved, reshape(columns, [pictures, 1, size, size]));
    const hole = mul(
      reshape(sliceAxis(holes, 1, 0, 1), [pictures, 1, size, 1]),
      reshape(sliceAxis(holes, 1, 1, 1), [pictures, 1, 1, size]),
    );
    return mul(placed, sub(1, hole));
  };
}

/** Draws what `augmentation` is fed; each kind of change is applied to a picture with probability `strength`, 0 to 1. */
export function drawAugmentation(random: Random, pictures: number, size: number, strength: number): Feeds {
  const [rows, columns] = [new Float32Array(pictures * size * size), new Float32Array(pictures * size * size)];
  const tone = new Float32Array(pictures * 3);
  const holes = new Float32Array(pictures * 2 * size);
  const reach = Math.round(size * SHIFT);
  const width = Math.round(size * CUTOUT);
  for (let k = 0; k < pictures; k++) {
    const [coloured, shifted, cut] = [0, 0, 0].map(() => random.uniform() < strength);
    // Every picture draws the same numbers whatever is applied, so that the stream does not depend on the strength.
    const draws = Array.from({ length: 7 }, () => random.uniform());
    tone.set(coloured ? [draws[0]! - 0.5, draws[1]! * 2, draws[2]! + 0.5] : [0, 1, 1], k * 3);
    const shift = (u: number) => (shifted ? Math.floor(u * (2 * reach + 1)) - reach : 0);
    const [dy, dx] = [shift(draws[3]!), shift(draws[4]!)];
    for (let i = 0; i < size; i++) {
      if (i - dy >= 0 && i - dy < size) rows[(k * size + i) * size + i - dy] = 1;
      if (i - dx >= 0 && i - dx < size) columns[(k * size + i - dx) * size + i] = 1;
    }
    if (!cut) continue;
    for (const [axis, u] of [draws[5]!, draws[6]!].entries()) {
      const start = Math.floor(u * (size + 1)) - width / 2;
      const [from, to] = [Math.max(0, start), Math.min(size, start + width)];
      holes.fill(1, (k * 2 + axis) * size + from, (k * 2 + axis) * size + to);
    }
  }
  const square = [pictures, size, size];
  return {
    rows: floats(rows, square),
    columns: floats(columns, square),
    tone: floats(tone, [pictures, 3]),
    holes: floats(holes, [pictures, 2, size]),
  };
}

/** A batch of uint8 pictures, planar [n, 3, s, s], each mirrored or not by chance, in place. */
export function mirror(pictures: Uint8Array, size: number, random: Random): void {
  const each = 3 * size * size;
  for (let k = 0; k < pictures.length; k += each) {
    if (random.uniform() < 0.5) continue;
    for (let row = k; row < k + each; row += size) pictures.subarray(row, row + size).reverse();
  }
}

/** Share of a lead on training pictures that may be learnt by heart, and pictures over which the strength may go from 0 to 1. */
const TARGET = 0.5;
const RAMP = 100_000;
/** Full strength leaks into the pictures that are made. */
const STRONGEST = 0.8;

/** Mean logits of the discriminator on pictures it was trained on, on pictures held back from it, and on made ones. */
export interface Judgement {
  seen: number;
  held: number;
  made: number;
}

/**
 * How much is learnt by heart: 0 where held-back pictures are judged like those trained on, 1 where they are judged
 * like made ones (r_v of Karras et al., ADA, 2020, equation 1).
 */
export const overfitting = ({ seen, held, made }: Judgement): number => (seen > made ? (seen - held) / (seen - made) : 0);

/** The strength after `images` more pictures. */
export const adaptStrength = (strength: number, overfit: number, images: number): number =>
  Math.min(STRONGEST, Math.max(0, strength + (Math.sign(overfit - TARGET) * images) / RAMP));
