// Convolutions in blocked layout. ONNX Runtime's fastest CPU kernels keep channels in blocks of a vector's width (NCHWc,
// Georganas et al., Anatomy of high-performance deep learning convolutions on SIMD architectures, 2018). Its own optimiser
// uses them only where a kernel is a constant, which the weights of a training step never are; so the operators that it
// would insert (domain com.microsoft.nchwc, which it also writes into the optimised models it saves) are written here, with
// the kernel brought into their order by the graph itself. They belong to the runtime, not to ONNX, and to the width of this
// machine's vectors: a graph is written with them only to be run here and now, never to be kept.
//
// GFLOP/s, 3x3, batch 64, two threads of an AVX-512 machine, both ways of reordering included: 24 -> 24 channels at 64x64 138
// against 117 for `Conv`, 48 -> 48 at 32x32 314 / 214, 96 -> 96 at 16x16 340 / 270, 192 -> 192 at 4x4 393 / 156.

import type { Emitter } from './tensor.js';

export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';
/** How much of the work may be on channels of zeros that fill the blocks. */
const LARGEST_WASTE = 1.8;

export const filled = (channels: number, block: number): number => Math.ceil(channels / block) * block;
/** Input channels of a kernel in blocks. */
const innerOf = (inputs: number, block: number): number => (inputs < block ? inputs : filled(inputs, block));

/** Whether a convolution with that kernel, [outputs, inputs / groups, kh, kw], gains by it. */
export function gainsByBlocks([outputs, inputs, kh, kw]: readonly number[], groups: number, block: number): boolean {
  if (block === 0 || kh! * kw! === 1) return false;
  if (groups > 1) return inputs! % block === 0 && (outputs! / groups) % block === 0;
  // ReorderInput takes channels by fours; so few that they fill no block are taken as they lie.
  if (inputs! >= block && inputs! % 4 !== 0) return false;
  return (innerOf(inputs!, block) * filled(outputs!, block)) / (inputs! * outputs!) <= LARGEST_WASTE;
}

/** Zeros behind the ends of axes, so many on each. */
export const fill = (name: string, zeros: readonly number[], emit: Emitter): string =>
  zeros.some((n) => n > 0) ? emit.node('Pad', [name, emit.ints([...zeros.map(() => 0), ...zeros])]) : name;

export const toBlocks = (x: string, emit: Emitter): string => emit.node('ReorderInput', [x], {}, BLOCKED_DOMAIN);
export const fromBlocks = (y: string, channels: number, emit: Emitter): string => emit.node('ReorderOutput', [y], { channels }, BLOCKED_DOMAIN);
/** A convolution all of whose operands are in blocks. */
export const convBlocks = (operands: string[], group: number, attributes: Record<string, number[]>, emit: Emitter): string =>
  emit.node('Conv', operands, { ...attributes, group }, BLOCKED_DOMAIN);

/** The convolution of pictures in ONNX's own layout, by way of blocks. */
export function emitBlocked(
  [x, w, bias]: [x: string, w: string, bias?: string],
  [outputs, inputs, kh, kw]: readonly [number, number, number, number],
  groups: number,
  attributes: Record<string, number[]>,
  emit: Emitter,
): string {
  const block = emit.channelBlock;
  const [out, inner] = [filled(outputs, block), groups > 1 ? inputs : innerOf(inputs, block)];
  const whole = fill(w, [out - outputs, inner - inputs, 0, 0], emit);
  // [o, i, kh, kw] to blocks of outputs, blocks of inputs, taps, inputs of a block, outputs of a block, in two steps, because
  // ONNX Runtime moves one axis much faster than two. Of inputs that fill no block: blocks of outputs, inputs, taps, outputs of a block.
  const split = emit.node('Reshape', [whole, emit.ints([out / block, block, inner * kh * kw])]);
  const outputsLast = emit.node('Transpose', [split], { perm: [0, 2, 1] });
  const thin = groups === 1 && inputs < block;
  const tapsFirst = (): string => {
    const taps = emit.node('Reshape', [outputsLast, emit.ints([(out * inner) / block ** 2, block, kh * kw, block])]);
    return emit.node('Transpose', [taps], { perm: [0, 2, 1, 3] });
  };
  const kernel = emit.node('Reshape', [thin ? outputsLast : tapsFirst(), emit.ints([out, inner, kh, kw])]);
  const operands = [thin ? x : toBlocks(x, emit), kernel, ...(bias === undefined ? [] : [fill(bias, [out - outputs], emit)])];
  return fromBlocks(convBlocks(operands, groups, attributes, emit), outputs, emit);
}
