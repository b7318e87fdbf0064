// PSNR and SSIM against numpy's and scipy's numbers (scripts/reference/superresolution.py).

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fill } from '../../../graph/src/reference-cases.js';
import { cropBorder, type Grey, luma, psnr, ssim } from './quality.js';

const reference: { psnr: number; ssim: number } = JSON.parse(readFileSync(new URL('./quality.json', import.meta.url), 'utf8'));
const [width, height] = [40, 33];
const a: Grey = { width, height, data: Float64Array.from(fill('a', width * height), (value) => value * 40 + 120) };
const b: Grey = { ...a, data: a.data.map((value, i) => value + fill('b', width * height)[i]! * 12) };

it('agrees with numpy and scipy', () => {
  expect(psnr(a, b)).toBeCloseTo(reference.psnr, 9);
  expect(ssim(a, b)).toBeCloseTo(reference.ssim, 9);
});

it('is endless and whole for a picture against itself', () => {
  expect(psnr(a, a)).toBe(Number.POSITIVE_INFINITY);
  expect(ssim(a, a)).toBeCloseTo(1, 12);
});

it('weighs colours to luma of 16 to 235', () => {
  expect([...luma([0, 0, 0, 255, 255, 255, 255, 0, 0], 3, 3)].map((value) => Math.round(value * 100) / 100)).toEqual([16, 235, 81.48]);
  expect(luma([255], 1, 1)[0]).toBeCloseTo(235, 9);
});

it('cuts borders, and says where nothing is left', () => {
  const cut = cropBorder(a, 4);
  expect([cut.width, cut.height, cut.data[0], cut.data.at(-1)]).toEqual([32, 25, a.data[4 * width + 4], a.data[28 * width + 35]]);
  expect(() => cropBorder(a, 17)).toThrow(/40x33 has nothing left/);
});
