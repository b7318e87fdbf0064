// The one door out: whatever picture a user may keep is marked, encoded, signed, recorded and written here, and nowhere else.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type AnimatedFormat, type Animation, declareSource, encodeAnimation, encodeRaster, encodeThumbnail, type Pixels, perceptualHash, type Raster, type RasterFormat, UserError, type VisibleMark, writeWhole } from '@zeuxis/pictures';
import { formatOf, LARGEST, loadC2pa } from './c2pa.js';
import { type HumanWork, humanActions } from './human.js';
import type { Identity } from './identity.js';
import { ledgerOf, type NewRecord } from './ledger.js';
import { type Marking, type Marks, mark } from './mark.js';
import type { SetRights } from './rights/summary.js';
import { type Ingredient, signFile } from './sign.js';
import { labelOf, modelIngredient, workMetadata } from './work.js';

/** IPTC NewsCodes, digital source type: made by a trained model. */
export const TRAINED_ALGORITHMIC_MEDIA = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
/** The same: a picture of other origin, changed with a trained model. */
export const COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
/** The assertion that says how a picture came about. */
export const GENERATION = 'org.zeuxis.generation';

/** A set of pictures that a model was trained on. */
export interface TrainedOn extends SetRights {
  name: string;
  pictures: number;
  fingerprint: string;
}

export interface NamedModel {
  name: string;
  /** Hexadecimal SHA-256 of the model file. */
  sha256: string;
  /** The sets that it was trained on, with their fingerprints, and by what right: as somebody stated it, or as their record says. */
  trained?: TrainedOn[];
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
  /** What a person chose and edited. */
  human?: HumanWork;
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
  /** Further models that had a part in it. */
  alsoBy?: NamedModel[];
  /** Kept in the manifest. Settings beyond these are welcome, as JSON. */
  generation: EditSettings;
}

export interface EditSettings {
  model: NamedModel;
  scale?: number;
  strength?: number;
  /** What a person chose and edited. */
  human?: HumanWork;
  [setting: string]: unknown;
}

/** How a picture was made from another, as its manifest says. */
export interface EditRecord extends EditSettings {
  parent: { title: string; sha256: string };
}

/** Who signs, which zeuxis, and how the picture is marked. */
export interface Signing extends Marking {
  identity: Identity;
  /** Version of zeuxis, for the claim's generator. */
  version: string;
}

export interface PublishOptions extends Signing {
  format: RasterFormat;
  /** 1 to 100 for jpeg and webp, 90 by default, and avif, 80. */
  quality?: number;
}

export interface PublishEditedOptions extends Signing {
  /** Of an animation webp or gif. */
  format: RasterFormat | AnimatedFormat;
  /** 1 to 100 for jpeg, webp and avif. */
  quality?: number;
}

export interface Written {
  path: string;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
  bytes: number;
}

export interface Published extends Written {
  /** By which the ledger and the watermark know it: 16 hexadecimal digits. */
  id: string;
  /** Bits of it that are in the pixels. */
  watermark: 0 | 16 | 64;
  /** The label that everybody sees. */
  visibleMark?: VisibleMark;
}

/**
 * Writes a made picture as a marked and signed file, and its record into the ledger. A file of that name is replaced, at once and as a whole.
 * The manifest follows C2PA 2.x: the action `c2pa.created` with the digital source type trainedAlgorithmicMedia, and
 * the assertion `org.zeuxis.generation`.
 * @throws UserError where the file cannot be written.
 */
export async function publish(pixels: Pixels, path: string, generation: Generation, options: PublishOptions): Promise<Published> {
  const { channels, ...rest } = pixels;
  const { format, quality } = options;
  // A copy: what was given stays as it was.
  const picture = { ...rest, channels: 3, alpha: channels === 4, depth: 8, data: pixels.data.slice() } as const;
  const marks = await mark(picture, { kind: 'generated', said: generation }, options);
  const encoding = encodeRaster({ ...picture, xmp: declareSource(undefined, TRAINED_ALGORITHMIC_MEDIA) }, { format, ...(quality === undefined ? {} : { quality }) });
  const { thumbnail, ...made } = await besides(encoding, format, picture);
  const created = {
    action: 'c2pa.created',
    parameters: { ingredientIds: [labelOf(0)] },
    digitalSourceType: TRAINED_ALGORITHMIC_MEDIA,
    softwareAgent: agent(options),
    description: `made by the model '${generation.model.name}'`,
  };
  return leave(path, { act: created, generation, marks, models: [generation.model], ...rest, ...made }, options, [modelIngredient(generation.model, 0)], thumbnail);
}

