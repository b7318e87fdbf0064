// Bodies for an upscaler that were weighed against one another: head, join, tail and the repeated pixels are the product's; only
// what lies between differs. Each has about as many weights in its convolutions as the product's at x4.

import { add, addBias, compile, concat, constant, floats, input, leakyRelu, matmul, mul, pixelShuffle, relu, reshape, sigmoid, sub, type Tensor, transpose } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { convolution, Network, type Upscaler, type UpscalerShape, type Weights } from '@zeuxis/nets';

const GAIN = Math.SQRT2;
const SLOPE = 0.1;
const plain = (p: Weights, name: string, x: Tensor, out: number, gain: number): Tensor =>
  addBias(convolution(p, name, x, out, 3, { padding: 1, gain }), p.get(`${name}.bias`, [out], 0));

const EDGES = [
  [1, 0, -1, 2, 0, -2, 1, 0, -1],
  [1, 2, 1, 0, 0, 0, -1, -2, -1],
  [0, 1, 0, 1, -4, 1, 0, 1, 0],
].map((kernel) => Float32Array.from(kernel));

/**
 * ECBSR's block (Zhang et al., 2021) in place of each 3x3 kernel of a body: a 3x3 convolution, a 1x1 one to twice the channels followed by
 * a 3x3, and three 1x1 ones each followed by a scaled Sobel or Laplacian kernel a channel, summed. All are linear, so the sum is one
 * 3x3 kernel: composed in the training graph, which costs next to nothing there, and once and for all in the model file.
 */
const composed = (p: Weights): Weights => ({
  get(name, shape, deviation, mean) {
    const [out, width] = shape as [number, number];
    if (!/^block.*weight$/.test(name)) return p.get(name, shape, deviation, mean);
    // Each way starts smaller, so that their sum starts as the plain kernel does.
    const share = (deviation * Math.sqrt(9 * width)) / Math.sqrt(3);
    const wide = 2 * width;
    const before = p.get(`${name}.wide`, [wide, width], 1 / Math.sqrt(width));
    const after = p.get(`${name}.after`, [out, wide, 3, 3], share / Math.sqrt(9 * wide));
    const places = reshape(transpose(after, [0, 2, 3, 1]), [out * 9, wide]);
    let kernel = add(p.get(name, shape, share / Math.sqrt(9 * width)), transpose(reshape(matmul(places, before), [out, 3, 3, width]), [0, 3, 1, 2]));
    for (const [i, edge] of EDGES.entries()) {
      const mixed = p.get(`${name}.edge${i}`, [out, width, 1, 1], share / Math.sqrt(3 * width));
      kernel = add(kernel, mul(mixed, mul(p.get(`${name}.scale${i}`, [out, 1, 1, 1], 0.1), constant(edge, [1, 1, 3, 3]))));
    }
    return kernel;
  },
});

interface Body {
  /** What it is, in the table. */
  title: string;
  blocks: number;
  /** Convolutions in a block. */
  depth: number;
  block(p: Weights, name: string, y: Tensor): Tensor;
  /** What the kernels are made of in training. */
  kernels?: (p: Weights) => Weights;
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

const THREE: Body = { title: 'blocks of three, activated at the end (kept)', blocks: 4, depth: 3, block: (p, name, y) => add(y, chain(p, name, y, 3)) };

export const BODIES: Record<string, Body> = {
  three: THREE,
  two: { title: "blocks of two, EDSR's", blocks: 6, depth: 2, block: (p, name, y) => add(y, chain(p, name, y, 2, false)) },
  composed: { ...THREE, title: "of three, every kernel composed of ECBSR's five ways", kernels: composed },
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
export function withBody({ blocks, depth, block, kernels = (p) => p }: Body, shape: UpscalerShape): Upscaler {
  const { scale, channels } = shape;
  const build = (given: Weights, x: Tensor): Tensor => {
    const p = kernels(given);
    const head = plain(p, 'head', x, WIDTH, 1.5);
    let y = head;
    for (let i = 0; i < blocks; i++) y = block(p, `block${i}`, y);
    const joined = add(plain(p, 'join', y, WIDTH, 0.5), head);
    const detail = plain(p, 'tail', joined, channels * scale ** 2, 0.2);
    return pixelShuffle(add(detail, concat(Array.from({ length: scale ** 2 }, () => x), 1)), scale);
  };
  return { shape, network: new Network(build, [input('small', [1, channels, 8, 8])]), margin: 3 + depth * blocks };
}

/** A trained network with what its kernels were made of put together: the model to be written, and its weights. */
export async function folded(body: Body, upscaler: Upscaler, vector: Float32Array): Promise<{ upscaler: Upscaler; weights: Float32Array }> {
  const { kernels, ...rest } = body;
  if (!kernels) return { upscaler, weights: vector };
  const simple = withBody(rest, upscaler.shape);
  const p = kernels(upscaler.network.bind(input('weights', [upscaler.network.size])).weights);
  const parts = simple.network.table.map(({ name, shape, deviation, mean }) => reshape(p.get(name, shape, deviation, mean), [-1]));
  const session = await openSession(compile({ folded: concat(parts, 0) }));
  const out = await session.run({ weights: floats(vector, [vector.length]) });
  await session.close();
  return { upscaler: simple, weights: out.folded!.data as Float32Array };
}
