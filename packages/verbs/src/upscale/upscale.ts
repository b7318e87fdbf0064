// `upscale`: pictures enlarged by a network, tile by tile, each signed with its source as an ingredient. A fault of one file
// leaves the others alone.

import { join } from 'node:path';
import { RASTER_EXTENSION, UserError } from '@zeuxis/pictures';
import type { HumanWork, Identity } from '@zeuxis/provenance';
import type { UpscalerCard } from '../card.js';
import { humanOf } from '../edit/authorship.js';
import { BatchFault, type BatchItem, type BatchOptions, type BatchResult, type EditedFile, formatOfName, inBatch, type Work } from '../edit/batch.js';
import { hasPictureName } from '../edit/inputs.js';
import type { ListedModel } from '../models.js';
import { isMadeBefore, upscalePicture } from './picture.js';
import { findUpscaler, openUpscaler } from './session.js';

/** DICOM stays DICOM, whatever `format` says. */
export interface UpscaleOptions extends BatchOptions {
  /** 2, 3 or 4; the model's own by default, and 2 where none is named. */
  scale?: number;
  /** A shipped name, a .onnx file or a run folder; by default `photo-x` and the scale, for DICOM `medical-x` and the scale. */
  model?: string;
  /** 0 (default) to 1: from what is most likely to what looks sharpest. For models that were sharpened. */
  detail?: number;
}

/** Scales of the shipped models for photographs. */
const SHIPPED = [2, 3, 4];

export type UpscaledFile = EditedFile;

export interface UpscaleResult extends BatchResult {
  scale: number;
}

/** What one file needs of the whole run. */
export interface Job {
  model: ListedModel<UpscalerCard>;
  session: Awaited<ReturnType<typeof openUpscaler>>;
  identity: Identity;
  options: UpscaleOptions;
  /** Hexadecimal SHA-256 of the source. */
  sha256: string;
  /** What a person chose and edited. */
  human?: HumanWork;
}

/**
 * Enlarges pictures. Formats, depths, opacity, colour profiles and camera data are kept; what a picture's file cannot say is said
 * by its manifest. A folder that was done in part goes on where it stopped.
 * @throws UserError for options, models and folders that cannot serve; a fault of one file is told in `failures`.
 */
export async function upscale(options: UpscaleOptions): Promise<UpscaleResult> {
  const { detail = 0 } = options;
  if (!(detail >= 0 && detail <= 1)) throw new UserError(`the detail must be from 0 to 1, not ${detail}`);
  const named = options.model === undefined ? undefined : await findUpscaler(options.model);
  const scale = options.scale ?? named?.card.scale ?? 2;
  if (named && named.card.scale !== scale)
    throw new UserError(`the model '${named.name}' was trained to enlarge ${named.card.scale} times, not ${scale}; leave --scale out, or name another model`);
  if (!named && !SHIPPED.includes(scale)) throw new UserError(`no shipped model enlarges ${scale} times; choose ${SHIPPED.slice(0, -1).join(', ')} or ${SHIPPED.at(-1)}, or name a model of your own`);
  const human = humanOf(options, { chose: [options.scale !== undefined && `scale ${scale}`, named && `the model '${named.name}'`, options.detail !== undefined && `detail ${detail}`] });
  const models = new Models(named, scale, options);
  const result = await inBatch(options, { done: 'enlarged', isOurs: ({ scale: made }) => made !== undefined }, (item) => plan(item, options, models, human)).finally(() => models.close());
  return { scale, ...result };
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
      const session = await openUpscaler(model, this.options, this.options.detail).catch((error: Error) => {
        throw error.name === 'DeviceError' ? new BatchFault(error) : error;
      });
      return { model, session };
    })();
    this.opened.set(name, opening);
    return opening;
  }

  async close(): Promise<void> {
    for (const opening of this.opened.values()) await opening.then(({ session }) => session.close()).catch(() => {});
  }
}

async function plan({ path, name, bytes, sha256, identity }: BatchItem, options: UpscaleOptions, models: Models, human: Pick<Job, 'human'>): Promise<Work> {
  // The codecs of DICOM are loaded for what may be some.
  const medical = !hasPictureName(path) && (await import('@zeuxis/pictures/dicom')).isDicom(bytes);
  const format = medical ? 'dicom' : options.format === 'same' ? formatOfName(path) : (options.format ?? 'png');
  const target = join(options.out, `${name}${format === 'dicom' ? '.dcm' : RASTER_EXTENSION[format]}`);
  const job: Job = { ...(await models.open(medical ? 'medical' : 'photo')), identity, options, sha256, ...human };
  return {
    target,
    isMade: () => isMadeBefore(target, job),
    make: async () =>
      format === 'dicom' ? (await import('./dicom.js')).upscaleDicom(path, bytes, target, job) : upscalePicture(path, bytes, target, format, job),
  };
}
