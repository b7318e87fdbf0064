// Pictures drawn here, through the codecs and back: values, colour profile, camera data; and what is refused, in one line each.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSquare, encodeRaster, largestSide, perceptualHashOf, RASTER_FORMATS, type Raster, type RasterFormat, readRaster, requireFits, UserError } from './index.js';
import { uprightExif } from './raster-exif.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-raster-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const keep = async (name: string, bytes: Uint8Array) => {
  const path = join(home, name);
  await writeFile(path, bytes);
  return path;
};
const through = async (picture: Omit<Raster, 'format'>, format: RasterFormat, quality?: number) =>
  readRaster(await keep(`through.${format}`, await encodeRaster(picture, { format, ...(quality ? { quality } : {}) })));

const [WIDTH, HEIGHT] = [37, 19];
/** Smooth colours, so that lossy formats stay close, over the whole range; alpha from clear to opaque. */
function draw(channels: 1 | 3, alpha: boolean, depth: 8 | 16): Omit<Raster, 'format'> {
  const [bands, top] = [channels + Number(alpha), 2 ** depth - 1];
  const values = Array.from({ length: WIDTH * HEIGHT * bands }, (_, i) => {
    const [band, x, y] = [i % bands, Math.floor(i / bands) % WIDTH, Math.floor(i / bands / WIDTH)];
    if (alpha && band === channels) return Math.round((top * y) / (HEIGHT - 1));
    return Math.round(top * (band === 1 ? y / (HEIGHT - 1) : band === 2 ? 0.3 : x / (WIDTH - 1)));
  });
  const data = depth === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
  return { width: WIDTH, height: HEIGHT, channels, alpha, depth, data };
}
const kinds = [1, 3].flatMap((channels) => [false, true].flatMap((alpha) => [8, 16].map((depth) => [channels, alpha, depth] as [1 | 3, boolean, 8 | 16])));
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (v, i) => Math.abs(v - b[i]!)).reduce((x, y) => Math.max(x, y), 0);

