import { existsSync, readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import codecs from 'dcmjs-codecs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { isDicom, readDicom } from './index.js';
import { type Entry, encode, file, fragments, slice, UNCOMPRESSED, VALUES } from './reference-files.js';

const bits = (allocated: number, stored: number, high = stored - 1, signed = 0): Entry[] => [
  [0x00280100, 'US', [allocated]],
  [0x00280101, 'US', [stored]],
  [0x00280102, 'US', [high]],
  [0x00280103, 'US', [signed]],
];
const colour = (photometric: string, planar = 0): Entry[] => [
  [0x00280002, 'US', [3]],
  [0x00280004, 'CS', photometric],
  [0x00280006, 'US', [planar]],
];
const size = (width: number, height: number): Entry[] => [
  [0x00280010, 'US', [height]],
  [0x00280011, 'US', [width]],
];
const pixels = (bytes: number[] | Uint8Array): Entry => [0x7fe00010, 'OB', Uint8Array.from(bytes)];
const first = async (entries: Entry[], syntax?: string) => [...(await readDicom(file(entries, syntax), 'a.dcm')).frames[0]!];

describe('uncompressed', () => {
  it.each(UNCOMPRESSED)('reads signed values in %s', async (syntax) => {
    const picture = await readDicom(file(slice(), syntax), 'a.dcm');
    expect({ ...picture, frames: picture.frames.map((frame) => [...frame]), dataset: 0 }).toEqual({
      name: 'a.dcm',
      width: 4,
      height: 3,
      frames: [VALUES],
      channels: 1,
      bitsStored: 16,
      signed: true,
      photometric: 'MONOCHROME2',
      syntax,
      dataset: 0,
    });
  });

  it('reads bare data sets that open with group 8, and nothing else without a preamble', async () => {
    for (const syntax of UNCOMPRESSED.slice(0, 2)) {
      const bare = encode(slice(), syntax);
      expect(isDicom(bare)).toBe(true);
      expect([...(await readDicom(bare, 'a')).frames[0]!]).toEqual(VALUES);
    }
    for (const other of [Buffer.alloc(200), Buffer.from('\x89PNG\r\n\x1a\n0000000000'), Buffer.alloc(0), Buffer.from([8, 0, 5, 0])])
      expect(isDicom(other)).toBe(false);
  });

  it('takes the bits that count, with their sign', async () => {
    // 12 bits below one and above three that say nothing.
    const cells = [0x0fff, 0x8000, 0x1001, 0x0ffe, 0xf002];
    const five = slice(...size(5, 1), [0x7fe00010, 'OW', cells]);
    expect(await first(slice(...five, ...bits(16, 12, 12, 1)))).toEqual([2047, 0, -2048, 2047, -2047]);
    expect(await first(slice(...five, ...bits(16, 12)))).toEqual([4095, 0, 1, 4094, 2]);
    expect(await first(slice(...size(3, 1), ...bits(8, 8, 7, 1), pixels([0, 127, 255, 0])))).toEqual([0, 127, -1]);
  });

  it('reads frames and MONOCHROME1', async () => {
    const two: Entry[] = [[0x00280008, 'IS', '2'], [0x7fe00010, 'OW', [...VALUES, ...VALUES.toReversed()]]];
    const { frames, photometric } = await readDicom(file(slice([0x00280004, 'CS', 'MONOCHROME1'], ...two)), 'a');
    expect([photometric, ...frames.map((frame) => [...frame])]).toEqual(['MONOCHROME1', VALUES, VALUES.toReversed()]);
  });

  it('gives colour in planes, as RGB', async () => {
    const two = [...bits(8, 8), ...size(2, 1)];
    expect(await first(slice(...two, ...colour('RGB'), pixels([1, 2, 3, 4, 5, 6])))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(await first(slice(...two, ...colour('RGB', 1), pixels([1, 4, 2, 5, 3, 6])))).toEqual([1, 4, 2, 5, 3, 6]);
    // Red is Y 76, Cb 85, Cr 255 (JFIF); grey keeps its value.
    expect(await first(slice(...two, ...colour('YBR_FULL'), pixels([76, 85, 255, 90, 128, 128])))).toEqual([254, 90, 0, 90, 0, 90]);
    expect(await first(slice(...two, ...colour('YBR_FULL_422'), pixels([76, 0, 85, 255])))).toEqual([254, 178, 0, 0, 0, 0]);
  });
});

describe('compressed', () => {
  // Two frames whose values differ, in few enough bits for every codec.
  const ramps = [0, 900].map((base) => Uint16Array.from({ length: 256 }, (_, i) => base + (i % 16) * 16 + Math.floor(i / 16) * 9));
  const { NativeCodecs, Context } = codecs;

  type Encoder = 'encodeRle' | 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000';
  async function compress(how: Encoder, options = {}) {
    if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
    const grey = { samplesPerPixel: 1, pixelRepresentation: 0, planarConfiguration: 0, photometricInterpretation: 'MONOCHROME2' };
    return ramps.map((frame) => {
      const decodedBuffer = new Uint8Array(frame.buffer);
      const context = new Context({ ...grey, width: 16, height: 16, bitsAllocated: 16, bitsStored: 12, decodedBuffer });
      return NativeCodecs[how](context, options).getEncodedBuffer()!;
    });
  }
  const entries = (data: Uint8Array): Entry[] => slice(...size(16, 16), ...bits(16, 12), [0x00280008, 'IS', '2'], [0x7fe00010, 'OB', data]);

  it.each([
    ['RLE', '1.2.840.10008.1.2.5', 'encodeRle', {}],
    ['JPEG lossless', '1.2.840.10008.1.2.4.70', 'encodeJpeg', { lossy: false, predictor: 1 }],
    ['JPEG-LS', '1.2.840.10008.1.2.4.80', 'encodeJpegLs', { lossy: false }],
    ['JPEG 2000', '1.2.840.10008.1.2.4.90', 'encodeJpeg2000', { lossy: false }],
    ['HTJ2K', '1.2.840.10008.1.2.4.201', 'encodeHtJpeg2000', { lossy: false }],
  ] as const)('reads %s without loss', async (_name, syntax, how, options) => {
    const { frames } = await readDicom(file(entries(fragments([], ...(await compress(how, options)))), syntax), 'a');
    expect(frames.map((frame) => [...frame])).toEqual(ramps.map((frame) => [...frame]));
  });

  it.each([
    ['JPEG-LS', '1.2.840.10008.1.2.4.81', 'encodeJpegLs', { lossy: true, allowedLossyError: 3 }],
    ['JPEG 2000', '1.2.840.10008.1.2.4.91', 'encodeJpeg2000', { lossy: true, rate: 2 }],
  ] as const)('reads lossy %s', async (_name, syntax, how, options) => {
    const { frames } = await readDicom(file(entries(fragments([], ...(await compress(how, options)))), syntax), 'a');
    const worst = Math.max(...ramps.flatMap((frame, f) => [...frame].map((value, i) => Math.abs(value - frames[f]![i]!))));
    expect(worst).toBeLessThan(12);
  });

  it('reads JPEG, grey and colour, as sharp writes it', async () => {
    const syntax = '1.2.840.10008.1.2.4.50';
    const shades = Array.from({ length: 256 }, (_, i) => 255 - i);
    const raw = sharp(Uint8Array.from(shades), { raw: { width: 16, height: 16, channels: 1 } });
    const grey = await raw.toColourspace('b-w').jpeg({ quality: 100 }).toBuffer();
    const read = await first(slice(...size(16, 16), ...bits(8, 8), pixels(fragments([], grey))), syntax);
    for (const [i, value] of read.entries()) expect(Math.abs(value - shades[i]!)).toBeLessThan(3);
    const flat = sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 250, g: 120, b: 10 } } });
    const orange = await flat.jpeg({ quality: 100 }).toBuffer();
    const planes = await first(slice(...size(16, 16), ...bits(8, 8), ...colour('YBR_FULL_422'), pixels(fragments([], orange))), syntax);
    for (const [c, expected] of [250, 120, 10].entries()) expect(Math.abs(planes[c * 256 + 99]! - expected)).toBeLessThan(4);
  });

  it('reads RLE written by hand, signed', async () => {
    // Two segments, high bytes first (PS3.5, annex G): three cells 01 FE, then FF 00.
    const head = Buffer.alloc(64);
    for (const [i, value] of [2, 64, 68].entries()) head.writeUInt32LE(value, i * 4);
    const frame = Buffer.concat([head, Buffer.from([0xfe, 0x01, 0x00, 0xff, 0xfe, 0xfe, 0x00, 0x00])]);
    const four = slice(...size(4, 1), [0x7fe00010, 'OB', fragments([0], frame)]);
    expect(await first(four, '1.2.840.10008.1.2.5')).toEqual([510, 510, 510, -256]);
  });

  it('joins fragments by the table, or by where pictures end', async () => {
    const [a, b] = await compress('encodeJpegLs', { lossy: false });
    const pieces = [a!.subarray(0, 40), a!.subarray(40), b!];
    for (const table of [[0, 16 + a!.length + (a!.length % 2)], []]) {
      const { frames } = await readDicom(file(entries(fragments(table, ...pieces)), '1.2.840.10008.1.2.4.80'), 'a');
      expect([...frames[1]!]).toEqual([...ramps[1]!]);
      expect([...frames[0]!]).toEqual([...ramps[0]!]);
    }
  });

  it('steps over tables of 64 bits', async () => {
    const data = entries(fragments([], ...(await compress('encodeJpeg2000', { lossy: false }))));
    const { frames } = await readDicom(file(slice(...data, [0x7fe00001, 'OV', new Uint8Array(16)]), '1.2.840.10008.1.2.4.90'), 'a');
    expect([...frames[1]!]).toEqual([...ramps[1]!]);
  });

  it('goes on after a broken frame', async () => {
    const syntax = '1.2.840.10008.1.2.4.90';
    const broken = entries(fragments([], new Uint8Array(50), new Uint8Array(50)));
    await expect(readDicom(file(broken, syntax), 'a')).rejects.toThrow("'a' has pixels that transfer");
    const { frames } = await readDicom(file(entries(fragments([], ...(await compress('encodeJpeg2000', { lossy: false })))), syntax), 'a');
    expect([...frames[0]!]).toEqual([...ramps[0]!]);
  });
});

