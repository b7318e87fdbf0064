// Pairs of a large and a small picture at the boundary: a folder in, crops out. The pictures are drawn here.

import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
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

  it('packs to the same files each time, and twice at once in one process', async () => {
    const packed = async (cache: string) => {
      const names = (await readdir(join(home, cache))).sort();
      expect(names.map((name) => name.replace(/^\w+/, ''))).toEqual(['.json', '.pairs']);
      return Promise.all(names.map((name) => readFile(join(home, cache, name), 'latin1')));
    };
    const settings = (cache: string) => ({ degradation: 'photo', cache: join(home, cache) }) as const;
    const both = await Promise.all([open(settings('both')), open(settings('both'))]);
    const crops = both.map((pairs) => {
      const [small, large] = [new Uint8Array(3 * 64), new Uint8Array(3 * 256)];
      pairs.crop({ picture: 1, variant: 3, x: 1, y: 2, turn: 0 }, 8, 0, small, large);
      pairs.close();
      return [small, large];
    });
    expect(crops[0]).toEqual(crops[1]);
    const whole = await packed('both');
    expect(JSON.parse(whole[0]!).entries).toMatchObject([{ file: 'a.png', offset: 0 }, { file: 'deep/b.png', offset: 22 * 16 * 3 * (4 + 4) }]);
    for (const cache of ['alone', 'again']) {
      (await open(settings(cache))).close();
      expect(await packed(cache)).toEqual(whole);
    }
  });

  it('keeps the places of others where a picture breaks off, and turns pictures upright', async () => {
    const folder = join(home, 'some');
    await mkdir(folder);
    const data = Uint8Array.from({ length: 40 * 24 * 3 }, (_, i) => (i * 2654435761) >>> 24);
    const picture = () => sharp(data, { raw: { width: 40, height: 24, channels: 3 } });
    const torn = await picture().png().toBuffer();
    await writeFile(join(folder, 'a.png'), torn.subarray(0, torn.length / 2));
    await picture().jpeg().withMetadata({ orientation: 6 }).toFile(join(folder, 'b.jpg'));
    const pairs = await openPairs(folder, { scale: 2, channels: 3, side: 8, degradation: 'bicubic', cache: join(home, 'cache') });
    expect(pairs.skipped).toMatchObject([{ file: 'a.png', reason: expect.stringMatching(/^broken/) }]);
    expect(pairs.sizes).toMatchObject([{ width: 12, height: 20, offset: 20 * 12 * 3 * 5 }]);
    const large = new Uint8Array(3 * 256);
    pairs.crop({ picture: 0, variant: 0, x: 0, y: 0, turn: 0 }, 8, 0, new Uint8Array(3 * 64), large);
    const upright = await sharp(join(folder, 'b.jpg')).autoOrient().raw().toBuffer();
    expect([large[0], large[256], large[1]]).toEqual([upright[0], upright[1], upright[3]]);
    pairs.close();
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

  it.each(['bicubic', 'photo'] as const)('reads luma of BT.601 for grey, %s', async (degradation) => {
    const folder = join(home, `plain ${degradation}`);
    await mkdir(folder);
    const colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]] as const;
    for (const [i, [r, g, b]] of colours.entries())
      await sharp({ create: { width: 20, height: 20, channels: 3, background: { r, g, b } } }).png().toFile(join(folder, `${i}.png`));
    await sharp(new Uint8Array(400).fill(99), { raw: { width: 20, height: 20, channels: 1 } }).toColourspace('b-w').png().toFile(join(folder, '4.png'));
    const pairs = await openPairs(folder, { scale: 2, channels: 1, side: 8, degradation, cache: join(home, 'cache') });
    const [small, large] = [new Uint8Array(5 * 64), new Uint8Array(5 * 256)];
    for (let picture = 0; picture < 5; picture++) pairs.crop({ picture, variant: 0, x: 1, y: 1, turn: 0 }, 8, picture, small, large);
    const values = [76, 150, 29, 255, 99];
    for (const [i, value] of values.entries()) expect([...new Set(large.subarray(i * 256, (i + 1) * 256))]).toEqual([value]);
    if (degradation === 'bicubic') expect(values.map((_, i) => small[i * 64])).toEqual(values);
    pairs.close();
  });

  it('says where no picture is large enough', async () => {
    await expect(open({ side: 64 })).rejects.toThrow(/holds no usable picture \('a\.png', for one: too small/);
    await expect(openPairs(join(home, 'nowhere'), { scale: 2, channels: 3, side: 8, degradation: 'bicubic', cache: join(home, 'cache') })).rejects.toThrow(/no folder/);
  });
});
