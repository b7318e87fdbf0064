// Memorisation: which pictures are nearer to a training picture than pictures that were never trained on come to be.
//
// The distances of held-out pictures to their nearest training picture say how near a stranger comes by chance; what is
// nearer than all but 0.1% of them is named a copy. Held out is a folder of its own or, where there is none, each
// training picture in turn, against all others (leave-one-out), which is the same question with one picture less.
//
// From 1,000 distances on the 0.1% are seen. With fewer they are extrapolated: the distance to the nearest of many points
// has a lower tail like a power, P(D < d) = C d^m, where m is the dimension of the set (Levina and Bickel, 2004), and with
// the k smallest of n distances and the next one, u, the likeliest m is k / sum log(u / d_i) (Hill, 1975). Its own error counts: averaged over
// what m may be by k distances (a gamma distribution), P(D < d) = k/n (1 + m log(u / d) / k)^-k, which is 0.001 at
//
//   u exp(-((k / 0.001 n)^(1/k) - 1) k / m)
//
// the fewer the distances, the smaller: a stranger is named once in a thousand times on average, and disguised copies are missed.
// What is extrapolated holds as far as the tail is a power; held-out pictures by the thousand are better.
//
// What a threshold says is relative to the set: where it is full of near-duplicates, strangers come near too, the
// threshold is small, and only what is nearly the same to the bit is a copy. And it sees what the features see.

import { products, type Rows, run, squares, type Work } from './rows.js';

/** Share of held-out pictures that are as near as what is named. */
const NAMED = 0.001;
/** A tail is fitted to a tenth of the distances, and to no fewer than these. */
const [TAIL, FEWEST_IN_TAIL] = [0.1, 5];
/** Distances below which there is nothing to fit. */
const FEWEST_DISTANCES = 2 * FEWEST_IN_TAIL;
/** Of the spread of a set: below lie only equal pictures, and the rounding of a network in float32. */
const SAME = 1e-3;
/** Rows of a block: distances are never held but for a block of them. */
const [QUERIES, BLOCK] = [64, 256];

export interface Neighbour {
  /** The row of the set. */
  index: number;
  /** Euclidean. */
  distance: number;
  /** Which of the set's variants is that near. */
  variant: number;
}

/**
 * The nearest rows of a set for every query, nearest first. The set is given in variants, row i of each being the same
 * picture (as it is, and mirrored), and counts by its nearest variant.
 * @param most neighbours of a query; fewer where the set has fewer.
 * @param own the row of each query that is the query itself, and no neighbour in any variant.
 */
export function* nearest(queries: Rows, variants: readonly Rows[], most: number, own?: ArrayLike<number>): Work<Neighbour[][]> {
  const norms = variants.map(squares);
  const ofQueries = squares(queries);
  const buffer = new Float64Array(QUERIES * BLOCK);
  const found: Neighbour[][] = [];
  for (let first = 0; first < queries.count; first += QUERIES) {
    const some = run(queries, first, Math.min(QUERIES, queries.count - first));
    const kept: Neighbour[][] = Array.from({ length: some.count }, () => []);
    // Hardly any pair comes to be kept: it is told by its number, before anything is made of it.
    const farthest = new Float64Array(some.count).fill(Number.POSITIVE_INFINITY);
    for (const [variant, set] of variants.entries())
      for (let start = 0; start < set.count; start += BLOCK) {
        const block = run(set, start, Math.min(BLOCK, set.count - start));
        products(some, block, buffer);
        for (let i = 0; i < some.count; i++)
          for (let j = 0; j < block.count; j++) {
            const square = ofQueries[first + i]! + norms[variant]![start + j]! - 2 * buffer[i * block.count + j]!;
            if (!(square < farthest[i]!) || own?.[first + i] === start + j) continue;
            keep(kept[i]!, most, { index: start + j, distance: square, variant });
            if (kept[i]!.length === most) farthest[i] = kept[i]![most - 1]!.distance;
          }
      }
    // So far they are squares with the rounding of large numbers' difference: small distances need better.
    for (const [i, list] of kept.entries()) found.push(list.map((near) => ({ ...near, distance: distance(some, i, variants[near.variant]!, near.index) })).sort((a, b) => a.distance - b.distance));
    yield (first + some.count) / queries.count;
  }
  return found;
}

/** Puts a neighbour into its place among the `most` nearest, of each picture the nearest variant alone. */
function keep(list: Neighbour[], most: number, near: Neighbour): void {
  const known = list.findIndex(({ index }) => index === near.index);
  if (known >= 0 && list[known]!.distance <= near.distance) return;
  if (known >= 0) list.splice(known, 1);
  const place = list.findIndex(({ distance }) => distance > near.distance);
  list.splice(place < 0 ? list.length : place, 0, near);
  if (list.length > most) list.pop();
}

function distance({ width, data: x }: Rows, i: number, { data: y }: Rows, j: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += (x[i * width + k]! - y[j * width + k]!) ** 2;
  return Math.sqrt(sum);
}

/** Root of the mean squared distance from the mean. */
export function spread({ count, width, data }: Rows): number {
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! / count;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! - mean[i % width]!) ** 2;
  return Math.sqrt(sum / count);
}

export interface Calibration {
  /** What is nearer is a copy. */
  threshold: number;
  /** What is not farther is equal. */
  same: number;
  /** Median of the distances that the threshold stands on, and how many they are; NaN of none. */
  median: number;
  distances: number;
  /** Distances left out because nothing but a duplicate is that near: how often a set repeats itself says nothing of strangers. */
  duplicates: number;
  /** How the 0.1% were found. 'none': there are fewer than 10 distances, and only equal pictures are copies. */
  quantile: 'seen' | 'extrapolated' | 'none';
}

/** The threshold by the distances of held-out pictures to their nearest training picture. @param of spread of the training set. */
export function calibrate(all: ArrayLike<number>, of: number): Calibration {
  const same = SAME * of;
  const sorted = Float64Array.from(all).sort().filter((value) => value > same);
  const n = sorted.length;
  const common = { same, median: median(sorted), distances: n, duplicates: all.length - n };
  if (n < FEWEST_DISTANCES) return { ...common, threshold: same, quantile: 'none' };
  const below = Math.floor(NAMED * n);
  if (below > 0) return { ...common, threshold: sorted[below]!, quantile: 'seen' };
  const k = Math.max(FEWEST_IN_TAIL, Math.ceil(TAIL * n));
  const border = sorted[k]!;
  // The mean is 1 / m.
  const mean = sorted.subarray(0, k).reduce((sum, value) => sum + Math.log(border / value), 0) / k;
  const exponent = k * mean * ((k / (NAMED * n)) ** (1 / k) - 1);
  return { ...common, threshold: Math.max(same, border * Math.exp(-exponent)), quantile: 'extrapolated' };
}

/** The middle of ascending values. */
const median = (sorted: Float64Array): number => (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;

export const isCopy = (distance: number, { threshold, same }: Calibration): boolean => distance < threshold || distance <= same;
