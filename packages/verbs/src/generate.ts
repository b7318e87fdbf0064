// `generate`: pictures from a trained model, signed, one file each and/or a contact sheet.

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import { EXTENSION, interleave, PICTURE_FORMATS, type PictureFormat, tileSheet, UserError, writeFault } from '@zeuxis/pictures';
import { type Generation, openIdentity, type Published, publish } from '@zeuxis/provenance';
import type { GanCard } from './card.js';
import { named, openModel } from './models.js';
import type { VerbOptions } from './progress.js';
import { sample } from './sample.js';
import { VERSION } from './version.js';

export interface GenerateOptions extends VerbOptions {
  /** A shipped name, a .onnx file or a run folder. */
  model: string;
  /** Folder for the files, made where it is missing. */
  out: string;
  /** Number of pictures, 1 by default. */
  count?: number;
  /** Label of all pictures, or several in turn. All of the model's in turn by default. */
  label?: string | readonly string[];
  /** 0 to 1, 1 by default: less variety, fewer failures. */
  truncation?: number;
  /** 0 by default. Equal seeds give equal pictures on the same device kind and thread count. */
  seed?: number | string;
  /** true adds a contact sheet, 'only' writes nothing else. */
  sheet?: boolean | 'only';
  /** 'png' by default. */
  format?: PictureFormat;
  /** 1 to 100, for jpeg and webp; 90 by default. */
  quality?: number;
  /** Folder of the signing identity; the user's own by default. */
  identityFolder?: string;
}

export interface GeneratedFile extends Published {
  seed: number | string;
  /** Position in the seed's series, from 0; absent for a sheet. */
  index?: number;
  label?: string;
}

export interface GenerateResult {
  model: { name: string; sha256: string };
  files: GeneratedFile[];
  sheet?: GeneratedFile;
}

/** Pictures on a sheet: more cannot be told apart, and a sheet is held in memory. */
const MOST_ON_SHEET = 1024;

/**
 * Generates pictures. Every file leaves through `publish`, with a C2PA manifest that names model and seed.
 * Memory does not grow with the count, but for a sheet's.
 * @throws UserError for a model, label or option that there is none of, and a folder that cannot be written.
 */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  const { count = 1, truncation = 1, seed = 0, sheet = false, format = 'png', out, signal, onProgress = () => {} } = options;
  if (!Number.isInteger(count) || count < 1) throw new UserError(`the count must be a whole number from 1, not ${count}`);
  if (!(truncation >= 0 && truncation <= 1)) throw new UserError(`the truncation must be from 0 to 1, not ${truncation}`);
  if (!PICTURE_FORMATS.includes(format)) throw new UserError(`there is no format '${format}'; choose ${PICTURE_FORMATS.join(', ')}`);
  if (sheet && count > MOST_ON_SHEET) throw new UserError(`a sheet holds at most ${MOST_ON_SHEET} pictures, not ${count}`);
  const model = await openModel(options.model);
  const { card } = model;
  const chosen = labelsOf(card, model.name, options.label);
  const labels = Array.from({ length: count }, (_, i) => chosen[i % chosen.length] ?? 0);
  const session = await openSession(model.bytes, { device: options.device ?? 'cpu', threads: options.threads ?? availableParallelism() }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the model '${options.model}': ${error.message.split('\n')[0]}`);
  });
  try {
    const identity = await openIdentity(options.identityFolder);
    if (identity.created)
      onProgress({ stage: 'sign', done: 0, total: count, unit: 'pictures', note: `made a signing key and certificate for this machine in ${identity.folder}` });
    await mkdir(out, { recursive: true }).catch((error) => {
      throw writeFault(error, out);
    });
    const { size } = card;
    const each = 3 * size * size;
    const all = sheet ? new Uint8Array(count * each) : undefined;
    const generation: Generation = { model: named(model), seed, truncation };
    const leave = { identity, version: VERSION, format, ...(options.quality === undefined ? {} : { quality: options.quality }) };
    // What makes pictures differ stands in their names, so that none takes another's place; the output folder is flat.
    const series = truncation === 1 ? `${model.name}-${seed}` : `${model.name}-${seed}-t${truncation}`;
    const file = (suffix: string) => join(out, `${series}-${suffix}${EXTENSION[format]}`.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_'));
    const files: GeneratedFile[] = [];
    const start = performance.now();
    for await (const { first, count: n, pictures } of sample(session, { seed, labels, classes: card.labels.length, size, truncation, signal })) {
      all?.set(pictures, first * each);
      for (let i = 0; i < n && sheet !== 'only'; i++) {
        const index = first + i;
        const label = card.labels[labels[index]!];
        const pixels = interleave(pictures.subarray(i * each, (i + 1) * each), size, size);
        const said = { index, ...(label === undefined ? {} : { label }) };
        const name = [label, String(index).padStart(4, '0')].filter((part) => part !== undefined).join('-');
        files.push({ ...(await publish(pixels, file(name), { ...generation, ...said }, leave)), seed, ...said });
      }
      const [done, seconds] = [first + n, (performance.now() - start) / 1000];
      onProgress({ stage: 'generate', done, total: count, unit: 'pictures', rate: done / seconds, secondsLeft: ((count - done) * seconds) / done });
    }
    const result: GenerateResult = { model: { name: model.name, sha256: model.sha256 }, files };
    if (!all) return result;
    const columns = chosen.length > 1 && chosen.length <= count ? chosen.length : Math.ceil(Math.sqrt(count));
    const grid = tileSheet(all, count, size, size, { columns: Math.min(columns, 32) });
    const of = options.label === undefined ? 'sheet' : `${[options.label].flat().join('-')}-sheet`;
    return { ...result, sheet: { ...(await publish(grid, file(of), generation, leave)), seed } };
  } finally {
    await session.close();
  }
}

/** Class indices to be drawn in turn. */
function labelsOf({ labels }: GanCard, name: string, asked: string | readonly string[] | undefined): number[] {
  if (asked === undefined) return labels.map((_, i) => i);
  return [asked].flat().map((label) => {
    const index = labels.indexOf(label);
    if (index < 0)
      throw new UserError(
        labels.length > 0 ? `the model '${name}' has no label '${label}'; it has ${labels.join(', ')}` : `the model '${name}' has no labels; leave --label out`,
      );
    return index;
  });
}