/**
 * Writes a picture that a model made from another as a marked and signed file, and its record into the ledger. A file of that name is replaced, at once and as a whole.
 * The manifest follows C2PA 2.x: the actions `c2pa.opened` with the source as its `parentOf` ingredient, then the edit's with the
 * digital source type compositeWithTrainedAlgorithmicMedia; and the assertion `org.zeuxis.generation`, with the source's title and
 * SHA-256 as `parent`. Credentials of the source are kept, and so is what their validation found: a source that was tampered with
 * stays one, and makes no other of the new picture.
 * @param make makes the picture, asked once: nothing else may hold its pixels, which are marked in place, and are to be gone while the file is signed.
 * Signing takes five times the size of the file in memory, which is 768 MiB at most; a source that is not large is looked at before, while the picture is encoded.
 * @throws UserError where the file is too large to sign or cannot be written.
 */
export async function publishEdited(make: () => Promise<Raster | Animation>, path: string, edit: Edit, options: PublishEditedOptions): Promise<Published & { width: number; height: number }> {
  const { action, description, parent, generation, alsoBy = [] } = edit;
  const [title, sha256, format] = [basename(parent.path), sha256Of(parent.bytes), formatOf(parent.bytes)];
  const record: EditRecord = { ...generation, parent: { title, sha256 } };
  // Compiled while the picture is made. What is wrong with it is said where it is asked for.
  loadC2pa().catch(() => {});
  const { thumbnail, ...made } = await encodeMade(make, record, options);
  const models = [generation.model, ...alsoBy];
  const inputs = models.map(modelIngredient);
  const ingredient: Ingredient = {
    title,
    relationship: 'parentOf',
    label: 'parent',
    description: `SHA-256 ${sha256}`,
    ...(format === undefined || parent.bytes.length > LARGEST ? {} : { file: { bytes: parent.bytes, format } }),
  };
  const before = [{ action: 'c2pa.opened', parameters: { ingredientIds: [ingredient.label] } }];
  const act = { action, parameters: { ingredientIds: inputs.map(({ label }) => label) }, digitalSourceType: COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, softwareAgent: agent(options), description };
  const published = await leave(path, { act, before, generation: record, parent: { title, sha256 }, models, ...made }, options, [ingredient, ...inputs], thumbnail);
  return { ...published, width: made.width, height: made.height };
}

/** The picture, marked and on its way into a file. A function of its own, so that its pixels are gone as soon as it is there: to sign it takes much memory too. */
async function encodeMade(make: () => Promise<Raster | Animation>, said: EditRecord, options: PublishEditedOptions) {
  const picture = await make();
  const { width, height } = picture;
  const { format, quality } = options;
  if ('delay' in picture) {
    if (format !== 'gif' && format !== 'webp') throw new Error(`an animation as ${format}`);
    const frames = { ...picture, channels: 3, alpha: true, depth: 8 } as const;
    const marks = await mark(frames, { kind: 'edited', said, frames: picture.delay.length }, options);
    const encoding = encodeAnimation(picture, format, quality, declareSource(undefined, COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA));
    return { width, height, marks, ...(await besides(encoding, format, { ...frames, data: frames.data.subarray(0, 4 * width * height) })) };
  }
  if (format === 'gif') throw new Error('a single picture as gif');
  const marks = await mark(picture, { kind: 'edited', said }, options);
  const declared = { ...picture, xmp: declareSource(picture.xmp, COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, format) };
  return { width, height, marks, ...(await besides(encodeRaster(declared, { format, ...(quality === undefined ? {} : { quality }) }), format, picture)) };
}

/** A picture that threads are encoding, and what else its pixels are asked for meanwhile: its perceptual hash and its thumbnail. */
async function besides(file: Promise<Uint8Array>, format: RasterFormat | AnimatedFormat, picture: Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'>) {
  // What goes wrong is said where the file is awaited.
  file.catch(() => {});
  const thumbnail = encodeThumbnail(picture);
  thumbnail.catch(() => {});
  const hash = perceptualHash(picture);
  return { encoding: { file, format: `image/${format}` }, hash, thumbnail: await thumbnail };
}

/**
 * What may be done with a picture that a model made (CAWG, Training and Data Mining 1.1): nothing is to be learned from it without asking. Models that learn from
 * models forget what pictures look like (Shumailov et al., 2024).
 */
