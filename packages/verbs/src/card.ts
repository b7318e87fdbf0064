// A model's card: what it is, what it was made from and with what right. It rides in the model file's metadata, so
// that it cannot be lost.

import { createHash } from 'node:crypto';
import { type OnnxSummary, type OnnxValue, readOnnx } from '@zeuxis/graph';
import { GRAIN, PaintingProfile, type Preset, SCALES, type UpscalerPreset } from '@zeuxis/nets';
import { type Degradation, readWhole, UserError } from '@zeuxis/pictures';
import { isSetRights, type SetRights } from '@zeuxis/provenance';

/** `rights` is what the one who trained stated, `record` what the set's own rights record says; one of them at least. */
export interface TrainingSet extends SetRights {
  /** Name of the folder, without where it lay. */
  name: string;
  /** Pictures trained on. */
  pictures: number;
  /** SHA-256 over the hashes and names of all its files. */
  fingerprint: string;
  /** Pictures left out: broken or too small. */
  skipped: number;
  /** Pictures left out because their own metadata or the rights record reserve them. */
  reserved: number;
  /** Pictures left out because nobody states a right to them. */
  unstated?: number;
}

/** What every card says. */
interface CommonCard {
  /** Version of this record. */
  card: 1;
  name: string;
  seed: number | string;
  /** Pictures or crops shown in training. */
  images: number;
  steps: number;
  batch: number;
  /** Hours of training, on whatever machine it was. */
  hours: number;
  /** Licence of the weights, an SPDX identifier or a sentence. */
  licence: string;
  zeuxis: string;
  /** Measured quality; of a generator with the hash of the feature network it was measured by. */
  measures?: Record<string, number | string>;
}

export interface GanCard extends CommonCard {
  task: 'gan';
  preset: Preset;
  /** Side of the pictures in px. */
  size: number;
  channels: 3;
  /** Values in a latent. */
  latent: number;
  /** Class names in the order of the `labels` input; empty where the model is unconditional. */
  labels: string[];
  trainingSet: TrainingSet;
}

/** Of the feature network of the measures, which scripts/train-features.mjs trains. */
export interface FeatureCard extends CommonCard {
  task: 'features';
  /** Figures compare only under the same version; the network of a version is never changed. */
  version: number;
  /** Side of the pictures in px. */
  size: number;
  channels: 3;
  /** Values that describe a picture. */
  features: number;
  /** Range of the input's values. */
  range: '0..255';
  /** Classes it was trained to tell apart. */
  labels: string[];
  trainingSets: TrainingSet[];
  /** Share of held-out pictures of each training set whose class, of all of them, was found. */
  heldOut: Record<string, { pictures: number; accuracy: number }>;
}

export interface UpscalerCard extends CommonCard {
  task: 'upscaler';
  preset: UpscalerPreset;
  /** How many times longer the sides become. */
  scale: number;
  /** 3 for colours, 1 for grey. */
  channels: 1 | 3;
  /** Pixels by which tiles must overlap on each side for the result to be that of the whole. */
  margin: number;
  /** How the small pictures it was trained on were made of the large ones. */
  degradation: Degradation;
  trainingSet: TrainingSet;
  /** Side of a crop of the small picture in px. */
  crop: number;
  /** Of a model that was sharpened against a discriminator too, for `--detail`: on what, and how long. */
  sharpened?: { trainingSet: TrainingSet; seed: number | string; images: number; steps: number; hours: number; /** How far its weights are on their way from the faithful ones, where not all of it. */ at?: number };
}

export interface StyleCard extends CommonCard {
  task: 'style';
  /** The paintings. */
  trainingSet: TrainingSet;
  /** The photographs that it was taught to paint. */
  content: TrainingSet;
  /** Shorter side of the paintings as it saw them, in px: how wide a brush is. */
  painted: number;
  contentWeight: number;
  /** Weights of what the painting asks, as they were last. */
  palette?: number;
  strokes?: number;
  patches?: number;
  /** Of flat places staying flat. */
  calm?: number;
  /** The style whose weights it began with: what that was trained on went into this one, too. */
  from?: { name: string; /** Hexadecimal SHA-256 of the file. */ sha256: string; /** Of its weights. */ licence: string; trainingSets: TrainingSet[] };
  /** Crops by which scales and shifts were taught anew, at every strength, where normalisation was another before (commit 18a26be). */
  scalesCrops?: number;
  /** Pixels by which tiles must overlap on each side. */
  margin: number;
  /** Side of a crop in px. */
  crop: number;
}

