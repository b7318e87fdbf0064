// One step of an upscaler's training as one graph: the mean absolute error, Adam, and the averaged weights.

import { abs, cast, input, mean, mul, square, sub, type Tensor } from '@zeuxis/graph';
import { momentumAdam, momentumInputs, movingAverage } from '../adam.js';
import { type LossGraph, Step } from '../step.js';
import type { Upscaler } from './network.js';

/** What a step is shown. */
export interface CropShape {
  /** Crops a step. */
  batch: number;
  /** Side of a crop of the small picture in px. */
  side: number;
}

/** The crops' inputs, uint8 brought to 0 to 1: `small` [batch, c, side, side], `large` [batch, c, scale side, scale side]. */
export function cropInputs({ shape }: Upscaler, { batch, side }: CropShape): Record<'small' | 'large', Tensor> {
  const unit = (name: string, sides: number) => mul(cast(input(name, [batch, shape.channels, sides, sides], 'uint8'), 'float32'), 1 / 255);
  return { small: unit('small', side), large: unit('large', side * shape.scale) };
}

/**
 * Outputs: `nextWeights`, `nextFirst`, `nextSecond`, `nextAverage` and the scalars `loss`, the mean absolute error, and `squared`.
 * Inputs: `small` uint8 [n, c, side, side], `large` uint8 [n, c, scale side, scale side], weights, first, second, average, decay,
 * and Adam's numbers.
 */
export function upscalerStep(upscaler: Upscaler, { batch, side }: CropShape): Step {
  const { network } = upscaler.training;
  const [weights, first, second] = ['weights', 'first', 'second'].map((name) => input(name, [network.size])) as [Tensor, Tensor, Tensor];
  const loss = (part: number): LossGraph => {
    const { small, large } = cropInputs(upscaler, { batch: part, side });
    const bound = network.bind(weights);
    const error = sub(network.build(bound.weights, small), large);
    const absolute = mean(abs(error));
    return { gradient: bound.gradient(absolute), report: { loss: absolute, squared: mean(square(error)) } };
  };
  const update = (gradient: Tensor) => {
    const next = momentumAdam(weights, first, second, gradient, momentumInputs());
    return { ...next, nextAverage: movingAverage(next.nextWeights) };
  };
  return new Step(batch, loss, update);
}
