// The watermark on 64 photographs and 64 pictures that models made, against what happens to pictures; how fast it is; and how often it is seen where it is not.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@zeuxis/nets';
import { readWatermark, writeWatermark } from '@zeuxis/provenance';
import { generate, style, upscale } from '@zeuxis/verbs';
import sharp, { type Sharp } from 'sharp';
import { unmarkedCrops } from './crops.js';
import type { BenchOptions } from './gan.js';
import { median } from './measure.js';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const COUNT = 64;

interface Pixels {
  width: number;
  height: number;
  data: Buffer;
}

export interface WatermarkRow {
  name: string;
  /** Share of pictures whose payload came back whole. */
  photographs?: number;
  generated?: number;
  /** What was asked for. */
  wanted?: number;
  /** Anything else that was measured. */
  value?: number;
  unit?: string;
}

type Attack = (picture: Sharp, size: Pixels, random: Random) => Promise<Buffer>;

const image = ({ width, height, data }: Pixels): Sharp => sharp(data, { raw: { width, height, channels: 3 } });
const jpeg = (quality: number): Attack => (p) => p.jpeg({ quality }).toBuffer();
/** Each value by a function of it, of a normal one drawn for it. */
const each = (change: (value: number, normal: number) => number, noisy = false): Attack => (_, size, random) => {
  const normals = noisy ? random.normals(size.data.length) : undefined;
  return image({ ...size, data: Buffer.from(size.data.map((value, i) => Math.max(0, Math.min(255, Math.round(change(value, normals?.[i] ?? 0)))))) }).png({ compressionLevel: 2 }).toBuffer();
};

/** What the watermark must outlive, by how often. */
const ATTACKS: [string, number, Attack][] = [
  ['PNG', 0.99, (p) => p.png().toBuffer()],
  ['WebP 80', 0.99, (p) => p.webp({ quality: 80 }).toBuffer()],
  ['AVIF 50', 0.99, (p) => p.avif({ quality: 50, effort: 3 }).toBuffer()],
  ['JPEG 90', 0.99, jpeg(90)],
  ['JPEG 70', 0.99, jpeg(70)],
  ['brightness +20%', 0.99, each((v) => v * 1.2)],
  ['brightness -20%', 0.99, each((v) => v * 0.8)],
  ['contrast +20%', 0.99, each((v) => 128 + (v - 128) * 1.2)],
  ['contrast -20%', 0.99, each((v) => 128 + (v - 128) * 0.8)],
  ['gamma 1.2', 0.99, each((v) => 255 * (v / 255) ** 1.2)],
  ['gamma 0.8', 0.99, each((v) => 255 * (v / 255) ** 0.8)],
  ['blur 1 px', 0.99, (p) => p.blur(1).png().toBuffer()],
  ['noise, sigma 4', 0.99, each((v, normal) => v + 4 * normal, true)],
  ['JPEG 50', 0.95, jpeg(50)],
  ['resize to 50%', 0.95, (p, { width, height }) => p.resize(Math.round(width / 2), Math.round(height / 2)).png().toBuffer()],
  ['resize to 200%', 0.95, (p, { width, height }) => p.resize(width * 2, height * 2).png().toBuffer()],
  ['crop to half the area', 0.95, (p, { width, height }, random) => {
    const [w, h] = [Math.round(width * Math.SQRT1_2), Math.round(height * Math.SQRT1_2)];
    return p.extract({ left: random.below(width - w), top: random.below(height - h), width: w, height: h }).png().toBuffer();
  }],
  ['horizontal flip', 0.95, (p) => p.flop().png().toBuffer()],
  ['resize to 1080, JPEG 80', 0.95, (p, { width, height }) => p.resize(width >= height ? { width: 1080 } : { height: 1080 }).jpeg({ quality: 80 }).toBuffer()],
  ['overlay of text', 0.95, (p, { width, height }) => p.composite([{ input: text(width, height) }]).png().toBuffer()],
  ['rotation by up to 5 degrees', 0.8, (p, _, random) => p.rotate(10 * random.uniform() - 5, { background: 'white' }).png().toBuffer()],
  ['screenshot (1.3, gamma, JPEG 75)', 0.8, async (p, { width, height }) => sharp(await p.resize(Math.round(width * 1.3), Math.round(height * 1.3)).png().toBuffer()).gamma(1.2).jpeg({ quality: 75 }).toBuffer()],
];

