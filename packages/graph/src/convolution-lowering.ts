// How the two gradients of a convolution are written in ONNX. ONNX has no operator for the weight gradient, and several
// ways to spell it whose speeds differ by up to five times with the shape; `weightLowering` is the cost model that
// chooses, from figures taken on a 2-core AVX-512 machine; it is still to be fitted to a benchmark of its own.

import type { Geometry } from './convolution.js';
import type { Emitter } from './tensor.js';

/**
 * dy [n, co, ho, wo], w -> dx [n, ci, h, w]. At stride 1 the input gradient is a convolution with the kernel turned by
 * 180 degrees and its channels exchanged, which runs about twice as fast as ConvTranspose; at larger strides it is not.
 */
export function lowerConvInput(g: Geometry, dy: string, w: string, emit: Emitter): string {
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  if (g.stride === 1 && g.groups === 1 && g.padding < kh && g.padding < kw) {
    const swapped = emit.node('Transpose', [w], { perm: [1, 0, 2, 3] });
    const turned = kh * kw === 1 ? swapped : reverse(swapped, [2, 3], emit);
    const [py, px] = [kh - 1 - g.padding, kw - 1 - g.padding];
    return emit.node('Conv', [dy, turned], { strides: [1, 1], pads: [py, px, py, px], kernel_shape: [kh, kw] });
  }
  const left = [2, 3].map(
    (axis) => g.picture[axis]! - ((g.output[axis]! - 1) * g.stride - 2 * g.padding + g.kernel[axis]!),
  );
  return emit.node('ConvTranspose', [dy, w], {
    strides: [g.stride, g.stride],
    pads: Array(4).fill(g.padding) as number[],
    output_padding: left,
    group: g.groups,
    kernel_shape: [kh, kw],
  });
}

const reverse = (x: string, axes: number[], emit: Emitter) => {
  const minusOne = emit.ints(axes.map(() => -1));
  return emit.node('Slice', [x, minusOne, emit.ints(axes.map(() => -(2 ** 31))), emit.ints(axes), minusOne]);
};

export type WeightLowering = 'conv' | 'matmul' | 'gemm' | 'shifts';

/** The fastest spelling of the weight gradient for this shape. */
export function weightLowering(g: Geometry): WeightLowering {
  if (g.groups > 1) return 'matmul';
  const pixels = g.output[2]! * g.output[3]!;
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  if (kh * kw === 1) return pixels >= 64 ? 'matmul' : 'gemm';
  if (g.stride === 1 && kh === 3 && kw === 3 && g.padding === 1 && pixels >= 256) return 'shifts';
  // Few pixels make thin products a picture, and a sum over the batch as large as the kernel: one product instead.
  return pixels >= 256 ? 'matmul' : 'gemm';
}

/** x [n, ci, h, w], dy [n, co, ho, wo] -> dw [co, ci / groups, kh, kw]. */
export function lowerConvWeight(g: Geometry, x: string, dy: string, emit: Emitter): string {
  return { conv: asConv, matmul: asMatMul, gemm: asGemm, shifts: asShifts }[weightLowering(g)](g, x, dy, emit);
}

/** One convolution in which batch and channel exchange places and dy, dilated by the stride, is the kernel. */
function asConv(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const swap = (name: string) => emit.node('Transpose', [name], { perm: [1, 0, 2, 3] });
  const all = emit.node('Conv', [swap(x), swap(dy)], {
    strides: [1, 1],
    dilations: [g.stride, g.stride],
    pads: Array(4).fill(g.padding) as number[],
    kernel_shape: g.output.slice(2),
  });
  const cut = emit.node('Slice', [all, emit.ints([0, 0]), emit.ints(g.kernel.slice(2)), emit.ints([2, 3])]);
  return swap(cut);
}

/** The kh kw windows of x under the kernel's taps, each [n, ci, ho, wo], in the kernel's order. */
function windows(g: Geometry, x: string, emit: Emitter): string[] {
  const [kh, kw] = g.kernel.slice(2) as [number, number];
  const p = g.padding;
  const padded = p === 0 ? x : emit.node('Pad', [x, emit.ints([0, 0, p, p, 0, 0, p, p])]);
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

const join = (names: string[], axis: number, emit: Emitter): string => {
  let rest = names;
  while (rest.length > 1) {
    const next: string[] = [];
    for (let i = 0; i < rest.length; i += emit.maximumInputs) {
      const group = rest.slice(i, i + emit.maximumInputs);
      next.push(group.length === 1 ? group[0]! : emit.node('Concat', group, { axis }));
    }
    rest = next;
  }
  return rest[0]!;
};

/** im2col, one product a picture (and group), and a sum over the batch. */
function asMatMul(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, , ho, wo] = g.output as [number, number, number, number];
  const [co, cig, kh, kw] = g.kernel as [number, number, number, number];
  const { groups } = g;
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  const taps = windows(g, x, emit).map((tap) => (groups === 1 ? tap : reshape(tap, [n, groups, cig, ho, wo])));
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
  const columns = reshape(join(windows(g, swap(x), emit), 0, emit), [kh * kw * ci, n * ho * wo]);
  const product = emit.node('Gemm', [reshape(swap(dy), [co, n * ho * wo]), columns], { transB: 1 });
  return tapsLast(product, g, emit);
}

/** [co, kh kw ci] -> [co, ci, kh, kw]. */
function tapsLast(product: string, g: Geometry, emit: Emitter): string {
  const [co, ci, kh, kw] = g.kernel as [number, number, number, number];
  if (kh * kw === 1) return emit.node('Reshape', [product, emit.ints([co, ci, 1, 1])]);
  const taps = emit.node('Reshape', [product, emit.ints([co, kh, kw, ci])]);
  return emit.node('Transpose', [taps], { perm: [0, 3, 1, 2] });
}

/**
 * 3x3, stride 1, padding 1: x is padded to rows of width w + 2 and taken at its three vertical shifts, which are
 * contiguous windows; dy is padded to the same width at its three horizontal shifts. One product of [3co, L] by [L, 3ci]
 * then holds all nine taps, with a third of im2col's copying.
 */
function asShifts(g: Geometry, x: string, dy: string, emit: Emitter): string {
  const [n, ci, h, w] = g.picture as [number, number, number, number];
  const co = g.kernel[0]!;
  const length = h * (w + 2);
  const reshape = (name: string, shape: number[]) => emit.node('Reshape', [name, emit.ints(shape)]);
  const padded = reshape(emit.node('Pad', [x, emit.ints([0, 0, 1, 1, 0, 0, 1, 1])]), [n, ci, (h + 2) * (w + 2)]);
  const vertical = [0, 1, 2].map((i) =>
    emit.node('Slice', [padded, emit.ints([i * (w + 2)]), emit.ints([i * (w + 2) + length]), emit.ints([2])]),
  );
  const horizontal = [0, 1, 2].map((j) =>
    reshape(emit.node('Pad', [dy, emit.ints([0, 0, 0, j, 0, 0, 0, 2 - j])]), [n, co, length]),
  );
  const right = emit.node('Transpose', [join(vertical, 1, emit)], { perm: [0, 2, 1] });
  const product = emit.node('MatMul', [join(horizontal, 1, emit), right]);
  const summed = emit.node('ReduceSum', [product, emit.ints([0])], { keepdims: 0 });
  // Rows are (horizontal tap, co), columns (vertical tap, ci).
  const taps = reshape(summed, [3, co, 3, ci]);
  return emit.node('Transpose', [taps], { perm: [1, 3, 2, 0] });
}
