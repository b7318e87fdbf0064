// How the two gradients of a convolution are written in ONNX. ONNX has no operator for the weight gradient, and several
// ways to spell it whose speeds differ by up to five times with the shape; `weightLowering` chooses.

import type { Geometry } from './convolution.js';
import { emitConv, emitConvTranspose, type Operands } from './convolution-emit.js';
import { emitDoubling, gainsByDoubling, halves, parities } from './convolution-halving.js';
import { join, reverse } from './structure.js';
import type { Emitter } from './tensor.js';

/**
 * dy [n, co, ho, wo], w and, if there is one, a bias [ci] -> dx [n, ci, h, w]. At stride 1 the input gradient is a
 * convolution with the kernel turned by 180 degrees and its channels exchanged, which runs about twice as fast as
 * ConvTranspose; at larger strides it is not.
 */
export function lowerConvInput(g: Geometry, operands: Operands, emit: Emitter): string {
  const [dy, w, ...bias] = operands;
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  if (g.stride === 1 && g.groups === 1 && g.padding < kh && g.padding < kw) {
    const swapped = emit.node('Transpose', [w], { perm: [1, 0, 2, 3] });
    const turned = kh * kw === 1 ? swapped : reverse(swapped, [2, 3], emit);
    const [py, px] = [kh - 1 - g.padding, kw - 1 - g.padding];
    const attributes = { strides: [1, 1], pads: [py, px, py, px], kernel_shape: [kh, kw] };
    return emitConv([dy, turned, ...bias], [g.kernel[1]!, g.kernel[0]!, kh, kw], 1, attributes, emit);
  }
  if (isHalving(g) && gainsByDoubling(g.kernel, emit.channelBlock))
    return emitDoubling(operands, g.kernel as [number, number], g.picture, emit);
  const left = [2, 3].map(
    (axis) => g.picture[axis]! - ((g.output[axis]! - 1) * g.stride - 2 * g.padding + g.kernel[axis]!),
  );
  const attributes = {
    strides: [g.stride, g.stride],
    pads: Array(4).fill(g.padding) as number[],
    output_padding: left,
    kernel_shape: [kh, kw],
  };
  return emitConvTranspose(operands, g.kernel, g.groups, attributes, emit);
}

export type WeightLowering = 'matmul' | 'gemm' | 'shifts' | 'halves';

/**
 * The fastest spelling of the weight gradient for this shape, from GFLOP/s on two threads of an AVX-512 machine, ONNX
 * Runtime 1.30, batches of 64 (`npm run bench -- lowerings` measures them again):
 *
 *   kernel 3, stride 1               gemm  matmul  shifts     kernel 4, stride 2              gemm  matmul  halves
 *   24 -> 24    64x64                  34      37      75     3 -> 48     64x64 -> 32x32        69     185      35
 *   48 -> 48    32x32                  61      66     139     48 -> 96    32x32 -> 16x16        94      96     139
 *   96 -> 96    16x16                 109     110     197     96 -> 192   16x16 -> 8x8         145     101     151
 *   128 -> 128  8x8                   140     103     220     192 -> 256  8x8 -> 4x4           124      55     125
 *   192 -> 192  4x4                   144      75      77
 *
 * Large pictures are bound by copying, and what copies least wins: shifts and halves copy a third and a half of im2col.
 * Small ones make thin products a picture and a sum over the batch as large as the kernel: there one product over the
 * batch wins.
 */
export function weightLowering(g: Geometry): WeightLowering {
  if (g.groups > 1) return 'matmul';
  const pixels = g.output[2]! * g.output[3]!;
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  const square = (side: number, stride: number) => kh === side && kw === side && g.stride === stride && g.padding === 1;
  if (kh * kw === 1) return pixels >= 64 ? 'matmul' : 'gemm';
  if (square(3, 1) && pixels >= 64) return 'shifts';
  if (isHalving(g) && pixels >= 64 && g.picture[1]! >= 16) return 'halves';
  return pixels >= 256 ? 'matmul' : 'gemm';
}

