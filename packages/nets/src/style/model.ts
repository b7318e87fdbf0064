// A trained style as a model file that any ONNX program can run, and as the two networks that paint one picture by tiles: one measures it, the
// other takes what was measured as given.

import { add, addBias, affine, compile, compileEither, concat, constant, conv, inner, input, mul, pixelShuffle, readConstants, relu, sizeOf, sliceAxis, square, sub, sumKeep, type Target, type Tensor, tanh } from '@zeuxis/graph';
import type { Weights } from '../network.js';
import { enlargingKernel, shuffledKernel } from './halved.js';
import { EPSILON, entered, GRAIN, NOISE, type Normal, paintHalf, type StyleNetwork, toUnit, WAY_OUT, WIDTHS } from './network.js';

/** Sides of a picture as graphs are written, which leave them open: more than two edges. */
const SIDE = 256;
const inputs = () => ({ photograph: input('photograph', [1, 3, SIDE, SIDE]), noise: input('noise', [1, NOISE, SIDE / GRAIN, SIDE / GRAIN]), strength: input('strength', [1]) });

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w).
 * Outputs: `painted` float32 [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the mean and variance of every channel of every layer,
 * of which `normalisation` makes what `tiledModel` takes. Its weights are constants by their names in the network's table, which `styleWeights` reads back.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { photograph, noise, strength } = inputs();
  const { normal, measured } = measuringNormal();
  const painted = painter.build(painter.freeze(weights), photograph, noise, strength, normal);
  return compile({ painted, measured: concat(measured, 1) }, { openSides: true, metadata }).bytes;
}

/** The weights of a style's model file; undefined where it is of another network than this version's. @throws Error 'this is no ONNX file' */
export const styleWeights = (painter: StyleNetwork, file: Uint8Array): Float32Array | undefined => painter.thaw(readConstants(file));

/**
 * The two networks that paint one picture by tiles, at one strength, in one file that is run at once and not kept. Inputs: `photograph` and `noise` as of `styleModel`, and `measure`
 * float32 [1], which says what `made` is to be:
 * - 1: `measured` of `styleModel` by itself; `share` as there. The outermost four pixels count otherwise in the last two layers.
 * - 0: `painted` of `styleModel` by known moments: `channels`, float32 [k], of `normalisation`. A factor and a summand a channel go into
 *   the convolution before them: what is left are convolutions alone, at less than half the time and memory. What sees the edges comes out otherwise. The outermost `edge` pixels are left out,
 *   an even number: what a tile's surroundings become need not be brought anywhere.
 *
 * What one does not read may hold anything.
 */
export function tiledModel(painter: StyleNetwork, weights: Float32Array, strength: number, target: Target = {}, edge = 0): Uint8Array {
  const { photograph, noise } = inputs();
  const frozen = painter.freeze(weights);
  const through = throughHalves(painter, frozen, weights, noise, strength);
  const { normal, measured } = measuringNormal();
  through(entered(frozen, photograph, true), normal);
  const painted = through(enteredAsItIs(painter, weights, photograph), givenNormal(input('channels', [momentsOf(painter)])), edge);
  return compileEither('measure', 'made', [concat(measured, 1), painted], { openSides: true, ...target }).bytes;
}

/** `entered` without a pass over the picture before it: the outermost two pixels come out otherwise. */
function enteredAsItIs(painter: StyleNetwork, weights: Float32Array, photograph: Tensor): Tensor {
  const { shape, offset } = entryOf(painter, 'in.weight');
  const kernel = weights.slice(offset, offset + sizeOf(shape));
  const sums = new Float32Array(shape[0]!);
  kernel.forEach((value, i) => { sums[Math.floor((i * sums.length) / kernel.length)]! -= value; });
  return addBias(conv(photograph, constant(kernel.map((value) => 2 * value), shape), { padding: 2 }), constant(sums, [sums.length]));
}

/** By given factors and summands. */
function givenNormal(given: Tensor): Normal {
  let at = 0;
  return (x, _reduction, scale) => {
    const next = (): Tensor => {
      const channels = sliceAxis(given, 0, (at += scale.size) - scale.size, scale.size);
      return concat(Array.from({ length: x.extent(1) / scale.size }, () => channels), 0);
    };
    return affine(x, next(), next());
  };
}

/** What normalisation by given moments, of `measured`, multiplies each channel by and adds to it, layer by layer; the last at a strength, as `throughHalves` has it. */
export function normalisation(painter: StyleNetwork, weights: Float32Array, strength: number, moments: Float32Array): Float32Array {
  const out = new Float32Array(moments.length);
  let at = 0;
  for (const { name, shape, offset } of painter.table) {
    if (!name.endsWith('.scale')) continue;
    const layer = name.slice(0, -'.scale'.length);
    const count = sizeOf(shape);
    const shift = entryOf(painter, `${layer}.shift`).offset;
    const gain = layer === 'out' ? strength : 1;
    for (let c = 0; c < count; c++) {
      const factor = (gain * weights[offset + c]!) / Math.sqrt(moments[at + count + c]! + EPSILON);
      out[at + c] = factor;
      out[at + count + c] = gain * weights[shift + c]! - factor * moments[at + c]!;
    }
    at += 2 * count;
  }
  return out;
}

/** How many values `measured` has: a mean and a variance for each channel that has a scale. */
export const momentsOf = (painter: StyleNetwork): number => painter.table.filter(({ name }) => name.endsWith('.scale')).reduce((sum, { shape }) => sum + 2 * sizeOf(shape), 0);

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

/**
 * `paint` from `entered` on, with its last two convolutions at half the picture's sides (halved.ts), as a function of how it is normalised and how many px of its edges are left out:
 * whatever else is the same is there once.
 * Their normalisations have four times the channels of what was learned.
 */
function throughHalves(painter: StyleNetwork, frozen: Weights, weights: Float32Array, noise: Tensor, strength: number): (first: Tensor, normal: Normal, edge?: number) => Tensor {
  const part = (name: string) => frozen.get(name, entryOf(painter, name).shape, 0);
  const learned = (name: string, gain = 1) => [mul(part(`${name}.scale`), gain), mul(part(`${name}.shift`), gain)] as const;
  const values = (name: string) => {
    const { shape, offset } = entryOf(painter, name);
    return weights.subarray(offset, offset + sizeOf(shape));
  };
  const [full, half] = WIDTHS;
  const [up, out] = [constant(enlargingKernel(values('up1.weight'), full, half), [4 * full, half, 3, 3]), constant(shuffledKernel(values('out.weight'), 3, full), [4 * 3, 4 * full, 3, 3])];
  const dial = constant([strength], [1]);
  return (first, normal, edge = 0) => {
    // As much as may be before the way out, which is then the shorter.
    const early = Math.max(0, Math.floor((edge - WAY_OUT) / GRAIN));
    const halved = paintHalf(frozen, first, noise, dial, normal, early);
    const y = relu(normal(conv(halved, up, { padding: 1 }), 1, ...learned('up1')));
    const raw = conv(y, out, { padding: 1 });
    const normalised = normal(raw, 1, ...learned('out', strength));
    const made = strength === 1 ? normalised : add(mul(raw, 1 - strength), normalised);
    return pixelShuffle(add(mul(tanh(inner(made, (edge - GRAIN * early) / 2)), 0.5), 0.5), 2);
  };
}
