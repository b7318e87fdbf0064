// Steps in parts against whole ones: the same feeds, the same values but for rounding.

import { bytes, type Feeds, floats, type Session, scalar, vector } from '@zeuxis/graph';
import { describe, expect, it } from 'vitest';
import { opener } from '../../graph/src/node.js';
import { drawAugmentation } from './gan/augment.js';
import { defineGan, LATENT } from './gan/networks.js';
import { discriminatorStep, generatorStep } from './gan/steps.js';
import { Random } from './random.js';
import { openAll, partsOf, type Step } from './step.js';
import { banksOf } from './style/distribution.js';
import { paintingDiscriminator } from './style/loss.js';
import { defineStyle, NOISE } from './style/network.js';
import { judgedSide, painterStep, paintingJudgeStep } from './style/step.js';
import { defineUpscaler } from './upscaler/network.js';
import { patchDiscriminator, patchDiscriminatorStep, sharpenStep } from './upscaler/sharpen.js';
import { upscalerStep } from './upscaler/step.js';

const batch = 8;
const random = new Random('parts');
const noise = (size: number) => Uint8Array.from({ length: size }, () => random.below(256));
const adam = { rate: scalar(1e-3), beta1: scalar(0.9), beta2: scalar(0.99), correction1: scalar(10), correction: scalar(100), gamma: scalar(1), decay: scalar(0.5), adversarial: scalar(0.1) };
const zeros = (size: number) => vector(new Float32Array(size));

const gan = defineGan({ preset: 'fast', size: 32, classes: 2 });
const [generator, discriminator] = [gan.generator.initialise(random), gan.discriminator.initialise(random)];
const ganFeeds: Feeds = {
  ...adam,
  real: bytes(noise(batch * 3 * 32 * 32), [batch, 3, 32, 32]),
  z: floats(random.normals(batch * LATENT), [batch, LATENT]),
  labels: floats(Float32Array.from({ length: 2 * batch }, (_, i) => Number(i % 3 === 0)), [batch, 2]),
  generator: vector(generator),
  discriminator: vector(discriminator),
  average: vector(generator),
};
const upscaler = defineUpscaler({ preset: 'fast', scale: 2, channels: 3 });
const patches = patchDiscriminator(3);
const cropFeeds: Feeds = {
  ...adam,
  small: bytes(noise(batch * 3 * 16 * 16), [batch, 3, 16, 16]),
  large: bytes(noise(batch * 3 * 32 * 32), [batch, 3, 32, 32]),
  weights: vector(upscaler.network.initialise(random)),
  average: vector(upscaler.network.initialise(random)),
  discriminator: vector(patches.initialise(random)),
};
// As it is trained.
const composed = upscaler.training.network;
const composedFeeds: Feeds = {
  ...cropFeeds,
  weights: vector(composed.initialise(random)),
  average: vector(composed.initialise(random)),
  first: zeros(composed.size),
  second: zeros(composed.size),
};
const crops = { batch, side: 16 };
const painter = defineStyle();
const judge = paintingDiscriminator(64);
const strokes = { batch, side: 96 };
const banks = banksOf([{ width: 96, height: 80, data: random.normals(3 * 96 * 80) }], 1, judgedSide(96), 0, true);
const styleFeeds: Feeds = {
  ...adam,
  photographs: bytes(noise(batch * 3 * 96 * 96), [batch, 3, 96, 96]),
  painting: bytes(noise(batch * 3 * 96 * 96), [batch, 3, 96, 96]),
  noise: floats(random.normals(batch * NOISE * 24 * 24), [batch, NOISE, 24, 24]),
  strength: floats(Float32Array.from({ length: batch }, (_, i) => (i % 2) / 2 + 0.5), [batch, 1, 1, 1]),
  weights: vector(painter.initialise(random)),
  average: vector(painter.initialise(random)),
  discriminator: vector(judge.initialise(random)),
  contentWeight: scalar(1),
  strokesWeight: scalar(1),
  paletteWeight: scalar(1),
  patchesWeight: scalar(1),
  calmWeight: scalar(1),
  variationWeight: scalar(1),
};
const cases: [name: string, step: Step, feeds: Feeds][] = [
  ['the discriminator, penalised', discriminatorStep(gan, { batch, penalty: true }), { ...ganFeeds, moment: zeros(gan.discriminator.size) }],
  ['the generator', generatorStep(gan, { batch }), { ...ganFeeds, moment: zeros(gan.generator.size) }],
  ['an upscaler', upscalerStep(upscaler, crops), composedFeeds],
  ['the discriminator of patches', patchDiscriminatorStep(upscaler, patches, { ...crops, penalty: true }), { ...cropFeeds, moment: zeros(patches.size) }],
  ['the discriminator of a painting', paintingJudgeStep(painter, judge, strokes, true), { ...styleFeeds, moment: zeros(judge.size) }],
  ['the painter', painterStep(painter, judge, strokes, banks), { ...styleFeeds, moment: zeros(painter.size) }],
  ['a sharpened upscaler', sharpenStep(upscaler, patches, crops), { ...cropFeeds, moment: zeros(upscaler.network.size) }],
];
const data = (out: Awaited<ReturnType<Session['run']>>, name: string) => out[name]!.data as Float32Array;
const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
async function run(step: Step, feeds: Feeds, parts: number) {
  const { step: session } = await openAll({ step }, opener(parts, { threads: parts }), {}, parts);
  return session.run(feeds).finally(() => session.close());
}

describe('a step in parts', () => {
  it.each(cases)('moves %s as the whole does', async (_name, step, feeds) => {
    const whole = await run(step, feeds, 1);
    for (const parts of [2, 4]) {
      const split = await run(step, feeds, parts);
      expect(Object.keys(split).sort()).toEqual(Object.keys(whole).sort());
      for (const name of Object.keys(whole)) {
        const [a, b] = [data(whole, name), data(split, name)];
        expect(b.length).toBe(a.length);
        // Adam's first step is as long for a gradient of nothing but rounding as for any other: weights say little, moments all.
        if (name === 'nextWeights' || name === 'nextAverage') continue;
        const [apart, size] = [norm(a.map((v, i) => v - b[i]!)), norm(a)];
        expect(apart / (size || 1), name).toBeLessThan(1e-4);
      }
    }
  });

  it('shares augmentation out with the pictures', async () => {
    const strong = drawAugmentation(random, 2 * batch, 32, 0.8);
    const out = await run(discriminatorStep(gan, { batch, penalty: false, augment: true }), { ...ganFeeds, ...strong, moment: zeros(gan.discriminator.size) }, 2);
    expect(data(out, 'loss')[0]).toBeGreaterThan(0);
  });

  it('has as many parts as there are threads, where the batch can be shared out so and each has four pictures', () => {
    expect([1, 2, 3, 4, 8, 16].map((threads) => partsOf(32, threads))).toEqual([1, 2, 2, 4, 8, 8]);
    expect([partsOf(8, 2), partsOf(6, 2), partsOf(7, 4), partsOf(1, 8), partsOf(15, 3)]).toEqual([2, 1, 1, 1, 3]);
  });
});
