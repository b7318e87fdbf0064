// Instance normalisation (Ulyanov et al., 2016) of a picture that hangs among typical ones: not its own channels are brought to mean 0 and variance 1 but its
// and those of the photographs of the training together, half each, the less its own the less light and dark it has. By its own alone a sky's faintest shade is as much as another picture's light and
// dark, and falls apart into all colours of the painting; and that a photograph is dark, the network could not know.

import { add, concat, div, meanKeep, mul, sliceAxis, sqrt, square, sub, sumKeep, type Tensor } from '@zeuxis/graph';
import { luminance, structureOf } from './light.js';

/** What was learned of the channels of a layer, [1 or n, c, 1, 1] each. */
export interface Learned {
  /** The deviation and the mean that they are brought to. */
  scale: Tensor;
  shift: Tensor;
  /** The moments that they have in typical photographs, all seen as one. */
  mean: Tensor;
  variance: Tensor;
}

/** Brings the channels of x [n, c, h, w], at 1 / `reduction` of the picture's sides, to the moments that were learned, together with typical ones. */
export type Normal = (x: Tensor, reduction: number, learned: Learned) => Tensor;

/** Keeps the variance of an even channel from being divided by. */
export const EPSILON = 1e-4;
/** What a channel of that variance is multiplied by. */
const toUnit = (variance: Tensor): Tensor => div(1, sqrt(add(variance, EPSILON)));

/** Normalises, and keeps the moments of each layer in their order, two by two, [n, c, 1, 1] each. */
export interface Measuring {
  normal: Normal;
  /** The picture's own, mean and mean square: means of both over pictures are those of all as one. */
  own: Tensor[];
  /** Those that it was normalised by, mean and variance. */
  used: Tensor[];
}

/**
 * What a photograph counts beside typical ones, [n, 1, 1, 1]: up to a half, and nothing where it is all one. Every layer that it counts half in doubles what variance it has short of
 * theirs, and after all of them an even sky's noise, and the noise that strokes begin from, would be as much as another picture's light and dark.
 */
function countOf(photograph: Tensor, means: (x: Tensor) => Tensor): Tensor {
  const light = luminance(photograph);
  return mul(structureOf(means(square(sub(light, means(light))))), 0.5);
}

/** @param photograph black 0 to white 1. @param means of x over its pixels, [n, c, 1, 1]; of a picture at half its sides whose channels are several pixels' of c each, of those together. */
function measuring(photograph: Tensor, means: (x: Tensor, reduction: number, channels: number) => Tensor): Measuring {
  const count = countOf(photograph, (x) => means(x, 1, 1));
  const rest = sub(1, count);
  const [own, used]: [Tensor[], Tensor[]] = [[], []];
  const normal: Normal = (x, reduction, { scale, shift, ...typical }) => {
    const channels = scale.extent(1);
    const at = means(x, reduction, channels);
    const apart = sub(x, overPixels(at, x));
    const spread = means(square(apart), reduction, channels);
    // Moments of two sets as of one, in which each counts its share.
    const between = sub(typical.mean, at);
    const away = mul(rest, between);
    const mean = add(at, away);
    const variance = add(add(mul(count, spread), mul(rest, typical.variance)), mul(mul(count, rest), square(between)));
    own.push(at, add(spread, square(at)));
    used.push(mean, variance);
    const factor = mul(toUnit(variance), scale);
    return add(mul(apart, overPixels(factor, x)), overPixels(sub(shift, mul(factor, away)), x));
  };
  return { normal, own, used };
}

/** For pictures of known sides. */
export const knownSides = (photograph: Tensor): Measuring => measuring(photograph, (x) => meanKeep(x, [2, 3]));

/** For a picture of any. @param share one over its pixels, [1]. */
export const openSides = (photograph: Tensor, share: Tensor): Measuring => measuring(photograph, (x, reduction, channels) => mul(acrossPixels(sumKeep(x, [2, 3]), channels), mul(share, reduction ** 2)));

/** A value a channel, [n, c, 1, 1], for all pixels that x has the channels of. */
function overPixels(values: Tensor, x: Tensor): Tensor {
  const pixels = x.extent(1) / values.extent(1);
  return pixels === 1 ? values : concat(Array.from({ length: pixels }, () => values), 1);
}

/** Sums a channel of its pixels together. */
const acrossPixels = (sums: Tensor, channels: number): Tensor => Array.from({ length: sums.extent(1) / channels }, (_, i) => sliceAxis(sums, 1, i * channels, channels)).reduce((a, b) => add(a, b));