export type Card = GanCard | FeatureCard | UpscalerCard | StyleCard;

const WEIGHTS = ['faithful', 'sharpened'] as const;
/** Weights of an upscaler, flat vectors. */
export type UpscalerWeights = Record<(typeof WEIGHTS)[number], Float32Array>;

/** Vectors as metadata: base64 of little-endian float32. */
const vectorsMetadata = (vectors: Record<string, Float32Array>): Record<string, string> =>
  Object.fromEntries(Object.entries(vectors).map(([name, { buffer, byteOffset, byteLength }]) => [`zeuxis.${name}`, Buffer.from(buffer, byteOffset, byteLength).toString('base64')]));

/** A vector in a file's metadata; undefined where it does not hold so many finite values. */
function readVector({ metadata }: OnnxSummary, name: string, size: number): Float32Array | undefined {
  const raw = Buffer.from(metadata[`zeuxis.${name}`] ?? '', 'base64');
  const vector = new Float32Array(Uint8Array.from(raw).buffer, 0, raw.length >> 2);
  return vector.length === size && vector.every(Number.isFinite) ? vector : undefined;
}

/** Both weights of a sharpened upscaler. */
export const weightsMetadata = (weights: UpscalerWeights): Record<string, string> => vectorsMetadata(weights);

/** The weights in a file's metadata, each of `size` values; undefined where it does not hold both. */
export function readWeights(bytes: Uint8Array, size: number): UpscalerWeights | undefined {
  const summary = readOnnx(bytes);
  const [faithful, sharpened] = WEIGHTS.map((name) => readVector(summary, name, size));
  return faithful && sharpened && { faithful, sharpened };
}

const PAINTING = 'painting';
/** What a style keeps of its paintings, to be measured by. */
export const paintingMetadata = ({ values }: PaintingProfile): Record<string, string> => vectorsMetadata({ [PAINTING]: values });

/** What a style's file keeps of its paintings; undefined for files of before they did. */
export function readPainting(bytes: Uint8Array): PaintingProfile | undefined {
  const values = readVector(readOnnx(bytes), PAINTING, PaintingProfile.length);
  return values && new PaintingProfile(values);
}

/** More overlap than any network of ours needs: tiles of strangers' models must not grow without bound. */
const LARGEST_MARGIN = 128;

const KEY = 'zeuxis.card';
export const cardMetadata = (card: Card): Record<string, string> => ({ [KEY]: JSON.stringify(card) });

export interface ModelFile<C extends Card = Card> {
  path: string;
  bytes: Uint8Array;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
  card: C;
}

/**
 * Reads a model file and its card.
 * @throws UserError for a file that is missing, no ONNX or not one of ours.
 */
export async function readModel(path: string): Promise<ModelFile> {
  const bytes = await readWhole(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT' ? `there is no model '${path}'` : `the model '${path}' cannot be read (${error.code})`,
    );
  });
  let summary: OnnxSummary;
  try {
    summary = readOnnx(bytes);
  } catch {
    throw new UserError(`'${path}' is no ONNX model, or it is damaged`);
  }
  const text = summary.metadata[KEY];
  if (text === undefined)
    throw new UserError(`'${path}' is an ONNX model, but none that zeuxis trained: it carries no card`);
  const card = parseCard(text, summary);
  if (typeof card === 'string') throw new UserError(`'${path}' is no model of zeuxis, or its card is damaged: ${card}`);
  if (card.card !== 1) throw new UserError(`'${path}' was made by a newer zeuxis; update zeuxis`);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), card };
}

