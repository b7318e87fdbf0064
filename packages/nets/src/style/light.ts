// How light a picture is, as losses and normalisation see it.

import { add, constant, div, mul, sumKeep, type Tensor } from '@zeuxis/graph';
import { LUMA } from '../metrics/style.js';

/** Of BT.601, [n, 3, h, w] -> [n, 1, h, w]. */
export const luminance = (x: Tensor): Tensor => sumKeep(mul(x, constant(Float32Array.from(LUMA), [1, 3, 1, 1])), [1]);

/** Variance of luminance at which a place, or a picture, has half of all structure that it may have: a deviation of 0.045. */
const STRUCTURE = 2e-3;

/** How much structure a variance of luminance is, 0 to 1. @param half the variance that is a half. */
export const structureOf = (variance: Tensor, half = STRUCTURE): Tensor => div(variance, add(variance, half));
