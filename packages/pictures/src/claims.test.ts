// Files that are made to take a machine's memory or time: each is refused in one line, by whatever opens pictures from anybody, and takes neither.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCanvases } from './canvases.js';
import { openPicture, requireBearable } from './claims.js';
import { decodeSquare, refusalOf } from './decode.js';
import { perceptualHashOf } from './perceptual-hash.js';
import { readPlane } from './plane.js';
import { chunk } from './png.js';
import { readRaster } from './raster-read.js';
import { thumbnailOf } from './thumbnail.js';

const [SHORT, LONG] = [3, 4];
type Tag = [tag: number, type: number, value: number];

/** A TIFF directory of single values. */
function directory(tags: Tag[], next: number): Buffer {
  const out = Buffer.alloc(2 + 12 * tags.length + 4);
  out.writeUInt16LE(tags.length, 0);
  for (const [i, [tag, type, value]] of tags.sort(([a], [b]) => a - b).entries()) {
    out.writeUInt16LE(tag, 2 + 12 * i);
    out.writeUInt16LE(type, 4 + 12 * i);
    out.writeUInt32LE(1, 6 + 12 * i);
    if (type === SHORT) out.writeUInt16LE(value, 10 + 12 * i);
    else out.writeUInt32LE(value, 10 + 12 * i);
  }
  out.writeUInt32LE(next, out.length - 4);
  return out;
}
const head = (first: number) => Buffer.from([0x49, 0x49, 42, 0, first & 255, (first >> 8) & 255, first >> 16, 0]);
const shape = (width: number, height: number, compression: number): Tag[] => [
  [256, LONG, width],
  [257, LONG, height],
  [258, SHORT, 8],
  [259, SHORT, compression],
  [262, SHORT, 1],
  [277, SHORT, 1],
];
/** Grey, in one strip. */
function strip(width: number, height: number, { rows = height, compression = 1, data = Buffer.alloc(64) } = {}): Buffer {
  const tags: Tag[] = [...shape(width, height, compression), [273, LONG, 8], [278, LONG, rows], [279, LONG, data.length]];
  return Buffer.concat([head(8 + data.length), data, directory(tags, 0)]);
}
function tiled(width: number, height: number, side: number): Buffer {
  const tags: Tag[] = [...shape(width, height, 1), [322, LONG, side], [323, LONG, side], [324, LONG, 8], [325, LONG, 64]];
  return Buffer.concat([head(72), Buffer.alloc(64), directory(tags, 0)]);
}
const page = (next: number) => directory([...shape(1, 1, 1), [273, LONG, 8], [278, LONG, 1], [279, LONG, 1]], next);
function pages(count: number): Buffer {
  const each = page(0).length;
  return Buffer.concat([head(8), ...Array.from({ length: count }, (_, i) => page(i < count - 1 ? 8 + (i + 1) * each : 0))]);
}
/** Interlaced, 16 bits, RGBA, and as long as its pixels could be by their best packing. */
function interlaced(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([16, 6, 0, 0, 1], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('ziPs', Buffer.alloc((side * side * 8) / 1000)), chunk('IDAT', deflateSync(Buffer.alloc(100))), chunk('IEND', Buffer.alloc(0))]);
}

