// The watermark on pictures that the tests draw: what it costs, what it survives, and that it is not seen where it is not. Figures on photographs: `npm run bench -- watermark`.

import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Noise } from '../reference-noise.js';
import { codedLength, decodePayload, encodePayload } from './code.js';
import { bitsTold, detectIn, looksAt } from './detect.js';
import { embed, type Marked, payloadBits } from './embed.js';
import { energyOf, indexOf, softOf, spectrumOf } from './fold.js';
import { SquareFourier } from './fourier.js';
import { planeOf, TILE } from './frequency.js';
import { boxMean } from './look.js';
import { ambiguity, type Pattern, patternOf, tileOf } from './pattern.js';
import { weighed } from './weighed.js';

const pattern = patternOf(Buffer.from('a key'));
const PAYLOAD = 0x0123_4567_89ab_cdefn;

/** A scene: a light sky, hills of noise in octaves with grain, and a disc; `periodic` tiles. */
function drawn(width: number, height: number, channels: 1 | 3 = 3, periodic = false): Uint8Array {
  const random = new Noise(7);
  const grids = [4, 8, 16, 32, 64].map((cells) => ({ cells, values: Float64Array.from({ length: cells * cells }, () => random.uniform() - 0.5) }));
  const noise = (x: number, y: number) =>
    grids.reduce((sum, { cells, values }) => {
      const [fx, fy] = [(x / width) * cells, (y / height) * cells];
      const [x0, y0] = [Math.floor(fx), Math.floor(fy)];
      const at = (i: number, j: number) => values[(j % cells) * cells + (i % cells)]!;
      const [tx, ty] = [fx - x0, fy - y0];
      return sum + ((1 - ty) * ((1 - tx) * at(x0, y0) + tx * at(x0 + 1, y0)) + ty * ((1 - tx) * at(x0, y0 + 1) + tx * at(x0 + 1, y0 + 1))) * (40 / Math.sqrt(cells / 4));
    }, 0);
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sky = !periodic && y < height * 0.35;
      // A camera's, or a brush's: what is as smooth as glass hides nothing, and loses what little it holds when it is compressed.
      const grain = random.below(13) - 6;
      const disc = !periodic && Math.hypot(x - width * 0.7, y - height * 0.2) < width * 0.1;
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = Math.max(0, Math.min(255, disc ? 230 - 20 * c : sky ? 150 + 20 * c + (y / height) * 40 : 110 + noise(x, y) + grain + 10 * c));
    }
  return out;
}

const psnr = (a: ArrayLike<number>, b: ArrayLike<number>, high = 255): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10(high ** 2 / (sum / a.length));
};
const file = ({ width, height, channels, alpha, data }: Marked): Sharp => sharp(data as Uint8Array, { raw: { width, height, channels: (channels + (alpha ? 1 : 0)) as 3 } });
const detect = async (picture: Uint8Array, by: Pattern) => detectIn(await looksAt(picture), by);
const found = async (picture: Promise<Buffer>) => (await detect(await picture, pattern))?.payload;

describe('the code', () => {
  it('answers a single bit as its generators say (Larsen, 1973: octal 463, 535, 733, 745)', () => {
    // The code is linear: what differs between two payloads is the code of their difference; 1 and 0 differ in the last payload bit and in the checksum.
    const impulse = [0o463, 0o535, 0o733, 0o745].map((generator) => [...generator.toString(2).padStart(9, '0')].map(Number));
    const coded = encodePayload(0x8000n, 16);
    // The first bit alone for one step: each generator's first tap.
    expect([...coded.subarray(0, 4)]).toEqual(impulse.map(([tap]) => (tap === 1 ? 1 : -1)));
    // The next eight bits of this payload are 0: nine steps of impulse response.
    for (let t = 0; t < 9; t++) expect([...coded.subarray(4 * t, 4 * t + 4)]).toEqual(impulse.map((taps) => (taps[t] === 1 ? 1 : -1)));
  });

  it.each([16, 64] as const)('is read through noise with %i bits, and not at all where there is too much', (bits) => {
    const random = new Noise(bits);
    const payload = PAYLOAD >> BigInt(64 - bits);
    const through = (deviation: number) => {
      const noise = random.normals(codedLength(bits));
      return decodePayload(Float64Array.from(encodePayload(payload, bits), (bit, i) => bit + deviation * noise[i]!), bits);
    };
    for (let i = 0; i < 20; i++) expect(through(0.9)).toBe(payload);
    for (let i = 0; i < 20; i++) expect(through(4)).toBeUndefined();
    expect(() => encodePayload(1n << BigInt(bits), bits)).toThrow(RangeError);
  });
});

