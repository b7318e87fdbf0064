// The two sides of 4x4 convolutions of stride 2 and padding 1, by which networks halve and double pictures: the parities of rows
// and columns make four pictures of half the sides out of one, and a 2x2 convolution of stride 1 out of the 4x4 one (Shi et al.,
// Is the deconvolution layer the same as a convolutional layer?, 2016). Nothing is computed twice and nothing on zeros.
//
// Doubling so, in blocks (convolution-blocked.ts), takes for 256 channels at 4x4 to 192 at 8x8 5.4 ms where ConvTranspose takes 12.2,
// for 192 to 96 at 16x16 8.4 / 9.9, and for 96 to 48 at 32x32 9.0 / 10.8 (batch 32, one thread of an AVX-512 machine; of several
// threads ConvTranspose uses only one for half its work). Halving so gains no more than the copies of the parities cost.

import { convBlocks, fill, filled, fromBlocks, gainsByBlocks, toBlocks } from './convolution-blocked.js';
import type { Operands } from './convolution-emit.js';
import type { Emitter } from './tensor.js';

/** Whether a convolution is of this kind: a kernel [.., .., kh, kw] on pictures [n, c, h, w]. */
export const halves = (kernel: readonly number[], stride: number, padding: number, picture: readonly number[]): boolean =>
  kernel[2] === 4 && kernel[3] === 4 && stride === 2 && padding === 1 && picture[2]! % 2 === 0 && picture[3]! % 2 === 0;

/** The parities of x [n, c, h, w] with a border of zeros: [n, 4c, h / 2 + 1, w / 2 + 1], by row parity, column parity and channel. */
export const parities = (x: string, emit: Emitter): string =>
  emit.node('SpaceToDepth', [emit.node('Pad', [x, emit.ints([0, 0, 1, 1, 0, 0, 1, 1])])], { blocksize: 2 });

/** Whether doubling by a kernel [inputs, outputs, 4, 4] gains. */
export const gainsByDoubling = ([inputs, outputs]: readonly number[], block: number): boolean => inputs! >= block && gainsByBlocks([outputs!, inputs!, 2, 2], 1, block);

const PARITIES = [0, 1].flatMap((down) => [0, 1].map((across) => [down, across] as const));

/**
 * Doubles y [n, inputs, h, w] with a kernel [inputs, outputs, 4, 4]: rows of parity p are made of rows r - 1 + p and r + p of y by the
 * taps 3 - p and 1 - p, and columns likewise.
 */
export function emitDoubling([y, w, bias]: Operands, [inputs, outputs]: readonly [number, number], picture: readonly number[], emit: Emitter): string {
  const block = emit.channelBlock;
  const [inner, out] = [filled(inputs, block), filled(outputs, block)];
  const whole = fill(w, [inner - inputs, out - outputs, 0, 0], emit);
  const tapsFirst = emit.node('Transpose', [emit.node('Reshape', [whole, emit.ints([inner * out, 16])])], { perm: [1, 0] });
  const order = PARITIES.flatMap(([down, across]) => PARITIES.map(([a, b]) => 4 * (3 - down - 2 * a) + 3 - across - 2 * b));
  const ordered = emit.node('Gather', [tapsFirst, emit.ints(order)], { axis: 0 });
  const split = emit.node('Reshape', [ordered, emit.ints([4, 4, inner / block, block, out / block, block])]);
  const kernels = emit.node('Transpose', [split], { perm: [0, 4, 2, 1, 3, 5] });
  const [pictures, filledBias] = [toBlocks(y, emit), bias === undefined ? [] : [fill(bias, [out - outputs], emit)]];
  const [rows, columns] = picture.slice(2).map((n) => n / 2) as [number, number];
  const halved = PARITIES.map(([down, across], k) => {
    const part = emit.node('Slice', [kernels, emit.ints([k]), emit.ints([k + 1]), emit.ints([0])]);
    const kernel = emit.node('Reshape', [part, emit.ints([out, inner, 2, 2])]);
    const pads = [1 - down, 1 - across, down, across];
    return convBlocks([pictures, kernel, ...filledBias], 1, { strides: [1, 1], pads, kernel_shape: [2, 2] }, emit);
  });
  // In memory a picture is [n, blocks, h, w, block]: parities are laid side by side pixel by pixel, and then row by row.
  const beside = (parts: string[], run: number) =>
    emit.node('Concat', parts.map((part) => emit.node('Reshape', [part, emit.ints([-1, run])])), { axis: 1 });
  const bands = [halved.slice(0, 2), halved.slice(2)].map((parts) => beside(parts, block));
  const doubled = emit.node('Reshape', [beside(bands, 2 * columns * block), emit.ints([picture[0]!, out, 2 * rows, 2 * columns])]);
  return fromBlocks(doubled, outputs, emit);
}
