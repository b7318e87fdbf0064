// The adversarial game as two graphs, one a network. The loss pairs real and fake and is held by R1 + R2, the squared gradient
// norms of the discriminator at real and at fake pictures (loss.ts):
//
//   D minimises  E softplus(D(fake) - D(real)) + gamma/2 E |grad D(real)|^2 + gamma/2 E |grad D(fake)|^2
//   G minimises  E softplus(D(real) - D(fake))

import {
  add,
  cast,
  concat,
  input,
  mean,
  mul,
  sign,
  sliceAxis,
  sub,
  type Tensor,
} from '@zeuxis/graph';
import { adam, adamInputs, movingAverage } from '../adam.js';
import { type LossGraph, type Outputs, Step } from '../step.js';
import { augmentation } from './augment.js';
import { discriminatorGame, generatorGame, squaredSlopes } from './loss.js';
import { type Gan, LATENT } from './networks.js';

export interface StepOptions {
  /** Pictures a step. */
  batch: number;
  /** Whether this step carries the gradient penalty. */
  penalty: boolean;
  /** Whether pictures pass `augmentation`, whose numbers are then fed too. */
  augment?: boolean;
}

/** uint8 pictures, 0 to 255, to float32, -1 to 1. */
const normalise = (pictures: Tensor): Tensor => sub(mul(cast(pictures, 'float32'), 1 / 127.5), 1);

/** What both graphs are fed: `real` uint8 [n, 3, s, s], `z` [n, LATENT], one-hot `labels` [n, classes], weights. */
function feeds({ shape, generator, discriminator }: Gan, batch: number) {
  return {
    real: normalise(input('real', [batch, 3, shape.size, shape.size], 'uint8')),
    z: input('z', [batch, LATENT]),
    labels: shape.classes > 0 ? input('labels', [batch, shape.classes]) : undefined,
    g: input('generator', [generator.size]),
    d: input('discriminator', [discriminator.size]),
  };
}

/**
 * Outputs of the discriminator's step: `nextWeights` and `nextMoment` (its new state), and the scalars `loss`, `penalty` (the
 * mean of |grad|^2 over real and fake, 0 without the penalty) and `lead` (how much oftener than not the real picture of
 * a pair is ranked above the fake, -1 to 1).
 * Inputs: real, z, labels, generator, discriminator, moment, rate, beta2, correction and, with the penalty, gamma.
 */
export function discriminatorStep(gan: Gan, { batch, ...options }: StepOptions): Step {
  const update = (gradient: Tensor) => adam(input('discriminator', [gan.discriminator.size]), input('moment', [gan.discriminator.size]), gradient, adamInputs());
  return new Step(batch, (part) => discriminatorLoss(gan, { batch: part, ...options }), update);
}

function discriminatorLoss(gan: Gan, { batch, penalty, augment = false }: StepOptions): LossGraph {
  const { real, z, labels, g, d } = feeds(gan, batch);
  const fake = gan.generator.build(gan.generator.bind(g).weights, z, labels);
  const network = gan.discriminator.bind(d);
  // Real and fake in one batch: half the operators, and products twice as large.
  const pictures = concat([real, fake], 0);
  const seen = augment ? augmentation(2 * batch, gan.shape.size)(pictures) : pictures;
  const logits = gan.discriminator.build(network.weights, seen, labels && concat([labels, labels], 0));
  const [judgedReal, judgedFake] = [sliceAxis(logits, 0, 0, batch), sliceAxis(logits, 0, batch, batch)];
  const game = discriminatorGame(judgedReal, judgedFake);
  let loss = game;
  let norm = mul(game, 0);
  if (penalty) {
    norm = mul(squaredSlopes(logits, pictures), 1 / batch);
    loss = add(game, mul(mul(input('gamma', []), 0.5), norm));
  }
  const report = { loss: game, penalty: mul(norm, 0.5), lead: mean(sign(sub(judgedReal, judgedFake))) };
  return { gradient: network.gradient(loss), report };
}

/**
 * Outputs of the generator's step: `nextWeights`, `nextMoment`, `nextAverage` (the exponential moving average of the weights) and
 * the scalar `loss`.
 * Inputs: real, z, labels, generator, discriminator, moment, average, decay, rate, beta2 and correction.
 */
export function generatorStep(gan: Gan, { batch, augment = false }: Omit<StepOptions, 'penalty'>): Step {
  const update = (gradient: Tensor) => {
    const next = adam(input('generator', [gan.generator.size]), input('moment', [gan.generator.size]), gradient, adamInputs());
    return { ...next, nextAverage: movingAverage(next.nextWeights) };
  };
  return new Step(batch, (part) => generatorLoss(gan, { batch: part, augment }), update);
}

function generatorLoss(gan: Gan, { batch, augment }: Required<Omit<StepOptions, 'penalty'>>): LossGraph {
  const { real, z, labels, g, d } = feeds(gan, batch);
  const network = gan.generator.bind(g);
  const { weights } = gan.discriminator.bind(d);
  const fake = gan.generator.build(network.weights, z, labels);
  const seen = augment ? augmentation(2 * batch, gan.shape.size)(concat([real, fake], 0)) : undefined;
  // Real and fake are judged apart: only the fake half is differentiated.
  const judge = (pictures: Tensor, half: number) =>
    gan.discriminator.build(weights, seen ? sliceAxis(seen, 0, half * batch, batch) : pictures, labels);
  const loss = generatorGame(judge(real, 0), judge(fake, 1));
  return { gradient: network.gradient(loss), report: { loss } };
}

/**
 * What the discriminator makes of pictures it was trained on, of pictures held back and of made ones, unchanged all
 * three. Outputs: the scalar mean logits `seen`, `held` and `made`. Inputs: real, heldReal, z, labels, heldLabels, generator and discriminator.
 */
export function judgeStep(gan: Gan, { batch }: { batch: number }): Outputs {
  const { real, z, labels, g, d } = feeds(gan, batch);
  const held = normalise(input('heldReal', real.shape, 'uint8'));
  const heldLabels = labels && input('heldLabels', labels.shape);
  const { weights } = gan.discriminator.bind(d);
  const judge = (pictures: Tensor, of: Tensor | undefined) => mean(gan.discriminator.build(weights, pictures, of));
  const made = gan.generator.build(gan.generator.bind(g).weights, z, labels);
  return { seen: judge(real, labels), held: judge(held, heldLabels), made: judge(made, labels) };
}
