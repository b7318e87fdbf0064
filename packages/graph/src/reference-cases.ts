// One case for every primitive and every way a convolution's gradients are written, in sizes that real networks bring
// within reach. scripts/reference/primitives.py holds the same cases in PyTorch, under the same names; reference.test.ts
// compares with its numbers, agreement.test.ts with other devices.

import * as g from './index.js';

/** FNV-1a, 32 bits. */
function salt(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h;
}

/** `count` values, uniform with mean 0 and variance 1, that scripts/reference/common.py makes too. */
export function fill(name: string, count: number): Float32Array {
  const start = salt(name);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b9) + start) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    return (((h >>> 0) + 0.5) / 2 ** 31 - 1) * Math.sqrt(3);
  });
}

/** What the scripts keep of an array: its size, its norm, its product with fill('dot'), and eight values at even distances. */
export interface Summary {
  size: number;
  norm: number;
  dot: number;
  sample: number[];
}

/**
 * The largest relative error of an array against a summary: of the norm and of the product, in norms, and of single
 * values, in root mean squares. Infinite where a value is no number or the array is of another length.
 */
export function errorAgainst(actual: Float32Array, { size, norm, dot, sample }: Summary): number {
  if (actual.length !== size) return Number.POSITIVE_INFINITY;
  const random = fill('dot', actual.length);
  const [square, product] = actual.reduce(([s, p], v, i) => [s! + v * v, p! + v * random[i]!], [0, 0]) as [number, number];
  const stride = Math.max(1, Math.floor(actual.length / 8));
  const each = sample.map((v, i) => Math.abs(actual[i * stride]! - v) * Math.sqrt(actual.length));
  const largest = Math.max(Math.abs(Math.sqrt(square) - norm), Math.abs(product - dot), ...each);
  const error = largest === 0 ? 0 : largest / norm;
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

export type Case = [name: string, shapes: g.Shape[], f: (...xs: g.Tensor[]) => g.Tensor];
const positive = (x: g.Tensor) => g.add(g.abs(x), 0.5);

export const cases: Case[] = [
  ['arithmetic with broadcasting', [[2, 3, 4], [3, 1]], (a, b) => g.add(g.sub(g.mul(g.add(a, b), a), g.mul(g.div(a, positive(b)), 2)), g.neg(b))],
  ['maximum, minimum and clamp', [[5, 6], [6]], (a, b) => g.add(g.add(g.maximum(a, b), g.minimum(a, g.mul(b, 2))), g.clamp(a, -1, 0.5))],
  ['exp', [[40]], g.exp],
  ['log', [[40]], (x) => g.log(positive(x))],
  ['sqrt', [[40]], (x) => g.sqrt(positive(x))],
  ['tanh', [[40]], g.tanh],
  ['sigmoid', [[40]], g.sigmoid],
  ['softplus far out', [[40]], (x) => g.softplus(g.mul(x, 8))],
  ['abs and sign', [[40]], (x) => g.add(g.mul(g.abs(x), 3), g.mul(g.sign(x), x))],
  ['leaky relu', [[8, 9]], (x) => g.leakyRelu(x, 0.2)],
  ['relu', [[8, 9]], g.relu],
  ['select', [[30], [30]], (a, b) => g.select(g.greater(a, b), g.mul(a, b), b)],
  ['sum and mean over axes', [[2, 3, 4, 5]], (x) => g.mul(g.sum(x, [1, 3]), g.mean(x))],
  ['broadcast', [[3, 1]], (x) => g.square(g.broadcastTo(x, [2, 3, 4]))],
  ['reshape and transpose', [[2, 3, 4]], (x) => g.transpose(g.reshape(g.transpose(x, [2, 0, 1]), [8, 3]))],
  ['slice and pad', [[4, 5, 6]], (x) => g.pad(g.slice(x, [1, 0, 2], [2, 4, 4]), [1, 2, 0], [1, 0, 3])],
  ['concat of many', Array(9).fill([1, 3]), (...xs) => g.concat(xs, 0)],
  ['flip', [[3, 4, 5]], (x) => g.flip(x, [0, 2])],
  ['values at ranks', [[3, 2, 20]], (x) => g.mul(x, g.square(g.sub(x, g.atRank(g.constant(fill('ranked', 120), x.shape), x))))],
  ['matmul', [[5, 7], [7, 4]], g.matmul],
  ['matmul over batches', [[2, 3, 4, 5], [3, 5, 6]], g.matmul],
  ['matmul with a shared matrix', [[2, 6, 5], [5, 4]], g.matmul],
  ['bilinear enlargement', [[2, 3, 5, 7]], g.enlarge],
  ['bilinear enlargement by a matrix', [[2, 3, 5, 7]], (x) => g.resample(x, g.bilinearUp(5), g.bilinearUp(7))],
  ['average reduction', [[2, 3, 6, 8]], (x) => g.resample(x, g.averageDown(6), g.averageDown(8))],
  ['pixel shuffle', [[2, 12, 3, 4]], (x) => g.pixelShuffle(g.square(x), 2)],
  ['pixel unshuffle', [[2, 3, 4, 6]], (x) => g.pixelUnshuffle(g.square(x), 2)],
  ['conv 3x3', [[2, 4, 16, 16], [6, 4, 3, 3]], (x, w) => g.conv(x, w, { padding: 1 })],
  ['conv 3x3 on a small picture', [[3, 4, 5, 6], [5, 4, 3, 3]], (x, w) => g.conv(x, w, { padding: 1 })],
  ['conv 3x3 without padding', [[2, 3, 9, 8], [4, 3, 3, 3]], (x, w) => g.conv(x, w)],
  ['conv 1x1', [[2, 5, 8, 9], [4, 5, 1, 1]], (x, w) => g.conv(x, w)],
  ['conv 1x1 on a small picture', [[3, 5, 3, 3], [4, 5, 1, 1]], (x, w) => g.conv(x, w)],
  ['conv 5x5 wide', [[1, 3, 18, 16], [4, 3, 5, 5]], (x, w) => g.conv(x, w, { padding: 2 })],
  ['conv 3x1', [[2, 3, 7, 6], [4, 3, 3, 1]], (x, w) => g.conv(x, w)],
  ['conv 4x4 stride 2', [[2, 3, 32, 32], [5, 3, 4, 4]], (x, w) => g.conv(x, w, { stride: 2, padding: 1 })],
  ['conv 4x4 stride 2 on a small picture', [[3, 4, 8, 8], [5, 4, 4, 4]], (x, w) => g.conv(x, w, { stride: 2, padding: 1 })],
  ['conv 4x4 stride 2 of many channels', [[2, 16, 16, 16], [6, 16, 4, 4]], (x, w) => g.conv(x, w, { stride: 2, padding: 1 })],
  ['conv 3x3 stride 2 with a row left over', [[2, 3, 8, 10], [4, 3, 3, 3]], (x, w) => g.conv(x, w, { stride: 2, padding: 1 })],
  ['conv in groups', [[2, 6, 16, 16], [4, 3, 3, 3]], (x, w) => g.conv(x, w, { padding: 1, groups: 2 })],
  ['conv in groups, stride 2', [[2, 6, 9, 9], [6, 2, 3, 3]], (x, w) => g.conv(x, w, { stride: 2, padding: 1, groups: 3 })],
  ['conv in groups of six outputs', [[2, 4, 6, 5], [12, 2, 3, 3]], (x, w) => g.conv(x, w, { padding: 1, groups: 2 })],
  ['conv in groups of one input', [[2, 3, 6, 5], [6, 1, 3, 3]], (x, w) => g.conv(x, w, { padding: 1, groups: 3 })],
  ['conv of six channels', [[2, 6, 6, 5], [4, 6, 3, 3]], (x, w) => g.conv(x, w, { padding: 1 })],
  ['conv in groups of one', [[2, 5, 6, 7], [5, 1, 3, 3]], (x, w) => g.conv(x, w, { padding: 1, groups: 5 })],
  ['conv transpose 4x4 stride 2', [[2, 5, 6, 7], [5, 3, 4, 4]], (x, w) => g.convTranspose(x, w, { stride: 2, padding: 1 })],
  ['conv transpose 3x3', [[2, 4, 7, 6], [4, 3, 3, 3]], (x, w) => g.convTranspose(x, w, { padding: 1 })],
  ['conv transpose in groups', [[2, 6, 5, 5], [6, 2, 4, 4]], (x, w) => g.convTranspose(x, w, { stride: 2, padding: 1, groups: 2 })],
];

/**
 * A case's result `y`, the gradients of sum(w y) + sum(y^2) / 4 as `first0`, .. and the gradients of their squared norm
 * as `second0`, ..; the loss is curved so that the second order is not zero by construction. All names, those of the
 * inputs too, begin with `prefix`, so that several cases may stand in one graph.
 */
export function caseGraph([, shapes, f]: Case, prefix = ''): { outputs: Record<string, g.Tensor>; feeds: g.Feeds } {
  const xs = shapes.map((shape, i) => g.input(`${prefix}x${i}`, shape));
  const y = f(...xs);
  const w = g.constant(fill('w', y.size), y.shape);
  const loss = g.add(g.sum(g.mul(y, w)), g.mul(g.sum(g.square(y)), 0.25));
  const first = g.gradient(loss, xs);
  const norm = first.map((d) => g.sum(g.square(d))).reduce((a, b) => g.add(a, b));
  const second = g.gradient(norm, xs);
  const named = (name: string, tensors: g.Tensor[]) => Object.fromEntries(tensors.map((t, i) => [`${prefix}${name}${i}`, t]));
  return {
    outputs: { [`${prefix}y`]: y, ...named('first', first), ...named('second', second) },
    feeds: Object.fromEntries(xs.map((x, i) => [`${prefix}x${i}`, g.floats(fill(`x${i}`, x.size), x.shape)])),
  };
}
