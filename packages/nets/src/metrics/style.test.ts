// What is left of a photograph, against what it must be by calculation.

import { describe, expect, it } from 'vitest';
import { boxReduced, flicker, type Planar, stillFrame, structureKept } from './style.js';

const picture = (width: number, height: number, at: (c: number, x: number, y: number) => number): Planar => {
  const data = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[(c * height + y) * width + x] = at(c, x, y);
  return { width, height, data };
};
describe('structure', () => {
  it('is whole in the picture itself and in a brighter one, and gone in another', () => {
    const waves = picture(128, 96, (_, x, y) => 0.4 + 0.2 * Math.sin(x / 9) * Math.cos(y / 7));
    const brighter = { ...waves, data: waves.data.map((v) => v + 0.1) };
    expect(structureKept(waves, waves)).toEqual({ ssim: 1, edges: expect.closeTo(1, 10) });
    expect(structureKept(waves, brighter).edges).toBeCloseTo(1, 4);
    expect(structureKept(waves, brighter).ssim).toBeGreaterThan(0.9);
    expect(structureKept(picture(64, 64, () => 0.5), picture(64, 64, () => 0.2)).edges).toBe(1);
    expect(structureKept(picture(128, 96, () => 0.5), waves).edges).toBe(0);
    expect(structureKept(waves, picture(128, 96, (_, x, y) => 0.4 + 0.2 * Math.sin(y / 3) * Math.cos(x / 23))).ssim).toBeLessThan(0.3);
  });
});

it('reduces by the means of boxes', () => {
  expect([...boxReduced(picture(4, 2, (c, x, y) => c + x + 10 * y), 2).data]).toEqual([5.5, 7.5, 6.5, 8.5, 7.5, 9.5]);
});

it('two frames of a still scene differ as two draws of a noise of 2 / 255 do', () => {
  const grey = picture(64, 48, () => 0.5);
  // The mean of |a - b| of two normals is 2 / sqrt(pi) deviations.
  expect(flicker(stillFrame(grey, 0), stillFrame(grey, 1)) / (2 / 255 / Math.sqrt(Math.PI) * 2)).toBeCloseTo(1, 1);
  expect(flicker(stillFrame(grey, 1), stillFrame(grey, 1))).toBe(0);
});
