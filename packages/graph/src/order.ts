// Order along an axis: what a comparison of distributions, sorted value by sorted value, is made of.

import { type Primitive, sameShape, Tensor } from './tensor.js';

const AT_RANK: Primitive = {
  name: 'atRank',
  // Ranks do not change under small changes: no gradient flows.
  gradient: () => [undefined, undefined],
  lower: (node, emit) => {
    const [values, x] = node.inputs.map(emit.of) as [string, string];
    const [, places] = emit.nodes('TopK', [x, emit.ints([node.extent(-1)])], { largest: 0 }, 2) as [string, string];
    return emit.node('ScatterElements', [x, places, values], { axis: node.rank - 1 });
  },
};

/**
 * In place of every value of x the one of `values` that stands at its rank, along the last axis: the smallest of x is given values[0], the
 * largest the last; equal ones share their ranks out among them. With ascending values the mean of |x - atRank(values, x)| is the
 * Wasserstein distance in one dimension (Rabin et al., 2012), and its gradient x's. Taken as given: no gradient flows through.
 */
export function atRank(values: Tensor, x: Tensor): Tensor {
  if (!sameShape(values.shape, x.shape)) throw new RangeError(`atRank: values [${values.shape}] for [${x.shape}]`);
  return new Tensor(AT_RANK, [values, x], x.shape);
}

const ASCENDING: Primitive = {
  name: 'ascending',
  gradient: () => [undefined],
  lower: (node, emit) => emit.nodes('TopK', [emit.of(node.inputs[0]!), emit.ints([node.extent(-1)])], { largest: 0 }, 2)[0]!,
};

/** The values of x from the smallest to the largest, along the last axis. Taken as given: no gradient flows through. */
export const ascending = (x: Tensor): Tensor => new Tensor(ASCENDING, [x], x.shape);
