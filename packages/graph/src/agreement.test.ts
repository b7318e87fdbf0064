// Every primitive, with both orders of its gradient, on every kind of device against 'cpu'.

import { beforeAll, describe, expect, it } from 'vitest';
import { difference, otherDevices, PATIENCE } from './agreement.js';
import { add, compile, compileEither, conv, input, mul, floats as tensor, type Value } from './index.js';
import { openSession, WEBGPU_INPUTS } from './node.js';
import { caseGraph, cases, fill } from './reference-cases.js';

/**
 * The largest error of a single value, in root mean squares of all values of its kind. Float32 rounds by 6e-8; sums are taken
 * in another order on every device, and second derivatives of softplus add up what exponentials, which shaders compute in
 * their own way, leave of large terms: measured are at most 5e-6. A wrong tap, sign or channel gives 1e-2 and more.
 */
const TOLERANCE = 5e-5;

const floats = (value: Value | undefined) => value?.data as Float32Array | undefined;

// All cases stand in one graph: opening a session costs more than running it.
const graphs = cases.map((definition, i) => caseGraph(definition, `${i}.`));
const graph = compile(Object.assign({}, ...graphs.map(({ outputs }) => outputs)), { maximumInputs: WEBGPU_INPUTS });
const feeds = Object.assign({}, ...graphs.map((each) => each.feeds));

// Of two graphs in one, either.
const [p, w] = [input('p', [1, 4, 5, 6]), input('w', [8, 4, 3, 3])];
const either = compileEither('first', 'made', [conv(p, w, { padding: 1 }), add(mul(p, 2), 1)], { maximumInputs: WEBGPU_INPUTS });
const eitherFeeds = (first: number) => ({ p: tensor(fill('p', p.size), p.shape), w: tensor(fill('w', w.size), w.shape), first: tensor([first], [1]) });

describe.each(otherDevices())('$name agrees with cpu', ({ skip, open }) => {
  let expected: Record<string, Value>;
  let actual: Record<string, Value>;
  let branches: { expected: Value; actual: Value }[];
  beforeAll(async () => {
    if (skip) return;
    const cpu = await openSession(graph, { threads: 1 });
    expected = await cpu.run(feeds);
    await cpu.close();
    const device = await open();
    const both = async () => {
      const here = await openSession(either, { threads: 1 });
      const made = async (first: number) => ({ expected: (await here.run(eitherFeeds(first))).made!, actual: (await device.run(either, eitherFeeds(first))).made! });
      const all = [await made(1), await made(0)];
      await here.close();
      return all;
    };
    try {
      actual = await device.run(graph, feeds);
      branches = await both();
    } finally {
      await device.close();
    }
  }, 1.5 * PATIENCE);

  it.skipIf(skip)('in either of two graphs', () => {
    for (const branch of branches) {
      expect(branch.actual.shape).toEqual(branch.expected.shape);
      expect(difference(floats(branch.actual), floats(branch.expected)!)).toBeLessThan(TOLERANCE);
    }
  });
  it.skipIf(skip).each(cases.map(([name], i) => [name, i] as const))('in %s', (_name, i) => {
    for (const name of Object.keys(graphs[i]!.outputs))
      expect(difference(floats(actual[name]), floats(expected[name])!), name).toBeLessThan(TOLERANCE);
  });
});
