// Medical pictures halved and brought back: PSNR of the `medical-x2` model beside bicubic and Lanczos (both with pixel centres
// kept), on the CT and MR slices at hand and on grey pictures of 12 bits made from photographs. Values are not rounded on the
// way; the peak is the range of the values that occur.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floats, type Session } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { cropBorder, type Grey, psnr } from '@zeuxis/nets';
import { bicubic, LUMA, lanczos, type Plane, readPlane } from '@zeuxis/pictures';
import { readDicom } from '@zeuxis/pictures/dicom';
import { findUpscaler } from '@zeuxis/verbs';
import type { BenchOptions } from './gan.js';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const SCANS = ['CT_small', 'MR_small', 'JPEG2000'];

export interface MedicalRow {
  name: string;
  width: number;
  height: number;
  /** dB. */
  model: number;
  bicubic: number;
  lanczos: number;
}

type Values = Plane<Float32Array>;

async function scan(name: string): Promise<Values> {
  const { width, height, frames } = await readDicom(await readFile(join(DATA, 'dicom', `${name}.dcm`)), name);
  return { width, height, channels: 1, data: frames[0]! };
}

/** Luma of a photograph, halved, which leaves more than 8 bits of it, in 12. */
async function photograph(file: string): Promise<Values> {
  const { width, height, channels, data } = await readPlane(join(DATA, 'photos', file));
  const luma = Float32Array.from({ length: width * height }, (_, i) => LUMA.reduce((sum, weight, c) => sum + weight * data[i * channels + c]!, 0));
  const half = bicubic({ width, height, channels: 1, data: luma }, 1 / 2);
  return { ...half, data: half.data.map((value) => Math.min(4095, Math.max(0, Math.round((value / 255) * 4095)))) };
}

/** Even sides, so that halves come back whole. */
function even({ width, height, data }: Values): Values {
  const [w, h] = [width & ~1, height & ~1];
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++) out.set(data.subarray(y * width, y * width + w), y * w);
  return { width: w, height: h, channels: 1, data: out };
}

async function row(name: string, session: Session, picture: Values): Promise<MedicalRow> {
  const truth = even(picture);
  const { width, height } = truth;
  const small = bicubic(truth, 1 / 2);
  const [low, high] = small.data.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)] as const, [Infinity, -Infinity] as readonly [number, number]);
  const { large } = await session.run({ small: floats(small.data.map((value) => (value - low) / (high - low)), [1, 1, small.height, small.width]) });
  const made = (large!.data as Float32Array).map((value) => low + value * (high - low));
  const grey = (data: Float32Array): Grey => cropBorder({ width, height, data: Float64Array.from(data) }, 2);
  const against = (data: Float32Array) => Number(psnr(grey(data), grey(truth.data), high - low).toFixed(2));
  return { name, width, height, model: against(made), bicubic: against(bicubic(small, 2).data), lanczos: against(lanczos(small, 2).data) };
}

export async function medical({ threads }: BenchOptions): Promise<MedicalRow[]> {
  if (!existsSync(DATA)) throw new Error(`the pictures to measure on are not at ${DATA}`);
  const model = await findUpscaler('medical-x2');
  const session = await openSession(model.bytes, { threads });
  const rows: MedicalRow[] = [];
  for (const name of SCANS) rows.push(await row(name, session, await scan(name)));
  for (const file of (await readdir(join(DATA, 'photos'))).filter((name) => /\.jpe?g$/.test(name)).sort().slice(0, 3))
    rows.push(await row(`${file}, 12 bits`, session, await photograph(file)));
  await session.close();
  return rows;
}

export const medicalTable = (rows: MedicalRow[]): string =>
  [
    `${''.padEnd(34)}${['size', 'model', 'bicubic', 'Lanczos'].map((title) => title.padStart(11)).join('')}`,
    ...rows.map((r) => `${r.name.padEnd(34)}${[`${r.width}x${r.height}`, ...[r.model, r.bicubic, r.lanczos].map((value) => value.toFixed(2))].map((cell) => cell.padStart(11)).join('')}`),
  ].join('\n');