/** Two lines of words, as bars of letters' sizes: no font is needed, and as much is covered. */
function text(width: number, height: number): Buffer {
  const random = new Random('words');
  const bars: string[] = [];
  for (const line of [0.62, 0.74]) {
    for (let x = width * 0.08; x < width * 0.9; ) {
      const w = width * (0.01 + 0.02 * random.uniform());
      bars.push(`<rect x="${x}" y="${height * line}" width="${w}" height="${height * 0.08}" fill="white" stroke="black" stroke-width="2"/>`);
      x += w + width * (random.below(5) === 0 ? 0.02 : 0.004);
    }
  }
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${bars.join('')}</svg>`);
}

const decoded = async (path: string, shorter: number): Promise<Pixels> => {
  const { data, info } = await sharp(path).autoOrient().resize(shorter, shorter, { fit: 'outside', kernel: 'lanczos3' }).flatten({ background: 'white' }).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
};

/** The photographs of landscapes, and of BSDS500 every so many. */
async function photographs(): Promise<string[]> {
  const list = async (folder: string) => (await readdir(join(DATA, folder))).filter((file) => file.endsWith('.jpg')).sort().map((file) => join(DATA, folder, file));
  const [own, more] = [await list('photos'), await list('research/bsds')];
  const wanted = COUNT - own.length;
  return [...own, ...Array.from({ length: wanted }, (_, i) => more[Math.floor((i * more.length) / wanted)]!)];
}

/** Avatars and garments enlarged to 512 px, and photographs painted in each style: none marked. */
async function madePictures(folder: string, threads: number): Promise<string[]> {
  const given = { watermark: false, identityFolder: join(folder, 'identity'), threads };
  const quarter = COUNT / 4;
  for (const model of ['avatars', 'garments']) await generate({ model, count: quarter, seed: 'watermark', out: join(folder, 'small'), ...given });
  await upscale({ inputs: [join(folder, 'small')], scale: 4, out: join(folder, 'larger'), ...given });
  await upscale({ inputs: [join(folder, 'larger')], scale: 2, out: join(folder, 'made'), ...given });
  const shown = (await photographs()).filter((_, i) => i % 8 === 3);
  for (const model of ['starry-night', 'scream', 'great-wave', 'shipwreck']) {
    const inputs = await Promise.all(
      shown.map(async (path, i) => {
        const { width, height, data } = await decoded(path, 512);
        const to = join(folder, `${model}-${i}.png`);
        await image({ width, height, data }).png().toFile(to);
        return to;
      }),
    );
    await style({ inputs, model, out: join(folder, 'made'), ...given });
  }
  return (await readdir(join(folder, 'made'))).sort().map((file) => join(folder, 'made', file));
}

const psnr = (a: Uint8Array, b: Uint8Array): number => 10 * Math.log10(255 ** 2 / (a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length));
const idOf = (random: Random): string => Array.from({ length: 16 }, () => random.below(16).toString(16)).join('');

/** For each attack how often the whole payload came back, and each picture's PSNR. */
async function survival(paths: readonly string[], shorter: number, attacks: typeof ATTACKS): Promise<{ shares: number[]; psnrs: number[] }> {
  const hits = attacks.map(() => 0);
  const psnrs: number[] = [];
  for (const [n, path] of paths.entries()) {
    const random = new Random(`watermark ${n}`);
    const picture = await decoded(path, shorter);
    const marked = { ...picture, data: Buffer.from(picture.data) };
    const id = idOf(random);
    await writeWatermark({ ...marked, channels: 3, alpha: false }, id);
    psnrs.push(psnr(picture.data, marked.data));
    for (const [a, [, , attack]] of attacks.entries()) if ((await readWatermark(await attack(image(marked), marked, random)))?.id === id) hits[a]!++;
  }
  return { shares: hits.map((count) => count / paths.length), psnrs };
}

/** Seconds by the clock, which goes on while others have the processor, and of processor time in all threads. The least of several is what it takes. */
interface Took {
  clock: number;
  processor: number;
}

async function took(work: () => Promise<unknown>): Promise<Took> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

async function speed(): Promise<WatermarkRow[]> {
  const path = (await photographs())[0]!;
  const rows: WatermarkRow[] = [];
  for (const shorter of [256, 512, 1024, 2800]) {
    const picture = await decoded(path, shorter);
    const megapixels = (picture.width * picture.height) / 1e6;
    const [writes, reads, searches]: [Took[], Took[], Took[]] = [[], [], []];
    const bare = await image(picture).png({ compressionLevel: 1 }).toBuffer();
    for (let i = 0; i < 6; i++) {
      const marked = { ...picture, data: Buffer.from(picture.data) };
      writes.push(await took(() => writeWatermark({ ...marked, channels: 3, alpha: false }, '0123456789abcdef')));
      const file = await image(marked).png({ compressionLevel: 1 }).toBuffer();
      reads.push(await took(() => readWatermark(file)));
      searches.push(await took(() => readWatermark(bare)));
    }
    const size = `${picture.width}x${picture.height}`;
    const least = (times: Took[], by: keyof Took) => Math.min(...times.map((time) => time[by]));
    rows.push({ name: `written, ${size}`, value: megapixels / least(writes, 'clock'), unit: `megapixels/s (${(megapixels / least(writes, 'processor')).toPrecision(3)} by processor time)` });
    for (const [name, times] of [['read', reads], ['not found', searches]] as const)
      rows.push({ name: `${name}, ${size}`, value: least(times, 'clock') / megapixels, unit: `s/megapixel (${(least(times, 'processor') / megapixels).toPrecision(3)} by processor time)` });
  }
  return rows;
}

/** Every photograph at hand, none of which bears a mark. */
async function unmarked(): Promise<string[]> {
  const folders = ['photos', 'research/bsds', 'research/t91'].filter((folder) => existsSync(join(DATA, folder)));
  return (await Promise.all(folders.map(async (folder) => (await readdir(join(DATA, folder))).sort().map((file) => join(DATA, folder, file))))).flat();
}

/** What is measured: how fast it is, what the mark outlives at either size, and false alarms. */
export const PARTS = ['speed', '512', '256', 'crops'] as const;
export type Part = (typeof PARTS)[number];

export interface WatermarkOptions extends BenchOptions {
  crops: number;
  /** File in which what was counted of the crops is kept. */
  counts?: string | undefined;
  parts: readonly Part[];
}

export async function watermarkBench({ threads, crops, counts, parts }: WatermarkOptions): Promise<WatermarkRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-watermark-'));
  try {
    const rows: WatermarkRow[] = parts.includes('speed') ? await speed() : [];
    const sizes = ([[512, ATTACKS], [256, ATTACKS.slice(0, 16)]] as const).filter(([shorter]) => parts.includes(`${shorter}`));
    const sets = sizes.length > 0 ? { photographs: await photographs(), generated: await madePictures(folder, threads) } : { photographs: [], generated: [] };
    for (const [shorter, attacks] of sizes) {
      const [photos, generated] = [await survival(sets.photographs, shorter, attacks), await survival(sets.generated, shorter, attacks)];
      const all = [...photos.psnrs, ...generated.psnrs];
      rows.push({ name: `PSNR at ${shorter} px, least`, value: Math.min(...all), unit: 'dB' }, { name: `PSNR at ${shorter} px, median`, value: median(all), unit: 'dB' });
      for (const [a, [name, wanted]] of attacks.entries())
        rows.push({ name: `${shorter} px: ${name}`, photographs: photos.shares[a]!, generated: generated.shares[a]!, wanted: shorter === 256 ? 0.95 : wanted });
    }
    if (!parts.includes('crops')) return rows;
    const { tried, alarms } = await unmarkedCrops({ crops, counts, threads, photographs: await unmarked() });
    return [...rows, { name: `false alarms in ${tried} unmarked crops of 256 px`, value: alarms.length, unit: alarms.join(', ') }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function watermarkTable(rows: WatermarkRow[]): string {
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`).padStart(13);
  return [
    `${''.padEnd(48)}${'photographs'.padStart(13)}${'generated'.padStart(13)}${'wanted'.padStart(13)}`,
    ...rows.map(({ name, photographs, generated, wanted, value, unit = '' }) => `${name.padEnd(48)}${value === undefined ? `${percent(photographs)}${percent(generated)}${percent(wanted)}` : `${value.toPrecision(3).padStart(13)} ${unit}`}`),
  ].join('\n');
}
