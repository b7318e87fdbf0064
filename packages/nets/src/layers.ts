// Layers: functions from weights and a tensor to a tensor. Initialisation follows He et al. (2015): a deviation of
// gain / sqrt(fan in), with the gain sqrt(2 / (1 + slope^2)) of the leaky ReLU that follows.

import { add, type ConvolutionOptions, conv, convTranspose, matmul, reshape, type Tensor } from '@zeuxis/graph';
import type { Weights } from './network.js';

export const SLOPE = 0.2;
/** He's gain for a leaky ReLU of slope 0.2. */
export const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));

/** A bias a channel for pictures [n, c, h, w]. */
export const bias = (p: Weights, name: string, x: Tensor): Tensor =>
  add(x, reshape(p.get(`${name}.bias`, [x.extent(1)], 0), [1, x.extent(1), 1, 1]));

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

/** Transposed convolution 4x4, stride 2: doubles the sides; weight [in, out, 4, 4], four taps a pixel. */
export function upConvolution(p: Weights, name: string, x: Tensor, out: number, gain = 1): Tensor {
  const deviation = gain / Math.sqrt(x.extent(1) * 4);
  return convTranspose(x, p.get(`${name}.weight`, [x.extent(1), out, 4, 4], deviation), { stride: 2, padding: 1 });
}
