// A data set: a folder of pictures decoded once, in parallel, into one packed file that later epochs read by position.
// The operating system's page cache does the mapping, so memory stays constant however large the set.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Decoded, decodeSquare, type Fit } from './decode.js';
import { UserError } from './errors.js';
import { partOf, removeStale, writeFault } from './files.js';
import { type Admission, admitted, inParallel, type Left, type LeftOut, requireSpace, sealPacked, writeAt } from './pack.js';
import { surveyPictures } from './scan.js';

/** The fewest pictures a network can learn from without merely storing them. */
export const FEWEST = 32;

export interface DatasetOptions {
  /** Side of the squares in px, a power of two from 8 to 1024. */
  size: number;
  /** First folders as labels (pictures beside them are left out), or none. By default folders where there are any. */
  labels?: 'folders' | 'none';
  /** 'crop' (default) keeps the middle square; 'pad' keeps the whole picture on white. */
  fit?: Fit;
  /** Folder for the packed file. */
  cache: string;
  /** Which pictures must not be used; by default only what they themselves say of it counts. */
  admit?: Admission;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** What is known of packed pixels; kept beside them as JSON. Labels are not: they follow from the names. */
interface Index {
  /** For each usable picture, in the order of names, where its pixels lie: the number of its file among all files. */
  slotOf: number[];
  skipped: Left[];
  reserved: Left[];
}

export interface Dataset {
  size: number;
  count: number;
  /** Names of the labels, sorted; empty where there are none. */
  labels: string[];
  /** The label of each picture, an index into `labels`. */
  labelOf: Uint16Array;
  /** The file of each picture, below the folder, with '/' between folders. */
  files: string[];
  /** Hexadecimal SHA-256 over the hashes and names of all picture files in the folder. */
  fingerprint: string;
  /** Pictures left out because they are broken, too small, or beside the label folders. */
  skipped: Left[];
  /** Pictures left out because they carry a reservation against training, or the admission says that they are reserved. */
  reserved: Left[];
  /** Pictures left out because nobody states a right to them. */
  unstated: Left[];
  /** Pixels of some pictures, planar RGB, [n, 3, size, size], 0 to 255. */
  read(indices: ArrayLike<number>, out?: Uint8Array): Uint8Array;
  close(): void;
}

/**
 * Opens a folder of pictures as a data set, decoding it where the cache does not hold it yet.
 * @throws UserError for a folder that is missing, empty or unreadable, fewer than 32 usable pictures, a full disk, and a
 * cache that may not be written.
 */
export async function openDataset(folder: string, options: DatasetOptions): Promise<Dataset> {
  const { size, fit = 'crop', cache, signal } = options;
  if (!Number.isInteger(Math.log2(size)) || size < 8 || size > 1024)
    throw new UserError(`the size ${size} is no power of two from 8 to 1024; try 64`);
  await removeStale(cache);
  const { files, hashed, print } = await surveyPictures(folder, signal);
  const denied = await options.admit?.(hashed);
  // The first word is the format's version. The labels are not in the key: the pixels are the same with and without.
  const key = createHash('sha256').update(`2 ${print} ${size} ${fit}`).digest('hex').slice(0, 24);
  const paths = { pixels: join(cache, `${key}.pixels`), index: join(cache, `${key}.json`) };
  const each = 3 * size * size;

  let packed = await openPacked(paths, files.length, each);
  if (!packed) {
    await pack(folder, files, paths, options);
    packed = await openPacked(paths, files.length, each);
  }
  if (!packed) throw new UserError(`the packed pictures in '${cache}' cannot be read back; check that disk and start again`);
  const { index, descriptor } = packed;
  const { kept, skipped, reserved, unstated } = admitted(index.slotOf, (slot) => files[slot]!, denied, index);
  const { labels, labelOf, slots, beside } = labelled(kept, files, options.labels);
  try {
    requireEnough(folder, slots.length, { skipped, reserved, unstated }, beside.length);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return {
    size,
    count: slots.length,
    labels,
    labelOf,
    files: slots.map((slot) => files[slot]!),
    fingerprint: print,
    skipped: [...skipped, ...beside].sort((a, b) => (a.file < b.file ? -1 : 1)),
    reserved,
    unstated,
    read(indices, out = new Uint8Array(indices.length * each)) {
      for (let i = 0; i < indices.length; i++) {
        const slot = slots[indices[i]!];
        if (slot === undefined) throw new RangeError(`there is no picture ${indices[i]} in this data set`);
        if (readSync(descriptor, out, i * each, each, slot * each) !== each)
          throw new UserError(`the packed pictures '${paths.pixels}' were cut short while in use; start again`);
      }
      return out;
    },
    close: () => closeSync(descriptor),
  };
}

/** What became of a file: its pixels are packed, or why not. */
type Outcome = 'packed' | Exclude<Decoded, { pixels: unknown }>;

interface Paths {
  pixels: string;
  index: string;
}

/** A finished cache, open for reading; undefined where there is none whole, and it is (re)built. */
async function openPacked(paths: Paths, files: number, each: number): Promise<{ index: Index; descriptor: number } | undefined> {
  let descriptor: number | undefined;
  try {
    const index = JSON.parse(await readFile(paths.index, 'utf8')) as Index;
    const { slotOf, skipped, reserved } = index;
    descriptor = openSync(paths.pixels, 'r');
    const whole = slotOf.length + skipped.length + reserved.length === files && fstatSync(descriptor).size === files * each;
    if (whole && slotOf.every((slot) => Number.isInteger(slot) && slot >= 0 && slot < files)) return { index, descriptor };
  } catch {
    // Missing, damaged, of another format or not ours to read: all the same here.
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

async function pack(folder: string, files: string[], paths: Paths, options: DatasetOptions): Promise<void> {
  const { size, fit = 'crop', cache, signal, onProgress } = options;
  const each = 3 * size * size;
  const temporary = partOf(paths.pixels);
  const outcomes: Outcome[] = new Array(files.length);
  let handle: FileHandle | undefined;
  try {
    await mkdir(cache, { recursive: true });
    await requireSpace(cache, files.length * each, 'choose a smaller size');
    const file = await open(temporary, 'w');
    handle = file;
    let done = 0;
    await inParallel(files.length, async (i) => {
      signal?.throwIfAborted();
      const bytes = await readFile(join(folder, files[i]!)).catch((error: NodeJS.ErrnoException) => error);
      const decoded =
        bytes instanceof Error ? { skipped: `cannot be read (${bytes.code})` } : await decodeSquare(bytes, size, fit);
      // Each file has its own slot, so that the packed file is the same whichever worker finishes first, and two processes
      // that pack one set at once agree. The slots of files left out stay holes, which take no room.
      if ('pixels' in decoded) await writeAt(file, decoded.pixels, i * each);
      outcomes[i] = 'pixels' in decoded ? 'packed' : decoded;
      onProgress?.({ done: ++done, total: files.length });
    });
    const index = indexOf(files, outcomes);
    requireEnough(folder, index.slotOf.length, { ...index, unstated: [] });
    await sealPacked(file, temporary, paths, files.length * each, index);
  } catch (error) {
    await handle?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw writeFault(error, paths.pixels);
  }
}

function requireEnough(folder: string, usable: number, { skipped, reserved, unstated }: LeftOut, beside = 0): void {
  if (usable >= FEWEST) return;
  const apart = beside ? `, ${beside} beside the label folders` : '';
  const [first] = [...skipped, ...unstated];
  const stated = unstated.length > 0 ? `, ${unstated.length} without a stated right` : '';
  const left = `${skipped.length} broken, too small or made by a model, ${reserved.length} reserved${stated}${apart}${first ? `; '${first.file}', for one: ${first.reason}` : ''}`;
  const mend = beside ? '; put them all into folders, or train without labels' : '';
  throw new UserError(`'${folder}' holds ${usable} usable pictures (${left}); at least ${FEWEST} are needed${mend}`);
}

function indexOf(files: string[], outcomes: Outcome[]): Index {
  const index: Index = { slotOf: [], skipped: [], reserved: [] };
  for (const [slot, outcome] of outcomes.entries()) {
    const file = files[slot]!;
    if (outcome === 'packed') index.slotOf.push(slot);
    else if ('skipped' in outcome) index.skipped.push({ file, reason: outcome.skipped });
    else index.reserved.push({ file, reason: outcome.reserved });
  }
  return index;
}

/** First folders as labels. Where there are any, a picture in none of them has no label and is left out. */
function labelled(slotOf: number[], files: string[], mode: DatasetOptions['labels']) {
  const nameOf = (slot: number) => files[slot]!.slice(0, Math.max(0, files[slot]!.indexOf('/')));
  const labels = mode === 'none' ? [] : [...new Set(slotOf.map(nameOf))].filter((name) => name !== '').sort();
  const slots = labels.length ? slotOf.filter((slot) => nameOf(slot) !== '') : slotOf;
  const beside = slotOf
    .filter((slot) => labels.length && nameOf(slot) === '')
    .map((slot) => ({ file: files[slot]!, reason: 'it lies beside the label folders, not in one' }));
  const numberOf = new Map(labels.map((name, i) => [name, i]));
  return { labels, labelOf: Uint16Array.from(slots, (slot) => numberOf.get(nameOf(slot)) ?? 0), slots, beside };
}
