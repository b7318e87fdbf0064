// Two-dimensional convolution and its two gradients, in ONNX layout: pictures [n, c, h, w], kernels [co, ci/groups, kh, kw].
// The three are closed under differentiation; each is bilinear, and its partial derivatives are the other two:
//
//   y  = conv(x, w)         dx = convInput(dy, w)     dw = convWeight(x, dy)
//   x  = convInput(y, w)    dy = conv(dx, w)          dw = convWeight(dx, y)
//   w  = convWeight(x, y)   dx = convInput(y, dw)     dy = conv(x, dw)
//
// Reference: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016).

import { emitConv, type Operands } from './convolution-emit.js';
import { lowerConvInput, lowerConvWeight } from './convolution-lowering.js';
import { add } from './elementwise.js';
import { sum } from './reduce.js';
import { reshape } from './structure.js';
import { type Primitive, type Shape, Tensor } from './tensor.js';

export interface ConvolutionOptions {
  /** Step between windows, the same on both axes; 1 by default. */
  stride?: number;
  /** Zeros on every side; 0 by default. */
  padding?: number;
  /** Channels are cut into this many groups that do not see each other; 1 by default. */
  groups?: number;
  /** Not in blocks, even where they are faster: a large result that others than convolutions read is then in memory once, and not in both layouts. */
  plain?: boolean;
}

/** What the three primitives of one convolution share: the full extents of all three operands. */
export interface Geometry {
  stride: number;
  padding: number;
  groups: number;
  /** [n, ci, h, w] */
  picture: Shape;
  /** [co, ci / groups, kh, kw] */
  kernel: Shape;
  /** [n, co, ho, wo] */
  output: Shape;
  plain?: boolean;
}

export const geometryOf = (node: Tensor): Geometry => node.attributes as unknown as Geometry;

const make = (primitive: Primitive, inputs: Tensor[], shape: Shape, g: Geometry) =>
  new Tensor(primitive, inputs, shape, 'float32', { ...g });

// conv and convInput may have a bias a channel as a third operand; its gradient is the upstream summed over the rest.
const biasGradient = (node: Tensor, upstream: Tensor): Tensor[] => (node.inputs.length > 2 ? [sum(upstream, [0, 2, 3])] : []);

const CONV: Primitive = {
  name: 'conv',
  gradient: (node, dy) => {
    const g = geometryOf(node);
    const [x, w] = [node.input(0), node.input(1)];
    return [make(CONV_INPUT, [dy, w], g.picture, g), make(CONV_WEIGHT, [x, dy], g.kernel, g), ...biasGradient(node, dy)];
  },
  lower: (node, emit) => {
    const { stride, padding, groups, kernel, plain } = geometryOf(node);
    const attributes = { strides: [stride, stride], pads: Array(4).fill(padding) as number[], kernel_shape: kernel.slice(2) };
    return emitConv(node.inputs.map(emit.of) as unknown as Operands, kernel, groups, attributes, plain ? { ...emit, channelBlock: 0 } : emit);
  },
};

const CONV_INPUT: Primitive = {
  name: 'convInput',
  gradient: (node, dx) => {
    const g = geometryOf(node);
    const [y, w] = [node.input(0), node.input(1)];
    return [make(CONV, [dx, w], g.output, g), make(CONV_WEIGHT, [dx, y], g.kernel, g), ...biasGradient(node, dx)];
  },
  lower: (node, emit) => lowerConvInput(geometryOf(node), node.inputs.map(emit.of) as unknown as Operands, emit),
};

const CONV_WEIGHT: Primitive = {
  name: 'convWeight',
  gradient: (node, dw) => {
    const g = geometryOf(node);
    return [make(CONV_INPUT, [node.input(1), dw], g.picture, g), make(CONV, [node.input(0), dw], g.output, g)];
  },
  lower: (node, emit) => lowerConvWeight(geometryOf(node), emit.of(node.input(0)), emit.of(node.input(1)), emit),
};

/**
 * Convolution (cross-correlation, as everywhere in the field) of x [n, ci, h, w] with w [co, ci/groups, kh, kw].
 * @throws RangeError where channels, groups or extents do not fit, naming both shapes.
 */
export function conv(x: Tensor, w: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { stride = 1, padding = 0, groups = 1, plain } = options;
  if (x.rank !== 4 || w.rank !== 4 || x.extent(1) !== w.extent(1) * groups || w.extent(0) % groups !== 0)
    throw new RangeError(`conv: picture [${x.shape}] and kernel [${w.shape}] in ${groups} groups do not fit`);
  const extent = (size: number, kernel: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const output = [x.extent(0), w.extent(0), extent(x.extent(2), w.extent(2)), extent(x.extent(3), w.extent(3))];
  return make(CONV, [x, w], output, { stride, padding, groups, picture: x.shape, kernel: w.shape, output, ...(plain ? { plain } : {}) });
}

/**
 * Transposed convolution: y [n, co, h, w] with a kernel [co, ci/groups, kh, kw] gives [n, ci, h', w'], with
 * h' = (h - 1) stride - 2 padding + kh. It is the input gradient of `conv` under another name.
 */
export function convTranspose(y: Tensor, w: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { stride = 1, padding = 0, groups = 1 } = options;
  if (y.rank !== 4 || w.rank !== 4 || y.extent(1) !== w.extent(0))
    throw new RangeError(`convTranspose: picture [${y.shape}] and kernel [${w.shape}] do not fit`);
  const extent = (size: number, kernel: number) => (size - 1) * stride - 2 * padding + kernel;
  const picture = [
    y.extent(0),
    w.extent(1) * groups,
    extent(y.extent(2), w.extent(2)),
    extent(y.extent(3), w.extent(3)),
  ];
  return make(CONV_INPUT, [y, w], picture, { stride, padding, groups, picture, kernel: w.shape, output: y.shape });
}

/**
 * Adds b [c] to the channels of x [n, c, h, w]. A convolution takes it as an operand of its own, which spares a pass over
 * the pictures and lets ONNX Runtime run the activation that follows in the same one.
 */
export function addBias(x: Tensor, b: Tensor): Tensor {
  if (x.rank !== 4 || b.rank !== 1 || x.extent(1) !== b.extent(0))
    throw new RangeError(`addBias: [${x.shape}] has not the ${b.shape} channels of the bias`);
  const convolves = x.primitive === CONV || x.primitive === CONV_INPUT;
  if (convolves && x.inputs.length === 2) return make(x.primitive, [...x.inputs, b], x.shape, geometryOf(x));
  return add(x, reshape(b, [1, x.extent(1), 1, 1]));
}