describe('values', () => {
  it.each(kinds)('PNG and TIFF keep %i colour channels, alpha %s, %i bits exactly', async (channels, alpha, depth) => {
    const picture = draw(channels, alpha, depth);
    for (const format of ['png', 'tiff'] as const) {
      const { icc, exif, xmp, density, ...back } = await through(picture, format);
      expect(back).toEqual({ ...picture, format });
      expect([icc, exif, xmp]).toEqual([undefined, undefined, undefined]);
    }
  });

  it.each(kinds)('the others keep %i colour channels, alpha %s, of %i bits nearly, as 8', async (channels, alpha, depth) => {
    const picture = draw(channels, alpha, depth);
    const wanted = Array.from(picture.data, (v) => (depth === 16 ? Math.round(v / 257) : v));
    for (const format of ['webp', 'avif', 'jpeg'] as const) {
      const back = await through(picture, format, 95);
      const grey = channels === 1 && format === 'jpeg';
      const opaque = format === 'jpeg';
      expect([back.channels, back.alpha, back.depth]).toEqual([grey ? 1 : 3, alpha && !opaque, 8]);
      // What is compared is what is seen: colours laid on white.
      const seen = (data: ArrayLike<number>, colours: number, hasAlpha: boolean) =>
        Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
          const [at, c] = [Math.floor(i / 3) * (colours + Number(hasAlpha)), Math.min(i % 3, colours - 1)];
          const opacity = hasAlpha ? data[at + colours]! / 255 : 1;
          return data[at + c]! * opacity + 255 * (1 - opacity);
        });
      expect(largestDifference(seen(back.data, back.channels, back.alpha), seen(wanted, channels, alpha))).toBeLessThan(16);
    }
  });

  it('16 bits are all there: every value of the range, and odd ones', async () => {
    const data = Uint16Array.from({ length: 256 * 256 }, (_, i) => i);
    for (const format of ['png', 'tiff'] as const)
      expect((await through({ width: 256, height: 256, channels: 1, alpha: false, depth: 16, data }, format)).data).toEqual(data);
    const three = Uint16Array.from({ length: 256 * 256 * 3 }, (_, i) => (i * 40_503) % 65_536);
    for (const format of ['png', 'tiff'] as const)
      expect((await through({ width: 256, height: 256, channels: 3, alpha: false, depth: 16, data: three }, format)).data).toEqual(three);
  });

  it('16 bits become the nearest 8, not the next lower', async () => {
    const data = Uint16Array.from({ length: 256 }, (_, i) => i * 257 + (i < 255 ? 128 : 0));
    const up = Uint16Array.from({ length: 256 }, (_, i) => i * 257 + (i < 255 ? 129 : 0));
    const lossless = async (values: Uint16Array) => {
      const jpeg = await through({ width: 256, height: 1, channels: 1, alpha: false, depth: 16, data: values }, 'jpeg', 100);
      return Array.from(jpeg.data).reduce((sum, v) => sum + v, 0) / 256;
    };
    expect((await lossless(up)) - (await lossless(data))).toBeGreaterThan(0.9);
  });

  it('reads palettes as RGB(A), 1, 2 and 4 bits of grey as 8, 10-bit AVIF as 16', async () => {
    const four = sharp(Buffer.from([255, 0, 0, 255, 0, 0, 255, 128]), { raw: { width: 2, height: 1, channels: 4 } });
    const palette = await readRaster(await keep('palette.png', await four.png({ palette: true, dither: 0 }).toBuffer()));
    expect(palette).toMatchObject({ channels: 3, alpha: true, depth: 8 });
    for (const bits of [1, 2, 4]) {
      const picture = await readRaster(await keep(`grey${bits}.png`, greyPng(bits, [0, 2 ** bits - 1])));
      expect([picture.channels, picture.alpha, picture.depth, [...picture.data]]).toEqual([1, false, 8, [0, 255]]);
    }
    const wide = await sharp(draw(3, false, 8).data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).avif({ bitdepth: 10, quality: 95 }).toBuffer();
    const avif = await readRaster(await keep('wide.avif', wide));
    expect([avif.depth, avif.channels]).toEqual([16, 3]);
    expect(largestDifference(avif.data, draw(3, false, 16).data) / 257).toBeLessThan(12);
  });

  it('takes pixels that do not fit their measures for a fault', async () => {
    await expect(encodeRaster({ ...draw(3, false, 8), width: 38 }, { format: 'png' })).rejects.toThrow(/2109 values for 38x19 pixels of 3 channels/);
    await expect(encodeRaster({ ...draw(3, false, 8), depth: 16 }, { format: 'png' })).rejects.toThrow(/16 bits and values of 1 bytes/);
  });
});

const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="© Ζεῦξις"/></rdf:RDF></x:xmpmeta>';

