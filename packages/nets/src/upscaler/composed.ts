// Kernels of more ways than one, for training (Zhang et al., ECBSR, 2021): beside each 3x3 convolution a 1x1 to twice the channels with a
// 3x3 after it, and three 1x1 that a scaled Sobel or Laplacian kernel a channel follows. All are linear and none has a bias, so that their
// sum is one 3x3 kernel. It is composed in the training graph itself, which costs next to nothing, and once and for all in the model
// file: what runs is the plain network.
//
// At equal time it leads the plain kernels; docs/upscaling.md has the figures.

import { add, type Compiled, compile, concat, constant, floats, input, matmul, mul, reshape, type Session, type Tensor, transpose } from '@zeuxis/graph';
import { Network, type Weights } from '../network.js';

/** Sobel across and down, Laplacian. */
const EDGES = [
  [1, 0, -1, 2, 0, -2, 1, 0, -1],
  [1, 2, 1, 0, 0, 0, -1, -2, -1],
  [0, 1, 0, 1, -4, 1, 0, 1, 0],
];
/** Of the edges' scales at the start. */
const EDGE_DEVIATION = 0.1;

/** A network's weights, of which the 3x3 kernels whose names `which` finds are composed. */
const composed = (p: Weights, which: RegExp): Weights => ({
  get(name, shape, deviation, mean) {
    if (!which.test(name)) return p.get(name, shape, deviation, mean);
    const [out, width] = shape as [number, number];
    // Three kinds of ways: each starts smaller, so that their sum starts as large as the plain kernel does.
    const gain = (deviation * Math.sqrt(9 * width)) / Math.sqrt(3);
    const wide = 2 * width;
    const before = p.get(`${name}.wide`, [wide, width], 1 / Math.sqrt(width));
    const after = p.get(`${name}.after`, [out, wide, 3, 3], gain / Math.sqrt(9 * wide));
    const places = reshape(transpose(after, [0, 2, 3, 1]), [out * 9, wide]);
    let kernel = add(p.get(name, shape, gain / Math.sqrt(9 * width)), transpose(reshape(matmul(places, before), [out, 3, 3, width]), [0, 3, 1, 2]));
    for (const [i, edge] of EDGES.entries()) {
      const mixed = p.get(`${name}.edge${i}`, [out, width, 1, 1], gain / Math.sqrt(3 * width));
      kernel = add(kernel, mul(mixed, mul(p.get(`${name}.scale${i}`, [out, 1, 1, 1], EDGE_DEVIATION), constant(edge, [1, 1, 3, 3]))));
    }
    return kernel;
  },
});

/** A network whose kernels found by `which` are composed, and the way back to it. */
export interface Composed {
  network: Network<[Tensor]>;
  /** The plain network's weights, of the composed one's. @param open opens a compiled graph on the runtime at hand. */
  fold(weights: Float32Array, open: (graph: Compiled) => Promise<Session>): Promise<Float32Array>;
}

export function composedNetwork(plain: Network<[Tensor]>, which: RegExp, sample: Tensor): Composed {
  const network = new Network<[Tensor]>((p, x) => plain.build(composed(p, which), x), [sample]);
  return {
    network,
    async fold(weights, open) {
      const p = composed(network.bind(input('weights', [network.size])).weights, which);
      const parts = plain.table.map(({ name, shape, deviation, mean }) => reshape(p.get(name, shape, deviation, mean), [-1]));
      const session = await open(compile({ folded: concat(parts, 0) }));
      const { folded } = await session.run({ weights: floats(weights, [weights.length]) }).finally(() => session.close());
      return (folded!.data as Float32Array).slice();
    },
  };
}

/** A network that is trained as it runs. */
export const uncomposed = (network: Network<[Tensor]>): Composed => ({ network, fold: async (weights) => weights });
