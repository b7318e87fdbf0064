// The feature network, its views and its training step at their boundary.

import { bytes, compile, floats, input, type Value } from '@zeuxis/graph';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { fill } from '../../../graph/src/reference-cases.js';
import { Random } from '../random.js';
import { defineFeatures, FEATURE_SIDE, FEATURES, featureModel } from './network.js';
import { featureStep, matching } from './step.js';
import { drawViews, SOURCE_SIDE, view } from './views.js';

const scalar = (value: number) => floats([value], []);
const data = (value: Value | undefined) => value!.data as Float32Array;
const plane = SOURCE_SIDE ** 2;

describe('views', () => {
  const look = async (picture: Float32Array, seed?: string) => {
    const session = await openSession(compile({ y: view(1)(input('x', [1, 3, SOURCE_SIDE, SOURCE_SIDE])) }), { threads: 1 });
    const { y } = await session.run({ x: floats(picture, [1, 3, SOURCE_SIDE, SOURCE_SIDE]), ...drawViews(1, seed === undefined ? undefined : new Random(seed)) });
    await session.close();
    return data(y);
  };
  const ramp = Float32Array.from({ length: 3 * plane }, (_, i) => (i % SOURCE_SIDE) / SOURCE_SIDE);

  it('halve a whole picture by its pixels', async () => {
    const y = await look(ramp);
    // Away from the borders, where the edge is repeated, a ramp stays the ramp that its pixels' centres lie on.
    for (let i = 1; i < FEATURE_SIDE - 1; i++) expect(y[FEATURE_SIDE * 5 + i]).toBeCloseTo((2 * i + 0.5) / SOURCE_SIDE, 5);
  });

  it('crop, mirror or not, and keep what is flat flat', async () => {
    const slopes = await Promise.all(Array.from({ length: 12 }, async (_, k) => {
      const y = await look(ramp, `view ${k}`);
      return y[40]! - y[20]!;
    })); // prettier-ignore
    expect(slopes.some((slope) => slope > 0) && slopes.some((slope) => slope < 0)).toBe(true);
    const flat = await look(new Float32Array(3 * plane).fill(0.5), 'flat');
    expect(Math.max(...flat) - Math.min(...flat)).toBeLessThan(1e-5);
  });
});

it('matches views by NT-Xent', async () => {
  const [views, width] = [6, 4];
  const values = fill('projections', views * width);
  const rows = Array.from({ length: views }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
  const cosine = (a: number[], b: number[]) => a.reduce((sum, v, k) => sum + v * b[k]!, 0) / Math.hypot(...a) / Math.hypot(...b);
  const losses = rows.map((row, i) => {
    const others = rows.map((other, j) => (i === j ? 0 : Math.exp(cosine(row, other) / 0.2)));
    return -Math.log(others[(i + views / 2) % views]! / others.reduce((a, b) => a + b));
  });
  const session = await openSession(compile({ y: matching(input('x', [views, width])) }), { threads: 1 });
  const { y } = await session.run({ x: floats(values, [views, width]) });
  await session.close();
  expect(data(y)[0]).toBeCloseTo(losses.reduce((a, b) => a + b) / views, 4);
});

it('learns to tell two classes apart, and both losses fall', async () => {
  const [classes, batch] = [2, 4];
  const network = defineFeatures(classes);
  const random = new Random('features');
  const session = await openSession(compile(featureStep(network, classes, batch)), { threads: 1 });
  const real = bytes(Uint8Array.from({ length: batch * 3 * plane }, (_, i) => (Math.floor(i / (3 * plane)) % 2 ? (i >> 3) % 2 : (i >> 10) % 2) * 200), [batch, 3, SOURCE_SIDE, SOURCE_SIDE]);
  let weights = floats(network.initialise(random), [network.size]);
  let moment = floats(new Float32Array(network.size), [network.size]);
  const losses: [number, number][] = [];
  for (let k = 1; k <= 12; k++) {
    const feeds = { real, labels: floats([1, 0, 0, 1, 1, 0, 0, 1], [batch, classes]), ...drawViews(2 * batch, random), weights, moment };
    const out = await session.run({ ...feeds, rate: scalar(1e-3), beta2: scalar(0.9), correction: scalar(1 / (1 - 0.9 ** k)) });
    [weights, moment] = [out.nextWeights!, out.nextMoment!];
    losses.push([data(out.loss)[0]!, data(out.match)[0]!]);
  }
  await session.close();
  expect(losses.at(-1)![0]).toBeLessThan(losses[0]![0] / 2);
  expect(losses.at(-1)![1]).toBeLessThan(losses[0]![1]);
});

it('leaves a model that describes any number of pictures, each by itself, at one scale', async () => {
  const network = defineFeatures(3);
  const model = await openSession(featureModel(network, network.initialise(new Random(1)), {}), { threads: 1 });
  const pixels = Uint8Array.from(fill('pictures', 3 * 3 * FEATURE_SIDE ** 2), (v) => (v / Math.sqrt(3) + 1) * 127);
  const describe = async (n: number) => (await model.run({ pictures: bytes(pixels.subarray(0, n * 3 * FEATURE_SIDE ** 2), [n, 3, FEATURE_SIDE, FEATURE_SIDE]) })).features!;
  const [one, three] = [await describe(1), await describe(3)];
  await model.close();
  expect(three.shape).toEqual([3, FEATURES]);
  for (const [k, value] of data(one).entries()) expect(value).toBeCloseTo(data(three)[k]!, 4);
  expect(data(one).reduce((sum, v) => sum + v * v, 0) / FEATURES).toBeCloseTo(1, 3);
});
