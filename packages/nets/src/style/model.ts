// A trained style as a model file that any ONNX program can run, and as a network of convolutions alone, for one picture's tiles.

import { add, compile, concat, constant, input, mul, readConstants, square, sub, sumKeep, type Tensor } from '@zeuxis/graph';
import { EPSILON, GRAIN, NOISE, type Normal, type StyleNetwork, standardised } from './network.js';

const inputs = () => ({ photograph: input('photograph', [1, 3, 16, 16]), noise: input('noise', [1, NOISE, 16 / GRAIN, 16 / GRAIN]), strength: input('strength', [1]) });

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w).
 * Outputs: `painted` float32 [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the mean and variance of every channel of every layer,
 * which `paintingModel` takes. Its weights are constants by their names in the network's table, which `styleWeights` reads back.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { photograph, noise, strength } = inputs();
  const share = input('share', [1]);
  const measured: Tensor[] = [];
  // Sums by the given number of pixels, for the graph does not know how large the picture is.
  const normal: Normal = (_name, x, reduction) => {
    const part = mul(share, reduction ** 2);
    const mean = mul(sumKeep(x, [2, 3]), part);
    const variance = mul(sumKeep(square(sub(x, mean)), [2, 3]), part);
    measured.push(mean, variance);
    return standardised(x, mean, variance);
  };
  const painted = painter.build(painter.freeze(weights), photograph, noise, strength, normal);
  return compile({ painted, measured: concat(measured, 1) }, { openSides: true, metadata }).bytes;
}

/** The weights of a style's model file; undefined where it is of another network than this version's. @throws Error 'this is no ONNX file' */
export const styleWeights = (painter: StyleNetwork, file: Uint8Array): Float32Array | undefined => painter.thaw(readConstants(file));

/**
 * A style that takes the moments of every picture to be those given, `measured` of `styleModel`: inputs and outputs as there, without `share` and `measured`.
 * Normalisation by known moments is a factor and a summand a channel, which ONNX Runtime works into the convolutions before it: what is left are
 * convolutions alone, at half the time and memory.
 * @param moments k values.
 */
export function paintingModel(painter: StyleNetwork, weights: Float32Array, moments: Float32Array): Uint8Array {
  const { photograph, noise, strength } = inputs();
  let at = 0;
  const next = (count: number) => {
    at += count;
    return moments.subarray(at - count, at);
  };
  const normal: Normal = (_name, x) => {
    const shape = [1, x.extent(1), 1, 1];
    const mean = next(x.extent(1));
    const factor = next(x.extent(1)).map((variance) => 1 / Math.sqrt(variance + EPSILON));
    return add(mul(x, constant(factor, shape)), constant(factor.map((value, i) => -value * mean[i]!), shape));
  };
  const painted = painter.build(painter.freeze(weights), photograph, noise, strength, normal);
  return compile({ painted }, { openSides: true }).bytes;
}
