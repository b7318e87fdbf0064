// Upscalers by name, opened to run.

import { availableParallelism } from 'node:os';
import type { Session } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { UserError } from '@zeuxis/pictures';
import type { UpscalerCard } from '../card.js';
import { findModel, type ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';

/** @throws UserError where there is none, or the model is of another task. */
export async function findUpscaler(nameOrPath: string): Promise<ListedModel<UpscalerCard>> {
  const model = await findModel(nameOrPath);
  const { task } = model.card;
  if (task !== 'upscaler') throw new UserError(`'${nameOrPath}' is no upscaler but a model for ${task}; \`zeuxis models\` lists upscalers under upscaler`);
  return model as ListedModel<UpscalerCard>;
}

/** @throws UserError where ONNX Runtime does not open the model. */
export async function openUpscaler(model: ListedModel<UpscalerCard>, { device = 'cpu', threads = availableParallelism() }: VerbOptions): Promise<Session> {
  return openSession(model.bytes, { device, threads }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the model '${model.name}': ${error.message.split('\n')[0]}`);
  });
}
