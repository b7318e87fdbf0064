// Symbolic tensors, gradients, ONNX and sessions. Nothing here touches Node or a page: `@zeuxis/graph/node` opens sessions
// on the one, `@zeuxis/graph/browser` on the other.
export * from './compile.js';
export { addBias, type ConvolutionOptions, conv, convTranspose, type Geometry } from './convolution.js';
export { lowerConvWeight, type WeightLowering, weightLowering } from './convolution-lowering.js';
export * from './elementwise.js';
export { gradient } from './gradient.js';
export * from './linear.js';
export { countOperators, type OnnxSummary, type OnnxValue, readConstants, readOnnx, replaceMetadata } from './onnx.js';
export { ascending, atRank } from './order.js';
export * from './reduce.js';
export {
  bytes,
  type Feeds,
  floats,
  type Model,
  type Session,
  type SessionOptions,
  scalar,
  type Value,
  type Values,
  vector,
} from './session.js';
export { pixelShuffle, pixelUnshuffle } from './shuffle.js';
export { concat, flip, inner, pad, reshape, slice, sliceAxis, transpose } from './structure.js';
export { constant, type DataType, type Emitter, input, type Operand, type Primitive, type Shape, sizeOf, Tensor } from './tensor.js';
