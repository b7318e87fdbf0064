// The one place where convolutions become ONNX nodes, and where three faults of ONNX Runtime 1.30's WebGPU kernels are
// walked around. All three mix up channels without a word; each was found, and its condition fitted, by comparing some
// 600 shapes with 'cpu', and has a case in reference-cases.ts. The graph is the same for every device, because a model
// file does not know where it will run; the widths of real networks are seldom of these kinds.

import { emitBlocked, gainsByBlocks } from './convolution-blocked.js';
import type { Emitter } from './tensor.js';

type Attributes = Record<string, number[]>;

/** Channels that a WebGPU kernel takes at once. */
const vector = (channels: number): number => [4, 2, 1].find((n) => channels % n === 0)!;

/** Only the channels whose numbers are given. */
const channelsOf = (x: string, numbers: number[], emit: Emitter) => emit.node('Gather', [x, emit.ints(numbers)], { axis: 1 });

/** Adds the bias, if there is one, to what was walked around without it. */
const plus = (x: string, bias: string | undefined, channels: number, emit: Emitter): string =>
  bias === undefined ? x : emit.node('Add', [x, emit.node('Reshape', [bias, emit.ints([1, channels, 1, 1])])]);

/** ONNX names of a convolution's operands: pictures, kernel and, if there is one, a bias a channel. */
export type Operands = [x: string, w: string, bias?: string];

/** A `Conv` with a kernel of that shape, [outputs, inputs / groups, kh, kw]. */
export function emitConv(
  operands: Operands,
  kernel: readonly number[],
  groups: number,
  attributes: Attributes,
  emit: Emitter,
): string {
  const [x, w, bias] = operands;
  const [outputs, inputs, kh, kw] = kernel as [number, number, number, number];
  if (gainsByBlocks(kernel, groups, emit.channelBlock)) return emitBlocked(operands, [outputs, inputs, kh, kw], groups, attributes, emit);
  if (groups > 1) {
    // Groups' outputs are computed by vectors, some of which lie across two groups and are computed from the first
    // alone. Groups are filled up to whole vectors with outputs of zeros, which are then left out.
    const each = outputs / groups;
    if (each < 4 || each % vector(outputs) === 0)
      return emit.node('Conv', operands as string[], { ...attributes, group: groups });
    const filled = Math.ceil(each / 4) * 4;
    const rows = emit.node('Reshape', [w, emit.ints([groups, each * inputs * kh * kw])]);
    const padded = emit.node('Pad', [rows, emit.ints([0, 0, 0, (filled - each) * inputs * kh * kw])]);
    const wide = emit.node('Reshape', [padded, emit.ints([groups * filled, inputs, kh, kw])]);
    const all = emit.node('Conv', [x, wide], { ...attributes, group: groups });
    const kept = Array.from({ length: outputs }, (_, i) => Math.floor(i / each) * filled + (i % each));
    return plus(channelsOf(all, kept, emit), bias, outputs, emit);
  }
  // Inputs that are a multiple of 3 above 3 but not of 4 are taken by threes and read wrongly where outputs are taken by
  // fours (github.com/microsoft/onnxruntime/issues/29651), unless the kernel is one pixel and the step too, which is a
  // plain product. They are filled up with zeros to a multiple of 4.
  const product = kh * kw === 1 && attributes.strides!.every((step) => step === 1);
  if (product || inputs <= 3 || inputs % 3 !== 0 || inputs % 4 === 0 || outputs % 4 !== 0)
    return emit.node('Conv', operands as string[], attributes);
  const zeros = emit.ints([0, 0, 0, 0, 0, 4 - (inputs % 4), 0, 0]);
  const filled = [emit.node('Pad', [x, zeros]), emit.node('Pad', [w, zeros])];
  return emit.node('Conv', bias === undefined ? filled : [...filled, bias], attributes);
}

/** A `ConvTranspose` with a kernel of that shape, [inputs, outputs / groups, kh, kw]. */
export function emitConvTranspose(
  operands: Operands,
  kernel: readonly number[],
  groups: number,
  attributes: Attributes,
  emit: Emitter,
): string {
  const [x, w, bias] = operands;
  const [inputs, each] = kernel as [number, number];
  // Where a group has one output and its inputs are taken by twos or fours, they are read wrongly. Each group is given
  // a second output of zeros, and every second channel is left out.
  const misread = groups > 1 && each === 1 && (inputs / groups) % 2 === 0;
  if (!misread) return emit.node('ConvTranspose', operands as string[], { ...attributes, group: groups });
  const two = emit.node('Pad', [w, emit.ints([0, 0, 0, 0, 0, 1, 0, 0])]);
  const all = emit.node('ConvTranspose', [x, two], { ...attributes, group: groups });
  return plus(channelsOf(all, Array.from({ length: groups }, (_, i) => 2 * i), emit), bias, groups, emit);
}
