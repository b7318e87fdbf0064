// The reference networks of ../../../shared/peers/torch_gan_step.py, layer for layer, in this engine's primitives. They
// exist for the comparison alone: what Zeuxis trains is in packages/nets.

import {
  add,
  averageDown,
  convTranspose,
  div,
  enlarge,
  input,
  leakyRelu,
  meanKeep,
  mul,
  relu,
  resample,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
  tanh,
} from '@zeuxis/graph';
import { bias, convolution, type Discriminator, type Gan, type Generator, linear, Network, type Weights } from '@zeuxis/nets';

export const PEERS = ['strided', 'residual'] as const;
export type Peer = (typeof PEERS)[number];
const SIZE = 64;
const STRIDED = [256, 192, 96, 48];
const RESIDUAL = [192, 128, 96, 48, 24];

type Norm = (p: Weights, name: string, x: Tensor) => Tensor;

/** Batch norm in training: the batch's own mean and (biased) variance. The running averages for inference are not kept. */
function trainingNorm(p: Weights, name: string, x: Tensor): Tensor {
  const shape = [1, x.extent(1), 1, 1];
  const centred = sub(x, meanKeep(x, [0, 2, 3]));
  const deviation = sqrt(add(meanKeep(square(centred), [0, 2, 3]), 1e-5));
  const scale = div(reshape(p.get(`${name}.scale`, [x.extent(1)], 0, 1), shape), deviation);
  return add(mul(centred, scale), reshape(p.get(`${name}.shift`, [x.extent(1)], 0), shape));
}

/** Batch norm in inference: a scale and a shift a channel, into which the running averages are folded. */
export function inferenceNorm(p: Weights, name: string, x: Tensor): Tensor {
  const shape = [1, x.extent(1), 1, 1];
  const scale = reshape(p.get(`${name}.scale`, [x.extent(1)], 0, 1), shape);
  return add(mul(x, scale), reshape(p.get(`${name}.shift`, [x.extent(1)], 0), shape));
}

/** Transposed convolution 4x4, stride 2. */
const upConvolution = (p: Weights, name: string, x: Tensor, out: number): Tensor =>
  convTranspose(x, p.get(`${name}.weight`, [x.extent(1), out, 4, 4], 1 / Math.sqrt(x.extent(1) * 4)), { stride: 2, padding: 1 });

const stridedGenerator = (norm: Norm): Generator => (p, z) => {
  let x = reshape(linear(p, 'base', z, STRIDED[0]! * 16), [z.extent(0), STRIDED[0]!, 4, 4]);
  x = relu(norm(p, 'norm0', x));
  for (const [i, width] of STRIDED.slice(1).entries()) x = relu(norm(p, `norm${i + 1}`, upConvolution(p, `up${i}`, x, width)));
  return tanh(bias(p, 'rgb', upConvolution(p, 'rgb', x, 3)));
};

const stridedDiscriminator: Discriminator = (p, x) => {
  let y = x;
  for (const [i, width] of [...STRIDED].reverse().entries())
    y = leakyRelu(bias(p, `down${i}`, convolution(p, `down${i}`, y, width, 4, { stride: 2, padding: 1 })));
  return reshape(linear(p, 'logit', reshape(y, [x.extent(0), -1]), 1), [x.extent(0)]);
};

const same = (p: Weights, name: string, x: Tensor, width: number, kernel: number) =>
  bias(p, name, convolution(p, name, x, width, kernel, { padding: (kernel - 1) / 2 }));

/** x + conv3(act(conv3(act(x)))) */
const block = (p: Weights, name: string, x: Tensor) => {
  const inner = same(p, `${name}.a`, leakyRelu(x), x.extent(1), 3);
  return add(x, same(p, `${name}.b`, leakyRelu(inner), x.extent(1), 3));
};

const residualGenerator: Generator = (p, z) => {
  let x = reshape(linear(p, 'base', z, RESIDUAL[0]! * 16), [z.extent(0), RESIDUAL[0]!, 4, 4]);
  for (const [i, width] of RESIDUAL.entries()) {
    if (i > 0) {
      const wide = same(p, `widen${i}`, x, width, 1);
      x = enlarge(wide);
    }
    x = block(p, `block${i}`, x);
  }
  return same(p, 'rgb', leakyRelu(x), 3, 3);
};

const residualDiscriminator: Discriminator = (p, x) => {
  const widths = [...RESIDUAL].reverse();
  let y = same(p, 'rgb', x, widths[0]!, 3);
  for (const [i, width] of widths.entries()) {
    if (i > 0) y = same(p, `widen${i}`, resample(y, averageDown(y.extent(2)), averageDown(y.extent(2))), width, 1);
    y = block(p, `block${i}`, y);
  }
  return reshape(linear(p, 'logit', reshape(leakyRelu(y), [x.extent(0), -1]), 1), [x.extent(0)]);
};

/** A pair as the trainer takes it, without classes; its generator for training or for inference. */
export function peerGan(peer: Peer, norm: Norm = trainingNorm): Gan {
  const [g, d] = peer === 'strided' ? [stridedGenerator(norm), stridedDiscriminator] : [residualGenerator, residualDiscriminator];
  return {
    shape: { preset: 'fast', size: SIZE, classes: 0 },
    generator: new Network(g, [input('z', [1, 64]), undefined as Tensor | undefined]),
    discriminator: new Network(d, [input('x', [1, 3, SIZE, SIZE]), undefined as Tensor | undefined]),
  };
}
