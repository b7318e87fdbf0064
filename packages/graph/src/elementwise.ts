// Elementwise primitives: arithmetic with NumPy broadcasting, activations, comparison and selection.
// Every derivative is written in primitives of this same set, so that it can be differentiated again.

import { broadcastTo, sumTo } from './reduce.js';
import {
  broadcastShapes,
  constant,
  type DataType,
  ELEMENT_TYPES,
  lift,
  type Operand,
  type Primitive,
  type Shape,
  sameShape,
  scalarValue,
  Tensor,
} from './tensor.js';

type Partial2 = (a: Tensor, b: Tensor, upstream: Tensor) => Tensor;

function binaryPrimitive(name: string, onnx: string, left: Partial2, right: Partial2): Primitive {
  return {
    name,
    gradient: (node, upstream) => {
      const [a, b] = [node.input(0), node.input(1)];
      return [sumTo(left(a, b, upstream), a.shape), sumTo(right(a, b, upstream), b.shape)];
    },
    lower: (node, emit) => emit.node(onnx, node.inputs.map(emit.of)),
  };
}

const ADD = binaryPrimitive(
  'add',
  'Add',
  (_a, _b, g) => g,
  (_a, _b, g) => g,
);
const SUB = binaryPrimitive(
  'sub',
  'Sub',
  (_a, _b, g) => g,
  (_a, _b, g) => neg(g),
);
const MUL = binaryPrimitive(
  'mul',
  'Mul',
  (_a, b, g) => mul(g, b),
  (a, _b, g) => mul(g, a),
);
const DIV = binaryPrimitive(
  'div',
  'Div',
  (_a, b, g) => div(g, b),
  (a, b, g) => neg(mul(g, div(a, mul(b, b)))),
);
// Where both are equal the cotangent goes to the second operand, as the comparison says.
const MAX = binaryPrimitive(
  'maximum',
  'Max',
  (a, b, g) => select(greater(a, b), g, 0),
  (a, b, g) => select(greater(a, b), 0, g),
);
const MIN = binaryPrimitive(
  'minimum',
  'Min',
  (a, b, g) => select(greater(b, a), g, 0),
  (a, b, g) => select(greater(b, a), 0, g),
);

function binary(primitive: Primitive, fold: (a: number, b: number) => number, left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  const [m, n] = [scalarValue(a), scalarValue(b)];
  const shape = broadcastShapes(a.shape, b.shape, primitive.name);
  if (m !== undefined && n !== undefined && shape.length === 0) return constant(fold(m, n));
  return new Tensor(primitive, [a, b], shape);
}

/** Whether `result` may stand for the whole operation: its shape is what broadcasting would give. */
const keeps = (result: Tensor, other: Tensor): boolean =>
  sameShape(broadcastShapes(result.shape, other.shape, 'broadcast'), result.shape);

export function add(left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  if (scalarValue(b) === 0 && keeps(a, b)) return a;
  if (scalarValue(a) === 0 && keeps(b, a)) return b;
  return binary(ADD, (m, n) => m + n, a, b);
}

export function sub(left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  if (scalarValue(b) === 0 && keeps(a, b)) return a;
  return binary(SUB, (m, n) => m - n, a, b);
}

export function mul(left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  if (scalarValue(b) === 1 && keeps(a, b)) return a;
  if (scalarValue(a) === 1 && keeps(b, a)) return b;
  return binary(MUL, (m, n) => m * n, a, b);
}

export function div(left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  const n = scalarValue(b);
  // Multiplication is the cheaper kernel.
  if (n !== undefined && keeps(a, b)) return mul(a, 1 / n);
  return binary(DIV, (x, y) => x / y, a, b);
}

/** Elementwise larger value. */
export const maximum = (a: Operand, b: Operand): Tensor => binary(MAX, Math.max, a, b);
/** Elementwise smaller value. */
export const minimum = (a: Operand, b: Operand): Tensor => binary(MIN, Math.min, a, b);
/** Values held between two bounds; no gradient flows where they bind. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => minimum(maximum(x, low), high);

/** `derivative` is given the input, the output and the upstream cotangent. */
function unary(name: string, onnx: string, derivative: (x: Tensor, y: Tensor, g: Tensor) => Tensor | undefined) {
  const primitive: Primitive = {
    name,
    gradient: (node, upstream) => [derivative(node.input(0), node, upstream)],
    lower: (node, emit) => emit.node(onnx, [emit.of(node.input(0))]),
  };
  return (x: Tensor): Tensor => new Tensor(primitive, [x], x.shape);
}

