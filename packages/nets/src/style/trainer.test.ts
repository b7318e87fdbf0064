// What a style's steps are fed along a run, as the runtime sees it.

import { type Feeds, floats, type Session, scalar } from '@zeuxis/graph';
import { expect, it } from 'vitest';
import { StyleTrainer, startStyle } from './trainer.js';

const side = 96;
const weights = { contentWeight: 1.5, strokes: 1, palette: 42, patches: 1, calm: 30 };

/** Runs nothing and remembers what with. */
async function recorded() {
  const state = startStyle(side, 0);
  const seen: Feeds[] = [];
  const unmoved = { ...Object.fromEntries(['loss', 'penalty', 'lead', 'content', 'palette', 'variation'].map((name) => [name, scalar(0)])), measured: floats(new Float32Array(1024), [1024, 1, 1]) };
  const session: Session = {
    device: 'cpu',
    run: async (feeds) => {
      seen.push(feeds);
      return { ...unmoved, nextWeights: feeds.weights!, nextMoment: feeds.moment!, nextAverage: feeds.average ?? feeds.weights! };
    },
    close: async () => {},
  };
  const trainer = await StyleTrainer.open({ batch: 1, side, seed: 0, ...weights }, state, { palette: [], patches: [] }, async () => session);
  const pictures = new Uint8Array(3 * side * side);
  const step = async (progress: number) => {
    await trainer.step({ photographs: pictures, painting: pictures }, progress);
    const first = (name: string) => (seen.at(-1)![name]!.data as Float32Array)[0]!;
    return { palette: first('paletteWeight'), strength: first('strength') };
  };
  return { step };
}

it('asks for a third of the palette at first and all of it from two thirds of the run on', async () => {
  const { step } = await recorded();
  const asked: number[] = [];
  for (const progress of [0, 0.1, 0.3, 0.4, 0.5, 0.65, 1]) asked.push((await step(progress)).palette);
  expect(asked[0]).toBeCloseTo(14, 4);
  expect(asked[1]).toBeCloseTo(14, 4);
  // Halfway up at four tenths.
  expect(asked[3]).toBeCloseTo(28, 4);
  expect(asked.at(-2)).toBeCloseTo(42, 4);
  expect(asked.at(-1)).toBeCloseTo(42, 4);
  expect([...asked].sort((a, b) => a - b)).toEqual(asked);
});

it('paints three crops of four with all strength, and the fourth with any', async () => {
  const { step } = await recorded();
  const strengths: number[] = [];
  for (let n = 0; n < 40; n++) strengths.push((await step(0)).strength);
  const eased = strengths.filter((strength) => strength < 1);
  expect(eased).toHaveLength(10);
  expect(new Set(eased).size).toBe(10);
  expect(Math.min(...eased)).toBeLessThan(0.3);
  expect(Math.max(...eased)).toBeGreaterThan(0.7);
});
