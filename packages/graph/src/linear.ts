// Matrix products, and the linear maps built on them: resampling along rows and columns.

import { sumTo } from './reduce.js';
import { reshape, transpose } from './structure.js';
import { broadcastShapes, constant, type Primitive, Tensor } from './tensor.js';

const MATMUL: Primitive = {
  name: 'matmul',
  gradient: (node, upstream) => {
    const [a, b] = [node.input(0), node.input(1)];
    return [
      sumTo(matmul(upstream, transpose(b)), a.shape),
      // A shared right-hand matrix takes its gradient in one product over all rows, not one a batch entry.
      b.rank === 2 && a.rank > 2
        ? matmul(transpose(reshape(a, [-1, a.extent(-1)])), reshape(upstream, [-1, upstream.extent(-1)]))
        : sumTo(matmul(transpose(a), upstream), b.shape),
    ];
  },
  lower: (node, emit) => emit.node('MatMul', node.inputs.map(emit.of)),
};

/** Product over the last two axes, [.., m, k] by [.., k, n]; leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank < 2 || b.rank < 2 || a.extent(-1) !== b.extent(-2))
    throw new RangeError(`matmul: [${a.shape}] by [${b.shape}]: the inner extents differ`);
  const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  return new Tensor(MATMUL, [a, b], [...lead, a.extent(-2), b.extent(-1)]);
}

/** A dense matrix in row-major order. */
export interface Matrix {
  rows: number;
  columns: number;
  data: Float32Array;
}

/**
 * A separable linear map of pictures: every column of x [n, c, h, w] is multiplied by `vertical` [h', h], every row by
 * `horizontal` [w', w]. Bilinear scaling, binomial filters, averaging and shifts are all of this kind, and the gradient
 * is the same map transposed.
 */
export function resample(x: Tensor, vertical: Matrix, horizontal: Matrix): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (vertical.columns !== h || horizontal.columns !== w)
    throw new RangeError(`resample: the matrices take ${vertical.columns}x${horizontal.columns}, x is ${h}x${w}`);
  const across = transpose(constant(horizontal.data, [horizontal.rows, w]));
  const rows = matmul(reshape(x, [n * c * h, w]), across);
  const down = constant(vertical.data, [vertical.rows, h]);
  return matmul(down, reshape(rows, [n, c, h, horizontal.rows]));
}

const turned = (m: Matrix): Matrix => matrix(m.columns, m.rows, (i, j) => m.data[j * m.columns + i]!);

const ENLARGE: Primitive = {
  name: 'enlarge',
  gradient: ({ shape }, upstream) => {
    const [h, w] = [shape[2]! / 2, shape[3]! / 2];
    return [resample(upstream, turned(bilinearUp(h)), turned(bilinearUp(w)))];
  },
  lower: (node, emit) => emit.node('Resize', [emit.of(node.input(0)), '', emit.floats([1, 1, 2, 2], [4])], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }),
};

/** Bilinear enlargement by two: `resample` by `bilinearUp`, in one operator, which takes the CPU's blocked layout as it comes. x [n, c, h, w] -> [n, c, 2h, 2w]. */
export const enlarge = (x: Tensor): Tensor => new Tensor(ENLARGE, [x], [...x.shape.slice(0, 2), 2 * x.extent(2), 2 * x.extent(3)]);

/** The matrix [rows, columns] whose entry (i, j) is entry(i, j). */
export function matrix(rows: number, columns: number, entry: (row: number, column: number) => number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j] = entry(i, j);
  return { rows, columns, data };
}

/** Bilinear enlargement by two with pixel centres kept (PyTorch's align_corners=False), edges repeated: [2n, n]. */
export function bilinearUp(n: number): Matrix {
  const m = matrix(2 * n, n, () => 0);
  for (let i = 0; i < 2 * n; i++) {
    const near = i >> 1;
    const far = Math.min(n - 1, Math.max(0, near + (i % 2 === 0 ? -1 : 1)));
    m.data[i * n + near]! += 0.75;
    m.data[i * n + far]! += 0.25;
  }
  return m;
}

/** The mean of neighbouring pairs: [n / 2, n]. */
export const averageDown = (n: number): Matrix => matrix(n / 2, n, (i, j) => (j >> 1 === i ? 0.5 : 0));
