// Whole training steps on every kind of device against 'cpu': the losses, every weight's gradient, and Adam's update.
// PyTorch's numbers have no part in it; reference.test.ts holds 'cpu' to those.

import { compile, type Feeds, sizeOf, type Value } from '@zeuxis/graph';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, otherDevices, PATIENCE, type Remote } from '../../../graph/src/agreement.js';
import { openSession, WEBGPU_INPUTS } from '../../../graph/src/node.js';
import { referenceInputs, scalar, vector } from './reference-inputs.js';
import { discriminatorStep, generatorStep } from './steps.js';

/**
 * The largest error of a single value, in root mean squares of its weight's own gradient. Float32 rounds by 6e-8, and
 * sums of thousands of products are taken in another order on every device, twice over where R1 and R2 are
 * differentiated: measured are at most 1.4e-5. A wrong tap, sign or channel gives 1e-2 and more. The inputs are those of
 * reference.test.ts, which keep every activation further from its kink than rounding reaches.
 */
const TOLERANCE = 1e-4;
/**
 * A bias that real and fake share has a gradient of zero but for what large terms leave when they cancel: no scale of its
 * own. So no gradient is measured against less than this much of the whole network's; the others are above a quarter.
 */
const FLOOR = 0.05;

// `r3` was compared by hand, on webgpu and wasm: at most 1e-4. It takes a software GPU three minutes.
const { reference, gan, feeds } = referenceInputs('fast');
const { batch } = reference.settings;
const steps = [
  { player: 'discriminator' as const, outputs: discriminatorStep(gan, { batch, penalty: true }).whole() },
  { player: 'generator' as const, outputs: generatorStep(gan, { batch }).whole() },
].map(({ player, outputs }) => ({ player, network: gan[player], graph: compile(outputs, { maximumInputs: WEBGPU_INPUTS }) }));

const rms = (values: Float32Array) => Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);

// A browser's webgpu is built from the same kernels as Node's; agreement.test.ts compares both, which takes a minute less.
const devices = otherDevices().filter(({ name }) => name !== 'webgpu in a browser');

describe.each(devices)('$name agrees with cpu', ({ skip, open }) => {
  let device: Remote | undefined;
  beforeAll(async () => {
    if (!skip) device = await open();
  });
  afterAll(() => device?.close());

  it.skipIf(skip).each(steps)('in the step of the $player', async ({ network, graph }) => {
    // Adam hides a gradient's size: its first update is little but the sign. From a second moment of 1 the update is the
    // gradient times the rate for all that are small, and at this rate the weights before it do not show beside it.
    const moment = vector(new Float32Array(network.size).fill(1));
    const given: Feeds = { ...feeds, moment, average: feeds.generator!, correction: scalar(1), rate: scalar(1e6) };
    const cpu = await openSession(graph, { threads: 1 });
    const expected = await cpu.run(given);
    await cpu.close();
    const actual = await device!.run(graph, given);
    for (const [name, value] of Object.entries(expected)) {
      const [a, b] = [actual[name]!, value].map(({ data }: Value) => data as Float32Array) as [Float32Array, Float32Array];
      const parts = value.shape.length === 0 ? [{ name, offset: 0, shape: value.shape }] : network.table;
      for (const part of parts) {
        const [from, to] = [part.offset, part.offset + sizeOf(part.shape)];
        const error = difference(a.subarray(from, to), b.subarray(from, to), FLOOR * rms(b));
        expect(error, `${name} ${part.name}`).toBeLessThan(TOLERANCE);
      }
    }
  }, 1.5 * PATIENCE);
});
