// What happens to pictures, and how often a watermark must outlive it.

import { Random } from '@zeuxis/nets';
import sharp, { type Sharp } from 'sharp';

export interface Pixels {
  width: number;
  height: number;
  /** Interleaved RGB. */
  data: Buffer;
}

export type Attack = (picture: Sharp, size: Pixels, random: Random) => Promise<Buffer>;

export const image = ({ width, height, data }: Pixels): Sharp => sharp(data, { raw: { width, height, channels: 3 } });
const jpeg = (quality: number): Attack => (p) => p.jpeg({ quality }).toBuffer();
/** Each value by a function of it, of a normal one drawn for it. */
const each = (change: (value: number, normal: number) => number, noisy = false): Attack => (_, size, random) => {
  const normals = noisy ? random.normals(size.data.length) : undefined;
  return image({ ...size, data: Buffer.from(size.data.map((value, i) => Math.max(0, Math.min(255, Math.round(change(value, normals?.[i] ?? 0)))))) }).png({ compressionLevel: 2 }).toBuffer();
};

/** What the watermark must outlive, by how often. */
export const ATTACKS: [string, number, Attack][] = [
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
