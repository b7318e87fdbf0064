// Normal numbers against Box and Muller's formula by the functions of JavaScript, draw for draw.

import { expect, it } from 'vitest';
import { Random } from './random.js';

it.each([1, 2, 7, 100_000])('%i normal numbers are those of the formula', (count) => {
  const [random, draws] = [new Random('normals'), new Random('normals')];
  const expected = new Float32Array(count + 1);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - draws.uniform()));
    const angle = 2 * Math.PI * draws.uniform();
    expected.set([radius * Math.cos(angle), radius * Math.sin(angle)], i);
  }
  const values = random.normals(count);
  expect(values.length).toBe(count);
  expect(values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!) / Math.max(1e-3, Math.abs(expected[i]!))), 0)).toBeLessThan(2e-7);
  expect(random.save()).toEqual(draws.save());
});

it('has deviations of 1, and none is no number', () => {
  const values = new Random(5).normals(400_000);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const square = values.reduce((a, b) => a + b * b, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.abs(square - 1)).toBeLessThan(0.01);
  expect(values.every(Number.isFinite)).toBe(true);
});