/** The card in a file's metadata, checked for what is read off it and against the graph it describes; or what is wrong with it. */
function parseCard(text: string, { inputs, outputs }: OnnxSummary): Card | string {
  let card: Card;
  try {
    card = JSON.parse(text) as Card;
  } catch {
    return 'it is no JSON';
  }
  if (typeof card !== 'object' || card === null) return 'it is no object';
  if (card.card !== 1) return typeof card.card === 'number' ? card : 'it has no version';
  const shaped = (name: string, values: readonly OnnxValue[]) => values.find((value) => value.name === name)?.shape ?? [];
  const named = (name: string, values: readonly OnnxValue[]) => shaped(name, values).slice(1).join(' x ') || undefined;
  for (const key of ['name', 'licence', 'zeuxis'] as const) if (typeof card[key] !== 'string') return `it states no ${key}`;
  if (card.task === 'upscaler') {
    if (!SCALES.some((scale) => scale === card.scale)) return 'it states no scale';
    if (![1, 3].includes(card.channels) || shaped('small', inputs)[1] !== card.channels || shaped('large', outputs)[1] !== card.channels)
      return `it says ${card.channels} channels, which the graph does not take`;
    if (!(Number.isInteger(card.margin) && card.margin >= 0 && card.margin <= LARGEST_MARGIN)) return `it states no margin up to ${LARGEST_MARGIN} px`;
    if (typeof card.preset !== 'string' || !Number.isInteger(card.crop)) return 'it does not say how it was trained';
    return saysTraining([card.trainingSet, ...(card.sharpened ? [card.sharpened.trainingSet] : [])]) ?? counts(card, ['images', 'steps', 'batch', 'hours']) ?? card;
  }
  if (card.task === 'style') {
    if (shaped('photograph', inputs)[1] !== 3 || shaped('painted', outputs)[1] !== 3) return 'it says a style, which the graph is not';
    if (!(Number.isInteger(card.margin) && card.margin % GRAIN === 0 && card.margin >= 0 && card.margin <= LARGEST_MARGIN)) return `it states no margin up to ${LARGEST_MARGIN} px`;
    if (card.from && !(['name', 'sha256', 'licence'] as const).every((key) => typeof card.from?.[key] === 'string')) return 'it does not say what style it began with';
    if (card.from && saysTraining(card.from.trainingSets)) return 'it does not say what the style was trained on that it began with';
    return saysTraining([card.trainingSet, card.content]) ?? counts(card, ['images', 'steps', 'batch', 'hours', 'painted']) ?? card;
  }
  if (!Number.isInteger(card.size)) return 'it states no size';
  if (!Array.isArray(card.labels) || card.labels.some((label) => typeof label !== 'string')) return 'it lists no labels';
  const sets = card.task === 'features' ? card.trainingSets : [card.trainingSet];
  const unsaid = saysTraining(sets) ?? counts(card, ['images', 'steps', 'batch', 'hours']);
  if (unsaid) return unsaid;
  if (card.task === 'features') return card;
  if (card.task !== 'gan') return 'it states no task that this version knows';
  const drawn = `3 x ${card.size} x ${card.size}`;
  if (named('pictures', outputs) !== drawn) return `it says pictures of ${card.size} px, which the graph does not draw`;
  if (named('z', inputs) !== String(card.latent)) return `it says latents of ${card.latent} values, which the graph does not take`;
  if (named('labels', inputs) !== (card.labels.length > 0 ? String(card.labels.length) : undefined))
    return `it lists ${card.labels.length} labels, and the graph takes others`;
  return card;
}

const isSet = (set: TrainingSet | undefined): boolean =>
  typeof set?.name === 'string' && typeof set.fingerprint === 'string' && typeof set.pictures === 'number' && isSetRights(set);

const saysTraining = (sets: readonly TrainingSet[]): string | undefined =>
  Array.isArray(sets) && sets.every(isSet) ? undefined : 'it does not say what the model was trained on';

/** What is wrong with numbers of a card. */
const counts = (card: object, keys: readonly string[]): string | undefined => {
  const missing = keys.find((key) => typeof (card as Record<string, unknown>)[key] !== 'number');
  return missing && `it states no ${missing}`;
};
