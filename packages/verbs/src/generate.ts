// `generate`: pictures from a trained model, signed, one file each and/or a contact sheet.

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import { interleave, RASTER_EXTENSION, RASTER_FORMATS, type RasterFormat, tileSheet, UserError, writeFault } from '@zeuxis/pictures';
import { type Generation, openIdentity, type Published, publish } from '@zeuxis/provenance';
import type { GanCard } from './card.js';
import { type AuthorOptions, humanOf } from './edit/authorship.js';
import { type MarkingOptions, markingOf } from './edit/marking.js';
import { type Checked, type NearPicture, type OpenGuard, openGuard } from './memorisation.js';
import { named, openModel } from './models.js';
import type { VerbOptions } from './progress.js';
import { sample } from './sample.js';
import { VERSION } from './version.js';

export interface GenerateOptions extends VerbOptions, MarkingOptions, AuthorOptions {
  /** A shipped name, a .onnx file or a run folder. */
  model: string;
  /** Folder for the files, made where it is missing. */
  out: string;
  /** Number of pictures, 1 by default. */
  count?: number;
  /** Of these `count` the places, from 0, that are made again and no others: those that somebody picked from a sheet of them all. */
  pick?: readonly number[];
  /** Label of all pictures, or several in turn. All of the model's in turn by default. */
  label?: string | readonly string[];
  /** 0 to 1, 1 by default: less variety, fewer failures. */
  truncation?: number;
  /** 0 by default. Equal seeds give equal pictures on the same device kind and thread count. */
  seed?: number | string;
  /** true adds a contact sheet, 'only' writes nothing else. */
  sheet?: boolean | 'only';
  /** 'png' by default. */
  format?: RasterFormat;
  /** 1 to 100, for jpeg and webp, 90 by default, and avif, 80. */
  quality?: number;
  /** Folder of the signing identity; the user's own by default. */
  identityFolder?: string;
  /** The folder that the model was trained on: what is a copy of one of its pictures is not published. */
  guard?: string;
  /** With a guard: folder of pictures that were not trained on, to say how near strangers come. By default each training picture is held out in turn. */
  heldOut?: string;
  /** With a guard: folder for the packed training pictures and their features; the user's cache by default. */
  cache?: string;
}

export interface GeneratedFile extends Published {
  seed: number | string;
  /** Position in the seed's series, from 0; absent for a sheet. */
  index?: number;
  label?: string;
}

/** A picture that was made and not published, as it is a copy of a training picture. */
export interface Withheld extends NearPicture {
  index: number;
  label?: string;
  /** Distance over the guard's threshold, below 1. */
  ratio: number;
}

export interface GenerateResult {
  model: { name: string; sha256: string };
  files: GeneratedFile[];
  /** Withheld pictures are left out of it, their places empty; none is written where all are. */
  sheet?: GeneratedFile;
  /** With a guard: what it went by. */
  guard?: Pick<OpenGuard, 'threshold' | 'calibration'>;
  /** With a guard: the copies, none of which is in `files`. */
  withheld?: Withheld[];
}

/** Pictures on a sheet: more cannot be told apart, and a sheet is held in memory. */
const MOST_ON_SHEET = 1024;

