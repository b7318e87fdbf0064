// Whole networks against PyTorch: what they draw and judge, all gradients, the gradient of R1 + R2, and ten steps of Adam.
// The numbers are written by scripts/reference/gan.py, which defines every preset a second time.

import { compile, concat, floats, gradient, input, mean, mul, reshape, sizeOf, sliceAxis, softplus, square, sub, sum, type Value } from '@zeuxis/graph';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { errorAgainst, fill, type Summary } from '../../../graph/src/reference-cases.js';
import { adam, adamInputs } from '../adam.js';
import type { Weight } from '../network.js';
import { LATENT, PRESETS } from './networks.js';
import { type ByName, readReference, referenceInputs, scalar, vector } from './reference-inputs.js';
import { discriminatorStep, generatorStep } from './steps.js';

const data = (value: Value | undefined) => value!.data as Float32Array;

/** Float32's rounding through two networks; measured at most 2e-6. PyTorch computed in float64. */
const TOLERANCE = 5e-5;
/**
 * The same for gradients. `r3` has 500,000 activations, of which one or two always lie within rounding of the kink; one that falls to the other side
 * changes a gradient by one part in the root of their number. Measured 8e-4; a missing term would be a hundred times that.
 */
const GRADIENT_TOLERANCE = { fast: TOLERANCE, r3: 3e-3 };
/**
 * Ten steps let the two drift apart: where an activation is within rounding of its kink, and of 100,000 one always is,
 * they take different sides, and Adam scales what follows up to the size of any other step. Measured: 1e-4 in losses and
 * moments, 2e-2 in the worst single weight's way. An error in a gradient shows above at 5e-5, one in Adam below at 1e-6.
 */
const DRIFT = { losses: 5e-3, moment: 5e-3, moved: 0.1 };

/** A weight on which the loss does not depend: its gradient is rounding, which Adam makes into steps without meaning. */
const inert = (gradient: Summary | undefined) => gradient!.norm < 1e-9;

/** The largest error over a network's weights, each measured against its own norm. */
function worst(table: Weight[], actual: Float32Array, expected: ByName, without: (name: string) => boolean = () => false): number {
  expect(table.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  const errors = table.map(({ name, shape, offset }) => {
    const part = actual.subarray(offset, offset + sizeOf(shape));
    if (without(name)) return 0;
    return inert(expected[name]) ? Math.hypot(...part) : errorAgainst(part, expected[name]!);
  });
  return Math.max(...errors);
}

describe.each(PRESETS)('%s against PyTorch', (preset) => {
  const { reference, gan, start, pixels, feeds } = referenceInputs(preset);
  const { size, classes, batch, beta2, gamma } = reference.settings;

  it('draws, judges and differentiates alike', async () => {
    const x = input('x', [batch, 3, size, size]);
    const [z, labels] = [input('z', [batch, LATENT]), input('labels', [batch, classes])];
    const generator = gan.generator.bind(input('generator', [gan.generator.size]));
    const discriminator = gan.discriminator.bind(input('discriminator', [gan.discriminator.size]));
    const pictures = gan.generator.build(generator.weights, z, labels);
    const both = concat([x, pictures], 0);
    const logits = gan.discriminator.build(discriminator.weights, both, concat([labels, labels], 0));
    const lead = sub(sliceAxis(logits, 0, 0, batch), sliceAxis(logits, 0, batch, batch));
    const [slope] = gradient(sum(logits), [both]);
    const session = await openSession(
      compile({
        pictures: reshape(pictures, [-1]),
        logits,
        discriminator_: discriminator.gradient(mean(softplus(mul(lead, -1)))),
        penalty: discriminator.gradient(mul(sum(square(slope!)), 1 / batch)),
        generator_: generator.gradient(mean(softplus(lead))),
      }),
      { threads: 1 },
    );
    const out = await session.run({ ...feeds, x: floats(Float32Array.from(pixels, (v) => v / 127.5 - 1), x.shape) });
    await session.close();
    expect(errorAgainst(data(out.pictures), reference.pictures)).toBeLessThan(TOLERANCE);
    expect(errorAgainst(data(out.logits), reference.logits)).toBeLessThan(TOLERANCE);
    expect(worst(gan.discriminator.table, data(out.discriminator_), reference.discriminator)).toBeLessThan(GRADIENT_TOLERANCE[preset]);
    expect(worst(gan.discriminator.table, data(out.penalty), reference.penalty)).toBeLessThan(GRADIENT_TOLERANCE[preset]);
    expect(worst(gan.generator.table, data(out.generator_), reference.generator)).toBeLessThan(GRADIENT_TOLERANCE[preset]);
  });

  it.each(['discriminator', 'generator'] as const)('takes ten steps of the %s alike', async (player) => {
    const expected = reference[`${player} steps`];
    const { table } = gan[player];
    const graph = player === 'generator' ? generatorStep(gan, { batch }) : discriminatorStep(gan, { batch, penalty: true });
    const session = await openSession(compile(graph.whole()), { threads: 1 });
    let [weights, average] = [vector(start[player]), vector(start.generator)];
    let moment = vector(new Float32Array(gan[player].size));
    for (const [k, loss] of expected.losses.entries()) {
      const correction = scalar(1 / (1 - beta2 ** (k + 1)));
      const out = await session.run({ ...feeds, [player]: weights, moment, average, correction });
      // The step reports half the sum of both norms, of which the loss has gamma times.
      const total = data(out.loss)[0]! + (out.penalty ? gamma * data(out.penalty)[0]! : 0);
      expect(Math.abs(total / loss - 1), `loss ${k}`).toBeLessThan(DRIFT.losses);
      [weights, moment, average] = [out.nextWeights!, out.nextMoment!, out.nextAverage ?? average];
    }
    await session.close();
    const moved = (value: Value) => data(value).map((v, i) => v - start[player][i]!);
    const still = (name: string) => inert(reference[player][name]);
    expect(worst(table, data(moment), expected.moment, still)).toBeLessThan(DRIFT.moment);
    expect(worst(table, moved(weights), expected.moved, still)).toBeLessThan(DRIFT.moved);
    if (expected.average) expect(worst(table, moved(average), expected.average, still)).toBeLessThan(DRIFT.moved);
  });
});

it("updates as PyTorch's Adam does, along gradients of every size from 1e-8 to 10", async () => {
  const { settings, weights, moment } = readReference('adam') as { settings: Record<string, number>; weights: Summary; moment: Summary };
  const { rate, beta2, steps } = settings as { rate: number; beta2: number; steps: number };
  const outputs = adam(input('w', [1000]), input('m', [1000]), input('g', [1000]), adamInputs());
  const session = await openSession(compile(outputs), { threads: 1 });
  let [w, m] = [vector(new Float32Array(1000)), vector(new Float32Array(1000))];
  for (let k = 0; k < steps; k++) {
    const g = vector(fill(`gradient${k}`, 1000).map((v, i) => v * 10 ** ((i % 10) - 8)));
    const correction = scalar(1 / (1 - beta2 ** (k + 1)));
    const out = await session.run({ w, m, g, rate: scalar(rate), beta2: scalar(beta2), correction });
    [w, m] = [out.nextWeights!, out.nextMoment!];
  }
  await session.close();
  // Both sums start from zero, so this is float32's rounding over ten steps and nothing else.
  expect(errorAgainst(data(w), weights)).toBeLessThan(1e-6);
  expect(errorAgainst(data(m), moment)).toBeLessThan(1e-6);
});
