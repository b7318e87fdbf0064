// What the perceptual hash says of pictures that were changed, and of different ones: in how many of its 64 bits they differ.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashDistance, perceptualHashOf } from '@zeuxis/pictures';
import { generate } from '@zeuxis/verbs';
import sharp, { type Sharp } from 'sharp';
import type { BenchOptions } from './gan.js';
import { DATA } from './watermark-pictures.js';

/** What is done to a picture, as it is written to a file. */
const CHANGES: [string, (picture: Sharp, width: number, height: number) => Sharp][] = [
  ['JPEG 50', (picture) => picture.jpeg({ quality: 50 })],
  ['JPEG 20', (picture) => picture.jpeg({ quality: 20 })],
  ['WebP 60', (picture) => picture.webp({ quality: 60 })],
  ['half the size', (picture, width) => picture.resize(Math.round(width / 2)).png()],
  ['twice the size', (picture, width) => picture.resize(2 * width).png()],
  ['in grey', (picture) => picture.greyscale().png()],
  ['30 levels lighter', (picture) => picture.linear(1, 30).png()],
  ['1.2 times as light', (picture) => picture.linear(1.2, 0).png()],
  ['a tenth cut off', (picture, width, height) => {
    const [left, top] = [Math.round(width / 20), Math.round(height / 20)];
    return picture.extract({ left, top, width: width - 2 * left, height: height - 2 * top }).png();
  }],
];
/** Models that pairs of pictures are made by, and how many each. */
const MODELS = ['garments', 'avatars'] as const;
const MADE = 200;
/** Bits that pairs differ in at most, by which they are counted. */
const WITHIN = [8, 10, 12, 16] as const;

export interface AlikeRow {
  /** Of what the pictures are. */
  set: string;
  /** Bits that a changed picture differs in from itself: of all pictures the median, 99 in a hundred, and the most. */
  changed: { name: string; median: number; most99: number; most: number }[];
  /** Pairs of different pictures: how many, how near the nearest, and how many differ in so many bits at most. */
  pairs: number;
  nearest: number;
  within: { bits: number; pairs: number }[];
}

async function measured(set: string, paths: readonly string[]): Promise<AlikeRow> {
  const hashes: string[] = [];
  const distances: number[][] = CHANGES.map(() => []);
  for (const path of paths) {
    const { data, info } = await sharp(path).autoOrient().flatten({ background: 'white' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const picture = () => sharp(data, { raw: { width, height, channels } });
    const own = await perceptualHashOf(await picture().png().toBuffer());
    hashes.push(own);
    for (const [i, [, change]] of CHANGES.entries()) {
      distances[i]!.push(hashDistance(own, await perceptualHashOf(await change(picture(), width, height).toBuffer())));
    }
  }
  const near: number[] = [];
  for (const [i, hash] of hashes.entries()) for (const other of hashes.slice(0, i)) near.push(hashDistance(hash, other));
  const at = (values: number[], share: number) => [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
  return {
    set,
    changed: CHANGES.map(([name], i) => ({ name, median: at(distances[i]!, 0.5), most99: at(distances[i]!, 0.99), most: at(distances[i]!, 1) })),
    pairs: near.length,
    nearest: Math.min(...near),
    within: WITHIN.map((bits) => ({ bits, pairs: near.filter((distance) => distance <= bits).length })),
  };
}

export async function alike({ threads }: BenchOptions): Promise<AlikeRow[]> {
  const files = async (folder: string) => (await readdir(folder)).filter((name) => /\.(jpg|png)$/.test(name)).sort().map((name) => join(folder, name));
  const rows = [await measured('photographs', [...(await files(join(DATA, 'photos'))), ...(await files(join(DATA, 'research/bsds')))])];
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-alike-'));
  try {
    for (const model of MODELS) {
      const out = join(folder, model);
      await generate({ model, count: MADE, seed: 'alike', out, watermark: false, identityFolder: join(folder, 'identity'), threads });
      rows.push(await measured(model, await files(out)));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

export function alikeTable(rows: readonly AlikeRow[]): string {
  const line = (name: string, cells: string[]) => name.padEnd(28) + cells.map((cell) => cell.padStart(16)).join('');
  return [
    line('bits that differ', rows.map(({ set }) => set)),
    ...CHANGES.map(([name], i) => line(name, rows.map(({ changed }) => `${changed[i]!.median} / ${changed[i]!.most99} / ${changed[i]!.most}`))),
    line('pairs of different ones', rows.map(({ pairs }) => `${pairs}`)),
    line('nearest pair', rows.map(({ nearest }) => `${nearest}`)),
    ...WITHIN.map((bits, i) => line(`pairs within ${bits} bits`, rows.map(({ within }) => `${within[i]!.pairs}`))),
  ].join('\n');
}
