// A style as it paints one picture by tiles: one network measures the picture, and the other takes what was measured as given.

import { add, addBias, compileEither, concat, constant, conv, type Feeds, floats, inner, input, mul, pixelShuffle, relu, sizeOf, type Target, type Tensor, tanh, vector } from '@zeuxis/graph';
import type { Weights } from '../network.js';
import { enlargingKernel, shuffledKernel } from './halved.js';
import { pictureInputs, TypicalMoments } from './model.js';
import { EPSILON, type Normal, openSides } from './moments.js';
import { EASED, entered, GRAIN, normalised, paintHalf, type StyleNetwork, WAY_OUT, WIDTHS } from './network.js';

export interface TiledStyle {
  /**
   * Two networks in one file that is run at once and not kept. Inputs: `photograph` and `noise` as of `styleModel`, and what `measuring` or `paintingBy` gives, which say what `made` is:
   * - `measured` of `styleModel` by itself. The outermost four pixels count otherwise in the last two layers.
   * - `painted` of `styleModel` by known moments: each channel has a factor and a summand that go into kernels and biases, and what is left are convolutions alone, at less than half the time and memory. What sees
   *   the edges comes out otherwise. The outermost `edge` pixels are left out: what a tile's surroundings become need not be brought anywhere.
   */
  model: Uint8Array;
  /** @param pixels of the picture that is measured. */
  measuring(pixels: number): Feeds;
  /** @param moments of `measured`. */
  paintingBy(moments: Float32Array): Feeds;
}

/** A style at one strength, for one device. @param strength 0 to 1. @param edge an even number of px. */
export function tiledStyle(painter: StyleNetwork, weights: Float32Array, strength: number, target: Target = {}, edge = 0): TiledStyle {
  const frozen = painter.freeze(weights);
  const layers = layersOf(painter, weights, frozen, strength);
  const { photograph, noise } = pictureInputs();
  const ease = strength < 1 ? constant([1 - strength], [1]) : undefined;
  const either = [measured(frozen, layers, photograph, noise, ease), painted(layers, photograph, noise, edge)] as const;
  const { bytes: model } = compileEither('measure', 'made', either, { openSides: true, ...target });
  const feeds = (moments: Float32Array, measure: 0 | 1, share: number): Feeds => ({ ...normalising(layers, moments), measure: floats([measure], [1]), share: floats([share], [1]) });
  // What measuring does not read may hold anything.
  const unknown = new Float32Array(new TypicalMoments(painter).count);
  return { model, measuring: (pixels) => feeds(unknown, 1, 1 / pixels), paintingBy: (moments) => feeds(moments, 0, 0) };
}

/** A convolution as tiles pass through it, and the normalisation after it. */
interface Layer {
  kernel: Tensor;
  /** What a picture of ones makes of each output's kernel, in the layer that sees pictures from 0 to 1 in place of -1 to 1. */
  ones?: Float32Array;
  /** As learned for the strength, by the channel: the last two layers have four outputs to one. */
  scale: Float32Array;
  shift: Float32Array;
}
type Layers = ReadonlyMap<string, Layer>;

/** By their names, in the order of their moments. The last two are at half the picture's sides (halved.ts). */
function layersOf(painter: StyleNetwork, weights: Float32Array, frozen: Weights, strength: number): Layers {
  const [full, half] = WIDTHS;
  const entryOf = (name: string) => painter.table.find((weight) => weight.name === name)!;
  const valuesOf = (name: string) => {
    const { shape, offset } = entryOf(name);
    return weights.subarray(offset, offset + sizeOf(shape));
  };
  const kernelOf = (name: string): Tensor => {
    if (name === 'up1') return constant(enlargingKernel(valuesOf('up1.weight'), full, half), [4 * full, half, 3, 3]);
    if (name === 'out') return constant(shuffledKernel(valuesOf('out.weight'), 3, full), [4 * 3, 4 * full, 3, 3]);
    return frozen.get(`${name}.weight`, entryOf(`${name}.weight`).shape, 0);
  };
  const ones = new Float32Array(full);
  valuesOf('in.weight').forEach((value, i, { length }) => { ones[Math.floor((i * full) / length)]! += value; });
  const learned = (name: string, what: 'scale' | 'shift') => {
    const eased = valuesOf(`${name}.${EASED}.${what}`);
    return valuesOf(`${name}.${what}`).map((value, c) => value + (1 - strength) * eased[c]!);
  };
  return new Map(painter.table.filter(({ name }) => name.endsWith('.weight')).map(({ name: weight }) => {
    const name = weight.slice(0, -'.weight'.length);
    return [name, { kernel: kernelOf(name), scale: learned(name, 'scale'), shift: learned(name, 'shift'), ...(name === 'in' ? { ones } : {}) }];
  }));
}

