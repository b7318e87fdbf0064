// The `r3` preset: the network of R3GAN (Huang et al., The GAN is dead; long live the GAN, 2024), in widths that a CPU or
// a small GPU can bear. Residual bottlenecks, 1x1 - grouped 3x3 - 1x1, without normalisation; the last layer of each starts at zero and the others
// are scaled down by depth (Zhang et al., Fixup, 2019), so that a network starts as its plain path. Both
// networks end at 4x4 in a learnt basis. About five times the work of `fast`.

import { add, addBias, concat, leakyRelu, type Matrix, matmul, matrix, mul, resample, reshape, sum, type Tensor } from '@zeuxis/graph';
import { convolution, GAIN, linear } from '../layers.js';
import type { Weights } from '../network.js';
import type { Discriminator, Generator } from './networks.js';

/** Channels at a picture side. */
const WIDTHS: Record<number, number> = { 4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 16 };
const BLOCKS = 2;
/** Inner channels of a block for one outer. */
const EXPANSION = 2;
/** Channels of a group in the 3x3 convolution. */
const GROUP = 16;
const EMBEDDING = 64;

/** Residual blocks in a network for pictures of that side: the L of Fixup. */
const depth = (size: number): number => BLOCKS * (Math.log2(size) - 1);

const biasedActivation = (p: Weights, name: string, x: Tensor): Tensor => leakyRelu(addBias(x, p.get(`${name}.bias`, [x.extent(1)], 0)));

function block(p: Weights, name: string, x: Tensor, total: number): Tensor {
  const [outer, inner] = [x.extent(1), x.extent(1) * EXPANSION];
  // Fixup's L^(-1 / (2m - 2)) for m = 3 layers.
  const gain = GAIN * total ** (-1 / 4);
  let y = biasedActivation(p, `${name}.expand`, convolution(p, `${name}.expand`, x, inner, 1, { gain }));
  y = convolution(p, `${name}.grouped`, y, inner, 3, { padding: 1, groups: inner / GROUP, gain });
  y = biasedActivation(p, `${name}.grouped`, y);
  return add(x, convolution(p, `${name}.reduce`, y, outer, 1, { gain: 0 }));
}

const blocks = (p: Weights, side: number, x: Tensor, total: number): Tensor => {
  let y = x;
  for (let i = 0; i < BLOCKS; i++) y = block(p, `at${side}.block${i}`, y, total);
  return y;
};

/** The filter [1, 2, 1], doubled by the step to [1, 3, 3, 1], with zeros beyond the edges: [2n, n]. */
const enlarging = (n: number): Matrix =>
  matrix(2 * n, n, (row, column) => ({ '-1': 0.25, 0: 0.75, 1: 0.75, 2: 0.25 })[String(row - 2 * column)] ?? 0);
const reducing = (n: number): Matrix => {
  const up = enlarging(n / 2);
  return matrix(n / 2, n, (row, column) => up.data[column * (n / 2) + row]! / 2);
};
const halve = (x: Tensor): Tensor => resample(x, reducing(x.extent(2)), reducing(x.extent(3)));
const double = (x: Tensor): Tensor => resample(x, enlarging(x.extent(2)), enlarging(x.extent(3)));

/** A 1x1 convolution where the number of channels changes. */
const widen = (p: Weights, side: number, x: Tensor, channels: number): Tensor =>
  x.extent(1) === channels ? x : convolution(p, `at${side}.widen`, x, channels, 1);

export const r3Generator =
  (size: number): Generator =>
  (p, z, labels) => {
    // He's deviation for a layer whose fan-in is the number of classes.
    const embedded = labels && matmul(labels, p.get('embedding', [labels.extent(1), EMBEDDING], 1 / Math.sqrt(labels.extent(1))));
    const w = embedded ? concat([z, embedded], 1) : z;
    const scales = linear(p, 'base', w, WIDTHS[4]!, 1, false);
    let x = mul(p.get('basis', [1, WIDTHS[4]!, 4, 4], 1), reshape(scales, [z.extent(0), WIDTHS[4]!, 1, 1]));
    x = blocks(p, 4, x, depth(size));
    for (let side = 8; side <= size; side *= 2) x = blocks(p, side, double(widen(p, side, x, WIDTHS[side]!)), depth(size));
    return convolution(p, 'rgb', x, 3, 1);
  };

export const r3Discriminator: Discriminator = (p, x, labels) => {
  const [n, size] = [x.extent(0), x.extent(2)];
  let y = convolution(p, 'rgb', x, WIDTHS[size]!, 1);
  for (let side = size; side > 4; side /= 2) y = widen(p, side, halve(blocks(p, side, y, depth(size))), WIDTHS[side / 2]!);
  y = blocks(p, 4, y, depth(size));
  const basis = sum(mul(y, p.get('basis', [1, WIDTHS[4]!, 4, 4], 1 / 4)), [2, 3]);
  if (!labels) return reshape(linear(p, 'logit', basis, 1, 1, false), [n]);
  const features = linear(p, 'logit', basis, EMBEDDING, 1, false);
  const deviation = 1 / Math.sqrt(EMBEDDING * labels.extent(1));
  return sum(mul(features, matmul(labels, p.get('embedding', [labels.extent(1), EMBEDDING], deviation))), [1]);
};
