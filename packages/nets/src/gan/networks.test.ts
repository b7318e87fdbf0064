// Every preset at every size: shapes, weights that fit a shipped file, and one step of both players that changes them.

import { describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { Random } from '../random.js';
import { generatorModel } from './model.js';
import { defineGan, LATENT, PRESETS, SIZES } from './networks.js';
import { schedule } from './schedule.js';
import { GanTrainer, startGan } from './trainer.js';

const each = PRESETS.flatMap((preset) => SIZES.map((size) => [preset, size] as const));
const floats = (data: Float32Array, shape: number[]) => ({ data, shape, type: 'float32' as const });

describe.each(each)('%s at %i px', (preset, size) => {
  const gan = defineGan({ preset, size, classes: 2 });

  it('makes a model file of at most 8 MB that draws pictures of that size', async () => {
    const bytes = generatorModel(gan, gan.generator.initialise(new Random(1)), {});
    expect(bytes.length).toBeLessThan(8e6);
    const session = await openSession(bytes, { threads: 1 });
    const z = floats(new Random(2).normals(LATENT), [1, LATENT]);
    const { pictures } = await session.run({ z, labels: floats(Float32Array.of(1, 0), [1, 2]) });
    await session.close();
    expect(pictures).toMatchObject({ type: 'uint8', shape: [1, 3, size, size] });
  });

  // The larger ones are the same functions once more, and take minutes on a slow machine.
  it.runIf(size <= 64)('moves both players in a step, with finite losses', async () => {
    const state = startGan(gan, 1);
    const before = structuredClone(state.vectors);
    const options = { seed: 1, batch: 2, penaltyEvery: 1, augment: true, mirror: true };
    const trainer = await GanTrainer.open(gan, options, state, (graph) => openSession(graph, { threads: 1 }));
    const pictures = Uint8Array.from({ length: 2 * 3 * size * size }, (_, i) => (i * 7919) >> 3);
    const { discriminatorLoss, generatorLoss, penalty } = await trainer.step({ pictures, labels: [0, 1] }, schedule(0, 0, 2));
    await trainer.close();
    for (const value of [discriminatorLoss, generatorLoss, penalty]) expect(value).toBeGreaterThan(0);
    for (const name of ['generator', 'discriminator'] as const) expect(state.vectors[name]).not.toEqual(before[name]);
    expect(state.images).toBe(2);
  });
});

it('says which presets and sizes there are', () => {
  expect(() => defineGan({ preset: 'slow' as never, size: 64, classes: 0 })).toThrow("no preset 'slow'; choose fast or r3");
  expect(() => defineGan({ preset: 'fast', size: 48, classes: 0 })).toThrow('48 px; choose 32, 64, 128, 256');
});
