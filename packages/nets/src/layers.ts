// Layers: functions from weights and a tensor to a tensor. Initialisation follows He et al. (2015): a deviation of
// gain / sqrt(fan in), with the gain sqrt(2 / (1 + slope^2)) of the leaky ReLU that follows.

import { add, addBias, type ConvolutionOptions, conv, convTranspose, matmul, matrix, pad, resample, type Tensor } from '@zeuxis/graph';
import type { Weights } from './network.js';

export const SLOPE = 0.2;
/** He's gain for a leaky ReLU of slope 0.2. */
export const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));

/** A bias a channel for pictures [n, c, h, w]. */
export const bias = (p: Weights, name: string, x: Tensor): Tensor => addBias(x, p.get(`${name}.bias`, [x.extent(1)], 0));

/** x [n, in] -> [n, out]. */
export function linear(p: Weights, name: string, x: Tensor, out: number, gain = 1, withBias = true): Tensor {
  const y = matmul(x, p.get(`${name}.weight`, [x.extent(1), out], gain / Math.sqrt(x.extent(1))));
  return withBias ? add(y, p.get(`${name}.bias`, [out], 0)) : y;
}

/** Convolution of pictures without bias; weight [out, in / groups, k, k]. */
export function convolution(
  p: Weights,
  name: string,
  x: Tensor,
  out: number,
  kernel: number,
  options: ConvolutionOptions & { gain?: number } = {},
): Tensor {
  const { gain = 1, ...rest } = options;
  const inner = x.extent(1) / (options.groups ?? 1);
  const deviation = gain / Math.sqrt(inner * kernel * kernel);
  return conv(x, p.get(`${name}.weight`, [out, inner, kernel, kernel], deviation), rest);
}

/** The means of `side` by `side` pixels: x [n, c, h, w] -> [n, c, h / side, w / side]. */
export function boxDown(x: Tensor, side: number): Tensor {
  if (side === 1) return x;
  const means = (n: number) => matrix(n / side, n, (i, j) => (Math.floor(j / side) === i ? 1 / side : 0));
  return resample(x, means(x.extent(2)), means(x.extent(3)));
}

/**
 * Doubles the sides: every pixel is repeated, and a 3x3 convolution follows, which unlike a free transposed convolution
 * prints no chessboard on the picture (Odena et al., 2016). The two are one transposed convolution of stride 2 whose
 * 4x4 kernel is the 3x3 one smeared over two by two, at 16 products a pixel instead of 36; weight [in, out, 3, 3].
 */
export function upConvolution(p: Weights, name: string, x: Tensor, out: number, gain = 1): Tensor {
  const kernel = p.get(`${name}.weight`, [x.extent(1), out, 3, 3], gain / Math.sqrt(x.extent(1) * 9));
  const across = add(pad(kernel, [0, 0, 0, 0], [0, 0, 0, 1]), pad(kernel, [0, 0, 0, 1], [0, 0, 0, 0]));
  const smeared = add(pad(across, [0, 0, 0, 0], [0, 0, 1, 0]), pad(across, [0, 0, 1, 0], [0, 0, 0, 0]));
  return convTranspose(x, smeared, { stride: 2, padding: 1 });
}