/** x [n, ci, h, w], dy [n, co, ho, wo] -> dw [co, ci / groups, kh, kw]. */
export function lowerConvWeight(g: Geometry, x: string, dy: string, emit: Emitter, lowering = weightLowering(g)): string {
  return { matmul: asMatMul, gemm: asGemm, shifts: asShifts, halves: asHalves }[lowering](g, x, dy, emit);
}

const isHalving = (g: Geometry): boolean => g.groups === 1 && halves(g.kernel, g.stride, g.padding, g.picture);

/** A box of maps [.., .., h, w] from row i and column j on. */
const windowAt = (x: string, [i, j]: readonly [number, number], [ho, wo]: readonly number[], emit: Emitter): string =>
  emit.node('Slice', [x, emit.ints([i, j]), emit.ints([i + ho!, j + wo!]), emit.ints([2, 3])]);

const SHIFTS = [[0, 0], [0, 1], [1, 0], [1, 1]] as const;

/**
 * The kh kw windows of x under the kernel's taps, [n, ci, ho, wo] each, in the kernel's order; of a halving convolution four of
 * [n, 4ci, ho, wo], by parity and channel, which are the same values copied by rows instead of one by one. `swap` is applied before the windows are cut.
 */
function windows(g: Geometry, x: string, swap: (name: string) => string, emit: Emitter): string[] {
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  const p = g.padding;
  if (isHalving(g)) {
    const apart = swap(parities(x, emit));
    return SHIFTS.map((shift) => windowAt(apart, shift, g.output.slice(2), emit));
  }
  const turned = swap(x);
  const padded = p === 0 ? turned : emit.node('Pad', [turned, emit.ints([0, 0, p, p, 0, 0, p, p])]);
  if (kh * kw === 1 && g.stride === 1) return [padded];
  const taps: string[] = [];
  for (let i = 0; i < kh; i++)
    for (let j = 0; j < kw; j++) {
      const ends = [i + (g.output[2]! - 1) * g.stride + 1, j + (g.output[3]! - 1) * g.stride + 1];
      const steps = g.stride === 1 ? [] : [emit.ints([g.stride, g.stride])];
      taps.push(emit.node('Slice', [padded, emit.ints([i, j]), emit.ints(ends), emit.ints([2, 3]), ...steps]));
    }
  return taps;
}

/** im2col, one product a picture (and group), and a sum over the batch. */
function asMatMul(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, , ho, wo] = g.output as [number, number, number, number];
  const [co, cig, kh, kw] = g.kernel as [number, number, number, number];
  const { groups } = g;
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  const taps = windows(g, x, (name) => name, emit).map((tap) => (groups === 1 ? tap : reshape(tap, [n, groups, cig, ho, wo])));
  const columns = join(taps, groups === 1 ? 1 : 2, emit);
  const inputs = emit.node('Transpose', [reshape(columns, [n, groups, kh * kw * cig, ho * wo])], {
    perm: [0, 1, 3, 2],
  });
  const product = emit.node('MatMul', [reshape(dy, [n, groups, co / groups, ho * wo]), inputs]);
  const summed = emit.node('ReduceSum', [product, emit.ints([0])], { keepdims: 0 });
  return tapsLast(summed, g, emit);
}

/** im2col with the batch folded into the columns, and one product. */
function asGemm(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, co, ho, wo] = g.output as [number, number, number, number];
  const [, ci, kh, kw] = g.kernel as [number, number, number, number];
  const swap = (name: string) => emit.node('Transpose', [name], { perm: [1, 0, 2, 3] });
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  const columns = reshape(join(windows(g, x, swap, emit), 0, emit), [kh * kw * ci, n * ho * wo]);
  const product = emit.node('Gemm', [reshape(swap(dy), [co, n * ho * wo]), columns], { transB: 1 });
  return tapsLast(product, g, emit);
}

