// The watermark on 64 photographs and 64 pictures that models made, against what happens to pictures; how fast it is; and how often it is seen where it is not.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '@zeuxis/nets';
import { readWatermark } from '@zeuxis/provenance';
import type { BenchOptions } from './gan.js';
import { median } from './measure.js';
import { ATTACKS, image } from './watermark-attacks.js';
import { DATA, decoded, photographs, withMade } from './watermark-pictures.js';
import { OWN, speed, survival } from './watermark-survival.js';

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

/** Crops of 256 px that bear no mark, of all photographs at hand, in which one is looked for. */
async function falseAlarms(crops: number): Promise<WatermarkRow[]> {
  const folders = ['photos', 'research/bsds', 'research/t91'].filter((folder) => existsSync(join(DATA, folder)));
  const paths = (await Promise.all(folders.map(async (folder) => (await readdir(join(DATA, folder))).sort().map((file) => join(DATA, folder, file))))).flat();
  const random = new Random('crops');
  let [seen, done] = [0, 0];
  const least = Math.ceil(crops / paths.length);
  for (const path of paths) {
    for (let i = 0; i < least && done < crops; i++, done++) {
      // Seen at another size each time, so that small pictures too give many.
      const shorter = 256 + random.below(300);
      const { width, height, data } = await decoded(path, shorter);
      const crop = await image({ width, height, data }).extract({ left: random.below(width - 255), top: random.below(height - 255), width: 256, height: 256 }).png({ compressionLevel: 1 }).toBuffer();
      if (await readWatermark(crop)) seen++;
    }
  }
  return [{ name: `false alarms in ${done} unmarked crops of 256 px`, value: seen, unit: '' }];
}

export async function watermarkBench({ threads, crops, pictures }: BenchOptions & { crops: number; pictures: number }): Promise<WatermarkRow[]> {
  const rows: WatermarkRow[] = await speed(OWN, [512, 1024, 2800]);
  await withMade(await photographs(pictures), threads, async (sets) => {
    for (const [shorter, attacks] of [[512, ATTACKS], [256, ATTACKS.slice(0, AT_256)]] as const) {
      const [photos, generated] = [await survival(OWN, sets.photographs, shorter, attacks), await survival(OWN, sets.generated, shorter, attacks)];
      const all = [...photos.psnrs, ...generated.psnrs];
      rows.push({ name: `PSNR at ${shorter} px, least`, value: Math.min(...all), unit: 'dB' }, { name: `PSNR at ${shorter} px, median`, value: median(all), unit: 'dB' });
      for (const [a, [name, wanted]] of attacks.entries())
        rows.push({ name: `${shorter} px: ${name}`, photographs: photos.shares[a]!, generated: generated.shares[a]!, wanted: shorter === 256 ? 0.95 : wanted });
    }
  });
  return [...rows, ...(await falseAlarms(crops))];
}

export function watermarkTable(rows: WatermarkRow[]): string {
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`).padStart(13);
  return [
    `${''.padEnd(48)}${'photographs'.padStart(13)}${'generated'.padStart(13)}${'wanted'.padStart(13)}`,
    ...rows.map(({ name, photographs, generated, wanted, value, unit = '' }) => `${name.padEnd(48)}${value === undefined ? `${percent(photographs)}${percent(generated)}${percent(wanted)}` : `${value.toPrecision(3).padStart(13)} ${unit}`}`),
  ].join('\n');
}