/** Mean and variance of every channel of every layer, [1, k, 1, 1]. */
function measured(frozen: Weights, layers: Layers, photograph: Tensor, noise: Tensor, ease: Tensor | undefined): Tensor {
  const { normal, used } = openSides(photograph, input('share', [1]));
  const through = (name: string, x: Tensor): Tensor => normalised(frozen, name, conv(x, layers.get(name)!.kernel, { padding: 1 }), 1, normal, ease);
  through('out', relu(through('up1', paintHalf(frozen, entered(frozen, photograph, true), noise, normal, ease))));
  return concat(used, 1);
}

const factorOf = (layer: string) => `${layer}.factor`;
const summandOf = (layer: string) => `${layer}.summand`;

/** By factors and summands that are fed. */
function painted(layers: Layers, photograph: Tensor, noise: Tensor, edge: number): Tensor {
  const outputs = (name: string) => layers.get(name)!.kernel.extent(0);
  const kernel = (name: string) => mul(layers.get(name)!.kernel, input(factorOf(name), [outputs(name), 1, 1, 1]));
  const summand = (name: string) => input(summandOf(name), [outputs(name)]);
  // What was learned of scale and shift, and what was measured, is in both; nothing else is asked for.
  const layerOf = (weight: string) => weight.slice(0, weight.lastIndexOf('.'));
  const fed: Weights = { get: (name) => (name.endsWith('.weight') ? kernel(layerOf(name)) : name.endsWith('.shift') ? summand(layerOf(name)) : constant(0)) };
  const normal: Normal = (x, _reduction, { shift }) => addBias(x, shift);
  // As much as may be before the way out, which is then the shorter; the rest is px at half the sides.
  const early = Math.max(0, Math.floor((edge - WAY_OUT) / GRAIN));
  const rest = (edge - GRAIN * early) / 2;
  const padding = rest < 2 ? 1 : 0;
  const halved = paintHalf(fed, conv(photograph, kernel('in'), { padding: 2 }), noise, normal, undefined, early);
  const y = relu(addBias(conv(halved, kernel('up1'), { padding }), summand('up1')));
  const raw = addBias(conv(y, kernel('out'), { padding }), summand('out'));
  return pixelShuffle(add(mul(tanh(inner(raw, rest - 2 * (1 - padding))), 0.5), 0.5), 2);
}

/** What each output is multiplied by and what is added, so that channels of given moments have the mean and deviation that were learned. */
function normalising(layers: Layers, moments: Float32Array): Feeds {
  const feeds: Feeds = {};
  let at = 0;
  for (const [name, { kernel, ones, scale, shift }] of layers) {
    const outputs = kernel.extent(0);
    const [factors, summands] = [new Float32Array(outputs), new Float32Array(outputs)];
    for (let o = 0; o < outputs; o++) {
      const c = o % scale.length;
      const factor = scale[c]! / Math.sqrt(moments[at + scale.length + c]! + EPSILON);
      factors[o] = factor;
      summands[o] = shift[c]! - factor * moments[at + c]!;
      if (!ones) continue;
      summands[o]! -= factors[o]! * ones[o]!;
      factors[o]! *= 2;
    }
    feeds[factorOf(name)] = floats(factors, [outputs, 1, 1, 1]);
    feeds[summandOf(name)] = vector(summands);
    at += 2 * scale.length;
  }
  return feeds;
}
