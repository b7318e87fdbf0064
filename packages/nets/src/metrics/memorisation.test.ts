// Nearest neighbours against a plain search, thresholds against examples worked by hand and against distributions whose
// quantiles are known.

import { describe, expect, it } from 'vitest';
import { Random } from '../random.js';
import { calibrate, finish, isCopy, type Neighbour, nearest, pick, type Rows, rows, spread } from './index.js';

const normals = (name: string, count: number, width: number): Rows => rows(count, width, Float64Array.from(new Random(name).normals(count * width)));

describe('nearest', () => {
  const [queries, set, mirrored] = [normals('queries', 131, 7), normals('set', 603, 7), normals('mirrored', 603, 7)];
  const distance = (a: Rows, i: number, b: Rows, j: number) => Math.hypot(...Array.from({ length: 7 }, (_, k) => a.data[i * 7 + k]! - b.data[j * 7 + k]!));
  const plain = (i: number, of: Rows, most: number, own?: number): Neighbour[] =>
    Array.from({ length: set.count }, (_, index) => {
      const [there, turned] = [distance(of, i, set, index), distance(of, i, mirrored, index)];
      return { index, distance: Math.min(there, turned), variant: turned < there ? 1 : 0 };
    })
      .filter(({ index }) => index !== own)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, most);
  const same = (found: Neighbour[][], wanted: (i: number) => Neighbour[]) => {
    for (const [i, list] of found.entries()) {
      expect(list.map(({ index, variant }) => [index, variant])).toEqual(wanted(i).map(({ index, variant }) => [index, variant]));
      for (const [k, { distance }] of wanted(i).entries()) expect(list[k]!.distance).toBeCloseTo(distance, 12);
    }
  };

  it('finds what a plain search finds, of each picture its nearer variant', () => {
    const found = finish(nearest(queries, [set, mirrored], 4));
    expect(found).toHaveLength(131);
    same(found, (i) => plain(i, queries, 4));
  });
  it('leaves out the query itself, in all variants', () => {
    const own = [600, 3, 77];
    same(finish(nearest(pick(set, own), [set, mirrored], 2, own)), (i) => plain(own[i]!, set, 2, own[i]));
  });
  it('gives fewer where there are fewer, and equal rows no distance at all, far from the origin too', () => {
    const far = rows(3, 2, Float64Array.of(1e6, 1e6, 1e6 + 1e-3, 1e6, 1e6, 1e6 + 2));
    const [list] = finish(nearest(pick(far, [0]), [far], 9));
    expect(list!.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(list![0]!.distance).toBe(0);
    expect(list![1]!.distance).toBeCloseTo(1e-3, 8);
  });
});

it('measures the spread of a set', () => expect(spread(rows(2, 2, Float64Array.of(5, 5, 11, 13)))).toBeCloseTo(5, 12));

describe('calibrate', () => {
  it('sees the 0.1% of many distances: two of 2,000 are nearer, and the third is no copy', () => {
    const distances = Array.from({ length: 2000 }, (_, i) => 2000 - i);
    const calibration = calibrate(distances, 1);
    expect(calibration).toMatchObject({ threshold: 3, distances: 2000, duplicates: 0, median: 1000.5, quantile: 'seen' });
    expect(distances.filter((distance) => isCopy(distance, calibration))).toEqual([2, 1]);
  });

  it('fits the tail of few: by hand, 5 of 20 distances', () => {
    // The nearest five are 1, 2, 4, 8, 16 and the next is 32: the mean of log(32 / d) is log 8. Five of 20 are 250 times 0.1%.
    const distances = [1, 2, 4, 8, 16, 32, ...Array.from({ length: 14 }, (_, i) => 40 + i)];
    const { threshold, quantile } = calibrate(distances, 1e-9);
    expect(threshold).toBeCloseTo(32 * 8 ** (-5 * (250 ** (1 / 5) - 1)), 12);
    expect(quantile).toBe('extrapolated');
  });

  it.each([32, 100, 400, 999])('names one of a thousand on average, by %d distances of a power', (count) => {
    // P(D < d) = d^m: a threshold's own share is its m-th power.
    for (const m of [3, 20]) {
      const shares = Array.from({ length: 1000 }, (_, draw) => {
        const random = new Random(`power/${m}/${draw}`);
        return calibrate(Array.from({ length: count }, () => random.uniform() ** (1 / m)), 1e-9).threshold ** m;
      });
      const mean = shares.reduce((sum, share) => sum + share) / shares.length;
      expect(mean).toBeGreaterThan(0.0007);
      expect(mean).toBeLessThan(0.0013);
    }
  });

  it('leaves duplicates out, so that they do not make the threshold nothing', () => {
    const clean = Array.from({ length: 1500 }, (_, i) => 5 + i / 100);
    const { threshold, distances, duplicates } = calibrate([...clean, ...Array(300).fill(0), ...Array(5).fill(0.004)], 8);
    expect({ threshold, distances, duplicates }).toEqual({ threshold: 5.01, distances: 1500, duplicates: 305 });
  });

  it('always names equal pictures, also where nothing can be calibrated', () => {
    const calibration = calibrate([...Array(500).fill(0), 3, 4, 5], 10);
    expect(calibration).toMatchObject({ quantile: 'none', distances: 3, duplicates: 500, threshold: 0.01 });
    expect([0, 0.009, 0.01, 0.02].map((distance) => isCopy(distance, calibration))).toEqual([true, true, true, false]);
    expect(isCopy(0, calibrate([], 0))).toBe(true);
  });
});
