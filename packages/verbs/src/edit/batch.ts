// Many pictures changed one by one, each to a file of its own. A fault of one file leaves the others alone; a folder that was done in
// part goes on where it stopped; files that are there and not its own are kept.

import { createHash } from 'node:crypto';
import { mkdir, realpath, rmdir, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { RASTER_FORMATS, type RasterFormat, readWhole, removeStale, UserError, writeFault } from '@zeuxis/pictures';
import { type EditRecord, type Identity, openIdentity, type Published, type Written } from '@zeuxis/provenance';
import type { VerbOptions } from '../progress.js';
import type { AuthorOptions } from './authorship.js';
import { findInputs } from './inputs.js';
import type { MarkingOptions } from './marking.js';

export interface BatchOptions extends VerbOptions, MarkingOptions, AuthorOptions {
  /** Files, folders with everything below them, and patterns. */
  inputs: readonly string[];
  /** Folder for the results, made where it is missing. */
  out: string;
  /** 'png' by default; 'same' keeps each picture's own. */
  format?: RasterFormat | 'same';
  /** 1 to 100, for jpeg, webp and avif; 90 by default. */
  quality?: number;
  /** Replace files that are there already. They are kept by default. */
  overwrite?: boolean;
  /** The most pixels that a picture may have; 268 million by default. */
  maximumPixels?: number;
  /** Folder of the signing identity; the user's own by default. */
  identityFolder?: string;
}

/** What became of one file. Of DICOM, which is neither watermarked nor labelled, nothing more is known than that it was written. */
export interface EditedFile extends Written, Partial<Omit<Published, keyof Written>> {
  /** The file it was made from. */
  source: string;
  width: number;
  height: number;
}

export interface BatchResult {
  files: EditedFile[];
  /** Results of an earlier run, of the same source, model and settings: nothing was left to do. */
  kept: { path: string; source: string }[];
  failures: { source: string; message: string }[];
}

/** Ends a batch with what went wrong, for it is no file's own fault. */
export class BatchFault extends Error {
  constructor(readonly fault: Error) {
    super(fault.message);
  }
}

/** One file of a batch. */
export interface BatchItem {
  path: string;
  /** Of the result, without extension. */
  name: string;
  bytes: Buffer;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
  identity: Identity;
}

/** What becomes of one file. */
export interface Work {
  target: string;
  /** Whether what lies at the target is the result of the same work. */
  isMade(): Promise<boolean>;
  make(): Promise<EditedFile>;
}

export interface BatchKind {
  /** What is done to each picture, as in 'enlarged'. */
  done: string;
  /** Whether a picture's manifest says that it is a result of this kind: in a folder that is also the output's, those are not taken up again. */
  isOurs(edit: EditRecord): boolean;
}

/**
 * Does a batch.
 * @throws UserError for options and folders that cannot serve; a fault of one file is told in `failures`.
 */
export async function inBatch(options: BatchOptions, { done, isOurs }: BatchKind, plan: (item: BatchItem) => Promise<Work>): Promise<BatchResult> {
  const { out, format = 'png', overwrite, signal, onProgress = () => {} } = options;
  if (format !== 'same' && !RASTER_FORMATS.includes(format)) throw new UserError(`there is no format '${format}'; choose same, ${RASTER_FORMATS.join(', ')}`);
  const { inputs, failures } = await findInputs(options.inputs, out, isOurs);
  const result: BatchResult = { files: [], kept: [], failures };
  if (inputs.length === 0) return result;
  const made = await mkdir(out, { recursive: true }).catch((error) => {
    throw writeFault(error, out);
  });
  await removeStale(out);
  const identity = await openIdentity(options.identityFolder);
  if (identity.created)
    onProgress({ stage: 'sign', done: 0, total: inputs.length, unit: 'pictures', note: `made a signing key and certificate for this machine in ${identity.folder}` });
  const sources = new Set(await Promise.all(inputs.map(({ path }) => placeOf(path))));
  /** Paths of results, and what they were made from. */
  const taken = new Map<string, string>();
  const one = async (path: string, name: string): Promise<void> => {
    const bytes = await readWhole(path).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(error.code === 'ENOENT' ? `there is no file '${path}'` : `'${path}' cannot be read (${error.code})`);
    });
    const { target, isMade, make } = await plan({ path, name, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), identity });
    if (sources.has(await placeOf(target))) throw new UserError(`'${target}' is a picture that this is to be made of, and is not replaced; choose another folder with --out`);
    const other = taken.get(target);
    if (other) throw new UserError(`'${path}' and '${other}' would both become '${target}'; give them folders of their own`);
    if (!overwrite && (await stat(target).catch(() => undefined))) {
      if (!(await isMade())) throw new UserError(`'${target}' is there already; --overwrite replaces it`);
      result.kept.push({ path: target, source: path });
    } else result.files.push(await make());
    taken.set(target, path);
  };
  try {
    for (const { path, name } of inputs) {
      signal?.throwIfAborted();
      await one(path, name).catch((error: Error) => {
        signal?.throwIfAborted();
        if (error instanceof BatchFault) throw error.fault;
        // A fault of ours too: what it meets in one file is no reason to leave the others undone.
        const said = error.name === 'UserError' ? (error.message.includes(path) ? error.message : `'${path}': ${error.message}`) : undefined;
        const message = said ?? `'${path}' could not be ${done}: ${error.message.split('\n')[0]}`;
        failures.push({ source: path, message });
      });
    }
  } finally {
    // A folder in which nothing came to be is not left behind.
    if (made !== undefined && result.files.length === 0) await rmdir(out).catch(() => {});
  }
  return result;
}

const EXTENSIONS: Record<string, RasterFormat> = { '.jpg': 'jpeg', '.tif': 'tiff' };

/** The format that a picture file's name says; PNG where it says none. */
export function formatOfName(path: string): RasterFormat {
  const extension = extname(path).toLowerCase();
  return EXTENSIONS[extension] ?? RASTER_FORMATS.find((format) => `.${format}` === extension) ?? 'png';
}

/** Where a file is, by whatever name. */
const placeOf = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));
