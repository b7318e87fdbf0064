// One step of an upscaler's training as one graph: the mean absolute error, Adam, and the averaged weights.

import { abs, add, cast, input, mean, mul, square, sub, type Tensor } from '@zeuxis/graph';
import { momentumAdam, momentumInputs } from '../adam.js';
import type { Upscaler } from './network.js';


const unit = (pictures: Tensor): Tensor => mul(cast(pictures, 'float32'), 1 / 255);

/**
 * Outputs: `nextWeights`, `nextFirst`, `nextSecond`, `nextAverage` and the scalars `loss`, the mean absolute error, and `squared`.
 * Inputs: `small` uint8 [n, c, side, side], `large` uint8 [n, c, scale side, scale side], weights, first, second, average, decay,
 * and Adam's numbers.
 */
export function upscalerStep({ shape, network }: Upscaler, { batch, side }: { batch: number; side: number }): Record<string, Tensor> {
  const { channels, scale } = shape;
  const small = unit(input('small', [batch, channels, side, side], 'uint8'));
  const large = unit(input('large', [batch, channels, side * scale, side * scale], 'uint8'));
  const [weights, first, second, average] = ['weights', 'first', 'second', 'average'].map((name) => input(name, [network.size])) as [Tensor, Tensor, Tensor, Tensor];
  const bound = network.bind(weights);
  const error = sub(network.build(bound.weights, small), large);
  const loss = mean(abs(error));
  const next = momentumAdam(weights, first, second, bound.gradient(loss), momentumInputs());
  return { ...next, nextAverage: add(next.nextWeights, mul(input('decay', []), sub(average, next.nextWeights))), loss, squared: mean(square(error)) };
}
