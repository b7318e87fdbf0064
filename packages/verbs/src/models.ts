// Models by name: those shipped with the package, and files and run folders anywhere.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@zeuxis/pictures';
import { inShort, type NamedModel, type TrainedOn } from '@zeuxis/provenance';
import { type Card, type GanCard, type ModelFile, readModel, type StyleCard, type TrainingSet } from './card.js';

/** The folder of the shipped models: the repository's, or the published package's. Both lie three folders up. */
export const SHIPPED = fileURLToPath(new URL('../../../pretrained/', import.meta.url));

/** A model as it is listed: its file, hash and card. `name` is what it is called by. */
export interface ListedModel<C extends Card = Card> extends ModelFile<C> {
  name: string;
  shipped: boolean;
}

/** What a model was trained on, in the order of the card. */
export const setsOf = (card: Card): TrainingSet[] => {
  if (card.task === 'features') return card.trainingSets;
  const more = card.task === 'style' ? setsOfStyle(card) : card.task === 'upscaler' && card.sharpened ? [card.sharpened.trainingSet] : [];
  return [card.trainingSet, ...more];
};

/** But for its paintings: its photographs, and what went into the style that it began with, once each. */
function setsOfStyle({ trainingSet, content, from }: StyleCard): TrainingSet[] {
  const before = from?.trainingSets ?? [];
  const seen = new Set([trainingSet, content].map(({ fingerprint }) => fingerprint));
  return [content, ...before.filter(({ fingerprint }) => !seen.has(fingerprint))];
}

/** A set as manifests name it. */
export const trainedOn = ({ name, pictures, fingerprint, ...by }: TrainingSet): TrainedOn => ({ name, pictures, fingerprint, ...inShort(by) });

/** A model as the manifests of its pictures name it: what it is, and what was trained on, by what right. */
export const named = ({ name, sha256, card }: Pick<ListedModel, 'name' | 'sha256' | 'card'>): NamedModel => ({
  name,
  sha256,
  trained: setsOf(card).map(trainedOn),
});

/** Names of the shipped models. */
export async function shippedNames(): Promise<string[]> {
  const files = await readdir(SHIPPED).catch(() => []);
  return files.filter((file) => file.endsWith('.onnx')).map((file) => basename(file, '.onnx')).sort();
}

/** The name a file gives its model: 'model.onnx' is named after its folder. */
const nameOf = (path: string): string => (basename(path) === 'model.onnx' ? basename(dirname(path)) : basename(path, '.onnx'));

/**
 * A model by a shipped name, a file or a run folder.
 * @throws UserError where there is none, or the file is no model of ours.
 */
export async function findModel(nameOrPath: string): Promise<ListedModel> {
  const shipped = await shippedNames();
  const looksLikePath = /[\\/]|\.onnx$/.test(nameOrPath);
  const info = await stat(nameOrPath).catch(() => undefined);
  if (!looksLikePath && shipped.includes(nameOrPath) && !info?.isFile())
    return { ...(await readModel(join(SHIPPED, `${nameOrPath}.onnx`))), name: nameOrPath, shipped: true };
  if (!info)
    throw new UserError(
      looksLikePath
        ? `there is no model '${nameOrPath}'`
        : `there is no model '${nameOrPath}'; shipped are ${shipped.join(', ') || 'none'}, and a path to a .onnx file or a run folder will do`,
    );
  const path = info.isDirectory() ? join(nameOrPath, 'model.onnx') : nameOrPath;
  if (info.isDirectory() && !(await stat(path).catch(() => undefined)))
    throw new UserError(`the folder '${nameOrPath}' holds no model.onnx; give a run folder or a .onnx file`);
  return { ...(await readModel(path)), name: nameOf(path), shipped: false };
}

/**
 * A generator by a shipped name, a file or a run folder.
 * @throws UserError where there is none, or the model is of another task.
 */
export async function openModel(nameOrPath: string): Promise<ListedModel<GanCard>> {
  const model = await findModel(nameOrPath);
  const { task } = model.card;
  if (task !== 'gan')
    throw new UserError(`'${nameOrPath}' is no generator but a model for ${task}${task === 'features' ? ', which `zeuxis evaluate` measures with' : ''}; \`zeuxis models\` lists generators under gan`);
  return model as ListedModel<GanCard>;
}

/** @throws UserError where there is none, or the model is of another task. */
export async function findStyle(nameOrPath: string): Promise<ListedModel<StyleCard>> {
  const model = await findModel(nameOrPath);
  const { task } = model.card;
  if (task !== 'style') throw new UserError(`'${nameOrPath}' is no style but a model for ${task}; \`zeuxis models\` lists styles under style`);
  return model as ListedModel<StyleCard>;
}

/** The shipped models, and those given by path, with their cards. */
export async function listModels(paths: readonly string[] = []): Promise<ListedModel[]> {
  return Promise.all([...(await shippedNames()), ...paths].map(findModel));
}