it('the code is read further into the noise by the likeliest sixteen than by the likeliest', () => {
  const random = new Noise(3);
  const coded = encodePayload(PAYLOAD, 64);
  const read = { 1: 0, 16: 0 };
  for (let i = 0; i < 40; i++) {
    const noise = random.normals(coded.length);
    const soft = Float64Array.from(coded, (bit, k) => bit + 1.55 * noise[k]!);
    for (const list of [1, 16] as const) {
      const payload = decodePayload(soft, 64, list);
      expect([PAYLOAD, undefined]).toContain(payload);
      if (payload !== undefined) read[list]++;
    }
  }
  expect(read[16]).toBeGreaterThan(read[1] + 4);
});

it.each([16, 64] as const)('what is told from chance by %i bits and more is seldom chance, whatever stands in a picture', (bits) => {
  const random = new Noise(bits);
  const payload = PAYLOAD >> BigInt(64 - bits);
  // Of a texture: some frequencies stand far above all others.
  const amplitudes = pattern.frequencies.map(() => Math.exp(1.5 * random.normals(1)[0]!));
  const told = Float64Array.from({ length: 3000 }, () => {
    const parts = new Float64Array(2 * amplitudes.length);
    for (const [f, amplitude] of amplitudes.entries()) {
      const phase = 2 * Math.PI * random.uniform();
      parts.set([amplitude * Math.cos(phase), amplitude * Math.sin(phase)], 2 * f);
    }
    return bitsTold(parts, pattern, payload, bits);
  });
  for (let n = 1; n <= 6; n++) expect(told.filter((value) => value >= n).length / told.length).toBeLessThan(2 ** -n);
  // Of normal numbers one in 8.4 stands so high: the bound is near.
  expect(told.filter((value) => value >= 1).length / told.length).toBeGreaterThan(0.09);
  // All that stands there being the payload.
  const parts = new Float64Array(2 * amplitudes.length);
  for (const [b, bit] of encodePayload(payload, bits).entries()) for (const { frequency, part } of pattern.carriers[bits][b]!) parts[2 * frequency + part] = bit;
  expect(softOf(parts, pattern, bits).every((value, b) => Math.sign(value) === encodePayload(payload, bits)[b])).toBe(true);
  expect(bitsTold(parts, pattern, payload, bits)).toBeCloseTo(amplitudes.length / Math.LN2, 6);
});

