// Measures of a generator: how far the features of its pictures are from those of real ones. All in float64, and pure.

import type { Random } from '../random.js';
import { frechetDistance } from './frechet.js';
import { type KernelDistance, kernelDistance } from './kernel.js';
import { type Shares, shares } from './manifold.js';
import { part, type Rows, type Work } from './rows.js';

export { eigenvalues, factor } from './eigen.js';
export { frechetDistance } from './frechet.js';
export { type KernelDistance, kernelDiscrepancy, kernelDistance } from './kernel.js';
export { type Shares, shares } from './manifold.js';
export { type Calibration, calibrate, isCopy, type Neighbour, nearest, spread } from './memorisation.js';
export { finish, pick, type Rows, rows, type Work } from './rows.js';

export interface Measures extends Shares {
  frechet: number;
  kernel: KernelDistance;
}

/** The fewest pictures of either kind: every point needs neighbours. */
export const FEWEST_MEASURED = 6;

/** All measures of generated features against real ones. */
export function* measure(real: Rows, generated: Rows, random: Random): Work<Measures> {
  const frechet = yield* part(frechetDistance(real, generated), 0, 0.3);
  const kernel = yield* part(kernelDistance(real, generated, random), 0.3, 0.7);
  return { frechet, kernel, ...(yield* part(shares(real, generated), 0.7, 1)) };
}
