// The measures of a style against what they must be by calculation.

import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { boxReduced, colourTransfer, flicker, type Planar, stillFrame, structureKept, styleDistance } from './style.js';

const picture = (width: number, height: number, at: (c: number, x: number, y: number) => number): Planar => {
  const data = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[(c * height + y) * width + x] = at(c, x, y);
  return { width, height, data };
};
const noisy = (seed: string) => {
  const random = new Random(seed);
  return picture(96, 72, (c) => 0.2 + 0.2 * c + 0.3 * random.uniform());
};

describe('the distance of styles', () => {
  it('of one grey to another is their difference times the mean length of its projections', () => {
    const { patches, colour } = styleDistance(picture(64, 64, () => 0.3), picture(80, 60, () => 0.5));
    // On a sphere in three dimensions |cos| has the mean 1/2; sixty-four directions know it to some percent.
    expect(colour / ((0.2 * Math.sqrt(3)) / 2)).toBeGreaterThan(0.85);
    expect(colour / ((0.2 * Math.sqrt(3)) / 2)).toBeLessThan(1.15);
    // In many dimensions a projection is normal, and its mean length sqrt(2 / pi) of its deviation.
    expect(patches / (0.2 * Math.sqrt(2 / Math.PI))).toBeGreaterThan(0.85);
    expect(patches / (0.2 * Math.sqrt(2 / Math.PI))).toBeLessThan(1.15);
  });

  it('is small between two pictures of one kind, and tells colour from grain', () => {
    const same = styleDistance(noisy('a'), noisy('b'));
    const turned = noisy('a');
    // The same pixels in other places: no colour has changed.
    const stripes = { ...turned, data: turned.data.map((_, i, all) => all[i - (i % 8)]!) };
    const other = styleDistance(turned, stripes);
    expect(same.patches).toBeLessThan(0.01);
    expect(other.colour).toBeLessThan(0.02);
    expect(other.patches).toBeGreaterThan(3 * same.patches);
  });

  it('wants pictures that have patches at every size', () => {
    expect(() => styleDistance(picture(40, 90, () => 0), picture(90, 90, () => 0))).toThrow('a picture of 40x90 is too small to measure; its shorter side must be 54 px');
  });
});

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

describe('colour transfer', () => {
  it('gives a picture to itself', () => {
    const a = noisy('d');
    const { data } = colourTransfer(a, a);
    // The published matrices are each other's inverses to two digits or three.
    expect(data.reduce((most, v, i) => Math.max(most, Math.abs(v - a.data[i]!)), 0)).toBeLessThan(1e-2);
  });

  it("takes a painting's colours", () => {
    const painting = picture(64, 64, (c, x) => [0.1, 0.3, 0.7][c]! + x / 640);
    const before = styleDistance(noisy('e'), painting).colour;
    expect(styleDistance(colourTransfer(noisy('e'), painting), painting).colour).toBeLessThan(before / 4);
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
