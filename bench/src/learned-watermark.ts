// A learned watermark, trained here for some minutes, and the product's on the same pictures, by the same attacks and the same measure.

import { bytes, compile, floats, type Session } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { resizePlanar } from '@zeuxis/pictures';
import sharp, { type Sharp } from 'sharp';
import type { BenchOptions } from './gan.js';
import { BITS, learned, learnedModels, SIDE } from './learned-network.js';
import { AMPLITUDE, trainLearned } from './learned-training.js';
import { median } from './measure.js';
import { AT_256 } from './watermark.js';
import { ATTACKS } from './watermark-attacks.js';
import { photographs, withMade } from './watermark-pictures.js';
import { BY_PUBLIC_KEY, type Scheme, speed, survival } from './watermark-survival.js';

export interface LearnedRow {
  name: string;
  /** Share of pictures whose payload came back whole, of the learned one and the product's, and share of the learned one's bits that are right. */
  learned?: number;
  bits?: number;
  own?: number;
  /** Anything else that was measured. */
  value?: number;
  unit?: string;
}

/** A residual's bytes: its root mean square, 1, as so many levels about the middle. */
const LEVELS = 30;
/** Mean square of what rounding to bytes adds, in levels. */
const ROUNDING = 1 / 12;

/** A picture of any size as the network sees it, planar [1, 3, 128, 128]. */
async function reduced(picture: Sharp) {
  const data = await picture.resize(SIDE, SIDE, { fit: 'fill', kernel: 'lanczos3' }).toColourspace('srgb').removeAlpha().raw().toBuffer();
  const plane = SIDE * SIDE;
  return bytes(Uint8Array.from({ length: 3 * plane }, (_, i) => data[3 * (i % plane) + Math.floor(i / plane)]!), [1, 3, SIDE, SIDE]);
}

/**
 * The trained network as a way to mark pictures, of any size as TrustMark does it: the residual of the picture reduced to 128 px is enlarged, scaled
 * to 42 dB and added; what is read is reduced to 128 px again. It always reads something: nothing in it tells a marked picture from another.
 */
function schemeOf(encoder: Session, decoder: Session): Scheme {
  return {
    async write({ width, height, data }, id) {
      const message = Float32Array.from({ length: BITS }, (_, i) => (Number.parseInt(id[i >> 2]!, 16) & (8 >> (i & 3)) ? 1 : -1));
      const { residual } = await encoder.run({ picture: await reduced(sharp(data, { raw: { width, height, channels: 3 } })), message: floats(message, [1, BITS]) });
      const levels = Uint8Array.from(residual!.data as Float32Array, (value) => Math.max(0, Math.min(255, Math.round(128 + LEVELS * value))));
      const enlarged = await resizePlanar(levels, SIDE, width, height);
      const energy = enlarged.reduce((sum, value) => sum + (value - 128) ** 2, 0) / enlarged.length;
      const strength = Math.sqrt(((255 * AMPLITUDE) ** 2 - ROUNDING) / energy);
      const plane = width * height;
      for (let i = 0; i < data.length; i++) data[i] = Math.max(0, Math.min(255, Math.round(data[i]! + strength * (enlarged[(i % 3) * plane + Math.floor(i / 3)]! - 128))));
    },
    async read(file) {
      const { logits } = await decoder.run({ picture: await reduced(sharp(file)) });
      const bits = Array.from(logits!.data as Float32Array, (logit) => (logit > 0 ? 1 : 0));
      return Array.from({ length: BITS / 4 }, (_, i) => bits.slice(4 * i, 4 * i + 4).reduce<number>((sum, bit) => 2 * sum + bit, 0).toString(16)).join('');
    },
  };
}

export async function learnedWatermark({ threads, minutes, pictures, state: path }: BenchOptions & { pictures: number; state?: string | undefined }): Promise<LearnedRow[]> {
  const onReport = ({ minutes, processorMinutes, steps, right, loudness, attacked }: Awaited<ReturnType<typeof trainLearned>>) =>
    console.error(`${minutes.toFixed(1)} min (${processorMinutes.toFixed(1)} of the processor), step ${steps}: ${(100 * right).toFixed(1)}% of bits, loudness ${loudness.toFixed(2)}${attacked < 0 ? '' : `, attacked since step ${attacked}`}`);
  const { vectors, ...trained } = await trainLearned({ minutes, threads, path, onReport });
  const { encoder, decoder } = learnedModels(vectors.weights);
  const sessions = await Promise.all([encoder, decoder].map((outputs) => openSession(compile(outputs), { threads }))) as [Session, Session];
  const scheme = schemeOf(...sessions);
  const rows: LearnedRow[] = [
    { name: 'trained, by the clock', value: trained.minutes, unit: 'minutes' },
    { name: 'trained, of the processor', value: trained.processorMinutes, unit: 'minutes' },
    { name: 'steps', value: trained.steps, unit: '' },
    { name: 'crops shown', value: trained.images, unit: '' },
    { name: 'bits right in training, at the end', value: 100 * trained.right, unit: '%' },
    { name: 'weights', value: (learned.size * 4) / 1e6, unit: 'MB' },
    ...(await speed(scheme, [512, 1024])).filter(({ name }) => !name.startsWith('not found')),
  ];
  await withMade(await photographs(pictures, false), threads, async (sets) => {
    const paths = [...sets.photographs, ...sets.generated];
    rows.push({ name: 'pictures', value: paths.length, unit: `of which ${sets.photographs.length} are photographs` });
    for (const [shorter, attacks] of [[512, ATTACKS], [256, ATTACKS.slice(0, AT_256)]] as const) {
      const [theirs, own] = [await survival(scheme, paths, shorter, attacks), await survival(BY_PUBLIC_KEY, paths, shorter, attacks)];
      for (const [whose, { psnrs }] of [['learned', theirs], ['own', own]] as const) rows.push({ name: `PSNR at ${shorter} px, ${whose}, median`, value: median(psnrs), unit: 'dB' });
      for (const [a, [name]] of attacks.entries()) rows.push({ name: `${shorter} px: ${name}`, learned: theirs.shares[a]!, bits: theirs.bits[a]!, own: own.shares[a]! });
    }
  });
  await Promise.all(sessions.map((session) => session.close()));
  return rows;
}

export function learnedTable(rows: LearnedRow[]): string {
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`).padStart(13);
  return [
    `${''.padEnd(48)}${['learned', 'its bits', 'own'].map((title) => title.padStart(13)).join('')}`,
    ...rows.map(({ name, learned: theirs, bits, own, value, unit = '' }) => `${name.padEnd(48)}${value === undefined ? [theirs, bits, own].map(percent).join('') : `${value.toPrecision(3).padStart(13)} ${unit}`}`),
  ].join('\n');
}