/** [co, taps ci], as `windows` orders them -> [co, ci, kh, kw]. */
function tapsLast(product: string, g: Geometry, emit: Emitter): string {
  const [co, ci, kh, kw] = g.kernel as [number, number, number, number];
  if (kh * kw === 1) return emit.node('Reshape', [product, emit.ints([co, ci, 1, 1])]);
  let taps = emit.node('Reshape', [product, emit.ints([co, kh * kw, ci])]);
  if (isHalving(g)) {
    // From shifts down and across, parities down and across, where tap 2a + p is parity p under shift a. One axis at a time moves fastest.
    const order = SHIFTS.flatMap(([a, p]) => SHIFTS.map(([b, q]) => 8 * a + 4 * b + 2 * p + q));
    taps = emit.node('Gather', [taps, emit.ints(order)], { axis: 1 });
  }
  return emit.node('Reshape', [emit.node('Transpose', [taps], { perm: [0, 2, 1] }), emit.ints([co, ci, kh, kw])]);
}

/**
 * 3x3, stride 1, padding 1: the rows of x at their three vertical shifts, and dy at its three horizontal ones, against the
 * way of the taps and with zeros for what is pushed over the edge. One product of [3co, L] by [L, 3ci] then holds all
 * nine taps, with a third of im2col's copying.
 */
function asShifts(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, ci, h, w] = g.picture as [number, number, number, number];
  const co = g.kernel[0]!;
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  const padded = emit.node('Pad', [x, emit.ints([0, 0, 1, 0, 0, 0, 1, 0])]);
  // All three vertical shifts in one copy: row r of shift i is row r + i.
  const rows = emit.ints([0, 1, 2].flatMap((i) => Array.from({ length: h }, (_, r) => r + i)));
  const vertical = reshape(emit.node('Gather', [padded, rows], { axis: 2 }), [n, 3 * ci, h * w]);
  const shift = (columns: number) => emit.node('Pad', [dy, emit.ints([0, 0, 0, columns, 0, 0, 0, -columns])]);
  const horizontal = reshape(join([shift(-1), dy, shift(1)], 1, emit), [n, 3 * co, h * w]);
  const product = emit.node('MatMul', [horizontal, emit.node('Transpose', [vertical], { perm: [0, 2, 1] })]);
  const summed = emit.node('ReduceSum', [product, emit.ints([0])], { keepdims: 0 });
  // Rows are (horizontal tap, co), columns (ci, vertical tap).
  return emit.node('Transpose', [reshape(summed, [3, co, ci, 3])], { perm: [1, 2, 3, 0] });
}

/**
 * 4x4, stride 2, padding 1: the same for a stride. x is taken at its four vertical taps and two column parities, each with
 * one column more than dy has, and dy at two horizontal shifts of that width: tap 2b + j is parity j under shift b. The
 * batch is folded into the columns, so that one product of [2co, L] by [L, 8ci] holds all sixteen taps.
 */
function asHalves(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, co, ho, wo] = g.output as [number, number, number, number];
  const ci = g.picture[1]!;
  const length = n * ho * (wo + 1);
  const swap = (name: string) => emit.node('Transpose', [name], { perm: [1, 0, 2, 3] });
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  // All four parities of rows and columns in one pass; taps 2 and 3 are those of taps 0 and 1, a row on.
  const rows = emit.ints([0, 1].flatMap((shift) => Array.from({ length: ho }, (_, r) => r + shift)));
  const shifted = emit.node('Gather', [parities(x, emit), rows], { axis: 2 });
  const windows = swap(reshape(shifted, [n, 8 * ci, ho, wo + 1]));
  // With a zero behind every row, all rows end to end and one place later are those with a zero before every row.
  const rowsOf = reshape(emit.node('Pad', [swap(dy), emit.ints([0, 0, 0, 0, 0, 0, 0, 1])]), [co * length]);
  const later = emit.node('Slice', [rowsOf, emit.ints([0]), emit.ints([co * length - 1])]);
  const both = join([rowsOf, emit.floats([0], [1]), later], 0, emit);
  const [left, right] = [reshape(both, [2 * co, length]), reshape(windows, [8 * ci, length])];
  const product = emit.node('Gemm', [left, right], { transB: 1 });
  // Rows are (shift, co), columns (row parity, column parity, ci, row shift): tap 2a + p is parity p under shift a.
  const taps = emit.node('Transpose', [reshape(product, [2, co, 2, 2, ci, 2])], { perm: [1, 4, 5, 2, 0, 3] });
  return reshape(taps, [co, ci, 4, 4]);
}
