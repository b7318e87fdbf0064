// Upscalers by name, opened to run.

import { availableParallelism } from 'node:os';
import type { Session } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { defineUpscaler, upscalerModel } from '@zeuxis/nets';
import { UserError } from '@zeuxis/pictures';
import { readWeights, type UpscalerCard } from '../card.js';
import { findModel, type ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';

/** @throws UserError where there is none, or the model is of another task. */
export async function findUpscaler(nameOrPath: string): Promise<ListedModel<UpscalerCard>> {
  const model = await findModel(nameOrPath);
  const { task } = model.card;
  if (task !== 'upscaler') throw new UserError(`'${nameOrPath}' is no upscaler but a model for ${task}; \`zeuxis models\` lists upscalers under upscaler`);
  return model as ListedModel<UpscalerCard>;
}

/** As much of a model as enlarging takes: one may be made without a file. */
export interface UpscalerFile extends Pick<ListedModel, 'name' | 'sha256' | 'bytes'> {
  card: Pick<UpscalerCard, 'preset' | 'scale' | 'channels' | 'margin'>;
}

/**
 * @param detail 0 is the faithful network, 1 the sharpened; between the two their weights are blended (Wang et al., ESRGAN, 2018).
 * @throws UserError where ONNX Runtime does not open the model, and for detail where the model was not sharpened.
 */
export async function openUpscaler(model: UpscalerFile, { device = 'cpu', threads = availableParallelism() }: VerbOptions, detail = 0): Promise<Session> {
  return openSession(detail === 0 ? model.bytes : blended(model, detail), { device, threads }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the model '${model.name}': ${error.message.split('\n')[0]}`);
  });
}

function blended({ name, bytes, card }: UpscalerFile, detail: number): Uint8Array {
  const upscaler = defineUpscaler(card);
  const weights = readWeights(bytes, upscaler.network.size);
  if (!weights)
    throw new UserError(`the model '${name}' was not sharpened, so that it has no detail to add; leave --detail out, or sharpen it with \`zeuxis train upscaler --sharpen\``);
  const { faithful, sharpened } = weights;
  return upscalerModel(upscaler, faithful.map((value, i) => value + detail * (sharpened[i]! - value)), {});
}
