// Bodies for an upscaler that were weighed against one another: head, join, tail and the repeated pixels are the product's; only
// what lies between differs. Each has about as many weights in its convolutions as the product's at x4.

import { add, addBias, concat, input, leakyRelu, mul, pixelShuffle, relu, sigmoid, sub, type Tensor } from '@zeuxis/graph';
import { composedNetwork, convolution, Network, type Upscaler, type UpscalerShape, uncomposed, type Weights } from '@zeuxis/nets';

const GAIN = Math.SQRT2;
const SLOPE = 0.1;
const plain = (p: Weights, name: string, x: Tensor, out: number, gain: number): Tensor =>
  addBias(convolution(p, name, x, out, 3, { padding: 1, gain }), p.get(`${name}.bias`, [out], 0));

interface Body {
  /** What it is, in the table. */
  title: string;
  blocks: number;
  /** Convolutions in a block. */
  depth: number;
  block(p: Weights, name: string, y: Tensor): Tensor;
  /** Whether the kernels are of several ways in training. */
  composed?: true;
}

/** Convolutions one after another, each activated; the last of a block starts small. */
function chain(p: Weights, name: string, y: Tensor, depth: number, last = true): Tensor {
  let z = y;
  for (let k = 0; k < depth; k++) {
    const end = k === depth - 1;
    z = plain(p, `${name}.${k}`, z, y.extent(1), end ? 0.3 : GAIN);
    if (!end || last) z = leakyRelu(z, SLOPE);
  }
  return z;
}

const THREE: Body = { title: 'blocks of three, activated at the end', blocks: 4, depth: 3, block: (p, name, y) => add(y, chain(p, name, y, 3)) };

export const BODIES: Record<string, Body> = {
  three: THREE,
  two: { title: "blocks of two, EDSR's", blocks: 6, depth: 2, block: (p, name, y) => add(y, chain(p, name, y, 2, false)) },
  composed: { ...THREE, title: "of three, every kernel composed of ECBSR's five ways (kept)", composed: true },
  gated: {
    title: "of three, with SPAN's gate without weights",
    blocks: 4,
    depth: 3,
    block: (p, name, y) => {
      const z = chain(p, name, y, 3, false);
      return mul(add(y, z), sub(sigmoid(z), 0.5));
    },
  },
  attentive: {
    title: "of three, with PAN's attention of pixels",
    blocks: 4,
    depth: 3,
    block: (p, name, y) => {
      const z = chain(p, name, y, 3);
      const gate = addBias(convolution(p, `${name}.gate`, z, z.extent(1), 1), p.get(`${name}.gate.bias`, [z.extent(1)], 0));
      return add(y, mul(z, mul(sigmoid(gate), 2)));
    },
  },
  straight: {
    title: 'twelve convolutions straight on, no residual',
    blocks: 12,
    depth: 1,
    block: (p, name, y) => relu(plain(p, name, y, y.extent(1), GAIN)),
  },
};

const WIDTH = 48;

/** The product's `best` network with another body. */
export function withBody({ blocks, depth, block, composed }: Body, shape: UpscalerShape): Upscaler {
  const { scale, channels } = shape;
  const build = (p: Weights, x: Tensor): Tensor => {
    const head = plain(p, 'head', x, WIDTH, 1.5);
    let y = head;
    for (let i = 0; i < blocks; i++) y = block(p, `block${i}`, y);
    const joined = add(plain(p, 'join', y, WIDTH, 0.5), head);
    const detail = plain(p, 'tail', joined, channels * scale ** 2, 0.2);
    return pixelShuffle(add(detail, concat(Array.from({ length: scale ** 2 }, () => x), 1)), scale);
  };
  const sample = input('small', [1, channels, 8, 8]);
  const network = new Network(build, [sample]);
  const training = composed ? composedNetwork(network, /^block.*weight$/, sample) : uncomposed(network);
  return { shape, network, training, margin: 3 + depth * blocks };
}
