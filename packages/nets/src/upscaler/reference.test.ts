// Whole upscalers against PyTorch (scripts/reference/upscaler.py): what they draw, the loss, all gradients, and Adam's updates.

import { readFileSync } from 'node:fs';
import { bytes, compile, floats, input, sizeOf, type Value } from '@zeuxis/graph';
import { expect, it } from 'vitest';
import { openSession, targetOf } from '../../../graph/src/node.js';
import { errorAgainst, fill, type Summary } from '../../../graph/src/reference-cases.js';
import { momentumAdam, momentumInputs } from '../adam.js';
import { upscalerModel } from './model.js';
import { defineUpscaler } from './network.js';
import { upscalerStep } from './step.js';

interface Whole {
  made: Summary;
  loss: number;
  gradients: Record<string, Summary>;
}
const reference: Record<'fast' | 'best' | 'fast plain' | 'best plain', Whole> & { momentum: { weights: Summary } } = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8'));
const [BATCH, CHANNELS, SIDE] = [2, 3, 12] as const;
const data = (value: Value | undefined) => value!.data as Float32Array;
const scalar = (value: number) => floats([value], []);
const pixels = (name: string, side: number) => Uint8Array.from(fill(name, BATCH * CHANNELS * side ** 2), (v) => Math.floor((v / Math.sqrt(3) + 1) * 128));
/** Float32's rounding through fifteen convolutions, and activations at their kink; measured at most 2e-6. PyTorch computed in float64. */
const TOLERANCE = 5e-5;

it.each([
  ['fast', 2],
  ['best', 4],
] as const)('%s draws and learns as in PyTorch', async (preset, scale) => {
  const upscaler = defineUpscaler({ preset, scale, channels: CHANNELS });
  const filled = ({ table }: typeof upscaler.network) => Float32Array.from(table.flatMap(({ name, shape, deviation }) => [...fill(name, sizeOf(shape)).map((v) => v * (deviation || 0.1))]));
  const [small, large] = [pixels('small', SIDE), pixels('large', SIDE * scale)];

  const draws = async (weights: Float32Array, expected: Summary) => {
    const model = await openSession(upscalerModel(upscaler, weights, {}), { threads: 1 });
    const { large: made } = await model.run({ small: floats(Float32Array.from(small, (v) => v / 255), [BATCH, CHANNELS, SIDE, SIDE]) });
    await model.close();
    expect(made!.shape).toEqual([BATCH, CHANNELS, SIDE * scale, SIDE * scale]);
    expect(errorAgainst(data(made), expected)).toBeLessThan(TOLERANCE);
  };
  await draws(filled(upscaler.network), reference[`${preset} plain`].made);
  // As it is trained: kernels of five ways, which PyTorch runs side by side, and the model file as one.
  const { network, fold } = upscaler.training;
  const [weights, expected] = [filled(network), reference[preset]];
  await draws(await fold(weights, (graph) => openSession(graph, { threads: 1 })), expected.made);

  // From rest, without the past, one of Adam's steps gives the gradient away: its first moment is a tenth of it. In plain ONNX
  // and in the layout that training runs in.
  for (const target of [{}, await targetOf('cpu')]) {
    const session = await openSession(compile(upscalerStep(upscaler, { batch: BATCH, side: SIDE }).whole(), target), { threads: 1 });
    const zeros = floats(new Float32Array(network.size), [network.size]);
    const out = await session.run({
      small: bytes(small, [BATCH, CHANNELS, SIDE, SIDE]),
      large: bytes(large, [BATCH, CHANNELS, SIDE * scale, SIDE * scale]),
      weights: floats(weights, [network.size]),
      average: floats(weights, [network.size]),
      first: zeros,
      second: zeros,
      rate: scalar(1e-3),
      beta1: scalar(0.9),
      beta2: scalar(0.99),
      correction1: scalar(10),
      correction: scalar(100),
      decay: scalar(0.75),
    });
    await session.close();
    expect(Math.abs(data(out.loss)[0]! / expected.loss - 1)).toBeLessThan(1e-5);
    const gradient = data(out.nextFirst).map((value) => value * 10);
    expect(network.table.map(({ name }) => name).sort()).toEqual(Object.keys(expected.gradients).sort());
    for (const { name, shape, offset } of network.table)
      expect(errorAgainst(gradient.subarray(offset, offset + sizeOf(shape)), expected.gradients[name]!), name).toBeLessThan(TOLERANCE);
    const [next, average] = [data(out.nextWeights), data(out.nextAverage)];
    expect(average[7]).toBeCloseTo(0.75 * weights[7]! + 0.25 * next[7]!, 6);
  }
});

it("updates as PyTorch's Adam does with momentum, along gradients of every size from 1e-8 to 10", async () => {
  const names = ['w', 'first', 'second', 'g'].map((name) => input(name, [1000])) as [ReturnType<typeof input>, ReturnType<typeof input>, ReturnType<typeof input>, ReturnType<typeof input>];
  const session = await openSession(compile(momentumAdam(...names, momentumInputs())), { threads: 1 });
  const zeros = () => floats(new Float32Array(1000), [1000]);
  let [w, first, second]: Value[] = [zeros(), zeros(), zeros()];
  for (let k = 0; k < 10; k++) {
    const g = floats(fill(`gradient${k}`, 1000).map((v, i) => v * 10 ** ((i % 10) - 8)), [1000]);
    const corrections = { correction1: scalar(1 / (1 - 0.9 ** (k + 1))), correction: scalar(1 / (1 - 0.99 ** (k + 1))) };
    const out = await session.run({ w: w!, first: first!, second: second!, g, rate: scalar(1e-3), beta1: scalar(0.9), beta2: scalar(0.99), ...corrections });
    [w, first, second] = [out.nextWeights!, out.nextFirst!, out.nextSecond!];
  }
  await session.close();
  expect(errorAgainst(data(w), reference.momentum.weights)).toBeLessThan(1e-5);
});