describe('transform and tile', () => {
  it('of a few frequencies is the same as the whole', () => {
    const real = Float64Array.from(new Noise(2).normals(TILE * TILE));
    const whole = spectrumOf(real);
    const few = [{ u: 11, v: 3 }, { u: 3, v: 11 }, { u: -11, v: 3 }, { u: 20, v: -7 }];
    const energy = few.reduce((sum, frequency) => sum + whole[indexOf(frequency)]! ** 2 + whole[indexOf(frequency) + 1]! ** 2, 0);
    expect(energyOf(real, few)).toBeCloseTo(energy, 6);
    const parts = few.map((frequency, i) => ({ ...frequency, re: 1 + i, im: 2 - i }));
    const plane = planeOf(parts);
    for (const [x, y] of [[0, 0], [5, 9], [64, 1], [127, 100]] as const) {
      const expected = parts.reduce((sum, { u, v, re, im }) => sum + re * Math.cos((2 * Math.PI * (u * x + v * y)) / TILE) - im * Math.sin((2 * Math.PI * (u * x + v * y)) / TILE), 0);
      expect(plane[y * TILE + x]).toBeCloseTo(expected, 5);
    }
  });

  it.each([[40, 13], [37, 41], [5, 30]])('takes means over what lies in a picture of %dx%d', (width, height) => {
    const random = new Noise(3);
    const values = Float32Array.from({ length: width * height }, () => random.uniform());
    const means = boxMean(values, width, height, 4);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const within: number[] = [];
        for (let j = Math.max(0, y - 4); j <= Math.min(height - 1, y + 4); j++) for (let i = Math.max(0, x - 4); i <= Math.min(width - 1, x + 4); i++) within.push(values[j * width + i]!);
        expect(means[y * width + x]).toBeCloseTo(within.reduce((a, b) => a + b) / within.length, 5);
      }
  });

  it('weighs places and lines by how little noise they are', () => {
    const [width, height] = [96, 64];
    const noise = new Noise(4).normals(width * height);
    const seen = (picture: (x: number, at: number) => number) => weighed(Float32Array.from({ length: width * height }, (_, i) => picture(i % width, i)), width, height);
    const deviation = (values: Float32Array, from: number, to: number) => {
      const part = [...values].filter((_, i) => i % width >= from && i % width < to && i > 8 * width && i < 56 * width);
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
    };
    // Left quiet, right ten times as loud: over ten times the deviation squared that is a tenth.
    const loud = seen((x, i) => 128 + (x < 48 ? 50 : 500) * noise[i]!);
    expect(deviation(loud, 8, 40) / deviation(loud, 56, 88)).toBeGreaterThan(8);
    expect(deviation(loud, 8, 40) / deviation(loud, 56, 88)).toBeLessThan(12);
    // A hatching over all of it drowns nothing.
    const hatched = seen((x, i) => 128 + 10 * noise[i]! + (x % 2 === 0 ? 90 : 0));
    const plain = seen((_, i) => 128 + 10 * noise[i]!);
    expect(deviation(hatched, 8, 88) / deviation(plain, 8, 88)).toBeGreaterThan(0.9);
    expect(deviation(hatched, 8, 88) / deviation(plain, 8, 88)).toBeLessThan(1.1);
    expect([...seen(() => 200)].every((value) => Math.abs(value) < 1e-3)).toBe(true);
  });

  it('is the sum that defines it', () => {
    const side = 8;
    const values = Float64Array.from(new Noise(1).normals(side * side));
    const transformed = new SquareFourier(side).ofReal(values);
    for (const [u, v] of [[0, 0], [3, 1], [4, 4], [7, 5]] as const) {
      let [re, im] = [0, 0];
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
          const angle = (-2 * Math.PI * (u * x + v * y)) / side;
          re += values[y * side + x]! * Math.cos(angle);
          im += values[y * side + x]! * Math.sin(angle);
        }
      expect(transformed[2 * (v * side + u)]).toBeCloseTo(re, 9);
      expect(transformed[2 * (v * side + u) + 1]).toBeCloseTo(im, 9);
    }
  });

  it('has one place alone that looks like its own, whatever the key', () => {
    // All of even parity: half a tile further in both directions is the same.
    expect(ambiguity([{ u: 11, v: 3 }, { u: 20, v: 12 }, { u: -11, v: 3 }])).toBeCloseTo(1, 6);
    for (const key of ['a key', 'zeuxis public watermark key 1', '1', '2', '3']) expect(ambiguity(patternOf(Buffer.from(key)).sync)).toBeLessThan(0.65);
  });

  it('has a mean of 0, a deviation of 1, and another face for another key', () => {
    const tile = tileOf(pattern, PAYLOAD, 64, 128);
    const other = tileOf(patternOf(Buffer.from('another key')), PAYLOAD, 64, 128);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / a.length;
    expect(dot(tile, tile)).toBeCloseTo(1, 4);
    expect(tile.reduce((sum, value) => sum + value, 0) / tile.length).toBeCloseTo(0, 4);
    expect(Math.abs(dot(tile, other))).toBeLessThan(0.1);
  });
});

