// Enlarging in tiles is enlarging the whole.

import { type Feeds, floats } from '@zeuxis/graph';
import { defineUpscaler, Random, upscalerModel } from '@zeuxis/nets';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { enlarge, type Source, tileCount } from './tiles.js';

const [width, height] = [53, 41];
const upscaler = defineUpscaler({ preset: 'fast', scale: 2, channels: 3 });
const { margin } = upscaler;
// Weights larger than a run's first: what a tile misses of its surroundings must show.
const weights = upscaler.network.initialise(new Random(1)).map((value) => value * 1.3);
const random = new Random(2);
const picture = Float32Array.from({ length: 3 * width * height }, () => random.uniform());
const source: Source = {
  width,
  height,
  read(x, y, w, h, out) {
    for (let c = 0; c < 3; c++)
      for (let row = 0; row < h; row++)
        for (let column = 0; column < w; column++) out[(c * h + row) * w + column] = picture[(c * height + y + row) * width + x + column]!;
  },
};

async function whole(tile: number, margin: number): Promise<Float32Array> {
  const session = await openSession(upscalerModel(upscaler, weights, {}), { threads: 1 });
  const out = new Float32Array(3 * 4 * width * height).fill(Number.NaN);
  let tiles = 0;
  const sink = (values: Float32Array, x: number, y: number, w: number, h: number) => {
    for (let c = 0; c < 3; c++)
      for (let row = 0; row < h; row++)
        out.set(values.subarray((c * h + row) * w, (c * h + row + 1) * w), (c * 2 * height + y + row) * 2 * width + x);
  };
  await enlarge(session, source, sink, { scale: 2, channels: 3, margin, tile, onTile: () => tiles++ }).finally(() => session.close());
  expect(tiles).toBe(tileCount(source, { tile, margin }));
  return out;
}
const difference = (a: Float32Array, b: Float32Array) => a.reduce((largest, value, i) => Math.max(largest, Number.isNaN(value) ? 1 : Math.abs(value - b[i]!)), 0);

describe('enlarge', async () => {
  const expected = await whole(1000, margin);
  it.each([16, 19, 40])('gives the same in tiles of %i px', async (tile) => {
    expect(difference(await whole(tile, margin), expected)).toBeLessThan(2e-5);
  });
  it('passes the model tiles of one size, but for the last of a row or column', async () => {
    const sizes: [number, number][] = [];
    const session = {
      device: 'cpu',
      close: async () => {},
      run: async ({ small }: Feeds) => {
        const [, , h, w] = small!.shape as [number, number, number, number];
        sizes.push([w, h]);
        return { large: floats(new Float32Array(12 * w * h), [1, 3, 2 * h, 2 * w]) };
      },
    };
    await enlarge(session, source, () => {}, { scale: 2, channels: 3, margin: 4, tile: 10 });
    // They end at 14, 24, 34, 44 and 53 px across, and at 14, 24, 34 and 41 down.
    expect(new Set(sizes.map(([w]) => w))).toEqual(new Set([18, 53 - 44 + 4]));
    expect(new Set(sizes.map(([, h]) => h))).toEqual(new Set([18, 41 - 34 + 4]));
  });
  it('would not with less overlap than the network sees', async () => {
    expect(difference(await whole(16, margin - 3), expected)).toBeGreaterThan(2e-4);
  });
  it.each([Number.NaN, Infinity, -Infinity])('refuses a model that makes %d', async (value) => {
    const made = (last: number) => ({ device: 'cpu', close: async () => {}, run: async () => ({ large: floats(Float32Array.from({ length: 12 * width * height }, (_, i) => (i === 77 ? last : -1e38)), [1, 3, 2 * height, 2 * width]) }) });
    const by = (last: number) => enlarge(made(last), source, () => {}, { scale: 2, channels: 3, margin, tile: 1000 });
    await expect(by(value)).rejects.toThrow('values that are no numbers');
    await by(3.4e38);
  });
});
