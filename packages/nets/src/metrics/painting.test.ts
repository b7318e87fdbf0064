// The distance of styles and the transfer of colours, against what they must be by calculation.

import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { PaintingProfile } from './painting.js';
import type { Planar } from './style.js';

const picture = (width: number, height: number, at: (c: number, x: number, y: number) => number): Planar => {
  const data = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[(c * height + y) * width + x] = at(c, x, y);
  return { width, height, data };
};
const noisy = (seed: string) => {
  const random = new Random(seed);
  return picture(96, 72, (c) => 0.2 + 0.2 * c + 0.3 * random.uniform());
};
const profileOf = (painting: Planar) => PaintingProfile.of([painting], 1);
const distance = (a: Planar, b: Planar) => profileOf(b).distanceOf(a);

describe('the distance of styles', () => {
  it('of one grey to another is their difference times the mean length of its projections', () => {
    const { patches, colour } = distance(picture(64, 64, () => 0.3), picture(80, 60, () => 0.5));
    // On a sphere in three dimensions |cos| has the mean 1/2; sixty-four directions know it to some percent.
    expect(colour / ((0.2 * Math.sqrt(3)) / 2)).toBeGreaterThan(0.85);
    expect(colour / ((0.2 * Math.sqrt(3)) / 2)).toBeLessThan(1.15);
    // In many dimensions a projection is normal, and its mean length sqrt(2 / pi) of its deviation.
    expect(patches / (0.2 * Math.sqrt(2 / Math.PI))).toBeGreaterThan(0.85);
    expect(patches / (0.2 * Math.sqrt(2 / Math.PI))).toBeLessThan(1.15);
  });

  it('is small between two pictures of one kind, and tells colour from grain', () => {
    const same = distance(noisy('a'), noisy('b'));
    const turned = noisy('a');
    // The same pixels in other places: no colour has changed.
    const stripes = { ...turned, data: turned.data.map((_, i, all) => all[i - (i % 8)]!) };
    const other = distance(turned, stripes);
    expect(same.patches).toBeLessThan(0.01);
    expect(other.colour).toBeLessThan(0.02);
    expect(other.patches).toBeGreaterThan(3 * same.patches);
  });

  it('wants pictures that have patches at every size', () => {
    const said = 'a picture of 40x90 is too small to measure; its shorter side must be 54 px';
    expect(() => distance(picture(40, 90, () => 0), picture(90, 90, () => 0))).toThrow(said);
    expect(() => distance(picture(90, 90, () => 0), picture(40, 90, () => 0))).toThrow(said);
  });
});

describe('colour transfer', () => {
  it('gives a picture to itself', () => {
    const a = noisy('d');
    const { data } = profileOf(a).coloured(a);
    // The published matrices are each other's inverses to two digits or three.
    expect(data.reduce((most, v, i) => Math.max(most, Math.abs(v - a.data[i]!)), 0)).toBeLessThan(1e-2);
  });

  it("takes a painting's colours", () => {
    const painting = picture(64, 64, (c, x) => [0.1, 0.3, 0.7][c]! + x / 640);
    const before = distance(noisy('e'), painting).colour;
    expect(distance(profileOf(painting).coloured(noisy('e')), painting).colour).toBeLessThan(before / 4);
  });
});

describe('several paintings', () => {
  it('are measured against as one that has the colours of all', () => {
    const [dark, light] = [0.2, 0.6].map((grey) => picture(64, 64, () => grey)) as [Planar, Planar];
    const both = PaintingProfile.of([dark, light], 2);
    // Half of the ranks are 0.4 away, half are there.
    expect(both.distanceOf(dark).colour / PaintingProfile.of([light], 1).distanceOf(dark).colour).toBeCloseTo(0.5, 1);
    const { data } = both.coloured(picture(64, 64, (_, x) => (x < 32 ? 0.4 : 0.5)));
    expect(data[0]! / 0.2).toBeCloseTo(1, 1);
    expect(data[63]! / 0.6).toBeCloseTo(1, 1);
  });

  it('may be kept and read again', () => {
    const profile = profileOf(noisy('f'));
    expect(profile.values.length).toBe(PaintingProfile.length);
    expect(new PaintingProfile(profile.values.slice()).distanceOf(noisy('g'))).toEqual(profile.distanceOf(noisy('g')));
  });
});
