// The measures against numbers made by scipy and numpy (scripts/reference/metrics.py), and on sets whose measures are known.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fill } from '../../../graph/src/reference-cases.js';
import { Random } from '../random.js';
import { eigenvalues, factor, finish, frechetDistance, kernelDiscrepancy, kernelDistance, measure, pick, type Rows, rows, shares } from './index.js';

interface Expected {
  settings: [number, number, number, number, number];
  eigenvalues: number[];
  frechet: number;
  kernel: number;
  precision: number;
  recall: number;
  density: number;
  coverage: number;
}
const reference: Record<string, Expected> = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8'));

/** Correlated features, as the script makes them. */
function features(name: string, count: number, width: number, shift: number, scale: number): Rows {
  const [values, mix] = [fill(name, count * width), fill(`mix ${width}`, width * width)];
  const set = rows(count, width);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < width; j++)
      for (let k = 0; k < width; k++) set.data[i * width + j]! += ((scale * values[i * width + k]! + shift) * mix[k * width + j]!) / Math.sqrt(width);
  return set;
}

function covariance({ count, width, data }: Rows): Float64Array {
  const s = new Float64Array(width * width);
  const mean = (k: number) => Array.from({ length: count }, (_, i) => data[i * width + k]!).reduce((a, b) => a + b) / count;
  const means = Array.from({ length: width }, (_, k) => mean(k));
  for (let i = 0; i < count; i++)
    for (let a = 0; a < width; a++)
      for (let b = 0; b < width; b++) s[a * width + b]! += ((data[i * width + a]! - means[a]!) * (data[i * width + b]! - means[b]!)) / (count - 1);
  return s;
}

describe.each(Object.entries(reference))('%s, against scipy and numpy', (name, expected) => {
  const [real, made, width, shift, scale] = expected.settings;
  const [x, y] = [features(`${name} real`, real, width, 0, 1), features(`${name} made`, made, width, shift, scale)];
  // float64 on both sides: what is left is the rounding of sums, and of square roots of eigenvalues that should be zero.
  const close = (actual: number, wanted: number) => expect(Math.abs(actual - wanted)).toBeLessThan(1e-7 * Math.max(1, Math.abs(wanted)));

  it('has the same Fréchet distance, also the other way round', () => {
    close(finish(frechetDistance(x, y)), expected.frechet);
    close(finish(frechetDistance(y, x)), expected.frechet);
  });
  it('has the same kernel discrepancy', () => close(kernelDiscrepancy(x, y), expected.kernel));
  it('has the same precision, recall, density and coverage', () => {
    const { precision, recall, density, coverage } = expected;
    const actual = finish(shares(x, y));
    for (const [key, value] of Object.entries({ precision, recall, density, coverage })) close(actual[key as 'recall'], value);
  });
  it('has the same eigenvalues', () => {
    const values = finish(eigenvalues(covariance(x), width));
    const some = [values[0]!, values[Math.floor(width / 2)]!, values.at(-1)!];
    for (const [i, value] of some.entries()) close(value, expected.eigenvalues[i]!);
  });
});

describe('eigenvalues', () => {
  it('finds those of the second difference, and of matrices that fall apart or are zero', () => {
    const n = 50;
    const second = Float64Array.from({ length: n * n }, (_, k) => [2, -1][Math.abs(Math.floor(k / n) - (k % n))] ?? 0);
    for (const [k, value] of finish(eigenvalues(second, n)).entries())
      expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 12);
    expect([...finish(eigenvalues(Float64Array.of(3, 0, 0, 0, 1, 0, 0, 0, 2), 3))]).toEqual([1, 2, 3]);
    expect([...finish(eigenvalues(new Float64Array(4), 2))]).toEqual([0, 0]);
    // One, repeated: all ones have n once and zero otherwise.
    const ones = finish(eigenvalues(new Float64Array(100).fill(1e200), 10));
    expect(ones.at(-1)! / 1e201).toBeCloseTo(1, 12);
    expect(Math.abs(ones[8]!) / 1e201).toBeLessThan(1e-14);
  });
  it('refuses what is no number', () => expect(() => finish(eigenvalues(new Float64Array(4).fill(Number.NaN), 2))).toThrow(/finite|number/));
});

it('factors a matrix of small rank into as many rows', () => {
  const set = features('rank', 5, 20, 0, 1);
  const s = covariance(set);
  const r = finish(factor(s, 20));
  expect(r.count).toBe(4);
  for (let i = 0; i < 400; i++) {
    let sum = 0;
    for (let k = 0; k < r.count; k++) sum += r.data[k * 20 + Math.floor(i / 20)]! * r.data[k * 20 + (i % 20)]!;
    expect(Math.abs(sum - s[i]!)).toBeLessThan(1e-13);
  }
});

describe('sets whose measures are known', () => {
  const set = features('known', 700, 12, 0, 1);

  it('are no distance from themselves', () => {
    const { frechet, precision, recall, density, coverage } = finish(measure(set, set, new Random(1)));
    expect(frechet).toBeLessThan(1e-9);
    expect({ precision, recall, coverage }).toEqual({ precision: 1, recall: 1, coverage: 1 });
    expect(density).toBeCloseTo(1, 12);
  });

  it('move by the square of a shift', () => {
    const moved = rows(set.count, set.width, set.data.map((value, i) => (i % set.width === 3 ? value + 5 : value)));
    expect(finish(frechetDistance(set, moved))).toBeCloseTo(25, 8);
  });

  it('lose recall, not precision, where one point is drawn over and over; order counts for nothing', () => {
    const collapsed = pick(set, Array.from({ length: 300 }, () => 7));
    expect(finish(shares(set, collapsed))).toMatchObject({ precision: 1, recall: 1 / 700 });
    const turned = pick(set, new Random('order').permutation(set.count));
    expect(finish(shares(turned, pick(set, [1, 2, 3, 4, 5, 6, 8])))).toEqual(finish(shares(set, pick(set, [8, 6, 5, 4, 3, 2, 1]))));
  });

  it('have a kernel distance over subsets that repeats with its seed and centres on the whole', () => {
    const [many, others] = [features('many', 1500, 8, 0, 1), features('others', 1400, 8, 0.2, 1)];
    const [a, b] = [finish(kernelDistance(many, others, new Random(5))), finish(kernelDistance(many, others, new Random(5)))];
    expect(a).toEqual(b);
    expect(a).toMatchObject({ subset: 1000, subsets: 20 });
    expect(Math.abs(a.mean - kernelDiscrepancy(many, others))).toBeLessThan((4 * a.deviation) / Math.sqrt(a.subsets));
    const whole = finish(kernelDistance(pick(many, [1, 2, 3, 4, 5]), pick(others, [1, 2, 3, 4, 5]), new Random(1)));
    expect(whole.mean).toBeCloseTo(kernelDiscrepancy(pick(many, [1, 2, 3, 4, 5]), pick(others, [1, 2, 3, 4, 5])), 12);
    expect(whole.deviation).toBeLessThan(1e-12);
  });
});

it('refuses sets of different widths, and too few rows', () => {
  expect(() => finish(frechetDistance(rows(9, 3), rows(9, 4)))).toThrow(/3 and of 4/);
  expect(() => finish(shares(rows(5, 3), rows(9, 3)))).toThrow(/6 points at least/);
});
