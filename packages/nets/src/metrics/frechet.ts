// The Fréchet distance between two sets of features, each taken for a normal distribution (Heusel et al., 2017, FID;
// Dowson and Landau, 1982):
//
//   |m1 - m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)
//
// tr sqrt(S1 S2) is the sum of the square roots of the eigenvalues of S1^(1/2) S2 S1^(1/2). With any R for which
// R' R = S1 the symmetric matrix R S2 R' has the same eigenvalues but for zeros, so that R is a Cholesky factor, which
// also takes covariances that lack rank, and no eigenvector is needed.

import { eigenvalues, factor } from './eigen.js';
import { part, products, type Rows, rows, run, type Work } from './rows.js';

interface Moments {
  mean: Float64Array;
  /** Unbiased: divided by count - 1. */
  covariance: Float64Array;
}

/** Products of long work, a slice of rows at a time. */
function* sliced(a: Rows, b: Rows): Work<Float64Array> {
  const out = new Float64Array(a.count * b.count);
  for (let start = 0; start < a.count; start += 32) {
    const part = run(a, start, Math.min(32, a.count - start));
    products(part, b, out.subarray(start * b.count, (start + part.count) * b.count));
    yield start / a.count;
  }
  return out;
}

function* moments({ count, width, data }: Rows): Work<Moments> {
  const mean = new Float64Array(width);
  for (let i = 0; i < count; i++) for (let k = 0; k < width; k++) mean[k]! += data[i * width + k]! / count;
  // One row a feature, so that a covariance is an inner product of rows.
  const centred = rows(width, count);
  for (let i = 0; i < count; i++) for (let k = 0; k < width; k++) centred.data[k * count + i] = data[i * width + k]! - mean[k]!;
  const covariance = yield* sliced(centred, centred);
  for (let i = 0; i < covariance.length; i++) covariance[i]! /= count - 1;
  return { mean, covariance };
}

const trace = (matrix: Float64Array, n: number): number => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]!;
  return sum;
};

/** The Fréchet distance; biased upwards where there are few rows, so that only equal counts compare. At least two rows each. */
export function* frechetDistance(a: Rows, b: Rows): Work<number> {
  const n = a.width;
  if (b.width !== n) throw new RangeError(`frechetDistance: features of ${n} and of ${b.width} values`);
  if (Math.min(a.count, b.count) < 2) throw new RangeError('frechetDistance: a covariance takes two rows at least');
  const [first, second] = [yield* part(moments(a), 0, 0.2), yield* part(moments(b), 0.2, 0.4)];
  let distance = trace(first.covariance, n) + trace(second.covariance, n);
  for (let i = 0; i < n; i++) distance += (first.mean[i]! - second.mean[i]!) ** 2;
  const r = yield* part(factor(first.covariance, n), 0.4, 0.5);
  const half = rows(r.count, n, yield* part(sliced(r, rows(n, n, second.covariance)), 0.5, 0.6));
  const product = yield* part(sliced(r, half), 0.6, 0.7);
  for (const value of yield* part(eigenvalues(product, r.count), 0.7, 1)) distance -= 2 * Math.sqrt(Math.max(0, value));
  // Rounding takes equal sets a little below zero.
  return Math.max(0, distance);
}
