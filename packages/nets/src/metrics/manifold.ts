// Four shares between two sets of features, the real and the generated. Around every point lies a ball that reaches to
// its k-th neighbour in its own set.
//
//   precision   generated points inside some real ball                   Kynkäänniemi et al., 2019, k = 3
//   recall      real points inside some generated ball
//   density     real balls a generated point lies in, over k             Naeem et al., 2020, k = 5
//   coverage    real balls with a generated point inside
//
// As in both papers' code, the border belongs to the ball for the first two and not for the others.

import { part, products, type Rows, run, squares, type Work } from './rows.js';

const K = { shares: 3, density: 5 };
/** Rows of a block: distances are never held but for a block of them. */
const BLOCK = 256;

export interface Shares {
  /** 0 to 1: how many generated pictures look real. */
  precision: number;
  /** 0 to 1: how much of the real variety is generated. */
  recall: number;
  /** About 1 for equal distributions; not bounded by 1. */
  density: number;
  /** 0 to 1. */
  coverage: number;
}

/** Calls `see` with squared distances of all pairs, a block at a time; with `upper`, of blocks on and right of the diagonal. */
function* distances(a: Rows, b: Rows, upper: boolean, see: (i: number, j: number, distance: number) => void): Work<void> {
  const [normsA, normsB] = [squares(a), squares(b)];
  const buffer = new Float64Array(BLOCK * BLOCK);
  for (let first = 0; first < a.count; first += BLOCK) {
    const left = run(a, first, Math.min(BLOCK, a.count - first));
    for (let second = upper ? first : 0; second < b.count; second += BLOCK) {
      const right = run(b, second, Math.min(BLOCK, b.count - second));
      const inner = products(left, right, buffer);
      for (let i = 0; i < left.count; i++)
        for (let j = 0; j < right.count; j++) {
          const norms = normsA[first + i]! + normsB[second + j]!;
          const distance = norms - 2 * inner[i * right.count + j]!;
          // Equal points are at rounding's distance from each other, which must not tell them apart.
          see(first + i, second + j, distance > 1e-12 * norms ? distance : 0);
        }
    }
    yield upper ? 1 - (1 - (first + left.count) / a.count) ** 2 : (first + left.count) / a.count;
  }
}

/** Squared distance from every point to its k-th neighbour, for both k. */
function* radii(points: Rows): Work<Record<keyof typeof K, Float64Array>> {
  const most = Math.max(K.shares, K.density);
  if (points.count <= most) throw new RangeError(`radii: ${most + 1} points at least have ${most} neighbours, not ${points.count}`);
  const nearest = new Float64Array(points.count * most).fill(Number.POSITIVE_INFINITY);
  const insert = (i: number, distance: number) => {
    let at = i * most + most - 1;
    if (distance >= nearest[at]!) return;
    for (; at > i * most && nearest[at - 1]! > distance; at--) nearest[at] = nearest[at - 1]!;
    nearest[at] = distance;
  };
  yield* distances(points, points, true, (i, j, distance) => {
    if (i === j) return;
    insert(i, distance);
    // Blocks left of the diagonal are not visited: a pair off the diagonal's own block stands for both.
    if (Math.floor(i / BLOCK) !== Math.floor(j / BLOCK)) insert(j, distance);
  });
  const kth = (k: number) => Float64Array.from({ length: points.count }, (_, i) => nearest[i * most + k - 1]!);
  return { shares: kth(K.shares), density: kth(K.density) };
}

/** Precision, recall, density and coverage. At least 6 rows each. */
export function* shares(real: Rows, generated: Rows): Work<Shares> {
  const [around, made] = [yield* part(radii(real), 0, 0.3), yield* part(radii(generated), 0.3, 0.6)];
  const [precise, recalled, covered] = [new Uint8Array(generated.count), new Uint8Array(real.count), new Uint8Array(real.count)];
  let inside = 0;
  const compare = distances(real, generated, false, (i, j, distance) => {
    if (distance <= around.shares[i]!) precise[j] = 1;
    if (distance <= made.shares[j]!) recalled[i] = 1;
    if (distance < around.density[i]!) {
      inside++;
      covered[i] = 1;
    }
  });
  yield* part(compare, 0.6, 1);
  const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
  return { precision: share(precise), recall: share(recalled), density: inside / (K.density * generated.count), coverage: share(covered) };
}
