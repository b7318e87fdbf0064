// Pairs of a large and a small picture at the boundary: a folder in, crops out. The pictures are drawn here.

import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bicubic } from './bicubic.js';
import { openPairs, type PairsOptions } from './pairs.js';
import { readPlane } from './plane.js';

let home: string;
const open = (options: Partial<PairsOptions> = {}) =>
  openPairs(join(home, 'pictures'), { scale: 2, channels: 3, side: 8, degradation: 'bicubic', cache: join(home, 'cache'), ...options });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-pairs-'));
  await mkdir(join(home, 'pictures', 'deep'), { recursive: true });
  const noise = (width: number, height: number) =>
    sharp(Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 2654435761) >>> 24), { raw: { width, height, channels: 3 } }).png();
  await noise(45, 33).toFile(join(home, 'pictures', 'a.png'));
  await noise(20, 60).toFile(join(home, 'pictures', 'deep', 'b.png'));
  await noise(15, 60).toFile(join(home, 'pictures', 'narrow.png'));
  await writeFile(join(home, 'pictures', 'torn.png'), 'no picture');
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('openPairs', () => {
  it('gives crops of both, turned alike, and names what it left out', async () => {
    const pairs = await open();
    expect(pairs.sizes).toMatchObject([{ width: 22, height: 16 }, { width: 10, height: 30 }]);
    expect(pairs.skipped.map(({ file, reason }) => `${file}: ${reason}`)).toMatchObject([/narrow\.png: too small: 15x60, the shorter side must be 16 px/, /torn\.png: broken/].map((like) => expect.stringMatching(like)));
    const whole = await readPlane(join(home, 'pictures', 'a.png'));
    const cut = new Uint8Array(44 * 32 * 3);
    for (let y = 0; y < 32; y++) cut.set(whole.data.subarray(y * 45 * 3, (y * 45 + 44) * 3), y * 44 * 3);
    const reduced = bicubic({ width: 44, height: 32, channels: 3, data: cut }, 1 / 2);
    const [small, large] = [new Uint8Array(3 * 64), new Uint8Array(3 * 256)];
    for (let turn = 0; turn < 8; turn++) {
      pairs.crop({ picture: 0, variant: 0, x: 3, y: 5, turn }, 8, 0, small, large);
      for (const [side, out, from, factor] of [[8, small, reduced, 1], [16, large, { ...whole, data: cut, width: 44 }, 2]] as const)
        for (const [i, j, c] of [[0, 0, 0], [1, 6, 1], [7, 2, 2]] as const) {
          // Where the turned picture has the pixel (i, j) of the crop.
          const [across, down] = [turn & 1 ? side - 1 - j : j, turn & 2 ? side - 1 - i : i];
          const place = turn & 4 ? across * side + down : down * side + across;
          expect(out[c * side * side + place]).toBe(from.data[((5 * factor + i) * from.width + 3 * factor + j) * 3 + c]);
        }
    }
    pairs.close();
  });

  it('packs once, and again where the cache was damaged', async () => {
    (await open()).close();
    const [file] = (await readdir(join(home, 'cache'))).filter((name) => name.endsWith('.pairs'));
    await truncate(join(home, 'cache', file!), 100);
    const pairs = await open();
    expect(pairs.count).toBe(2);
    pairs.close();
    expect((await readdir(join(home, 'cache'))).some((name) => name.endsWith('.part'))).toBe(false);
  });

  it('degrades as photographs suffer, by chance and yet the same each time', async () => {
    const crop = async (cache: string, variant: number) => {
      const pairs = await open({ degradation: 'photo', cache: join(home, cache) });
      expect(pairs.variants).toBe(4);
      const small = new Uint8Array(3 * 64);
      pairs.crop({ picture: 0, variant, x: 0, y: 0, turn: 0 }, 8, 0, small, new Uint8Array(3 * 256));
      pairs.close();
      return small;
    };
    const [once, again, other] = [await crop('one', 0), await crop('two', 0), await crop('one', 1)];
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  it('reads luma for grey', async () => {
    const pairs = await open({ channels: 1 });
    const large = new Uint8Array(256);
    pairs.crop({ picture: 0, variant: 0, x: 0, y: 0, turn: 0 }, 8, 0, new Uint8Array(64), large);
    const { data } = await sharp(join(home, 'pictures', 'a.png')).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect(large[0]).toBe(data[0]);
    pairs.close();
  });

  it('says where no picture is large enough', async () => {
    await expect(open({ side: 64 })).rejects.toThrow(/holds no usable picture \('a\.png', for one: too small/);
    await expect(openPairs(join(home, 'nowhere'), { scale: 2, channels: 3, side: 8, degradation: 'bicubic', cache: join(home, 'cache') })).rejects.toThrow(/no folder/);
  });
});