describe('faults', () => {
  const without = (...tags: number[]) => slice().filter(([tag]) => !tags.includes(tag));
  it.each<[string, Uint8Array, string]>([
    ['no DICOM', Buffer.from('no DICOM at all, but long enough to hold a preamble, if it only had one in it'), 'is no DICOM file'],
    ['nothing after the magic', file([]).subarray(0, 140), 'cannot be read as DICOM'],
    ['no pixels', file(without(0x7fe00010)), 'holds no picture'],
    ['no rows', file(without(0x00280010)), 'holds no picture'],
    ['pixels cut short', file(slice()).subarray(0, -10), 'is cut short'],
    ['too few pixels', file(slice([0x00280008, 'IS', '2'])), 'is cut short'],
    ['cut before the pixels', file(slice()).subarray(0, 400), 'cannot be read'],
    ['palette', file(slice([0x00280004, 'CS', 'PALETTE COLOR'])), 'has PALETTE COLOR pixels'],
    ['32 bits', file(slice(...bits(32, 32))), 'stores a value in 32 bits'],
    ['a patient in the wrong place', file(slice([0x00280004, 'LO', 'Secret 4711 Patient'])), 'has unknown pixels'],
    ['half a frame', file(slice([0x00280008, 'DS', '1.5'])), 'holds 1.5 frames'],
    ['impossible bits', file(slice(...bits(16, 12, 5))), 'it is broken'],
    ['no UID', file(without(0x00080018)), 'lacks the UID of its SOP instance'],
    ['a slide', file(slice([0x00480006, 'UL', [9000]])), 'a tile of a slide'],
    ['too large', file(slice(...size(60000, 60000))), 'more than 256 million values'],
    ['MPEG', file(slice(pixels(fragments([], new Uint8Array(20)))), '1.2.840.10008.1.2.4.100'), '1.2.4.100, which is not supported'],
    ['fragments cut short', file(slice(pixels(fragments([], new Uint8Array(20)))), '1.2.840.10008.1.2.5').subarray(0, -14), 'is cut short'],
    ['misfit of syntax', file(slice(), '1.2.840.10008.1.2.4.90'), 'has uncompressed pixels'],
  ])('names %s, and no patient', async (_name, bytes, message) => {
    const error = await readDicom(bytes, 'x/a.dcm').catch((fault) => fault);
    expect(error.name).toBe('UserError');
    expect(error.message).toContain(`'x/a.dcm' `);
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/Secret|4711|\n/);
  });

  it('believes neither data that inflate without end nor millions of elements', async () => {
    const refused = async (bytes: Uint8Array, message: RegExp) => {
      const error = await readDicom(bytes, 'a').catch((fault) => fault);
      expect(error.name).toBe('UserError');
      expect(error.message).toMatch(message);
    };
    const head = file([], UNCOMPRESSED[2]);
    await refused(Buffer.concat([head.subarray(0, -2), deflateRawSync(Buffer.alloc(2 ** 29 + 2 ** 26 + 1))]), /^'a' cannot be read as DICOM: it inflates to more than 576 MB; /);
    // Elements at the top, and items of a sequence, of no length.
    const many = Buffer.alloc(8 * 2 ** 21);
    for (let i = 0; i < 2 ** 21; i++) many.set([8, 0, i & 0xff, (i >> 8) & 0xff, 0x4c, 0x4f, 0, 0], 8 * i);
    await refused(Buffer.concat([file([]), many]), /it holds more than 1 million elements; /);
    for (let i = 0; i < 2 ** 21; i++) many.set([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0], 8 * i);
    const sequence = Buffer.from([8, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 0, 0, 0, 1]);
    await refused(Buffer.concat([file([[0x00080005, 'CS', 'ISO_IR 100']]), sequence, many]), /it holds more than 1 million elements; /);
  }, 60_000);

  it('fails in no other way when any byte is changed or missing', async () => {
    const whole = file(slice([0x00081140, 'SQ', [[[0x00081150, 'UI', '1.2']], []]]));
    for (let i = 132; i < whole.length; i++) {
      const changed = Buffer.from(whole);
      changed[i] = changed[i]! ^ 0xff;
      for (const bytes of [changed, whole.subarray(0, i)])
        await readDicom(bytes, 'a').catch((error) => expect(error.name, `byte ${i}: ${error.stack}`).toBe('UserError'));
    }
  });
});

