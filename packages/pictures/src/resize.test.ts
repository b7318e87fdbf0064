// Scaling of planar pictures: places and channels kept, flat stays flat, and fine patterns melt instead of aliasing.

import { expect, it } from 'vitest';
import { resizePlanar } from './resize.js';

/** Two pictures [2, 3, 16, 16] by a function of picture, channel, row and column. */
const draw = (value: (k: number, c: number, y: number, x: number) => number) =>
  Uint8Array.from({ length: 2 * 3 * 256 }, (_, i) => value(Math.floor(i / 768), Math.floor(i / 256) % 3, Math.floor(i / 16) % 16, i % 16));

it('keeps channels and pictures apart, and the middle of a ramp', async () => {
  const out = await resizePlanar(draw((k, c, y, x) => (c === 0 ? 16 * x : c === 1 ? 16 * y : 100 * k)), 16, 8, 4);
  expect(out.length).toBe(2 * 3 * 4 * 8);
  const at = (k: number, c: number, y: number, x: number) => out[((k * 3 + c) * 4 + y) * 8 + x]!;
  expect(Math.abs(at(0, 0, 2, 3) - 16 * 6.5)).toBeLessThan(3);
  expect(Math.abs(at(1, 1, 1, 5) - 16 * 5.5)).toBeLessThan(3);
  expect([at(0, 2, 1, 1), at(1, 2, 1, 1)]).toEqual([0, 100]);
});

it('reduces stripes of one pixel to their mean, and enlarges without new values', async () => {
  const grey = await resizePlanar(draw((_k, _c, _y, x) => (x % 2) * 200), 16, 4, 4);
  for (const value of grey) expect(Math.abs(value - 100)).toBeLessThan(20);
  const large = await resizePlanar(draw((_k, _c, _y, x) => (x < 8 ? 50 : 150)), 16, 64, 64);
  expect([Math.min(...large), Math.max(...large)]).toEqual([50, 150]);
});

it('leaves pictures of the right size as they are', async () => {
  const pictures = draw(() => 7);
  expect(await resizePlanar(pictures, 16, 16, 16)).toBe(pictures);
});
