// `upscale`: pictures enlarged by a network, tile by tile, each signed with its source as an ingredient. A fault of one file
// leaves the others alone.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RASTER_EXTENSION, RASTER_FORMATS, type RasterFormat, removeStale, UserError, writeFault } from '@zeuxis/pictures';
import { type Identity, openIdentity, type Published } from '@zeuxis/provenance';
import type { UpscalerCard } from '../card.js';
import type { ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';
import { findInputs, hasPictureName, type Input } from './inputs.js';
import { formatOfName, isMadeBefore, upscalePicture } from './picture.js';
import { findUpscaler, openUpscaler } from './session.js';

export interface UpscaleOptions extends VerbOptions {
  /** Files, folders with everything below them, and patterns. */
  inputs: readonly string[];
  /** Folder for the results, made where it is missing. */
  out: string;
  /** 2, 3 or 4; the model's own by default, and 2 where none is named. */
  scale?: number;
  /** A shipped name, a .onnx file or a run folder; by default `photo-x` and the scale, for DICOM `medical-x` and the scale. */
  model?: string;
  /** 0 (default) to 1: from what is most likely to what looks sharpest. For models that were sharpened. */
  detail?: number;
  /** 'png' by default; 'same' keeps each picture's own. DICOM stays DICOM. */
  format?: RasterFormat | 'same';
  /** 1 to 100, for jpeg, webp and avif; 90 by default. */
  quality?: number;
  /** Replace files that are there already. They are kept by default. */
  overwrite?: boolean;
  /** The most pixels that a picture may have, before it is enlarged; 268 million by default. */
  maximumPixels?: number;
  /** Folder of the signing identity; the user's own by default. */
  identityFolder?: string;
}

export interface UpscaledFile extends Published {
  /** The file it was made from. */
  source: string;
  width: number;
  height: number;
}

export interface UpscaleResult {
  scale: number;
  files: UpscaledFile[];
  /** Results of an earlier run, of the same source, model and scale: nothing was left to do. */
  kept: { path: string; source: string }[];
  failures: { source: string; message: string }[];
}

/** What one file needs of the whole run. */
export interface Job {
  model: ListedModel<UpscalerCard>;
  session: Awaited<ReturnType<typeof openUpscaler>>;
  identity: Identity;
  options: UpscaleOptions;
  /** Hexadecimal SHA-256 of the source. */
  sha256: string;
}

/**
 * Enlarges pictures. Formats, depths, opacity, colour profiles and camera data are kept; what a picture's file cannot say is said
 * by its manifest. A folder that was done in part goes on where it stopped.
 * @throws UserError for options, models and folders that cannot serve; a fault of one file is told in `failures`.
 */
export async function upscale(options: UpscaleOptions): Promise<UpscaleResult> {
  const { out, format = 'png', detail = 0, signal, onProgress = () => {} } = options;
  if (!(detail >= 0 && detail <= 1)) throw new UserError(`the detail must be from 0 to 1, not ${detail}`);
  if (format !== 'same' && !RASTER_FORMATS.includes(format)) throw new UserError(`there is no format '${format}'; choose same, ${RASTER_FORMATS.join(', ')}`);
  const named = options.model === undefined ? undefined : await findUpscaler(options.model);
  const scale = options.scale ?? named?.card.scale ?? 2;
  if (named && named.card.scale !== scale)
    throw new UserError(`the model '${named.name}' was trained to enlarge ${named.card.scale} times, not ${scale}; leave --scale out, or name another model`);
  const models = new Models(named, scale, options);
  const { inputs, failures } = await findInputs(options.inputs, out);
  if (inputs.length === 0) return { scale, files: [], kept: [], failures };
  const made = await mkdir(out, { recursive: true }).catch((error) => {
    throw writeFault(error, out);
  });
  await removeStale(out);
  const identity = await openIdentity(options.identityFolder);
  if (identity.created)
    onProgress({ stage: 'sign', done: 0, total: inputs.length, unit: 'pictures', note: `made a signing key and certificate for this machine in ${identity.folder}` });
  const result: UpscaleResult = { scale, files: [], kept: [], failures };
  const taken = new Map<string, string>();
  try {
    for (const input of inputs) {
      signal?.throwIfAborted();
      await one(input, { options, models, identity, taken, result }).catch((error: Error) => {
        signal?.throwIfAborted();
        if (error.name === 'DeviceError') throw error;
        // A fault of ours too: what it meets in one file is no reason to leave the others undone.
        const message = error.name === 'UserError' ? error.message : `'${input.path}' could not be enlarged: ${error.message.split('\n')[0]}`;
        result.failures.push({ source: input.path, message });
      });
    }
  } finally {
    await models.close();
    // A folder in which nothing came to be is not left behind.
    if (made !== undefined && result.files.length === 0) await rmdir(out).catch(() => {});
  }
  return result;
}

/** Opens the models that the files ask for, each once. */
class Models {
  private readonly opened = new Map<string, Promise<Pick<Job, 'model' | 'session'>>>();

  constructor(
    private readonly named: ListedModel<UpscalerCard> | undefined,
    private readonly scale: number,
    private readonly options: UpscaleOptions,
  ) {}

  open(kind: 'photo' | 'medical'): Promise<Pick<Job, 'model' | 'session'>> {
    const name = this.named?.name ?? `${kind}-x${this.scale}`;
    const known = this.opened.get(name);
    if (known) return known;
    const opening = (async () => {
      const model = this.named ?? (await findUpscaler(name));
      return { model, session: await openUpscaler(model, this.options, this.options.detail) };
    })();
    this.opened.set(name, opening);
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of this.opened.values()) await opening.then(({ session }) => session.close()).catch(() => {});
  }
}

interface Run {
  options: UpscaleOptions;
  models: Models;
  identity: Identity;
  /** Paths of results, and what they were made from. */
  taken: Map<string, string>;
  result: UpscaleResult;
}

async function one({ path, name }: Input, { options, models, identity, taken, result }: Run): Promise<void> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no file '${path}'` : `'${path}' cannot be read (${error.code})`);
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  // The codecs of DICOM are loaded for what may be some.
  const medical = !hasPictureName(path) && (await import('@zeuxis/pictures/dicom')).isDicom(bytes);
  const format = medical ? 'dicom' : options.format === 'same' ? formatOfName(path) : (options.format ?? 'png');
  const target = join(options.out, `${name}${format === 'dicom' ? '.dcm' : RASTER_EXTENSION[format]}`);
  const other = taken.get(target);
  if (other) throw new UserError(`'${path}' and '${other}' would both become '${target}'; enlarge them into folders of their own`);
  const job: Job = { ...(await models.open(medical ? 'medical' : 'photo')), identity, options, sha256 };
  const there = await stat(target).catch(() => undefined);
  if (there && !options.overwrite) {
    if (!(await isMadeBefore(target, job))) throw new UserError(`'${target}' is there already; --overwrite replaces it`);
    taken.set(target, path);
    result.kept.push({ path: target, source: path });
    return;
  }
  result.files.push(format === 'dicom' ? await (await import('./dicom.js')).upscaleDicom(path, bytes, target, job) : await upscalePicture(path, bytes, target, format, job));
  taken.set(target, path);
}
