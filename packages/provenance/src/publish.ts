// The one door out: whatever picture a user may keep is encoded, signed and written here, and nowhere else.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { declareSource, encodePicture, encodeThumbnail, type PictureFormat, type Pixels, UserError, writeWhole } from '@zeuxis/pictures';
import { formatOf, LARGEST } from './c2pa.js';
import type { Identity } from './identity.js';
import { type Ingredient, signFile } from './sign.js';

/** IPTC NewsCodes, digital source type: made by a trained model. */
export const TRAINED_ALGORITHMIC_MEDIA = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
/** The same: a picture of other origin, changed with a trained model. */
export const COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
/** The assertion that says how a picture came about. */
export const GENERATION = 'org.zeuxis.generation';

export interface NamedModel {
  name: string;
  /** Hexadecimal SHA-256 of the model file. */
  sha256: string;
  /** The sets that it was trained on, with their fingerprints, and by what right, as whom it was stated. */
  trained?: { name: string; pictures: number; fingerprint: string; rights: { text: string; name: string } }[];
}

/** How a picture came about; kept in its manifest. */
export interface Generation {
  model: NamedModel;
  seed: number | string;
  /** Position in the series of the seed. */
  index?: number;
  label?: string;
  truncation?: number;
  /**
   * Where copies of training pictures were withheld: the distance below which a picture is one, and this picture's distance to its
   * nearest training picture over that; of a sheet the smallest of its pictures.
   */
  guard?: { threshold: number; ratio: number };
}

/**
 * What was done to a picture, in the words of C2PA 2.2, 18.15.2 (Table 8): `c2pa.resized` is a change of dimensions, `c2pa.filtered`
 * one of appearance by filters or styles, `c2pa.edited` any other editorial change. An enlargement with a model is `c2pa.resized`
 * with the digital source type compositeWithTrainedAlgorithmicMedia: the first says what was done, the second that a model filled
 * in detail. Other names would deny that: `c2pa.enhanced`, `c2pa.transcoded` and (2.3) `c2pa.resized.proportional` stand for
 * non-editorial changes, the last without a source type.
 */
export type EditAction = 'c2pa.resized' | 'c2pa.filtered' | 'c2pa.edited';

/** A change that a model made to an existing picture. */
export interface Edit {
  action: EditAction;
  /** What was done, as in "enlarged 2 times by 'grapes'"; shown to people. */
  description: string;
  /** The file it was made from: as it lay on disk, with whatever credentials it carries. */
  parent: { path: string; bytes: Uint8Array };
  /** A small JPEG of the picture, as of `encodeThumbnail`. */
  thumbnail?: Uint8Array | undefined;
  /** Further models that had a part in it. */
  alsoBy?: NamedModel[];
  /** Kept in the manifest. Settings beyond these are welcome, as JSON. */
  generation: EditSettings;
}

export interface EditSettings {
  model: NamedModel;
  scale?: number;
  strength?: number;
  [setting: string]: unknown;
}

/** How a picture was made from another, as its manifest says. */
export interface EditRecord extends EditSettings {
  parent: { title: string; sha256: string };
}

/** Who signs, and which zeuxis. */
export interface Signing {
  identity: Identity;
  /** Version of zeuxis, for the claim's generator. */
  version: string;
}

export interface PublishOptions extends Signing {
  format: PictureFormat;
  /** 1 to 100 for jpeg and webp, 90 by default. */
  quality?: number;
}

export interface Published {
  path: string;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
  bytes: number;
}

/**
 * Writes a made picture as a signed file. A file of that name is replaced, at once and as a whole.
 * The manifest follows C2PA 2.x: the action `c2pa.created` with the digital source type trainedAlgorithmicMedia, and
 * the assertion `org.zeuxis.generation`.
 * @throws UserError where the file cannot be written.
 */
export async function publish(pixels: Pixels, path: string, generation: Generation, options: PublishOptions): Promise<Published> {
  const encoded = await encodePicture(pixels, options.format, options.quality, declareSource(undefined, TRAINED_ALGORITHMIC_MEDIA));
  const created = {
    action: 'c2pa.created',
    parameters: { ingredientIds: [labelOf(0)] },
    digitalSourceType: TRAINED_ALGORITHMIC_MEDIA,
    softwareAgent: agent(options),
    description: `made by the model '${generation.model.name}'`,
  };
  const { channels, ...rest } = pixels;
  const thumbnail = await encodeThumbnail({ ...rest, channels: 3, alpha: channels === 4 });
  return leave(encoded, path, { actions: [created], generation }, options, [modelIngredient(generation.model, 0)], thumbnail);
}

