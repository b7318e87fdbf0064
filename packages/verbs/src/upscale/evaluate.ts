// `evaluate` for upscalers: PSNR and SSIM against the truth, picture by picture, beside bicubic.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cropBorder, type Grey, luma, psnr, ssim } from '@zeuxis/nets';
import { bicubic, type Plane, readPlane, UserError } from '@zeuxis/pictures';
import { interleaved, sinkTo, sourceOf } from '../edit/samples.js';
import { enlarge } from '../edit/tiles.js';
import type { VerbOptions } from '../progress.js';
import { openUpscaler, type UpscalerFile } from './session.js';

export interface Fidelity {
  /** dB on luma. */
  psnr: number;
  /** NaN (null in JSON) for pictures of less than 11 px. */
  ssim: number;
}

export interface UpscalerEvaluation {
  model: { name: string; sha256: string };
  pictures: { folder: string; count: number };
  scale: number;
  /** Pixels left out at each border: as many as the scale, as papers do. */
  border: number;
  each: { name: string; model: Fidelity; bicubic: Fidelity }[];
  mean: { model: Fidelity; bicubic: Fidelity };
}

/**
 * Measures an upscaler on a folder of pairs, `NAME-lr.png` and `NAME-hr.png`: PSNR and SSIM on the luma of BT.601 with a border
 * of as many pixels as the scale left out. The network's output is rounded to 8 bits first.
 * @throws UserError for a folder without pairs, and pairs whose sides do not fit the model's scale.
 */
export async function evaluateUpscaler(model: UpscalerFile, folder: string, options: VerbOptions = {}): Promise<UpscalerEvaluation> {
  const { signal, onProgress = () => {} } = options;
  const { scale, channels, margin } = model.card;
  const names = await pairNames(folder);
  const session = await openUpscaler(model, options);
  const each: UpscalerEvaluation['each'] = [];
  try {
    for (const name of names) {
      signal?.throwIfAborted();
      const [small, truth] = [await readPlane(join(folder, `${name}-lr.png`)), await readPlane(join(folder, `${name}-hr.png`))];
      if (truth.width !== small.width * scale || truth.height !== small.height * scale)
        throw new UserError(
          `'${join(folder, name)}-hr.png' is ${truth.width}x${truth.height} and its -lr.png ${small.width}x${small.height}; the model '${model.name}' enlarges ${scale} times`,
        );
      if (Math.min(truth.width, truth.height) <= 2 * scale)
        throw new UserError(`'${join(folder, name)}-hr.png' is ${truth.width}x${truth.height}: nothing is left of it without a border of ${scale} px`);
      const made: Plane<Uint8Array> = { ...truth, channels, data: new Uint8Array(truth.width * truth.height * channels) };
      const samples = ({ width, height, channels, data }: Plane<Uint8Array>) => interleaved(width, height, data, channels);
      await enlarge(session, sourceOf(samples(small), channels), sinkTo(samples(made), channels), { scale, channels, margin, signal });
      const against = (plane: Plane<Uint8Array>) => fidelity(greyOf(plane, scale), greyOf(truth, scale));
      each.push({ name, model: against(made), bicubic: against(bicubic(small, scale)) });
      onProgress({ stage: 'measure', done: each.length, total: names.length, unit: 'pictures' });
    }
  } finally {
    await session.close();
  }
  const mean = (of: (row: (typeof each)[number]) => Fidelity): Fidelity => ({
    psnr: each.reduce((sum, row) => sum + of(row).psnr, 0) / each.length,
    ssim: each.reduce((sum, row) => sum + of(row).ssim, 0) / each.length,
  });
  return {
    model: { name: model.name, sha256: model.sha256 },
    pictures: { folder, count: each.length },
    scale,
    border: scale,
    each,
    mean: { model: mean((row) => row.model), bicubic: mean((row) => row.bicubic) },
  };
}

async function pairNames(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no folder '${folder}'; check the path` : `the folder '${folder}' cannot be read (${error.code})`);
  });
  const names = files.filter((file) => file.endsWith('-lr.png') && files.includes(file.replace(/-lr\.png$/, '-hr.png'))).map((file) => file.slice(0, -7));
  if (names.length === 0) throw new UserError(`'${folder}' holds no pairs NAME-lr.png and NAME-hr.png, which upscalers are measured on`);
  return names.sort();
}

const fidelity = (made: Grey, truth: Grey): Fidelity => ({ psnr: psnr(made, truth), ssim: ssim(made, truth) });

const greyOf = ({ width, height, channels, data }: Plane<Uint8Array>, border: number): Grey =>
  cropBorder({ width, height, data: luma(data, width * height, channels) }, border);