describe('a marked picture of 640x512', () => {
  const [width, height] = [640, 512];
  const before = drawn(width, height);
  const marked: Marked = { width, height, channels: 3, alpha: false, data: before.slice() };
  beforeAll(() => embed(marked, { pattern, payload: PAYLOAD, bits: 64 }));

  it('stays above 42 dB, and below a level of deviation where it is flat', () => {
    expect(psnr(before, marked.data)).toBeGreaterThan(42);
    // The sky's upper left, away from everything.
    const added: number[] = [];
    for (let y = 20; y < 100; y++) for (let x = 20; x < 200; x++) added.push(marked.data[(y * width + x) * 3]! - before[(y * width + x) * 3]!);
    expect(Math.sqrt(added.reduce((sum, value) => sum + value * value, 0) / added.length)).toBeLessThan(0.8);
    expect(Math.max(...added.map(Math.abs))).toBeLessThanOrEqual(3);
  });

  const attacks: [string, (picture: Sharp) => Promise<Buffer>][] = [
    ['as it is', (p) => p.png().toBuffer()],
    ['as WebP', (p) => p.webp({ quality: 80 }).toBuffer()],
    ['as AVIF', (p) => p.avif({ quality: 60, effort: 2 }).toBuffer()],
    ['as JPEG 50', (p) => p.jpeg({ quality: 50 }).toBuffer()],
    ['blurred', (p) => p.blur(1).png().toBuffer()],
    ['darker', (p) => p.linear(0.8).png().toBuffer()],
    ['halved', (p) => p.resize(width / 2, height / 2).png().toBuffer()],
    ['doubled', (p) => p.resize(width * 2, height * 2).png().toBuffer()],
    ['at 73%', (p) => p.resize(467, 374).png().toBuffer()],
    ['cut to half its area', (p) => p.extract({ left: 101, top: 77, width: 453, height: 362 }).png().toBuffer()],
    ['mirrored', (p) => p.flop().png().toBuffer()],
    ['turned by a quarter', (p) => p.rotate(90).png().toBuffer()],
    ['turned by 4 degrees', (p) => p.rotate(4, { background: 'white' }).png().toBuffer()],
    ['resized to 1080, JPEG 80', (p) => p.resize(1080).jpeg({ quality: 80 }).toBuffer()],
    ['photographed off a screen, as it were', async (p) => sharp(await p.resize(832, 666).gamma(1.2).png().toBuffer()).jpeg({ quality: 75 }).toBuffer()],
  ];
  it.each(attacks)('is known %s', async (_, attack) => {
    expect(await found(attack(file(marked)))).toBe(PAYLOAD);
  });

  it('is known by nobody without the key', async () => {
    expect(await detect(await file(marked).png().toBuffer(), patternOf(Buffer.from('another key')))).toBeUndefined();
  });

  it('is not seen where it is not', async () => {
    expect(await found(file({ ...marked, data: before }).png().toBuffer())).toBeUndefined();
    expect(await found(file({ ...marked, data: new Uint8Array(before.length).fill(200) }).png().toBuffer())).toBeUndefined();
  });
});

describe('a picture of 256 px that is half smooth', () => {
  const marked: Marked = { width: 256, height: 256, channels: 3, alpha: false, data: drawn(256, 256) };
  beforeAll(() => embed(marked, { pattern, payload: PAYLOAD, bits: 64 }));
  const attacks: [string, (picture: Sharp) => Promise<Buffer>][] = [
    ['WebP 80', (p) => p.webp({ quality: 80 }).toBuffer()],
    ['AVIF 50', (p) => p.avif({ quality: 50, effort: 2 }).toBuffer()],
    ['JPEG 50', (p) => p.jpeg({ quality: 50 }).toBuffer()],
    ['a fifth more light', (p) => p.linear(1.2).png().toBuffer()],
    ['half its size', (p) => p.resize(128).png().toBuffer()],
  ];
  it.each(attacks)('is known after %s', async (_, attack) => {
    expect(psnr(drawn(256, 256), marked.data)).toBeGreaterThan(42);
    expect(await found(attack(file(marked)))).toBe(PAYLOAD);
  });
});

