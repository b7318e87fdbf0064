// The `fast` preset: strided 4x4 convolutions (Radford et al., DCGAN, 2016) without normalisation. The generator's
// layers are scaled and shifted by the latent (as in Karras et al., StyleGAN, 2019), which costs next to nothing and
// lets a small network change what it draws at every scale, and each adds its part to an enlarged sum of the pictures
// before it (Karras et al., StyleGAN2, 2020), so that large shapes come first and stay. The discriminator judges by
// projection on the label (Miyato and Koyama, 2018).

import { add, concat, enlarge, leakyRelu, matmul, mul, reshape, sum, type Tensor } from '@zeuxis/graph';
import { bias, convolution, GAIN, linear, upConvolution } from '../layers.js';
import type { Weights } from '../network.js';
import type { Discriminator, Generator } from './networks.js';

/** Channels at a side, for pictures of 64 px and more. */
const WIDTHS: Record<number, number> = { 4: 256, 8: 192, 16: 96, 32: 48, 64: 24, 128: 16, 256: 8 };
/** Pictures of 32 px have half the channels: they are for previews, and train four times as fast with them. */
const width = (side: number, size: number): number => WIDTHS[side]! / (size === 32 ? 2 : 1);
const EMBEDDING = 64;
const FEATURES = 128;

const activate = (x: Tensor) => leakyRelu(x);

/** x (1 + scale(w)) + shift(w), a channel each. */
function modulate(p: Weights, name: string, x: Tensor, w: Tensor): Tensor {
  const channels = x.extent(1);
  const shape = [x.extent(0), channels, 1, 1];
  const scale = add(linear(p, `${name}.scale`, w, channels, 0.5), 1);
  return add(mul(x, reshape(scale, shape)), reshape(linear(p, `${name}.shift`, w, channels, 0.2), shape));
}

export const fastGenerator =
  (size: number): Generator =>
  (p, z, labels) => {
    const w = labels ? concat([z, matmul(labels, p.get('embedding', [labels.extent(1), EMBEDDING], 1))], 1) : z;
    let x = reshape(linear(p, 'base', w, width(4, size) * 16, GAIN), [z.extent(0), width(4, size), 4, 4]);
    x = activate(x);
    let picture: Tensor | undefined;
    for (let side = 8; side <= size; side *= 2) {
      x = upConvolution(p, `up${side}`, x, width(side, size), GAIN);
      x = activate(modulate(p, `style${side}`, x, w));
      const part = bias(p, `rgb${side}`, convolution(p, `rgb${side}`, x, 3, side < size ? 1 : 3, { padding: side < size ? 0 : 1, gain: 0.1 }));
      picture = picture ? add(enlarge(picture), part) : part;
    }
    return picture!;
  };

export const fastDiscriminator: Discriminator = (p, x, labels) => {
  const size = x.extent(2);
  let y = x;
  for (let side = size / 2; side >= 4; side /= 2) {
    y = convolution(p, `down${side}`, y, width(side, size), 4, { stride: 2, padding: 1, gain: GAIN });
    y = activate(bias(p, `down${side}`, y));
  }
  const n = x.extent(0);
  if (!labels) return reshape(linear(p, 'logit', reshape(y, [n, -1]), 1), [n]);
  const features = linear(p, 'features', reshape(y, [n, -1]), FEATURES);
  const direction = matmul(labels, p.get('classes', [labels.extent(1), FEATURES], 1 / Math.sqrt(FEATURES)));
  const common = reshape(p.get('common', [FEATURES], 1 / Math.sqrt(FEATURES)), [1, FEATURES]);
  return sum(mul(features, add(direction, common)), [1]);
};
