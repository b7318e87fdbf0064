// The pictures that watermarks are measured on: photographs, and pictures that models made.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, style, upscale } from '@zeuxis/verbs';
import sharp from 'sharp';
import { image, type Pixels } from './watermark-attacks.js';

export const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

export const decoded = async (path: string, shorter: number): Promise<Pixels> => {
  const { data, info } = await sharp(path).autoOrient().resize(shorter, shorter, { fit: 'outside', kernel: 'lanczos3' }).flatten({ background: 'white' }).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
};

/** So many: the photographs of landscapes, unless they were learned from, and then of BSDS500 every so many. */
export async function photographs(count: number, landscapes = true): Promise<string[]> {
  const list = async (folder: string) => (await readdir(join(DATA, folder))).filter((file) => file.endsWith('.jpg')).sort().map((file) => join(DATA, folder, file));
  const own = landscapes ? (await list('photos')).slice(0, count) : [];
  const more = await list('research/bsds');
  const wanted = count - own.length;
  return [...own, ...Array.from({ length: wanted }, (_, i) => more[Math.floor((i * more.length) / wanted)]!)];
}

/** Avatars and garments enlarged to 512 px, and every eighth photograph painted in each style: none marked. */
async function madePictures(folder: string, photographed: readonly string[], threads: number): Promise<string[]> {
  const given = { watermark: false, identityFolder: join(folder, 'identity'), threads };
  const quarter = Math.ceil(photographed.length / 4);
  // What cannot be made is not measured, and that is said.
  const said = ({ failures }: { failures: readonly { message: string }[] }) => {
    for (const { message } of failures) console.error(`left out: ${message}`);
  };
  for (const model of ['avatars', 'garments']) await generate({ model, count: quarter, seed: 'watermark', out: join(folder, 'small'), ...given });
  said(await upscale({ inputs: [join(folder, 'small')], scale: 4, out: join(folder, 'larger'), ...given }));
  said(await upscale({ inputs: [join(folder, 'larger')], scale: 2, out: join(folder, 'made'), ...given }));
  const shown = photographed.filter((_, i) => i % 8 === 3);
  for (const model of ['starry-night', 'scream', 'great-wave', 'shipwreck']) {
    const inputs = await Promise.all(
      shown.map(async (path, i) => {
        const { width, height, data } = await decoded(path, 512);
        const to = join(folder, `${model}-${i}.png`);
        await image({ width, height, data }).png().toFile(to);
        return to;
      }),
    );
    said(await style({ inputs, model, out: join(folder, 'made'), ...given }));
  }
  return (await readdir(join(folder, 'made'))).sort().map((file) => join(folder, 'made', file));
}

/** Gives `work` photographs, and pictures that models made, as many where all are, which are gone afterwards. */
export async function withMade<Result>(photographed: string[], threads: number, work: (sets: { photographs: string[]; generated: string[] }) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-watermark-'));
  try {
    return await work({ photographs: photographed, generated: await madePictures(folder, photographed, threads) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
