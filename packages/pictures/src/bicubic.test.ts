// MATLAB's bicubic against Pillow's, which has the same kernel and other edges (scripts/reference/superresolution.py), and
// against MATLAB's own reductions where the benchmark's pictures are at hand.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bicubic, lanczos } from './bicubic.js';
import { readPlane } from './plane.js';

const reference: { picture: number[]; scaled: Record<string, number[]>; lanczos: Record<string, number[]> } = JSON.parse(readFileSync(new URL('./bicubic.json', import.meta.url), 'utf8'));
const noise = { width: 40, height: 32, channels: 1, data: Float32Array.from(reference.picture) };
const set5 = fileURLToPath(new URL('../../../../shared/data/bench/set5/', import.meta.url));

describe('bicubic', () => {
  const both = [
    ...Object.entries(reference.scaled).map(([scale, expected]) => ['bicubic', scale, expected, bicubic<Float32Array>] as const),
    ...Object.entries(reference.lanczos).map(([scale, expected]) => ['lanczos', scale, expected, lanczos<Float32Array>] as const),
  ];
  it.each(both)('%s agrees with Pillow at scale %s', (_, scale, expected, method) => {
    const { width, height, data } = method(noise, Number(scale));
    expect([width, height]).toEqual([40 * Number(scale), 32 * Number(scale)]);
    const middle = (height / 2) * width + width / 2 - 2;
    for (const [i, value] of expected.entries()) expect(data[middle + i]).toBeCloseTo(value, 2);
  });

  it('keeps what is flat, to the edges, and rounds whole samples within their range', () => {
    for (const kind of [Uint8Array, Uint16Array])
      expect(new Set(bicubic({ width: 7, height: 5, channels: 3, data: new kind(105).fill(200) }, 3).data)).toEqual(new Set([200]));
    const edge = bicubic({ width: 8, height: 1, channels: 1, data: Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255) }, 2).data;
    expect([Math.min(...edge), Math.max(...edge)]).toEqual([0, 255]);
  });

  it('rounds sides up, as MATLAB does', () => {
    expect(bicubic({ width: 9, height: 5, channels: 1, data: new Uint8Array(45) }, 1 / 4)).toMatchObject({ width: 3, height: 2 });
    expect(bicubic({ width: 9, height: 6, channels: 1, data: new Uint8Array(54) }, 1 / 3)).toMatchObject({ width: 3, height: 2 });
  });

  it.skipIf(!existsSync(set5)).each([2, 3, 4])('reduces Set5 by %i as MATLAB did', async (scale) => {
    const folder = `${set5}x${scale}/`;
    for (const name of readdirSync(folder).filter((file) => file.endsWith('-lr.png'))) {
      const [theirs, truth] = [await readPlane(folder + name), await readPlane(folder + name.replace('-lr', '-hr'))];
      const ours = bicubic(truth, 1 / scale);
      const apart = ours.data.filter((value, i) => Math.abs(value - theirs.data[i]!) > 1).length;
      // The benchmark's makers rounded now and then the other way; without antialiasing a third would differ.
      expect(apart / ours.data.length, name).toBeLessThan(0.03);
    }
  });
});
