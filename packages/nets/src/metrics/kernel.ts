// The kernel distance (Bińkowski et al., 2018, KID): the squared maximum mean discrepancy between two sets of features
// under the kernel (x . y / d + 1)^3, by its unbiased estimator, as the mean over random subsets.

import type { Random } from '../random.js';
import { pick, products, type Rows, run, type Work } from './rows.js';

/** Rows of a subset, where there are as many, and how many subsets: their spread says how sure the mean is. */
const SUBSET = 1000;
const SUBSETS = 20;

const BLOCK = 128;

/** Sum of the kernel over all pairs of a and b or, with no b, over all pairs i != j of a; a block at a time, so that it stays in cache. */
function kernelSum(a: Rows, b?: Rows): number {
  const buffer = new Float64Array(BLOCK * BLOCK);
  const other = b ?? a;
  let sum = 0;
  for (let first = 0; first < a.count; first += BLOCK) {
    const left = run(a, first, Math.min(BLOCK, a.count - first));
    for (let second = b ? 0 : first; second < other.count; second += BLOCK) {
      const right = run(other, second, Math.min(BLOCK, other.count - second));
      products(left, right, buffer);
      // Of equal sets, blocks right of the diagonal stand for those left of it.
      const times = b || second === first ? 1 : 2;
      for (let i = 0; i < left.count; i++)
        for (let j = 0; j < right.count; j++) {
          if (!b && first + i === second + j) continue;
          const base = buffer[i * right.count + j]! / a.width + 1;
          sum += times * base * base * base;
        }
    }
  }
  return sum;
}

/** The unbiased estimator of MMD^2 (Gretton et al., 2012, equation 3): near 0 for equal distributions, also below it. */
export function kernelDiscrepancy(a: Rows, b: Rows): number {
  const [m, n] = [a.count, b.count];
  if (Math.min(m, n) < 2) throw new RangeError('kernelDiscrepancy: pairs take two rows at least');
  return kernelSum(a) / (m * (m - 1)) + kernelSum(b) / (n * (n - 1)) - (2 * kernelSum(a, b)) / (m * n);
}

export interface KernelDistance {
  mean: number;
  /** Standard deviation over the subsets. */
  deviation: number;
  /** Rows of a subset, and number of subsets. */
  subset: number;
  subsets: number;
}

/** The kernel distance over seeded random subsets, drawn without replacement. */
export function* kernelDistance(a: Rows, b: Rows, random: Random): Work<KernelDistance> {
  const subset = Math.min(SUBSET, a.count, b.count);
  const values: number[] = [];
  for (let i = 0; i < SUBSETS; i++) {
    const [some, others] = [a, b].map((set) => pick(set, random.permutation(set.count).subarray(0, subset)));
    values.push(kernelDiscrepancy(some!, others!));
    yield (i + 1) / SUBSETS;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / SUBSETS;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (SUBSETS - 1));
  return { mean, deviation, subset, subsets: SUBSETS };
}
