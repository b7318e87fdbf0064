// A trained style as a model file that any ONNX program can run.

import { add, compile, concat, input, mul, readConstants, sizeOf, sliceAxis, square, sub, sumKeep, type Tensor } from '@zeuxis/graph';
import { GRAIN, NOISE, type Normal, type StyleNetwork, toUnit } from './network.js';

/** Sides of a picture as graphs are written, which leave them open: more than two edges. */
const SIDE = 256;
export const pictureInputs = () => ({ photograph: input('photograph', [1, 3, SIDE, SIDE]), noise: input('noise', [1, NOISE, SIDE / GRAIN, SIDE / GRAIN]) });

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w).
 * Outputs: `painted` float32 [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the mean and variance of every channel of every layer,
 * by which `tiledStyle` paints. Its weights are constants by their names in the network's table, which `styleWeights` reads back.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { photograph, noise } = pictureInputs();
  const { normal, measured } = measuringNormal();
  const painted = painter.build(painter.freeze(weights), photograph, noise, input('strength', [1]), normal);
  return compile({ painted, measured: concat(measured, 1) }, { openSides: true, metadata }).bytes;
}

/** The weights of a style's model file; undefined where it is of another network than this version's. @throws Error 'this is no ONNX file' */
export const styleWeights = (painter: StyleNetwork, file: Uint8Array): Float32Array | undefined => painter.thaw(readConstants(file));

/** How many values `measured` has: a mean and a variance for each channel that has a scale. */
export const momentsOf = (painter: StyleNetwork): number => painter.table.filter(({ name }) => name.endsWith('.scale')).reduce((sum, { shape }) => sum + 2 * sizeOf(shape), 0);

/** By the moments of the picture itself, which are kept: sums by the given number of pixels, for the graph does not know how large the picture is. */
export function measuringNormal(): { normal: Normal; measured: Tensor[] } {
  const share = input('share', [1]);
  const measured: Tensor[] = [];
  const normal: Normal = (x, reduction, scale, shift) => {
    const part = mul(share, reduction ** 2);
    const mean = mul(acrossPixels(sumKeep(x, [2, 3]), scale), part);
    const apart = sub(x, overPixels(mean, x));
    const variance = mul(acrossPixels(sumKeep(square(apart), [2, 3]), scale), part);
    measured.push(mean, variance);
    return add(mul(apart, overPixels(mul(toUnit(variance), scale), x)), overPixels(shift, x));
  };
  return { normal, measured };
}

/** A value a channel, [1, c, 1, 1], for a picture at half its sides whose channels are so many pixels' of c each. */
function overPixels(values: Tensor, x: Tensor): Tensor {
  const pixels = x.extent(1) / values.size;
  return pixels === 1 ? values : concat(Array.from({ length: pixels }, () => values), 1);
}

/** Sums a channel of such a picture, of its pixels together, as large as `like`. */
function acrossPixels(sums: Tensor, like: Tensor): Tensor {
  const count = like.size;
  return Array.from({ length: sums.size / count }, (_, i) => sliceAxis(sums, 1, i * count, count)).reduce((a, b) => add(a, b));
}
