// A trained style as a model file that any ONNX program can run, and as the two networks that paint one picture by tiles: one measures it, the
// other takes what was measured as given.

import { add, compile, concat, constant, conv, input, mul, pixelShuffle, readConstants, relu, sizeOf, sliceAxis, square, sub, sumKeep, type Tensor, tanh } from '@zeuxis/graph';
import { enlargingKernel, shuffledKernel } from './halved.js';
import { EPSILON, GRAIN, NOISE, type Normal, paintHalf, type StyleNetwork, toUnit, WIDTHS } from './network.js';

const inputs = () => ({ photograph: input('photograph', [1, 3, 16, 16]), noise: input('noise', [1, NOISE, 16 / GRAIN, 16 / GRAIN]), strength: input('strength', [1]) });

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w).
 * Outputs: `painted` float32 [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the mean and variance of every channel of every layer,
 * which `paintingModel` takes. Its weights are constants by their names in the network's table, which `styleWeights` reads back.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { photograph, noise, strength } = inputs();
  const { normal, measured } = measuringNormal();
  const painted = painter.build(painter.freeze(weights), photograph, noise, strength, normal);
  return compile({ painted, measured: concat(measured, 1) }, { openSides: true, metadata }).bytes;
}

/** The weights of a style's model file; undefined where it is of another network than this version's. @throws Error 'this is no ONNX file' */
export const styleWeights = (painter: StyleNetwork, file: Uint8Array): Float32Array | undefined => painter.thaw(readConstants(file));

/** `measured` of `styleModel` alone, at one strength: inputs as there, without `strength`. The outermost four pixels count otherwise in the last two layers. */
export function measuringModel(painter: StyleNetwork, weights: Float32Array, strength: number, kernels = halvedKernels(painter, weights)): Uint8Array {
  const { photograph, noise } = inputs();
  const { normal, measured } = measuringNormal();
  paintHalved(painter, weights, kernels, photograph, noise, strength, normal);
  return compile({ measured: concat(measured, 1) }, { openSides: true }).bytes;
}

/**
 * A style that takes the moments of every picture to be those given, `measured` of `styleModel`, and paints at one strength: inputs and outputs as there, without `strength`, `share`
 * and `measured`. Normalisation by known moments is a factor and a summand a channel, which ONNX Runtime works into the convolutions before it: what is left are
 * convolutions alone, at less than half the time and memory. The outermost four pixels come out otherwise.
 * @param moments k values.
 */
export function paintingModel(painter: StyleNetwork, weights: Float32Array, moments: Float32Array, strength: number, kernels = halvedKernels(painter, weights)): Uint8Array {
  const { photograph, noise } = inputs();
  let at = 0;
  const next = (count: number) => {
    at += count;
    return moments.subarray(at - count, at);
  };
  const normal: Normal = (x, _reduction, scale, shift) => {
    const count = scale.size;
    const [mean, variance] = [constant(next(count), scale.shape), next(count)];
    const factor = mul(constant(variance.map((value) => 1 / Math.sqrt(value + EPSILON)), scale.shape), scale);
    return add(mul(x, overPixels(factor, x)), overPixels(sub(shift, mul(factor, mean)), x));
  };
  return compile({ painted: paintHalved(painter, weights, kernels, photograph, noise, strength, normal) }, { openSides: true }).bytes;
}

/** By the moments of the picture itself, which are kept: sums by the given number of pixels, for the graph does not know how large the picture is. */
function measuringNormal(): { normal: Normal; measured: Tensor[] } {
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

const entryOf = (painter: StyleNetwork, name: string) => painter.table.find((weight) => weight.name === name)!;

/** Kernels of the last two convolutions at half a picture's sides: one painter's graphs share them. */
export interface HalvedKernels {
  up: Float32Array;
  out: Float32Array;
}

export function halvedKernels(painter: StyleNetwork, weights: Float32Array): HalvedKernels {
  const part = (name: string) => {
    const { shape, offset } = entryOf(painter, name);
    return { width: shape[1]!, values: weights.subarray(offset, offset + sizeOf(shape)) };
  };
  const [full] = WIDTHS;
  const [up, out] = [part('up1.weight'), part('out.weight')];
  return { up: enlargingKernel(up.values, full, up.width), out: shuffledKernel(out.values, 3, full) };
}

/** `paint`, with its last two convolutions at half the picture's sides (halved.ts). Their normalisations have four times the channels of what was learned. */
function paintHalved(painter: StyleNetwork, weights: Float32Array, kernels: HalvedKernels, photograph: Tensor, noise: Tensor, strength: number, normal: Normal): Tensor {
  const frozen = painter.freeze(weights);
  const part = (name: string) => frozen.get(name, entryOf(painter, name).shape, 0);
  const learned = (name: string, gain = 1) => [mul(part(`${name}.scale`), gain), mul(part(`${name}.shift`), gain)] as const;
  const convolved = (x: Tensor, kernel: Float32Array, out: number) => conv(x, constant(kernel, [out, x.extent(1), 3, 3]), { padding: 1 });
  const half = paintHalf(frozen, photograph, noise, constant([strength], [1]), normal);
  const [full] = WIDTHS;
  const up = convolved(half, kernels.up, 4 * full);
  const y = relu(normal(up, 1, ...learned('up1')));
  const raw = convolved(y, kernels.out, 4 * 3);
  const normalised = normal(raw, 1, ...learned('out', strength));
  const made = strength === 1 ? normalised : add(mul(raw, 1 - strength), normalised);
  return pixelShuffle(add(mul(tanh(made), 0.5), 0.5), 2);
}
