// Sums over axes and their transpose, broadcasting: each is the other's gradient.

import { mul } from './elementwise.js';
import { reshape } from './structure.js';
import { broadcastShapes, type Primitive, type Shape, sameShape, Tensor } from './tensor.js';

const SUM: Primitive = {
  name: 'sum',
  gradient: (node, upstream) => [broadcastTo(upstream, node.input(0).shape)],
  lower: (node, emit) =>
    emit.node('ReduceSum', [emit.of(node.input(0)), emit.ints(node.attributes.axes as number[])], { keepdims: 1 }),
};

const allAxes = (x: Tensor): number[] => x.shape.map((_, i) => i);

/** Sum over axes, which stay in the shape with extent 1. */
export function sumKeep(x: Tensor, axes: readonly number[] = allAxes(x)): Tensor {
  const wanted = axes.map((axis) => (axis < 0 ? axis + x.rank : axis)).sort((a, b) => a - b);
  if (wanted.some((axis) => axis < 0 || axis >= x.rank))
    throw new RangeError(`sum: axes [${axes}] are not all axes of [${x.shape}]`);
  const real = wanted.filter((axis) => x.shape[axis] !== 1);
  if (real.length === 0) return x;
  const shape = x.shape.map((extent, axis) => (real.includes(axis) ? 1 : extent));
  return new Tensor(SUM, [x], shape, 'float32', { axes: real });
}

/** Sum over axes (all by default), which leave the shape. */
export function sum(x: Tensor, axes: readonly number[] = allAxes(x)): Tensor {
  const gone = axes.map((axis) => (axis < 0 ? axis + x.rank : axis));
  return reshape(
    sumKeep(x, gone),
    x.shape.filter((_, axis) => !gone.includes(axis)),
  );
}

const count = (x: Tensor, axes: readonly number[]): number => axes.reduce((n, axis) => n * x.extent(axis), 1);
/** Mean over axes (all by default), which leave the shape. */
export const mean = (x: Tensor, axes: readonly number[] = allAxes(x)): Tensor => mul(sum(x, axes), 1 / count(x, axes));
/** Mean over axes, which stay with extent 1. */
export const meanKeep = (x: Tensor, axes: readonly number[]): Tensor => mul(sumKeep(x, axes), 1 / count(x, axes));

const BROADCAST: Primitive = {
  name: 'broadcast',
  gradient: (node, upstream) => [sumTo(upstream, node.input(0).shape)],
  lower: (node, emit) => emit.node('Expand', [emit.of(node.input(0)), emit.ints(node.shape)]),
};

/** NumPy broadcasting to a shape. @throws RangeError where the shape cannot be reached. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, 'broadcast'), shape))
    throw new RangeError(`broadcast: [${x.shape}] does not broadcast to [${shape}]`);
  return new Tensor(BROADCAST, [x], shape, x.type, { shape });
}

/** The transpose of broadcastTo: sums away the axes along which `shape` was stretched to x's. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  // An upstream that never was stretched (select against a scalar, say) is stretched here.
  const full = broadcastShapes(x.shape, shape, 'sumTo');
  if (!sameShape(full, x.shape)) return sumTo(broadcastTo(x, full), shape);
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return reshape(sumKeep(x, axes), shape);
}