describe('other pictures', () => {
  it('are known by a key whose known frequencies come out so unequal that the right place stands no higher than wrong ones', async () => {
    const key = patternOf(Buffer.from('4ae43b383a06c2445c7cfdcf1adce35bb2bd81c1983e982dba2c03a67fc66c68', 'hex'));
    const random = new Noise(5);
    const marked: Marked = { width: 256, height: 256, channels: 3, alpha: false, data: Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => 120 + 40 * Math.sin(i / 900) + random.below(40)) };
    await embed(marked, { pattern: key, payload: PAYLOAD, bits: 64 });
    expect((await detect(await file(marked).jpeg({ quality: 80 }).toBuffer(), key))?.payload).toBe(PAYLOAD);
  });

  it('takes 64 bits from 256 px on, 16 from 128 px, and none below', () => {
    expect([[256, 400], [255, 400], [128, 128], [127, 900]].map(([w, h]) => payloadBits(w!, h!))).toEqual([64, 16, 16, 0]);
  });

  it('holds 16 bits at 128 px', async () => {
    const picture: Marked = { width: 160, height: 128, channels: 3, alpha: false, data: drawn(160, 128) };
    await embed(picture, { pattern, payload: 0xbeefn, bits: 16 });
    expect(await detect(await file(picture).jpeg({ quality: 90 }).toBuffer(), pattern)).toMatchObject({ payload: 0xbeefn, bits: 16 });
  });

  it('marks grey, 16 bits, and opacity, whose values stay', async () => {
    const [width, height] = [320, 256];
    const grey = drawn(width, height, 1);
    const deep: Marked = { width, height, channels: 1, alpha: false, data: Uint16Array.from(grey, (value) => value * 257) };
    const kept = (deep.data as Uint16Array).slice();
    await embed(deep, { pattern, payload: PAYLOAD, bits: 64 });
    expect(psnr(kept, deep.data, 65535)).toBeGreaterThan(42);
    expect(await found(sharp(deep.data as Uint16Array, { raw: { width, height, channels: 1 } }).toColourspace('grey16').png().toBuffer())).toBe(PAYLOAD);

    const colours = drawn(width, height);
    const data = new Uint8Array(width * height * 4);
    for (let i = 0; i < width * height; i++) {
      data.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
      data[4 * i + 3] = i % width < 60 ? 0 : 255;
    }
    const clear: Marked = { width, height, channels: 3, alpha: true, data: data.slice() };
    await embed(clear, { pattern, payload: PAYLOAD, bits: 64 });
    for (let i = 0; i < width * height; i++) {
      expect(clear.data[4 * i + 3]).toBe(data[4 * i + 3]);
      if (data[4 * i + 3] === 0 && clear.data[4 * i] !== data[4 * i]) throw new Error(`a clear pixel was changed at ${i}`);
    }
    expect(await found(file(clear).png().toBuffer())).toBe(PAYLOAD);
  });

  it('goes by the size of large ones: they are known after being made small', async () => {
    const picture: Marked = { width: 1500, height: 1100, channels: 3, alpha: false, data: drawn(1500, 1100) };
    await embed(picture, { pattern, payload: PAYLOAD, bits: 64 });
    expect(await found(file(picture).resize(750).jpeg({ quality: 80 }).toBuffer())).toBe(PAYLOAD);
  });

  it('is known in a panorama', async () => {
    const picture: Marked = { width: 3000, height: 600, channels: 3, alpha: false, data: drawn(3000, 600) };
    await embed(picture, { pattern, payload: PAYLOAD, bits: 64 });
    expect(await found(file(picture).jpeg({ quality: 80 }).toBuffer())).toBe(PAYLOAD);
  });

  it('goes on alike over the strips that a wide picture is marked in', async () => {
    const [width, height] = [8300, 512];
    const picture: Marked = { width, height, channels: 1, alpha: false, data: new Uint8Array(width * height).fill(120) };
    await embed(picture, { pattern, payload: PAYLOAD, bits: 64 });
    const row = (y: number) => picture.data.subarray(y * width, (y + 1) * width);
    expect(new Set(row(3)).size).toBeGreaterThan(3);
    for (const y of [0, 3, 255, 511]) expect(row(y).findIndex((value, x) => value !== row(y)[x % TILE])).toBe(-1);
  });

  it('leaves a tiling texture one', async () => {
    const side = 512;
    const before = drawn(side, side, 3, true);
    const picture: Marked = { width: side, height: side, channels: 3, alpha: false, data: before.slice() };
    await embed(picture, { pattern, payload: PAYLOAD, bits: 64 });
    // Steps from one column to the next in what was added: over the seam they are as large as elsewhere.
    const added = (x: number, y: number) => picture.data[(y * side + (x % side)) * 3]! - before[(y * side + (x % side)) * 3]!;
    const step = (x: number) => Math.sqrt(Array.from({ length: side }, (_, y) => (added(x + 1, y) - added(x, y)) ** 2).reduce((a, b) => a + b) / side);
    const inner = Array.from({ length: 40 }, (_, i) => step(i * 12)).reduce((a, b) => a + b) / 40;
    expect(step(side - 1)).toBeLessThan(1.3 * inner);
  });

  it('marks what stands still in an animation the same in every frame', async () => {
    const [width, height] = [320, 256];
    const still = drawn(width, height);
    const frames: Marked = { width, height, channels: 3, alpha: false, data: Uint8Array.from([...still, ...still]) };
    await embed(frames, { pattern, payload: PAYLOAD, bits: 64 }, 2);
    const half = frames.data.length / 2;
    expect(Buffer.from(frames.data.subarray(0, half) as Uint8Array).equals(Buffer.from(frames.data.subarray(half) as Uint8Array))).toBe(true);
    expect(await found(file({ ...frames, data: frames.data.subarray(half) }).png().toBuffer())).toBe(PAYLOAD);
  });
});
