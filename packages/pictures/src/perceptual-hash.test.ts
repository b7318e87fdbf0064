// Perceptual hashes: against scipy's DCT, through what happens to pictures on their way, and between different ones.

import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { UserError } from './errors.js';
import { hashDistance, perceptualHash, perceptualHashOf, SIMILAR } from './perceptual-hash.js';

const grey = (width: number, height: number, value: (x: number, y: number) => number) => ({
  width,
  height,
  channels: 1 as const,
  alpha: false,
  data: Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
});
const svg = (shapes: string) => sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="300" height="220"><rect width="300" height="220" fill="#9ab"/>${shapes}</svg>`));

describe('the hash of samples', () => {
  // scipy 1.10: c = scipy.fft.dctn(L, norm='ortho')[:8, :8].ravel(); the bits of c > numpy.sort(c[1:])[31] + 1, the first 0; L of sides that 32
  // does not divide by numpy.kron to a size that it does.
  it('is what scipy makes of the same picture', () => {
    const wild = (x: number, y: number) => (x * x * 3 + y * 17 + x * y * 5) % 256;
    expect(perceptualHash(grey(32, 32, wild))).toBe('6d86cd04846f9b27');
    expect(perceptualHash(grey(48, 40, wild))).toBe('6be8e1a300a9b3a7');
    const data = new Uint8Array(64 * 96 * 3);
    for (let y = 0, at = 0; y < 96; y++) for (let x = 0; x < 64; x++) for (const value of [x * x + y * 7, x * 5 + y * y, x * y]) data[at++] = value % 256;
    expect(perceptualHash({ width: 64, height: 96, channels: 3, alpha: false, data })).toBe('031e5a121d1f5f1e');
  });

  it('does not go by depth, and sees white where it is transparent', () => {
    const { data, ...rest } = grey(40, 30, (x, y) => (x * 5 + y * y) % 256);
    const plain = perceptualHash({ ...rest, data });
    expect(perceptualHash({ ...rest, data: Uint16Array.from(data, (v) => v * 257) })).toBe(plain);
    const hidden = (colour: number) => perceptualHash({ ...rest, alpha: true, data: Uint8Array.from({ length: data.length * 2 }, (_, i) => (i % 2 === 0 ? ((i >> 1) % 40 < 20 ? colour : data[i >> 1]!) : (i >> 1) % 40 < 20 ? 0 : 255)) });
    const onWhite = perceptualHash({ ...rest, data: data.map((v, i) => (i % 40 < 20 ? 255 : v)) });
    expect([hidden(0), hidden(90)]).toEqual([onWhite, onWhite]);
    expect(onWhite).not.toBe(plain);
  });

  it('of a single pixel, and of what is all the same, is nothing', () => {
    for (const [width, height] of [[1, 1], [1, 500], [33, 7]] as const) expect(perceptualHash(grey(width, height, () => 130))).toBe('0'.repeat(16));
  });
});

// Pictures with little in common: shapes, one that is the same on both sides, textures.
const DRAWN = {
  shapes: svg('<circle cx="90" cy="80" r="60" fill="#c33"/><rect x="170" y="110" width="100" height="80" fill="#153"/><path d="M0 220 L120 150 L200 220Z" fill="#fd8"/>'),
  face: svg('<ellipse cx="150" cy="110" rx="70" ry="90" fill="#fc9"/><circle cx="125" cy="95" r="10"/><circle cx="175" cy="95" r="10"/><path d="M120 150 Q150 175 180 150" stroke="#822" stroke-width="8" fill="none"/>'),
  stripes: svg('<g stroke="#222" stroke-width="25"><path d="M-20 60 L250 -80"/><path d="M0 180 L320 20"/><path d="M60 260 L340 130"/></g>'),
  night: svg('<rect width="300" height="220" fill="#124"/><circle cx="240" cy="50" r="30" fill="#fe9"/><rect y="170" width="300" height="50" fill="#021"/><rect x="40" y="90" width="60" height="90" fill="#543"/>'),
};

describe('the hash of a file', async () => {
  const files = Object.fromEntries(await Promise.all(Object.entries(DRAWN).map(async ([name, picture]) => [name, await picture.png().toBuffer()] as const)));
  const hashes = Object.fromEntries(await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await perceptualHashOf(file)] as const)));

  it.each(Object.keys(DRAWN))('survives what happens to pictures: %s', async (name) => {
    const file = files[name]!;
    const changed = {
      jpeg: sharp(file).flatten().jpeg({ quality: 50 }),
      smaller: sharp(file).resize(110, 81).png(),
      larger: sharp(file).resize(900).webp({ quality: 70 }),
      lighter: sharp(file).linear(1, 25).png(),
      darker: sharp(file).linear(0.75, 0).png(),
      grey: sharp(file).greyscale().png(),
      deep: sharp(file).toColourspace('rgb16').png(),
    };
    for (const [what, picture] of Object.entries(changed)) expect(hashDistance(hashes[name]!, await perceptualHashOf(await picture.toBuffer())), what).toBeLessThanOrEqual(8);
  });

  it('differs between pictures that do', () => {
    const names = Object.keys(DRAWN);
    for (const a of names) for (const b of names) if (a < b) expect(hashDistance(hashes[a]!, hashes[b]!), `${a}, ${b}`).toBeGreaterThanOrEqual(16);
  });

  it('is that of its pixels, upright', async () => {
    const { data, info } = await sharp(files.shapes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const pixels = perceptualHash({ width: info.width, height: info.height, channels: 3, alpha: false, data });
    expect(hashDistance(pixels, hashes.shapes!)).toBeLessThanOrEqual(2);
    const turned = await sharp(files.shapes).rotate(90).jpeg({ quality: 95 }).withMetadata({ orientation: 8 }).toBuffer();
    expect(hashDistance(await perceptualHashOf(turned), hashes.shapes!)).toBeLessThanOrEqual(4);
    expect(hashDistance(await perceptualHashOf(await sharp(files.shapes).rotate(90).png().toBuffer()), hashes.shapes!)).toBeGreaterThan(SIMILAR);
  });

  it('says in one line that there is none of what is no picture', async () => {
    const error = await perceptualHashOf(Buffer.from('grapes')).catch((error: Error) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).not.toContain('\n');
  });
});

it('the distance counts differing bits', () => {
  expect(hashDistance('0000000000000000', 'ffffffffffffffff')).toBe(64);
  expect(hashDistance('8000000000000001', '0000000180000000')).toBe(4);
  expect(hashDistance('0123456789abcdef', '0123456789abcdef')).toBe(0);
});
