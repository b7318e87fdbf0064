// Adam (Kingma and Ba, 2015) on a flat vector: without a first moment (beta1 = 0) for GANs, with one for all else.

import { add, div, input, mul, sqrt, sub, type Tensor } from '@zeuxis/graph';

const EPSILON = 1e-8;

/** Numbers of one update, fed at every step. */
export interface AdamInputs {
  /** Learning rate, a scalar. */
  rate: Tensor;
  /** Decay of the second moment, a scalar. */
  beta2: Tensor;
  /** 1 / (1 - product of all beta2 so far): undoes the start of the second moment at zero. */
  correction: Tensor;
}

export const adamInputs = (): AdamInputs => ({
  rate: input('rate', []),
  beta2: input('beta2', []),
  correction: input('correction', []),
});

/** Updated weights and second moment, both [size]. */
export function adam(weights: Tensor, moment: Tensor, gradient: Tensor, { rate, beta2, correction }: AdamInputs) {
  // moment + (1 - beta2) (g^2 - moment): one pass less than the textbook's two products.
  const next = add(moment, mul(sub(1, beta2), sub(mul(gradient, gradient), moment)));
  const update = div(mul(rate, gradient), add(sqrt(mul(next, correction)), EPSILON));
  return { nextWeights: sub(weights, update), nextMoment: next };
}

/** The exponential moving average of weights, [size]; fed the input `average`, which it was, and `decay`, the share of it that stays. */
export const movingAverage = (weights: Tensor): Tensor => add(weights, mul(input('decay', []), sub(input('average', weights.shape), weights)));

/** Numbers of one update with a first moment, fed at every step. */
export interface MomentumInputs extends AdamInputs {
  /** Decay of the first moment, a scalar. */
  beta1: Tensor;
  /** 1 / (1 - beta1^steps): undoes its start at zero. */
  correction1: Tensor;
}

export const momentumInputs = (): MomentumInputs => ({ ...adamInputs(), beta1: input('beta1', []), correction1: input('correction1', []) });

/** Adam with both moments, as the paper has it: what is trained without an opponent learns faster by it. All vectors [size]. */
export function momentumAdam(weights: Tensor, first: Tensor, second: Tensor, gradient: Tensor, { beta1, correction1, rate, ...rest }: MomentumInputs) {
  const nextFirst = add(first, mul(sub(1, beta1), sub(gradient, first)));
  const nextSecond = add(second, mul(sub(1, rest.beta2), sub(mul(gradient, gradient), second)));
  const update = div(mul(mul(rate, correction1), nextFirst), add(sqrt(mul(nextSecond, rest.correction)), EPSILON));
  return { nextWeights: sub(weights, update), nextFirst, nextSecond };
}