/** A photograph 20 wide and 10 high that a camera held on its side: red on the left, which belongs at the top. */
async function photograph(format: RasterFormat): Promise<string> {
  const data = Uint8Array.from({ length: 20 * 10 * 3 }, (_, i) => (i % 3 === 0 && Math.floor(i / 3) % 20 < 10 ? 200 : 40));
  const tags = {
    IFD0: { Make: 'Parrhasius', Model: 'Curtain 1', Artist: 'Zeuxis of Heraclea' },
    IFD2: { DateTimeOriginal: '2020:02:03 04:05:06', ExposureTime: '1/250', PixelXDimension: '20' },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '39/1 5/1 0/1' },
  };
  const picture = sharp(data, { raw: { width: 20, height: 10, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .withExifMerge(tags)
    .withDensity(300)
    .withIccProfile('p3')
    .withXmp(XMP);
  return keep(`photograph.${format}`, await (format === 'webp' ? picture.webp({ lossless: true }) : picture.toFormat(format)).toBuffer());
}

describe('metadata', () => {
  it.each(RASTER_FORMATS)('a %s is upright, its pixels in its own colour space, its profile and XMP untouched', async (format) => {
    const path = await photograph(format);
    const stored = await sharp(path).metadata();
    const picture = await readRaster(path);
    expect([picture.width, picture.height]).toEqual([10, 20]);
    expect(picture.icc!.equals(stored.icc!)).toBe(true);
    expect(picture.xmp!.toString()).toBe(XMP.replace('tiff:Orientation="6"', 'tiff:Orientation="1"'));
    // Display P3 of sRGB's (200, 40, 40) is about (185, 54, 47); converting back on reading would give 200.
    const top = picture.data.subarray(3 * 5, 3 * 5 + 3);
    expect(largestDifference(top, [184, 54, 47])).toBeLessThan(8);
    expect(picture.data[3 * (19 * 10 + 5)]).toBeLessThan(60);
    if (format === 'png') expect(picture.density).toBe(300);
  });

  it.each(RASTER_FORMATS)('camera, author, time, place, profile, XMP and density go into a %s', async (format) => {
    const picture = await readRaster(await photograph('jpeg'));
    const large = { ...picture, width: 20, height: 40, data: new Uint8Array(20 * 40 * 3) };
    const back = await through(large, format);
    expect(back.icc!.equals(picture.icc!)).toBe(true);
    expect(back.xmp!.equals(picture.xmp!)).toBe(true);
    const exif = tagsOf(back.exif!);
    for (const text of ['Parrhasius', 'Curtain 1', 'Zeuxis of Heraclea', '2020:02:03 04:05:06']) expect(Object.values(exif)).toContain(text);
    expect(exif).toMatchObject({ x112: 1, xa002: 20, xa003: 40, 'gps x1': 'N', 'gps x2': [39, 1, 5, 1, 0, 1] });
    const { orientation, density } = await sharp(await encodeRaster(large, { format })).metadata();
    expect(orientation ?? 1).toBe(1);
    // Only in these does libvips look for it; in the others it stands in the EXIF.
    if (format === 'png' || format === 'jpeg' || format === 'tiff') expect(density).toBe(300);
  });

  it('EXIF survives from TIFF to TIFF and on to JPEG, with the density, at 16 bits', async () => {
    const { exif, icc } = await readRaster(await photograph('jpeg'));
    const first = await through({ ...draw(3, false, 16), exif: exif!, icc: icc!, density: 240 }, 'tiff');
    const second = await through(first, 'tiff');
    expect(second.exif!.equals(first.exif!)).toBe(true);
    expect(second.data).toEqual(first.data);
    expect(second.density).toBeCloseTo(240, 1);
    expect(tagsOf((await through(second, 'jpeg')).exif!)).toMatchObject({ x10f: 'Parrhasius', x9003: '2020:02:03 04:05:06', 'gps x1': 'N' });
  });

  it('takes EXIF of either byte order, turns it for a TIFF, and drops thumbnail and nonsense', async () => {
    const block = uprightExif(bigEndianExif(), 5, 6)!;
    expect(block.toString('latin1', 0, 2)).toBe('MM');
    expect(block.includes('THUMBNAIL')).toBe(false);
    expect(tagsOf(block)).toEqual({ x10f: 'Zeuxis', x112: 1, x8769: expect.anything(), xa002: 5 });
    const back = await through({ ...draw(3, false, 8), exif: block }, 'tiff');
    expect(back.exif!.toString('latin1', 0, 2)).toBe('II');
    expect(tagsOf(back.exif!)).toMatchObject({ x10f: 'Zeuxis', xa002: WIDTH });
    for (const nonsense of ['', 'II', 'no exif at all, but long enough', 'II*\0\xff\xff\xff\xff plus a tail']) {
      expect(uprightExif(Buffer.from(nonsense, 'latin1'), 1, 1)).toBeUndefined();
      expect((await through({ ...draw(3, false, 8), exif: Buffer.from(nonsense, 'latin1') }, 'jpeg')).width).toBe(WIDTH);
    }
  });

  it('leaves out a profile that is for other kinds of pictures, and writes one for grey', async () => {
    const { icc } = await readRaster(await photograph('jpeg'));
    const grey = Buffer.from(icc!);
    grey.write('GRAY', 16, 'latin1');
    expect((await through({ ...draw(1, false, 8), icc: icc! }, 'jpeg')).icc).toBeUndefined();
    expect((await through({ ...draw(1, false, 16), icc: grey }, 'tiff')).icc?.equals(grey)).toBe(true);
  });

  it('a profile, XMP or EXIF that is broken is left out, not the picture', async () => {
    const { icc } = await readRaster(await photograph('jpeg'));
    const broken = { icc: Buffer.from(icc!).fill(0xff, 130), xmp: Buffer.from([0xff, 0xfe, 0, 1]), exif: Buffer.alloc(40, 'II*\0') };
    for (const format of RASTER_FORMATS) {
      const back = await through({ ...draw(3, false, 8), ...broken }, format);
      expect([back.width, back.icc, back.xmp, back.exif]).toEqual([WIDTH, undefined, undefined, undefined]);
    }
    expect((await through({ ...draw(3, false, 8), xmp: Buffer.alloc(0) }, 'png')).xmp).toBeUndefined();
  });

  it('metadata too large for JPEG is left out, not the picture', async () => {
    const xmp = Buffer.from(XMP.replace('Ζεῦξις', 'Ζ'.repeat(70_000)));
    const back = await through({ ...draw(3, false, 8), xmp }, 'jpeg');
    expect([back.width, back.xmp]).toEqual([WIDTH, undefined]);
    expect((await through({ ...draw(3, false, 8), xmp }, 'png')).xmp?.length).toBe(xmp.length);
  });
});

describe('refused, in one line that names the file', () => {
  const refused = async (path: string, words: RegExp, options = {}) => {
    const error = await readRaster(path, options).then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error!.message).toMatch(words);
    expect(error!.message).toContain(`'${path}'`);
    expect(error!.message).not.toContain('\n');
  };
  const noise = (seed = 1) => sharp(Uint8Array.from({ length: 120 * 90 * 3 }, (_, i) => ((i + seed) * 2_654_435_761) >>> 24), { raw: { width: 120, height: 90, channels: 3 } });

  it('CMYK, Lab and float', async () => {
    await refused(await keep('cmyk.jpg', await noise().toColourspace('cmyk').jpeg().toBuffer()), /is in CMYK; convert it to RGB/);
    await refused(await keep('cmyk.tif', await noise().toColourspace('cmyk').tiff().toBuffer()), /is in CMYK; convert it to RGB/);
    await refused(await keep('float.tif', floatTiff()), /values of the kind float; convert it to 8 or 16 bits/);
  });

  it('animations and several pages', async () => {
    const frames = await sharp([await noise().png().toBuffer(), await noise(7).png().toBuffer()], { join: { animated: true } }).webp().toBuffer();
    await refused(await keep('moving.webp', frames), /is animated \(2 frames\)/);
    await refused(await keep('moving.gif', await sharp(frames, { animated: true }).gif().toBuffer()), /is animated \(2 frames\)/);
    await refused(await keep('pages.tif', await sharp(frames, { animated: true }).tiff().toBuffer()), /holds 2 pages/);
    await refused(await keep('still.gif', await noise().gif().toBuffer()), /in the format gif; convert it to PNG/);
    await refused(await keep('drawing.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')), /in the format svg/);
  });

  it.each(RASTER_FORMATS)('a %s cut short', async (format) => {
    const whole = await noise().toFormat(format).toBuffer();
    for (const part of [0.02, 0.3, 0.7]) await refused(await keep(`cut.${format}`, whole.subarray(0, Math.ceil(whole.length * part))), /is broken or cut short/);
  });

  it('a JPEG whose header claims more than there is', async () => {
    for (const progressive of [false, true]) {
      const bomb = await sharp({ create: { width: 96, height: 64, channels: 3, background: '#345' } }).jpeg({ progressive }).toBuffer();
      const frame = bomb.indexOf(Buffer.from([0xff, progressive ? 0xc2 : 0xc0]));
      for (const at of [5, 7]) bomb.writeUInt16BE(16_000, frame + at);
      await refused(await keep('bomb.jpg', bomb), /is broken or cut short \(its header says 16000x16000, of which \d+ bytes can hold no more than 1 per cent\)/);
      expect(await decodeSquare(bomb, 32, 'crop')).toEqual({ skipped: expect.stringMatching(/^broken, .*: its header says 16000x16000/) });
      await expect(perceptualHashOf(bomb)).rejects.toThrow(/its header says 16000x16000/);
    }
  });

  it('a PNG whose header claims more than there is', async () => {
    const bomb = await sharp({ create: { width: 96, height: 64, channels: 3, background: '#345' } }).png().toBuffer();
    bomb.writeUInt32BE(1_384_544, 16);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    await refused(await keep('bomb.png', bomb), /is broken or cut short \(its header says 1384544x64/);
    await expect(perceptualHashOf(bomb)).rejects.toThrow(/its header says 1384544x64/);
  });

  it('but not what is as flat as a picture can be, in as few bytes as it can be made to take', async () => {
    const black = () => sharp({ create: { width: 2400, height: 1600, channels: 3, background: '#000' } });
    const small = [
      ...[{ progressive: true }, { mozjpeg: true }, { quality: 1 }].map((options) => black().greyscale().jpeg(options)),
      ...[{ compressionLevel: 9 }, { palette: true, colours: 2 }, { progressive: true }].flatMap((options) => [black().png(options), black().greyscale().png(options), black().toColourspace('rgb16').png(options)]),
    ];
    for (const picture of small) expect((await readRaster(await keep('flat', await picture.toBuffer()))).width).toBe(2400);
  });

  it('a damaged PNG, a text, an empty file, a folder, nothing', async () => {
    const damaged = await noise().png().toBuffer();
    damaged.fill(7, damaged.length / 2, damaged.length / 2 + 20);
    await refused(await keep('damaged.png', damaged), /is broken or cut short/);
    await refused(await keep('text.png', Buffer.from('no picture')), /is no picture that can be read/);
    await refused(await keep('scan.dcm', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM, and more')])), /is a DICOM file, which `zeuxis upscale` alone takes/);
    await refused(await keep('empty.png', Buffer.alloc(0)), /is empty/);
    await refused(home, /is a folder/);
    await refused(join(home, 'missing.png'), /there is no file/);
  });

  it('more pixels than allowed, before they are decoded', async () => {
    const path = await keep('large.png', await noise().png().toBuffer());
    await refused(path, /has 0.011 megapixels, more than 0.01; --max-pixels raises it/, { maximumPixels: 10_000 });
    expect((await readRaster(path, { maximumPixels: 120 * 90 })).width).toBe(120);
    // Only its header says how large it is.
    await refused(await keep('bomb.png', greyPng(8, [0], [60_000, 60_000])), /has 3600 megapixels, more than 268; --max-pixels raises it/);
  });

  it('sides that a format cannot have', async () => {
    const long = { width: 70_000, height: 1, channels: 1, alpha: false, depth: 8, data: new Uint8Array(70_000) } as const;
    await expect(encodeRaster(long, { format: 'jpeg' })).rejects.toThrow(/^70000x1 is too large for JPEG, which ends at 65500 px a side; choose png or tiff$/);
    await expect(encodeRaster(long, { format: 'webp' })).rejects.toThrow(/WebP, which ends at 16383/);
    await expect(encodeRaster(long, { format: 'avif' })).rejects.toThrow(/AVIF, which ends at 16384/);
    expect((await through(long, 'png')).width).toBe(70_000);
    expect(RASTER_FORMATS.map((format) => largestSide(format))).toEqual(RASTER_FORMATS.map((format) => ({ jpeg: 65_500, webp: 16_383, avif: 16_384 } as Record<string, number>)[format]));
    expect(() => requireFits(1, 16_384, 'webp')).toThrow(/^1x16384 is too large for WebP/);
    requireFits(16_384, 16_384, 'avif');
    const row = (width: number) => ({ ...long, width, data: new Uint8Array(width) });
    expect((await through(row(65_500), 'jpeg')).width).toBe(65_500);
    expect((await through(row(16_383), 'webp')).width).toBe(16_383);
    expect((await through(row(16_384), 'avif')).width).toBe(16_384);
  });
});

describe('EXIF that claims more than it holds', () => {
  /** A block of entries of ASCII that all point at one area. */
  const shared = (tags: number[], length: number) => {
    const block = Buffer.alloc(8 + 2 + 12 * tags.length + 4 + length, 'x');
    block.write('II*\0', 'latin1');
    block.writeUInt32LE(8, 4);
    block.writeUInt16LE(tags.length, 8);
    for (const [i, tag] of tags.entries()) {
      block.writeUInt16LE(tag, 10 + 12 * i);
      block.writeUInt16LE(2, 12 + 12 * i);
      block.writeUInt32LE(length, 14 + 12 * i);
      block.writeUInt32LE(block.length - length, 18 + 12 * i);
    }
    return block;
  };
  const tags = (count: number) => Array.from({ length: count }, (_, i) => 0x9000 + i);

  it('is left out, its repeated tags are dropped', () => {
    expect(uprightExif(shared(tags(20_000), 60_000), 1, 1)).toBeUndefined();
    expect(uprightExif(shared(tags(4097), 5), 1, 1, 2 ** 20)).toBeUndefined();
    expect(uprightExif(shared(tags(30), 60_000), 1, 1)).toBeUndefined();
    expect(uprightExif(shared(tags(30), 60_000), 1, 1, 2 ** 20)).toBeUndefined();
    expect(uprightExif(shared(tags(10), 60_000), 1, 1, 2 ** 20)!.length).toBeGreaterThan(600_000);
    expect(uprightExif(shared(Array(20_000).fill(0x10f), 60_000), 1, 1)!.length).toBeLessThan(60_100);
  });
});

/** Numbers and texts of an EXIF block, read apart from the code under test. Those of the GPS directory are prefixed. */
function tagsOf(exif: Buffer): Record<string, unknown> {
  const little = exif.toString('latin1', 0, 2) === 'II';
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const found: Record<string, unknown> = {};
  const read = (at: number, prefix: string) => {
    for (let i = 0, entry = at + 2; i < view.getUint16(at, little); i++, entry += 12) {
      const [tag, type, count] = [view.getUint16(entry, little), view.getUint16(entry + 2, little), view.getUint32(entry + 4, little)];
      const length = count * [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8][type]!;
      const from = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
      if (type === 2) found[`${prefix}x${tag.toString(16)}`] = exif.toString('latin1', from, from + count - 1);
      else if (type === 3) found[`${prefix}x${tag.toString(16)}`] = view.getUint16(from, little);
      else if (type === 4) found[`${prefix}x${tag.toString(16)}`] = view.getUint32(from, little);
      else if (type === 5) found[`${prefix}x${tag.toString(16)}`] = Array.from({ length: 2 * count }, (_, k) => view.getUint32(from + 4 * k, little));
      if (tag === 0x8769) read(view.getUint32(from, little), '');
      if (tag === 0x8825) read(view.getUint32(from, little), 'gps ');
    }
  };
  read(view.getUint32(4, little), '');
  return found;
}

/** EXIF as a Motorola camera wrote it: maker, orientation 8, an entry that points nowhere, a width, and a thumbnail. */
function bigEndianExif(): Buffer {
  const row = (tag: number, type: number, count: number, value: number) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(tag, 0);
    bytes.writeUInt16BE(type, 2);
    bytes.writeUInt32BE(count, 4);
    bytes.writeUInt32BE(value, 8);
    return bytes;
  };
  const [two, four, one] = [2, 4, 1].map((n) => Buffer.from([0, n]));
  const ifd0 = [four!, row(0x10f, 2, 7, 100), row(0x112, 3, 1, 8 << 16), row(0x13b, 2, 900, 60_000), row(0x8769, 4, 1, 120), Buffer.from([0, 0, 0, 150])];
  const camera = [one!, row(0xa002, 4, 1, 4000), Buffer.alloc(4)];
  const thumbnail = [two!, row(0x201, 4, 1, 190), row(0x202, 4, 1, 9), Buffer.alloc(4)];
  const block = Buffer.alloc(199);
  Buffer.concat([Buffer.from('MM\0*\0\0\0\b', 'latin1'), ...ifd0]).copy(block);
  block.write('Zeuxis\0', 100, 'latin1');
  Buffer.concat(camera).copy(block, 120);
  Buffer.concat(thumbnail).copy(block, 150);
  block.write('THUMBNAIL', 190, 'latin1');
  return block;
}

/** A PNG of one row of grey with few bits. */
function greyPng(bits: number, values: number[], [width, height] = [values.length, 1]): Buffer {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width!, 0);
  header.writeUInt32BE(height!, 4);
  header[8] = bits;
  const packed = values.reduce((byte, value, i) => byte | (value << (8 - bits * (i + 1))), 0);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from([0, packed]))), chunk('IEND', Buffer.alloc(0))]);
}

/** A TIFF of one pixel, grey, a 32-bit float. */
function floatTiff(): Buffer {
  const rows: [number, number, number][] = [[256, 3, 1], [257, 3, 1], [258, 3, 32], [259, 3, 1], [262, 3, 1], [273, 4, 8], [277, 3, 1], [278, 3, 1], [279, 4, 4], [339, 3, 3]];
  const bytes = Buffer.alloc(12 + 2 + 12 * rows.length + 4);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(12, 4);
  bytes.writeFloatLE(0.5, 8);
  bytes.writeUInt16LE(rows.length, 12);
  for (const [i, [tag, type, value]] of rows.entries()) {
    const at = 14 + 12 * i;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}
