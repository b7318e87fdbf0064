// Augmentation against the same changes made pixel by pixel, and the rule that sets its strength against the paper's.

import { compile, floats, input, type Value } from '@zeuxis/graph';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../graph/src/node.js';
import { Random } from '../random.js';
import { adaptStrength, augmentation, drawAugmentation, mirror, overfitting } from './augment.js';

const [N, SIZE] = [12, 16];
const at = (k: number, c: number, y: number, x: number) => ((k * 3 + c) * SIZE + y) * SIZE + x;
let pictures: Float32Array;
let change: (strength: number, seed?: string) => Promise<{ out: Float32Array; feeds: Record<string, Value> }>;

beforeAll(async () => {
  pictures = new Random('pictures').normals(N * 3 * SIZE * SIZE);
  const shape = [N, 3, SIZE, SIZE];
  const session = await openSession(compile({ y: augmentation(N, SIZE)(input('x', shape)) }), { threads: 1 });
  change = async (strength, seed = 'chance') => {
    const feeds = drawAugmentation(new Random(seed), N, SIZE, strength);
    const { y } = await session.run({ ...feeds, x: floats(pictures, shape) });
    return { out: y!.data as Float32Array, feeds };
  };
});

describe('augmentation', () => {
  it('leaves pictures alone at strength 0', async () => {
    const { out } = await change(0);
    expect(Math.max(...out.map((v, i) => Math.abs(v - pictures[i]!)))).toBeLessThan(1e-5);
  });

  it('colours, shifts and cuts as the numbers say, pixel by pixel', async () => {
    const { out, feeds } = await change(1);
    const [tone, rows, columns, holes] = ['tone', 'rows', 'columns', 'holes'].map((name) => feeds[name]!.data as Float32Array) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const shifts = new Set<string>();
    for (let k = 0; k < N; k++) {
      // The shift is read off the row of the matrix that the middle of the picture goes to.
      const middle = SIZE / 2;
      const dy = middle - rows.subarray((k * SIZE + middle) * SIZE, (k * SIZE + middle + 1) * SIZE).indexOf(1);
      const dx = Array.from({ length: SIZE }, (_, i) => columns[(k * SIZE + middle) * SIZE + i]).indexOf(1) - middle;
      shifts.add(`${dy},${dx}`);
      expect(Math.max(Math.abs(dy), Math.abs(dx))).toBeLessThanOrEqual(SIZE / 8);
      const [brightness, saturation, contrast] = tone.subarray(k * 3, k * 3 + 3) as unknown as [number, number, number];
      const picture = (c: number, y: number, x: number) => pictures[at(k, c, y, x)]! + brightness;
      const grey = (y: number, x: number) => (picture(0, y, x) + picture(1, y, x) + picture(2, y, x)) / 3;
      let level = 0;
      for (let y = 0; y < SIZE; y++) for (let x = 0; x < SIZE; x++) level += grey(y, x) / SIZE ** 2;
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < SIZE; y++)
          for (let x = 0; x < SIZE; x++) {
            const [sy, sx] = [y - dy, x - dx];
            const outside = sy < 0 || sx < 0 || sy >= SIZE || sx >= SIZE;
            const cut = holes[k * 2 * SIZE + y]! * holes[(k * 2 + 1) * SIZE + x]! === 1;
            const saturated = outside ? 0 : grey(sy, sx) + (picture(c, sy, sx) - grey(sy, sx)) * saturation;
            const expected = outside || cut ? 0 : level + (saturated - level) * contrast;
            expect(Math.abs(out[at(k, c, y, x)]! - expected)).toBeLessThan(1e-4);
          }
    }
    expect(shifts.size).toBeGreaterThan(N / 2);
  });

  it('changes as many pictures as its strength says', () => {
    const { tone } = drawAugmentation(new Random(1), 4000, 8, 0.3);
    const changed = Array.from({ length: 4000 }, (_, k) => (tone!.data as Float32Array)[k * 3] !== 0).filter(Boolean).length;
    expect(changed / 4000).toBeCloseTo(0.3, 1);
  });
});

it('mirrors rows and nothing else', () => {
  const before = Uint8Array.from({ length: 40 * 3 * 4 * 4 }, (_, i) => i % 251);
  const after = before.slice();
  mirror(after, 4, new Random('mirror'));
  let mirrored = 0;
  for (let k = 0; k < 40; k++) {
    const [was, is] = [before.slice(k * 48, k * 48 + 48), after.slice(k * 48, k * 48 + 48)];
    const turned = was.map((_, i) => was[i - (i % 4) + 3 - (i % 4)]!);
    if (is.join() !== was.join()) mirrored++;
    expect([was.join(), turned.join()]).toContain(is.join());
  }
  expect(mirrored).toBeGreaterThan(8);
  expect(mirrored).toBeLessThan(32);
});

describe('adaptive strength', () => {
  it('calls it learnt by heart where held-back pictures are judged like made ones', () => {
    expect(overfitting({ seen: 2, held: 2, made: -1 })).toBe(0);
    expect(overfitting({ seen: 2, held: -1, made: -1 })).toBe(1);
    expect(overfitting({ seen: 2, held: 0.5, made: -1 })).toBe(0.5);
    expect(overfitting({ seen: -1, held: 0, made: 1 })).toBe(0);
  });

  it('rises while it is, falls while it is not, and stays within its bounds', () => {
    expect(adaptStrength(0.2, 0.9, 10_000)).toBeCloseTo(0.3);
    expect(adaptStrength(0.2, 0.1, 10_000)).toBeCloseTo(0.1);
    expect(adaptStrength(0.75, 0.9, 50_000)).toBe(0.8);
    expect(adaptStrength(0.01, 0, 50_000)).toBe(0);
  });
});
