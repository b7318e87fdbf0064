// The adversarial step at the boundary a trainer sees: weights in, weights out.

import { bytes, compile, floats, type Session, type Value } from '@zeuxis/graph';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { Random } from '../random.js';
import { defineGan, LATENT } from './networks.js';
import { discriminatorStep, generatorStep } from './steps.js';

const batch = 4;
const gan = defineGan({ preset: 'fast', size: 32, classes: 2 });
const random = new Random('steps');
const scalar = (value: number) => floats([value], []);
const labels = floats([1, 0, 0, 1, 1, 0, 0, 1], [batch, 2]);
const real = bytes(
  Uint8Array.from({ length: batch * 3 * 32 * 32 }, (_, i) => (i % 32) * 8),
  [batch, 3, 32, 32],
);
const weights = { generator: gan.generator.initialise(random), discriminator: gan.discriminator.initialise(random) };
const vector = (data: Float32Array) => floats(data, [data.length]);
const common = () => ({
  real,
  labels,
  z: floats(new Random('z').normals(batch * LATENT), [batch, LATENT]),
  generator: vector(weights.generator),
  discriminator: vector(weights.discriminator),
  rate: scalar(1e-3),
  beta2: scalar(0.9),
  correction: scalar(10),
  gamma: scalar(1),
});
const first = (value: Value | undefined) => (value!.data as Float32Array)[0]!;

describe('adversarial steps', () => {
  const sessions: Record<string, Session> = {};
  beforeAll(async () => {
    sessions.d = await openSession(compile(discriminatorStep(gan, { batch, penalty: true }).whole()), { threads: 1 });
    sessions.plain = await openSession(compile(discriminatorStep(gan, { batch, penalty: false }).whole()), { threads: 1 });
    sessions.g = await openSession(compile(generatorStep(gan, { batch }).whole()), { threads: 1 });
  });
  afterAll(() => Promise.all(Object.values(sessions).map((session) => session.close())));

  it('teaches the discriminator to tell a fixed batch apart', async () => {
    let state = { discriminator: vector(weights.discriminator), moment: vector(new Float32Array(gan.discriminator.size)) };
    const losses: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const correction = scalar(1 / (1 - 0.9 ** step));
      const out = await sessions.plain!.run({ ...common(), ...state, correction });
      losses.push(first(out.loss));
      state = { discriminator: out.nextWeights!, moment: out.nextMoment! };
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  });

  it('lowers the gradient norm where the penalty is heavy', async () => {
    let state = { discriminator: vector(weights.discriminator), moment: vector(new Float32Array(gan.discriminator.size)) };
    const norms: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const correction = scalar(1 / (1 - 0.9 ** step));
      const out = await sessions.d!.run({ ...common(), ...state, correction, gamma: scalar(100) });
      norms.push(first(out.penalty));
      state = { discriminator: out.nextWeights!, moment: out.nextMoment! };
    }
    expect(norms[0]).toBeGreaterThan(0);
    expect(norms.at(-1)).toBeLessThan(norms[0]! / 2);
  });

  it('teaches the generator to please a fixed discriminator, and averages its weights', async () => {
    let state = {
      generator: vector(weights.generator),
      moment: vector(new Float32Array(gan.generator.size)),
      average: vector(weights.generator),
    };
    const losses: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const correction = scalar(1 / (1 - 0.9 ** step));
      const out = await sessions.g!.run({ ...common(), ...state, correction, decay: scalar(0.5) });
      losses.push(first(out.loss));
      const [old, now, average] = [state.average, out.nextWeights!, out.nextAverage!].map((v) => v.data as Float32Array);
      for (let i = 0; i < 1000; i++) expect(average![i]).toBeCloseTo(0.5 * old![i]! + 0.5 * now![i]!, 5);
      state = { generator: out.nextWeights!, moment: out.nextMoment!, average: out.nextAverage! };
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it('gives the same weights, bit for bit, from the same inputs', async () => {
    const moment = vector(new Float32Array(gan.discriminator.size));
    const [a, b] = [await sessions.d!.run({ ...common(), moment }), await sessions.d!.run({ ...common(), moment })];
    expect(Buffer.compare(Buffer.from((a.nextWeights!.data as Float32Array).buffer), Buffer.from((b.nextWeights!.data as Float32Array).buffer))).toBe(0);
  });
});
