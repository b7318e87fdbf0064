// The watermark on 64 photographs and 64 pictures that models made, against what happens to pictures; how fast it is; and how often it is seen where it is not.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unmarkedCrops } from './crops.js';
import type { BenchOptions } from './gan.js';
import { median } from './measure.js';
import { ATTACKS } from './watermark-attacks.js';
import { DATA, photographs, withMade } from './watermark-pictures.js';
import { BY_PUBLIC_KEY, byOwnKeys, speed, survival } from './watermark-survival.js';

/** Attacks that are asked for at 256 px too: the first so many. */
export const AT_256 = 16;

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

/** Every photograph at hand, none of which bears a mark. */
async function unmarked(): Promise<string[]> {
  const folders = ['photos', 'research/bsds', 'research/t91'].filter((folder) => existsSync(join(DATA, folder)));
  return (await Promise.all(folders.map(async (folder) => (await readdir(join(DATA, folder))).sort().map((file) => join(DATA, folder, file))))).flat();
}

/** What is measured: how fast it is, what the mark outlives at either size, and at the smaller one by keys of one's own, and false alarms. */
export const PARTS = ['speed', '512', '256', 'keys', 'crops'] as const;
export type Part = (typeof PARTS)[number];

export interface WatermarkOptions extends BenchOptions {
  /** Photographs; as many made pictures. */
  pictures: number;
  crops: number;
  /** File in which what was counted of the crops is kept. */
  counts?: string | undefined;
  parts: readonly Part[];
}

export async function watermarkBench({ threads, pictures, crops, counts, parts }: WatermarkOptions): Promise<WatermarkRow[]> {
  const rows: WatermarkRow[] = parts.includes('speed') ? await speed(BY_PUBLIC_KEY, [256, 512, 1024, 2800]) : [];
  const few = ATTACKS.slice(0, AT_256);
  const sizes = ([['512', '512 px', 512, ATTACKS, BY_PUBLIC_KEY], ['256', '256 px', 256, few, BY_PUBLIC_KEY], ['keys', '256 px, own keys', 256, few, byOwnKeys()]] as const).filter(([part]) => parts.includes(part));
  if (sizes.length > 0)
    await withMade(await photographs(pictures), threads, async (sets) => {
      for (const [, name, shorter, attacks, scheme] of sizes) {
        const [photos, generated] = [await survival(scheme, sets.photographs, shorter, attacks), await survival(scheme, sets.generated, shorter, attacks)];
        const all = [...photos.psnrs, ...generated.psnrs];
        rows.push({ name: `PSNR at ${name}, least`, value: Math.min(...all), unit: 'dB' }, { name: `PSNR at ${name}, median`, value: median(all), unit: 'dB' });
        for (const [a, [attack, wanted]] of attacks.entries())
          rows.push({ name: `${name}: ${attack}`, photographs: photos.shares[a]!, generated: generated.shares[a]!, wanted: shorter === 256 ? 0.95 : wanted });
      }
    });
  if (!parts.includes('crops')) return rows;
  const { tried, alarms } = await unmarkedCrops({ crops, counts, threads, photographs: await unmarked() });
  return [...rows, { name: `false alarms in ${tried} unmarked crops of 256 px`, value: alarms.length, unit: alarms.join(', ') }];
}

export function watermarkTable(rows: WatermarkRow[]): string {
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`).padStart(13);
  return [
    `${''.padEnd(48)}${'photographs'.padStart(13)}${'generated'.padStart(13)}${'wanted'.padStart(13)}`,
    ...rows.map(({ name, photographs, generated, wanted, value, unit = '' }) => `${name.padEnd(48)}${value === undefined ? `${percent(photographs)}${percent(generated)}${percent(wanted)}` : `${value.toPrecision(3).padStart(13)} ${unit}`}`),
  ].join('\n');
}