/**
 * Writes a picture that a model made from another as a signed file. A file of that name is replaced, at once and as a whole.
 * The manifest follows C2PA 2.x: the actions `c2pa.opened` with the source as its `parentOf` ingredient, then the edit's with the
 * digital source type compositeWithTrainedAlgorithmicMedia; and the assertion `org.zeuxis.generation`, with the source's title and
 * SHA-256 as `parent`. Credentials of the source are kept, and so is what their validation found: a source that was tampered with
 * stays one, and makes no other of the new picture.
 * @param encoded PNG, JPEG, WebP, AVIF, TIFF or GIF, as of `encodeRaster` and `encodeAnimation`; 768 MiB at most. Signing takes five times its size in memory.
 * @throws UserError where the file is too large to sign or cannot be written.
 */
export async function publishEdited(encoded: Uint8Array, path: string, edit: Edit, options: Signing): Promise<Published> {
  const { action, description, parent, generation, alsoBy = [] } = edit;
  const models = [generation.model, ...alsoBy].map(modelIngredient);
  const [title, sha256, format] = [basename(parent.path), hash(parent.bytes), formatOf(parent.bytes)];
  const ingredient: Ingredient = {
    title,
    relationship: 'parentOf',
    label: 'parent',
    description: `SHA-256 ${sha256}`,
    ...(format === undefined || parent.bytes.length > LARGEST ? {} : { file: { bytes: parent.bytes, format } }),
  };
  const actions = [
    { action: 'c2pa.opened', parameters: { ingredientIds: [ingredient.label] } },
    { action, parameters: { ingredientIds: models.map(({ label }) => label) }, digitalSourceType: COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, softwareAgent: agent(options), description },
  ];
  const record: EditRecord = { ...generation, parent: { title, sha256 } };
  return leave(encoded, path, { actions, generation: record }, options, [ingredient, ...models], edit.thumbnail);
}

const labelOf = (i: number): string => `model${i === 0 ? '' : i + 1}`;

/** A model as something that went in (C2PA 2.2, `inputTo`), with its hash and what it was trained on. */
function modelIngredient({ name, sha256, trained = [] }: NamedModel, i: number): Ingredient {
  const sets = trained.map(({ name, pictures, fingerprint, rights }) => `trained on ${pictures} ${pictures === 1 ? 'picture' : 'pictures'} ('${name}', fingerprint ${fingerprint}; ${rights.text}, stated by ${rights.name})`);
  return { title: name, relationship: 'inputTo', label: labelOf(i), description: [`SHA-256 ${sha256}`, ...sets].join('; '), data_types: [{ type: 'c2pa.types.model' }] };
}

/**
 * What may be done with a picture that a model made (CAWG, Training and Data Mining 1.1): nothing is to be learned from it without asking. Models that learn from
 * models forget what pictures look like (Shumailov et al., 2024).
 */
const TRAINING_MINING = {
  entries: Object.fromEntries(['ai_generative_training', 'ai_training', 'ai_inference', 'data_mining'].map((what) => [`cawg.${what}`, { use: what === 'ai_inference' ? 'allowed' : 'notAllowed' }])),
};

const agent = ({ version }: Signing) => ({ name: 'zeuxis', version });
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Signs and writes: the threshold itself. */
async function leave(
  encoded: Uint8Array,
  path: string,
  { actions, generation }: { actions: object[]; generation: object },
  signing: Signing,
  ingredients: Ingredient[],
  thumbnail: Uint8Array | undefined,
): Promise<Published> {
  const format = formatOf(encoded);
  if (!format) throw new Error('what is to be published is no encoded picture');
  if (encoded.length > LARGEST)
    throw new UserError(
      `'${path}' would take ${Math.ceil(encoded.length / 2 ** 20)} MiB, more than the ${LARGEST / 2 ** 20} that can be signed; choose jpeg, webp or avif, or a smaller scale`,
    );
  const manifest = {
    claim_generator_info: [agent(signing)],
    title: basename(path),
    format,
    assertions: [
      { label: 'c2pa.actions.v2', data: { actions } },
      { label: GENERATION, data: generation },
      { label: 'cawg.training-mining', data: TRAINING_MINING },
    ],
  };
  const file = await signFile(encoded, format, manifest, signing.identity, ingredients, thumbnail);
  return put(file, path);
}

async function put(file: Uint8Array, path: string): Promise<Published> {
  await writeWhole(path, file);
  return { path, sha256: hash(file), bytes: file.length };
}

/**
 * Writes a derived DICOM object, as of `writeDerived`. DICOM has no place for C2PA's credentials: it says in its own tags what it is
 * (PS3.3, C.7.6.1.1.3).
 * @throws UserError where the file cannot be written.
 */
export const publishDicom = (file: Uint8Array, path: string): Promise<Published> => put(file, path);
