// The adversarial half of an upscaler's training (Ledig et al., SRGAN, 2017): from faithful weights on, against a discriminator
// that judges patches of the large picture (Isola et al., 2017), with the GAN package's loss. Faithful networks draw the mean of
// all that could have been; a sharpened one draws one of them. What it draws must still be the small picture when it is reduced,
// and not far from the truth.

import { abs, add, concat, input, leakyRelu, mean, mul, sign, sliceAxis, sub, type Tensor } from '@zeuxis/graph';
import { adam, adamInputs, movingAverage } from '../adam.js';
import { discriminatorGame, generatorGame, squaredSlopes } from '../gan/loss.js';
import { bias, boxDown, convolution, GAIN } from '../layers.js';
import { Network, type Weights } from '../network.js';
import { type LossGraph, Step } from '../step.js';
import type { Upscaler } from './network.js';
import { type CropShape, cropInputs } from './step.js';

/**
 * Channels of the discriminator, halving the sides each time: a logit sees 40 px. Before them every pixel is seen as it stands: strides alone
 * left a grid of two pixels, that of the pixel shuffle, unpunished.
 */
const WIDTHS = [32, 64, 96];
const FIRST = 16;

/** x [n, c, h, w], -1 to 1, sides multiples of 8 -> one logit a patch, [n, 1, h / 8, w / 8]. */
function judge(p: Weights, x: Tensor): Tensor {
  let y = leakyRelu(bias(p, 'pixels', convolution(p, 'pixels', x, FIRST, 3, { padding: 1, gain: GAIN })));
  for (const [i, width] of WIDTHS.entries()) {
    y = convolution(p, `down${i}`, y, width, 4, { stride: 2, padding: 1, gain: GAIN });
    y = leakyRelu(bias(p, `down${i}`, y));
  }
  return bias(p, 'logit', convolution(p, 'logit', y, 1, 3, { padding: 1 }));
}

/** The discriminator for pictures of so many channels. */
export const patchDiscriminator = (channels: 1 | 3): Network<[Tensor]> => new Network(judge, [input('x', [1, channels, 16, 16])]);

/** What both graphs are fed; the sides of the large crops must be multiples of 8. */
function feeds(upscaler: Upscaler, discriminator: Network<[Tensor]>, crops: CropShape) {
  return {
    ...cropInputs(upscaler, crops),
    weights: input('weights', [upscaler.network.size]),
    judge: input('discriminator', [discriminator.size]),
  };
}

/** 0 to 1 -> -1 to 1. */
const centred = (x: Tensor): Tensor => sub(mul(x, 2), 1);

/**
 * Outputs: `nextWeights`, `nextMoment`, and the scalars `loss`, `penalty` (0 without it) and `lead` (how much oftener than not the
 * true patch of a pair is ranked above the made one). Inputs: small, large, weights, discriminator, moment, Adam's numbers and,
 * with the penalty, gamma.
 */
export function patchDiscriminatorStep(upscaler: Upscaler, discriminator: Network<[Tensor]>, sizes: CropShape & { penalty: boolean }): Step {
  const update = (gradient: Tensor) => adam(input('discriminator', [discriminator.size]), input('moment', [discriminator.size]), gradient, adamInputs());
  return new Step(sizes.batch, (batch) => judgeLoss(upscaler, discriminator, { ...sizes, batch }), update);
}

function judgeLoss(upscaler: Upscaler, discriminator: Network<[Tensor]>, sizes: CropShape & { penalty: boolean }): LossGraph {
  const { small, large, weights, judge: d } = feeds(upscaler, discriminator, sizes);
  const { batch, penalty } = sizes;
  const fake = upscaler.network.build(upscaler.network.bind(weights).weights, small);
  const bound = discriminator.bind(d);
  const pictures = centred(concat([large, fake], 0));
  const logits = discriminator.build(bound.weights, pictures);
  const [real, made] = [sliceAxis(logits, 0, 0, batch), sliceAxis(logits, 0, batch, batch)];
  const game = discriminatorGame(real, made);
  // By the patch: crops of any side are held alike.
  const slopes = penalty ? mul(squaredSlopes(logits, pictures), 1 / real.size) : mul(game, 0);
  const loss = penalty ? add(game, mul(mul(input('gamma', []), 0.5), slopes)) : game;
  const report = { loss: game, penalty: mul(slopes, 0.5), lead: mean(sign(sub(real, made))) };
  return { gradient: bound.gradient(loss), report };
}

/**
 * Outputs: `nextWeights`, `nextMoment`, `nextAverage`, and the scalars `loss` (the game's), `error` (the mean absolute one).
 * Inputs: small, large, weights, discriminator, moment, average, decay, Adam's numbers, and `adversarial`, the game's weight.
 */
export function sharpenStep(upscaler: Upscaler, discriminator: Network<[Tensor]>, sizes: CropShape): Step {
  const update = (gradient: Tensor) => {
    const next = adam(input('weights', [upscaler.network.size]), input('moment', [upscaler.network.size]), gradient, adamInputs());
    return { ...next, nextAverage: movingAverage(next.nextWeights) };
  };
  return new Step(sizes.batch, (batch) => sharpenLoss(upscaler, discriminator, { ...sizes, batch }), update);
}

function sharpenLoss(upscaler: Upscaler, discriminator: Network<[Tensor]>, sizes: CropShape): LossGraph {
  const { small, large, weights, judge: d } = feeds(upscaler, discriminator, sizes);
  const { network, shape } = upscaler;
  const bound = network.bind(weights);
  const made = network.build(bound.weights, small);
  const { weights: fixed } = discriminator.bind(d);
  const game = generatorGame(discriminator.build(fixed, centred(large)), discriminator.build(fixed, centred(made)));
  const error = mean(abs(sub(made, large)));
  const kept = mean(abs(sub(boxDown(made, shape.scale), boxDown(large, shape.scale))));
  const loss = add(add(mul(error, 0.5), kept), mul(input('adversarial', []), game));
  return { gradient: bound.gradient(loss), report: { loss: game, error } };
}