const TRAINING_MINING = {
  entries: Object.fromEntries(['ai_generative_training', 'ai_training', 'ai_inference', 'data_mining'].map((what) => [`cawg.${what}`, { use: what === 'ai_inference' ? 'allowed' : 'notAllowed' }])),
};

const agent = ({ version }: Signing) => ({ name: 'zeuxis', version });
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What is known of a picture that is to be signed. */
interface Leaving {
  /** The file, which may still be encoded, and its MIME type. */
  encoding: { file: Promise<Uint8Array>; format: string };
  /** What a model did. */
  act: { action: string; digitalSourceType: string };
  /** What was done before it. */
  before?: { action: string }[];
  generation: Generation | EditRecord;
  marks: Marks;
  /** Perceptual hash of the marked picture. */
  hash: string;
  models: NamedModel[];
  parent?: { title: string; sha256: string };
  width: number;
  height: number;
}

/** Signs, records and writes: the threshold itself. */
export async function leave(path: string, leaving: Leaving, signing: Signing, ingredients: Ingredient[], thumbnail: Uint8Array | undefined): Promise<Published> {
  const { encoding, act, before = [], generation, marks, hash, models, parent, width, height } = leaving;
  const { format } = encoding;
  const file = encoding.file.then((encoded) => {
    if (formatOf(encoded) !== format) throw new Error(`what is to be published is no ${format}`);
    if (encoded.length > LARGEST)
      throw new UserError(
        `'${path}' would take ${Math.ceil(encoded.length / 2 ** 20)} MiB, more than the ${LARGEST / 2 ** 20} that can be signed; choose jpeg, webp or avif, or a smaller scale`,
      );
    return encoded;
  });
  // Awaited by who signs, but not if something else is wrong before.
  file.catch(() => {});
  // While the picture is encoded there is time for it. What goes wrong is said where the record is written.
  ledgerOf(signing.identity.folder).prepare().catch(() => {});
  const work = workMetadata(models, generation.human);
  const said = signing.watermark === false ? { ...generation, watermark: false } : generation;
  const manifest = {
    claim_generator_info: [agent(signing)],
    title: basename(path),
    format,
    assertions: [
      { label: 'c2pa.actions.v2', data: { actions: [...before, act, ...humanActions(generation.human), ...marks.actions] } },
      { label: GENERATION, data: said },
      { label: 'cawg.training-mining', data: TRAINING_MINING },
      ...(work ? [work] : []),
      ...marks.assertions,
    ],
  };
  const { asset, manifest: store } = await signFile(file, format, manifest, signing.identity, ingredients, thumbnail);
  const { id, watermark, visibleMark } = marks;
  const { action, digitalSourceType } = act;
  const record = { id, format, width, height, digitalSourceType, action, generation: { ...said }, models, ...(parent ? { parent } : {}), hash, watermark };
  return { ...(await put(asset, path, signing.identity, record, store)), id, watermark, ...(visibleMark ? { visibleMark } : {}) };
}

/** Records, and brings the file into place when that is done: a record of a picture that never came to be does no harm, a picture without its record does. */
async function put(file: Uint8Array, path: string, identity: Pick<Identity, 'folder'>, said: Omit<NewRecord, 'time' | 'name' | 'sha256' | 'bytes'>, manifest?: Uint8Array): Promise<Written> {
  const written = { sha256: sha256Of(file), bytes: file.length };
  const recorded = ledgerOf(identity.folder).append({ ...said, ...written, time: new Date().toISOString(), name: basename(path) }, manifest);
  await writeWhole(path, file, undefined, recorded);
  return { path, ...written };
}

/** What is recorded of a derived DICOM object. */
export interface DicomRecord {
  width: number;
  height: number;
  parent: { title: string; sha256: string };
  generation: EditSettings;
  identity: Pick<Identity, 'folder'>;
}

/**
 * Writes a derived DICOM object, as of `writeDerived`, and its record into the ledger. DICOM has no place for C2PA's credentials: it says in its own tags
 * what it is (PS3.3, C.7.6.1.1.3). Its values are what was measured or estimated: no watermark is written into them.
 * @throws UserError where the file cannot be written.
 */
export async function publishDicom(file: Uint8Array, path: string, { width, height, parent, generation, identity }: DicomRecord): Promise<Written & { id: string; watermark: 0 }> {
  const [id, watermark] = [sha256Of(file).slice(0, 16), 0] as const;
  const said = { action: 'c2pa.resized', digitalSourceType: COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, generation: { ...generation }, models: [generation.model], parent };
  return { ...(await put(file, path, identity, { id, format: 'application/dicom', width, height, ...said, watermark })), id, watermark };
}