const BOMBS: Record<string, [file: () => Buffer, reason: RegExp]> = {
  'a strip that is not there': [() => strip(16_000, 16_000), /16000x16000, of which \d+ bytes can hold no more than 1 per cent/],
  'a strip of more rows than there are': [() => strip(64, 64, { rows: 4e9 }), /64x64, of which/],
  'rows of gigabytes': [() => strip(4_000_000, 64), /4000000x64, of which/],
  'more pixels than anybody takes': [() => strip(60_000, 60_000), /more than 268 million pixels/],
  'long rows that are all there': [() => strip(100_000, 200, { compression: 8, data: deflateSync(Buffer.alloc(2e7)) }), /no side may be longer than 65535 px/],
  'packed more than a packer can': [() => strip(16_000, 16_000, { compression: 5 }), /of which/],
  'a tile larger than the picture': [() => tiled(64, 64, 65_520), /tile/],
  'a tile as large as the picture': [() => tiled(16_000, 16_000, 16_000), /tile|of which/],
  'thousands of pages': [() => pages(5000), /more than 1000 pages/],
  'pages that lead back': [() => Buffer.concat([head(8), page(8)]), /more than 1000 pages/],
  'an interlaced PNG of 2 GB': [() => interlaced(16_000), /16000x16000, which takes 1\.9 GB to decode; save it without interlacing/],
  'a WebP of 36 bytes': [() => Buffer.from('UklGRhwAAABXRUJQVlA4TBAAAAAv/r//DwdQwAJG/wMR0f8A', 'base64'), /16383x16383, which takes 1\.0 GB to decode; scale it down/],
  'a drawing': [() => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="100" height="100"/></svg>'), /svg/],
};

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-claims-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a file that is made to do harm', () => {
  const said = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      (answer) => JSON.stringify(answer) ?? '',
      (error: Error) => error.message,
    );
  it.each(Object.entries(BOMBS))('%s is refused in one line, at once, and takes no memory', async (_, [make, reason]) => {
    const file = make();
    const path = join(home, 'bomb.tif');
    await writeFile(path, file);
    const [memory, start] = [process.resourceUsage().maxRSS, performance.now()];
    await expect(openPicture(file)).rejects.toThrow(reason);
    for (const work of [() => decodeSquare(file, 64, 'crop'), () => openCanvases(path, { shorter: [64], least: 16, most: 1 }), () => perceptualHashOf(file), () => readPlane(path)]) {
      const answer = await said(work());
      expect(answer).toMatch(reason);
      expect(answer).not.toContain('\n');
    }
    expect(await thumbnailOf(file)).toBeUndefined();
    await refusalOf(file);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(process.resourceUsage().maxRSS - memory).toBeLessThan(100 * 1024);
  });

  it('is none to whoever enlarges his own, who is told of what is broken', async () => {
    const path = join(home, 'own.tif');
    for (const [name, reason] of [['a strip that is not there', /own\.tif' is broken or cut short/], ['thousands of pages', /own\.tif' cannot be read: it holds more than 1000 pages/]] as const) {
      await writeFile(path, BOMBS[name]![0]());
      await expect(readRaster(path)).rejects.toThrow(reason);
    }
  });
});

describe('what is borne', () => {
  it.each([
    ['a TIFF', (picture: Sharp) => picture.tiff({ compression: 'lzw' })],
    ['a TIFF in tiles', (picture: Sharp) => picture.tiff({ compression: 'deflate', tile: true, tileWidth: 256, tileHeight: 256 })],
    ['a TIFF of one bit', (picture: Sharp) => picture.tiff({ compression: 'packbits', bitdepth: 1 })],
    ['a TIFF that nothing packs', (picture: Sharp) => picture.tiff({ compression: 'none' })],
    ['an interlaced PNG', (picture: Sharp) => picture.png({ progressive: true })],
    ['a progressive JPEG', (picture: Sharp) => picture.jpeg({ progressive: true })],
    ['a GIF', (picture: Sharp) => picture.gif()],
    ['an AVIF', (picture: Sharp) => picture.avif({ effort: 0 })],
  ])('%s of one colour', async (_, encode) => {
    const file = await encode(sharp({ create: { width: 1000, height: 600, channels: 3, background: 'white' } })).toBuffer();
    const { picture, width, height } = await openPicture(file);
    expect([width, height]).toEqual([1000, 600]);
    expect((await picture.resize(10, 6).raw().toBuffer({ resolveWithObject: true })).info.width).toBe(10);
  });

  it('of large photographs what goes row by row, and of others what half a gigabyte holds', () => {
    const photograph = { width: 12_000, height: 8_000, channels: 3, depth: 'uchar' } as const;
    for (const claims of [{ format: 'jpeg' }, { format: 'jpeg', isProgressive: true, chromaSubsampling: '4:2:0' }, { format: 'png' }, { format: 'png', isProgressive: true }, { format: 'tiff' }, { format: 'webp' }] as const) expect(() => requireBearable({ ...photograph, ...claims })).not.toThrow();
    for (const claims of [{ format: 'jpeg', isProgressive: true, chromaSubsampling: '4:4:4' }, { format: 'png', isProgressive: true, channels: 4, depth: 'ushort' }, { format: 'heif' }] as const) expect(() => requireBearable({ ...photograph, ...claims })).toThrow(/to decode/);
  });
});
