// Primitives that move values without changing them: reshape, transpose, slice, pad, concat, flip.
// Slice and pad are each other's gradient, as are concat and the slices of its parts.

import { type Emitter, type Primitive, type Shape, sameShape, sizeOf, Tensor } from './tensor.js';

const RESHAPE: Primitive = {
  name: 'reshape',
  gradient: (node, upstream) => [reshape(upstream, node.input(0).shape)],
  lower: (node, emit) => emit.node('Reshape', [emit.of(node.input(0)), emit.shape(node.shape)]),
};

/** The same values in row-major order under another shape; one extent may be -1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((n) => n !== -1);
  const target = shape.map((n) => (n === -1 ? x.size / sizeOf(known) : n));
  if (sizeOf(target) !== x.size)
    throw new RangeError(`reshape: [${x.shape}] holds ${x.size} values, [${shape}] holds ${sizeOf(target)}`);
  if (sameShape(target, x.shape)) return x;
  const source = x.primitive === RESHAPE ? x.input(0) : x;
  return sameShape(target, source.shape) ? source : new Tensor(RESHAPE, [source], target, x.type, { shape: target });
}

const TRANSPOSE: Primitive = {
  name: 'transpose',
  gradient: (node, upstream) => {
    const order = node.attributes.order as number[];
    return [
      transpose(
        upstream,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
  lower: (node, emit) => emit.node('Transpose', [emit.of(node.input(0))], { perm: node.attributes.order as number[] }),
};

/** Axes in another order: result axis i is x's axis order[i]. By default the last two change places. */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const axes = order ?? [...Array(x.rank - 2).keys(), x.rank - 1, x.rank - 2];
  if ([...axes].sort((a, b) => a - b).join() !== [...Array(x.rank).keys()].join())
    throw new RangeError(`transpose: [${axes}] is no order of the axes of [${x.shape}]`);
  if (axes.every((axis, i) => axis === i)) return x;
  const shape = axes.map((axis) => x.extent(axis));
  return new Tensor(TRANSPOSE, [x], shape, x.type, { order: [...axes] });
}

const SLICE: Primitive = {
  name: 'slice',
  gradient: (node, upstream) => {
    const starts = node.attributes.starts as number[];
    const source = node.input(0).shape;
    return [
      pad(
        upstream,
        starts,
        source.map((extent, i) => extent - starts[i]! - node.shape[i]!),
      ),
    ];
  },
  lower: (node, emit) => {
    const starts = node.attributes.starts as number[];
    const source = node.input(0).shape;
    const cut = node.shape.map((_, i) => i).filter((i) => node.shape[i] !== source[i]);
    // What a picture's sides lose at their ends is counted from there: where they are open they may be longer.
    const end = (i: number) => (node.rank === 4 && i >= 2 ? starts[i]! + node.shape[i]! - source[i]! || Number.MAX_SAFE_INTEGER : starts[i]! + node.shape[i]!);
    return emit.node('Slice', [emit.of(node.input(0)), emit.ints(cut.map((i) => starts[i]!)), emit.ints(cut.map(end)), emit.ints(cut)]);
  },
};

/** A box out of x: on every axis, `shape[i]` values from `starts[i]`. */
export function slice(x: Tensor, starts: Shape, shape: Shape): Tensor {
  if (
    starts.length !== x.rank ||
    shape.length !== x.rank ||
    starts.some((s, i) => s < 0 || s + shape[i]! > x.shape[i]!)
  )
    throw new RangeError(`slice: [${shape}] from [${starts}] is not inside [${x.shape}]`);
  return sameShape(shape, x.shape) ? x : new Tensor(SLICE, [x], shape, x.type, { starts: [...starts], shape });
}

/** `length` values from `start` on one axis, all of the others. */
export function sliceAxis(x: Tensor, axis: number, start: number, length: number): Tensor {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((n, i) => (i === axis ? length : n)),
  );
}

/** x [n, c, h, w] without so many of its outermost pixels. */
export const inner = (x: Tensor, edge: number): Tensor => slice(x, [0, 0, edge, edge], [...x.shape.slice(0, 2), ...x.shape.slice(2).map((side) => side - 2 * edge)]);

const PAD: Primitive = {
  name: 'pad',
  gradient: (node, upstream) => [slice(upstream, node.attributes.before as number[], node.input(0).shape)],
  lower: (node, emit) =>
    emit.node('Pad', [
      emit.of(node.input(0)),
      emit.ints([...(node.attributes.before as number[]), ...(node.attributes.after as number[])]),
    ]),
};

/** Zeros around x: `before[i]` and `after[i]` on axis i. */
export function pad(x: Tensor, before: Shape, after: Shape): Tensor {
  if (before.length !== x.rank || after.length !== x.rank || [...before, ...after].some((n) => n < 0))
    throw new RangeError(`pad: [${before}] and [${after}] do not fit the shape [${x.shape}]`);
  if ([...before, ...after].every((n) => n === 0)) return x;
  const shape = x.shape.map((n, i) => n + before[i]! + after[i]!);
  return new Tensor(PAD, [x], shape, 'float32', { before: [...before], after: [...after] });
}

const CONCAT: Primitive = {
  name: 'concat',
  gradient: (node, upstream) => {
    const axis = node.attributes.axis as number;
    let start = 0;
    return node.inputs.map((part) => {
      const piece = sliceAxis(upstream, axis, start, part.extent(axis));
      start += part.extent(axis);
      return piece;
    });
  },
  lower: (node, emit) => join(node.inputs.map(emit.of), node.attributes.axis as number, emit),
};

/** ONNX names joined along an axis, in groups of as many as one node may take. */
export function join(names: readonly string[], axis: number, emit: Emitter): string {
  if (names.length === 1) return names[0]!;
  const groups: string[] = [];
  for (let i = 0; i < names.length; i += emit.maximumInputs) {
    const group = names.slice(i, i + emit.maximumInputs);
    groups.push(group.length === 1 ? group[0]! : emit.node('Concat', group, { axis }));
  }
  return join(groups, axis, emit);
}

/** Tensors laid end to end along an axis; the other extents must agree. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0];
  if (!first) throw new RangeError('concat: there is nothing to join');
  for (const part of parts)
    if (part.rank !== first.rank || part.shape.some((n, i) => i !== axis && n !== first.shape[i]))
      throw new RangeError(`concat: [${first.shape}] and [${part.shape}] differ off axis ${axis}`);
  if (parts.length === 1) return first;
  const shape = first.shape.map((n, i) => (i === axis ? parts.reduce((s, p) => s + p.extent(axis), 0) : n));
  return new Tensor(CONCAT, parts, shape, first.type, { axis });
}

const FLIP: Primitive = {
  name: 'flip',
  gradient: (node, upstream) => [flip(upstream, node.attributes.axes as number[])],
  lower: (node, emit) => reverse(emit.of(node.input(0)), node.attributes.axes as number[], emit),
};

/** An ONNX name read backwards along axes. */
export function reverse(x: string, axes: readonly number[], emit: Emitter): string {
  const minusOne = emit.ints(axes.map(() => -1));
  return emit.node('Slice', [x, minusOne, emit.ints(axes.map(() => -(2 ** 31))), emit.ints(axes), minusOne]);
}

/** x read backwards along the given axes. */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  const real = axes.filter((axis) => x.extent(axis) > 1);
  return real.length === 0 ? x : new Tensor(FLIP, [x], x.shape, x.type, { axes: real });
}