export const neg = unary('neg', 'Neg', (_x, _y, g) => neg(g));
export const exp: (x: Tensor) => Tensor = unary('exp', 'Exp', (_x, y, g) => mul(g, y));
export const log = unary('log', 'Log', (x, _y, g) => div(g, x));
export const sqrt: (x: Tensor) => Tensor = unary('sqrt', 'Sqrt', (_x, y, g) => mul(g, div(0.5, y)));
export const tanh: (x: Tensor) => Tensor = unary('tanh', 'Tanh', (_x, y, g) => mul(g, sub(1, mul(y, y))));
export const sigmoid: (x: Tensor) => Tensor = unary('sigmoid', 'Sigmoid', (_x, y, g) => mul(g, mul(y, sub(1, y))));
export const softplus = unary('softplus', 'Softplus', (x, _y, g) => mul(g, sigmoid(x)));
export const abs = unary('abs', 'Abs', (x, _y, g) => mul(g, sign(x)));
/** -1, 0 or 1; flat, so that no gradient flows. */
export const sign = unary('sign', 'Sign', () => undefined);
export const square = (x: Tensor): Tensor => mul(x, x);

const LEAKY: Primitive = {
  name: 'leakyRelu',
  // The slope is read off the output: the input is then used nowhere else, and ONNX Runtime fuses
  // the activation into the convolution before it.
  gradient: (node, upstream) => [mul(upstream, slope(node, node.attributes.alpha as number))],
  lower: (node, emit) => {
    const alpha = node.attributes.alpha as number;
    const x = emit.of(node.input(0));
    return alpha === 0 ? emit.node('Relu', [x]) : emit.node('LeakyRelu', [x], { alpha });
  },
};
const SLOPE: Primitive = {
  name: 'slope',
  gradient: () => [undefined],
  lower: (node, emit) => {
    // HardSigmoid is max(0, min(1, a x + b)). A vast slope makes it a step, and a second one moves the step's foot to alpha.
    // ONNX Runtime's activations run on all threads; the plainer Sign and Max do not, and take five times as long.
    const alpha = node.attributes.alpha as number;
    const step = emit.node('HardSigmoid', [emit.of(node.input(0))], { alpha: 1e38, beta: 0 });
    return alpha === 0 ? step : emit.node('HardSigmoid', [step], { alpha: 1 - alpha, beta: alpha });
  },
};
/** 1 where y > 0, else alpha: the derivative of a leaky ReLU, read off its output. */
const slope = (y: Tensor, alpha: number): Tensor => new Tensor(SLOPE, [y], y.shape, 'float32', { alpha });

/** x where positive, alpha x elsewhere; alpha in [0, 1). */
export function leakyRelu(x: Tensor, alpha = 0.2): Tensor {
  return new Tensor(LEAKY, [x], x.shape, 'float32', { alpha });
}
export const relu = (x: Tensor): Tensor => leakyRelu(x, 0);

const GREATER: Primitive = {
  name: 'greater',
  gradient: () => [undefined, undefined],
  lower: (node, emit) => emit.node('Greater', node.inputs.map(emit.of)),
};
/** A bool tensor: left > right. */
export function greater(left: Operand, right: Operand): Tensor {
  const [a, b] = [lift(left), lift(right)];
  return new Tensor(GREATER, [a, b], broadcastShapes(a.shape, b.shape, 'greater'), 'bool');
}

const SELECT: Primitive = {
  name: 'select',
  gradient: (node, upstream) => {
    const [condition, a, b] = [node.input(0), node.input(1), node.input(2)];
    return [undefined, sumTo(select(condition, upstream, 0), a.shape), sumTo(select(condition, 0, upstream), b.shape)];
  },
  lower: (node, emit) => emit.node('Where', node.inputs.map(emit.of)),
};
/** Where the bool condition holds, the second operand, else the third. */
export function select(condition: Tensor, whenTrue: Operand, whenFalse: Operand): Tensor {
  const [a, b] = [lift(whenTrue), lift(whenFalse)];
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, 'select'), 'select');
  return new Tensor(SELECT, [condition, a, b], shape);
}

const CAST: Primitive = {
  name: 'cast',
  gradient: (node, upstream) => [node.input(0).type === 'float32' ? upstream : undefined],
  lower: (node, emit) => emit.node('Cast', [emit.of(node.input(0))], { to: ELEMENT_TYPES[node.type] }),
};
/** The same values in another type; float32 to uint8 truncates. Gradients flow between floats alone. */
export const cast = (x: Tensor, type: DataType): Tensor =>
  x.type === type ? x : new Tensor(CAST, [x], x.shape, type, { type });

/** A tensor of one value, in the shape of another. */
export const fill = (value: number, shape: Shape): Tensor => broadcastTo(constant(value), shape);