// Sums, least, most and first values by pydicom 2.3.1 with GDCM 3.0.21.
const FOLDER = new URL('../../../../../shared/data/dicom/', import.meta.url);
describe.skipIf(!existsSync(FOLDER))("pydicom's files", () => {
  const read = (name: string) => readDicom(readFileSync(new URL(name, FOLDER)), name);
  const MR = [64, 64, 1, 1, 2125338, 127, 2145, 905, 1019, 1227, 1259];
  it.each<[string, number[]]>([
    ['CT_small.dcm', [128, 128, 1, 1, 14826310, 128, 2191, 175, 180, 166, 143]],
    ['MR_small.dcm', MR],
    ['MR_small_RLE.dcm', MR],
    ['MR_small_bigendian.dcm', MR],
    ['MR_small_implicit.dcm', MR],
    ['MR_small_jp2klossless.dcm', MR],
    ['JPEG-lossy.dcm', [256, 1024, 1, 1, 3767007, 0, 264, 1, 1, 1, 1]],
    ['JPEG2000.dcm', [256, 1024, 1, 1, 3527976, -30, 245, 0, 0, 0, 0]],
    ['SC_rgb_rle_16bit_2frame.dcm', [100, 100, 3, 2, 1966050000, 0, 65535, 65535, 65535, 65535, 65535]],
    ['examples_rgb_color.dcm', [320, 240, 3, 1, 7895026, 0, 255, 0, 0, 0, 0]],
  ])('reads %s as pydicom does', async (name, expected) => {
    const { width, height, channels, frames } = await read(name);
    const values = frames.flatMap((frame) => [...frame]);
    let [sum, least, most] = [0, Infinity, -Infinity];
    for (const value of values) [sum, least, most] = [sum + value, Math.min(least, value), Math.max(most, value)];
    expect([width, height, channels, frames.length, sum, least, most, ...values.slice(0, 4)]).toEqual(expected);
  });

  it.each([
    ['MR_truncated.dcm', 'is cut short'],
    ['badVR.dcm', '32 bits'],
    ['examples_palette.dcm', 'PALETTE COLOR'],
    ['liver_1frame.dcm', '1 bits'],
    ['no_meta.dcm', 'is no DICOM file'],
    ['reportsi.dcm', 'holds no picture'],
    ['rtdose.dcm', '32 bits'],
    ['waveform_ecg.dcm', 'holds no picture'],
  ])('refuses %s', async (name, why) => {
    await expect(read(name)).rejects.toThrow(why);
  });
});
