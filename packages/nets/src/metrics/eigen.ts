// Symmetric matrices: eigenvalues by Householder's tridiagonalisation and implicit QL steps (Martin, Reinsch and
// Wilkinson, 1968; Golub and Van Loan, Matrix Computations, 8.3), and the pivoted Cholesky factor of matrices that may
// lack rank (Higham, 1990). Both walk along rows alone, so that 2,048 dimensions take seconds.

import { type Rows, rows, type Work } from './rows.js';

const EPSILON = 2 ** -52;
/** Steps after which a work in slices yields. */
const SLICE = 32;

/**
 * Eigenvalues of a symmetric matrix, ascending. Reads the lower triangle alone, and destroys it.
 * Errors are about EPSILON times the largest eigenvalue.
 */
export function* eigenvalues(matrix: Float64Array, n: number): Work<Float64Array> {
  if (matrix.length !== n * n) throw new RangeError(`eigenvalues: a matrix of ${n} rows holds ${n * n} values, not ${matrix.length}`);
  let scale = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) scale = Math.max(scale, Math.abs(matrix[i * n + j]!));
  if (!Number.isFinite(scale)) throw new RangeError('eigenvalues: the matrix holds a value that is no finite number');
  if (scale === 0) return new Float64Array(n);
  for (let i = 0; i < n * n; i++) matrix[i]! /= scale;
  const [diagonal, beside] = yield* tridiagonalise(matrix, n);
  implicitQl(diagonal, beside);
  return diagonal.sort().map((value) => value * scale);
}

/** The diagonal and, from index 1, what stands beside it, of a similar tridiagonal matrix; entries of `a` are at most 1. */
function* tridiagonalise(a: Float64Array, n: number): Work<[Float64Array, Float64Array]> {
  const [diagonal, beside, p] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let i = n - 1; i > 0; i--) {
    // The reflection that turns row i's part before the diagonal into its last entry.
    const v = a.subarray(i * n, i * n + i);
    let squares = 0;
    for (let k = 0; k < i; k++) squares += v[k]! * v[k]!;
    const norm = Math.sqrt(squares);
    const last = v[i - 1]!;
    // Below this squares lose digits to underflow, and the row is nothing beside entries of 1.
    if (i === 1 || norm < 1e-140) {
      beside[i] = last;
      continue;
    }
    const entry = last >= 0 ? -norm : norm;
    beside[i] = entry;
    v[i - 1] = last - entry;
    const h = squares - last * entry;
    // p = A v / h, then q = p - (v . p / 2h) v, and A - v q' - q v' is what remains.
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const [row, vj] = [j * n, v[j]!];
      let sum = a[row + j]! * vj;
      for (let k = 0; k < j; k++) {
        const entry = a[row + k]!;
        sum += entry * v[k]!;
        p[k]! += entry * vj;
      }
      p[j]! += sum;
    }
    let inner = 0;
    for (let k = 0; k < i; k++) {
      p[k]! /= h;
      inner += p[k]! * v[k]!;
    }
    for (let k = 0; k < i; k++) p[k]! -= (inner / (2 * h)) * v[k]!;
    for (let j = 0; j < i; j++) {
      const [row, vj, qj] = [j * n, v[j]!, p[j]!];
      for (let k = 0; k <= j; k++) a[row + k]! -= vj * p[k]! + qj * v[k]!;
    }
    if (i % SLICE === 0) yield 1 - (i / n) ** 3;
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i]!;
  return [diagonal, beside];
}

/** Turns `d` into the eigenvalues of the tridiagonal matrix with diagonal d and, from index 1, e beside it. */
function implicitQl(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!) + Math.abs(e[i]!));
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > EPSILON * norm) m++;
      if (m === l) break;
      if (iteration === 100) throw new Error('eigenvalues: the QL steps do not converge');
      // Wilkinson's shift.
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const [f, b] = [s * e[i]!, c * e[i]!];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          // The chase has met a split: the block falls apart here.
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        [s, c] = [f / r, g / r];
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

/**
 * Rows R, as many as the matrix has rank, with R' R = A, for a symmetric positive semidefinite A of n rows. What is
 * left out is rounding: its diagonal is at most n EPSILON times the largest of A's.
 */
export function* factor(a: Float64Array, n: number): Work<Rows> {
  const rest = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const enough = n * EPSILON * Math.max(0, ...rest);
  const r = new Float64Array(n * n);
  let rank = 0;
  for (; rank < n; rank++) {
    let pivot = 0;
    for (let i = 1; i < n; i++) if (rest[i]! > rest[pivot]!) pivot = i;
    if (!(rest[pivot]! > enough)) break;
    const row = r.subarray(rank * n, (rank + 1) * n);
    row.set(a.subarray(pivot * n, (pivot + 1) * n));
    for (let m = 0; m < rank; m++) {
      const [start, times] = [m * n, r[m * n + pivot]!];
      if (times !== 0) for (let i = 0; i < n; i++) row[i]! -= times * r[start + i]!;
    }
    const root = Math.sqrt(rest[pivot]!);
    for (let i = 0; i < n; i++) {
      row[i]! /= root;
      rest[i]! -= row[i]! * row[i]!;
    }
    if (rank % SLICE === SLICE - 1) yield (rank / n) ** 2;
  }
  return rows(rank, n, r.subarray(0, rank * n));
}
