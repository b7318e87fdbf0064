// Both players of a style's training as steps: the painter, and the discriminator of patches that holds its pictures against crops of
// the painting.

import { abs, add, cast, concat, constant, input, mean, mul, reshape, sign, sliceAxis, softplus, sqrt, sub, type Tensor } from '@zeuxis/graph';
import { adam, adamInputs, movingAverage } from '../adam.js';
import { squaredSlopes } from '../gan/loss.js';
import type { Network } from '../network.js';
import { type LossGraph, Step } from '../step.js';
import { type Banks, distributionLoss } from './distribution.js';
import { contentLoss, contrastOf, patchShares, totalVariation, unrest } from './loss.js';
import { knownSides } from './moments.js';
import { FRAME, GRAIN, NOISE, type StyleNetwork, TYPICAL } from './network.js';

export interface StyleCrops {
  /** Crops a step. */
  batch: number;
  /** Side of a crop in px, a multiple of 32; without its frame it is judged. */
  side: number;
}

/** Side of what is judged. */
export const judgedSide = (side: number): number => side - 2 * FRAME;

/** Without its frame. */
const inner = (x: Tensor): Tensor => sliceAxis(sliceAxis(x, 2, FRAME, judgedSide(x.extent(2))), 3, FRAME, judgedSide(x.extent(3)));

const unit = (name: string, { batch, side }: StyleCrops): Tensor => mul(cast(input(name, [batch, 3, side, side], 'uint8'), 'float32'), 1 / 255);

/** What both players are fed: pictures uint8, brought to 0 to 1, strokes, and both players' weights. */
function feeds(painter: StyleNetwork, discriminator: Network<[Tensor]>, crops: StyleCrops) {
  const { batch, side } = crops;
  return {
    photographs: unit('photographs', crops),
    painting: inner(unit('painting', crops)),
    noise: input('noise', [batch, NOISE, side / GRAIN, side / GRAIN]),
    strength: input('strength', [batch, 1, 1, 1]),
    weights: input('weights', [painter.size]),
    judge: input('discriminator', [discriminator.size]),
  };
}

/**
 * The GAN's game (gan/loss.ts), in which a picture counts as much as it was to be painted: mean over pairs [n, patches] of
 * strength softplus(behind - ahead).
 */
const game = (ahead: Tensor, behind: Tensor, strength: Tensor, shares: Tensor): Tensor =>
  mean(mul(mul(softplus(sub(behind, ahead)), shares), reshape(strength, [-1, 1])));

const sharesOf = ({ side }: StyleCrops): Tensor => {
  const shares = patchShares(judgedSide(side));
  return constant(shares, [1, shares.length]);
};

/** Weight of the mean absolute difference to the photograph, as far as a picture was not to be painted. */
const FAITHFUL = 4;

const centred = (x: Tensor): Tensor => sub(mul(x, 2), 1);

/**
 * Outputs: `nextWeights`, `nextMoment` and the scalars `loss`, `penalty` (0 without it) and `lead`. Inputs: `photographs` and
 * `painting` uint8 [n, 3, side, side], `noise`, `strength` [n, 1, 1, 1], weights, discriminator, moment, Adam's numbers and, with the penalty, gamma.
 */
export function paintingJudgeStep(painter: StyleNetwork, discriminator: Network<[Tensor]>, crops: StyleCrops, penalty: boolean): Step {
  const loss = (batch: number): LossGraph => {
    const { photographs, painting, noise, strength, weights, judge } = feeds(painter, discriminator, { ...crops, batch });
    const made = inner(painter.build(painter.bind(weights).weights, photographs, noise, strength, knownSides(photographs).normal));
    const bound = discriminator.bind(judge);
    const pictures = centred(concat([painting, made], 0));
    const logits = discriminator.build(bound.weights, pictures);
    const [real, fake] = [sliceAxis(logits, 0, 0, batch), sliceAxis(logits, 0, batch, batch)];
    const shares = sharesOf(crops);
    const lost = game(real, fake, strength, shares);
    // A patch's slopes, as its game, in the mean over patches: however large the pictures, one gamma serves.
    const slopes = penalty ? mul(squaredSlopes(mul(logits, sqrt(shares)), pictures), 1 / real.size) : mul(lost, 0);
    const total = penalty ? add(lost, mul(mul(input('gamma', []), 0.5), slopes)) : lost;
    return { gradient: bound.gradient(total), report: { loss: lost, penalty: mul(slopes, 0.5), lead: mean(sign(sub(real, fake))) } };
  };
  const update = (gradient: Tensor) => adam(input('discriminator', [discriminator.size]), input('moment', [discriminator.size]), gradient, adamInputs());
  return new Step(crops.batch, loss, update);
}

/** All that is asked of what is made but the game. */
function asked(made: Tensor, photographs: Tensor, strength: Tensor, banks: Banks): { sum: Tensor; report: Record<'content' | 'palette' | 'variation', Tensor> } {
  const [content, variation] = [contentLoss(made, photographs), totalVariation(made)];
  const unpainted = mean(mul(abs(sub(made, photographs)), sub(1, strength)));
  const contrast = contrastOf(photographs);
  const [palette, patches] = [banks.palette, banks.patches].map((each) => distributionLoss(made, photographs, each, strength, contrast)) as [Tensor, Tensor];
  const calm = mul(input('calmWeight', []), unrest(made, photographs));
  const held = add(add(mul(input('contentWeight', []), content), calm), mul(unpainted, FAITHFUL));
  const spread = add(mul(input('paletteWeight', []), palette), mul(input('patchesWeight', []), patches));
  return { sum: add(spread, add(held, mul(input('variationWeight', []), variation))), report: { content, palette, variation } };
}

/**
 * Outputs: `nextWeights`, `nextMoment`, `nextAverage`, the scalars `loss` (the game's), `content`, `palette` and `variation`, and `measured`, the pictures' own moments [k, 1, 1].
 * Inputs as the discriminator's, average, decay, and the weights `strokesWeight` (of the game), `contentWeight`, `paletteWeight`, `patchesWeight`, `calmWeight` and `variationWeight`.
 */
export function painterStep(painter: StyleNetwork, discriminator: Network<[Tensor]>, crops: StyleCrops, banks: Banks): Step {
  const loss = (batch: number): LossGraph => {
    const { photographs, painting, noise, strength, weights, judge } = feeds(painter, discriminator, { ...crops, batch });
    const bound = painter.bind(weights, (name) => !name.includes(`.${TYPICAL}.`));
    const { normal, own } = knownSides(photographs);
    const made = inner(painter.build(bound.weights, photographs, noise, strength, normal));
    const { weights: fixed } = discriminator.bind(judge);
    const lost = game(discriminator.build(fixed, centred(made)), discriminator.build(fixed, centred(painting)), strength, sharesOf(crops));
    const { sum, report } = asked(made, inner(photographs), strength, banks);
    return { gradient: bound.gradient(add(sum, mul(input('strokesWeight', []), lost))), report: { loss: lost, ...report, measured: mean(concat(own, 1), [0]) } };
  };
  const update = (gradient: Tensor) => {
    const next = adam(input('weights', [painter.size]), input('moment', [painter.size]), gradient, adamInputs());
    return { ...next, nextAverage: movingAverage(next.nextWeights) };
  };
  return new Step(crops.batch, loss, update);
}