/**
 * Generates pictures. Every file leaves through `publish`, with a C2PA manifest that names model and seed.
 * Memory does not grow with the count, but for a sheet's.
 * With a guard, copies of training pictures are withheld: named in the result and in notes, and not written.
 * @throws UserError for a model, label or option that there is none of, a folder that cannot be written, and a guard that
 * is not the model's training set.
 */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  const { count: series = 1, truncation = 1, seed = 0, sheet = false, format = 'png', out, signal, onProgress = () => {} } = options;
  if (!Number.isInteger(series) || series < 1) throw new UserError(`the count must be a whole number from 1, not ${series}`);
  const indices = options.pick ? [...new Set(options.pick)] : Array.from({ length: series }, (_, i) => i);
  if (indices.length === 0) throw new UserError('no picture is picked; name one at least, or leave the choice out');
  const strange = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < series));
  if (strange !== undefined) throw new UserError(`there is no picture ${strange} among ${series}, which go from 0 to ${series - 1}; --count says of how many`);
  const count = indices.length;
  if (!(truncation >= 0 && truncation <= 1)) throw new UserError(`the truncation must be from 0 to 1, not ${truncation}`);
  if (!RASTER_FORMATS.includes(format)) throw new UserError(`there is no format '${format}'; choose ${RASTER_FORMATS.join(', ')}`);
  if (sheet && count > MOST_ON_SHEET) throw new UserError(`a sheet holds at most ${MOST_ON_SHEET} pictures, not ${count}`);
  if (options.heldOut !== undefined && options.guard === undefined) throw new UserError('held-out pictures calibrate a guard; name the training pictures to guard by as well');
  const model = await openModel(options.model);
  const { card } = model;
  const chosen = labelsOf(card, model.name, options.label);
  const labels = indices.map((index) => chosen[index % chosen.length] ?? 0);
  const choices = [options.label !== undefined && `the label ${[options.label].flat().map((label) => `'${label}'`).join(', ')}`, options.truncation !== undefined && `truncation ${truncation}`, options.seed !== undefined && `seed ${seed}`];
  const human = humanOf(options, { chose: choices });
  const session = await openSession(model.bytes, { device: options.device ?? 'cpu', threads: options.threads ?? availableParallelism() }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the model '${options.model}': ${error.message.split('\n')[0]}`);
  });
  let guard: OpenGuard | undefined;
  try {
    // Who cannot sign is told before the work of a guard.
    const identity = await openIdentity(options.identityFolder);
    if (identity.created)
      onProgress({ stage: 'sign', done: 0, total: count, unit: 'pictures', note: `made a signing key and certificate for this machine in ${identity.folder}` });
    if (options.guard !== undefined) guard = await openGuard({ ...options, model, pictures: options.guard });
    await mkdir(out, { recursive: true }).catch((error) => {
      throw writeFault(error, out);
    });
    const { size } = card;
    const each = 3 * size * size;
    // Grey as the sheet's ground where a picture is withheld.
    const all = sheet ? new Uint8Array(count * each).fill(0x80) : undefined;
    const generation: Generation = { model: named(model), seed, truncation };
    const leave = { identity, version: VERSION, format, ...markingOf(options), ...(options.quality === undefined ? {} : { quality: options.quality }) };
    // What makes pictures differ stands in their names, so that none takes another's place; the output folder is flat.
    const stem = truncation === 1 ? `${model.name}-${seed}` : `${model.name}-${seed}-t${truncation}`;
    const file = (suffix: string) => join(out, `${stem}-${suffix}${RASTER_EXTENSION[format]}`.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_'));
    const files: GeneratedFile[] = [];
    const withheld: Withheld[] = [];
    let nearest = Number.POSITIVE_INFINITY;
    const start = performance.now();
    for await (const { first, count: n, pictures } of sample(session, { seed, labels, indices, classes: card.labels.length, size, truncation, signal })) {
      const checked = await guard?.check(pictures, n);
      for (let i = 0; i < n; i++) {
        const [place, index] = [first + i, indices[first + i]!];
        const label = card.labels[labels[place]!];
        const said = { index, ...(label === undefined ? {} : { label }) };
        const found = checked?.[i];
        if (found?.copied) {
          withheld.push({ ...said, ...found.nearest[0], ratio: found.ratio });
          onProgress({ stage: 'generate', done: place, total: count, unit: 'pictures', note: `withheld ${[label, index].filter((part) => part !== undefined).join(' ')}: ${nearness(found)}` });
          continue;
        }
        nearest = Math.min(nearest, found?.ratio ?? nearest);
        const planar = pictures.subarray(i * each, (i + 1) * each);
        all?.set(planar, place * each);
        if (sheet === 'only') continue;
        const name = [label, String(index).padStart(4, '0')].filter((part) => part !== undefined).join('-');
        const picked = options.pick ? humanOf(options, { chose: [`this one of ${series}`, ...choices] }) : human;
        const told = { ...generation, ...said, ...picked, ...(guard && found ? { guard: { threshold: guard.threshold, ratio: found.ratio } } : {}) };
        files.push({ ...(await publish(interleave(planar, size, size), file(name), told, leave)), seed, ...said });
      }
      const [done, seconds] = [first + n, (performance.now() - start) / 1000];
      onProgress({ stage: 'generate', done, total: count, unit: 'pictures', rate: done / seconds, secondsLeft: ((count - done) * seconds) / done });
    }
    const { threshold, calibration } = guard ?? {};
    const result: GenerateResult = {
      model: { name: model.name, sha256: model.sha256 },
      files,
      ...(threshold === undefined || !calibration ? {} : { guard: { threshold, calibration }, withheld }),
    };
    if (!all || withheld.length === count) return result;
    const columns = chosen.length > 1 && chosen.length <= count ? chosen.length : Math.ceil(Math.sqrt(count));
    const grid = tileSheet(all, count, size, size, { columns: Math.min(columns, 32) });
    const of = options.label === undefined ? 'sheet' : `${[options.label].flat().join('-')}-sheet`;
    const told = { ...generation, ...human, ...(threshold === undefined ? {} : { guard: { threshold, ratio: nearest } }) };
    return { ...result, sheet: { ...(await publish(grid, file(of), told, leave)), seed } };
  } finally {
    await guard?.close();
    await session.close();
  }
}

/** What a copy is near to, in words. */
const nearness = ({ nearest: [{ file, distance, mirrored }], ratio }: Checked): string =>
  `distance ${distance.toPrecision(3)} from ${mirrored ? 'the mirror image of ' : ''}'${file}', ${ratio.toPrecision(2)} of the threshold`;

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
