// A data set: a folder of pictures decoded once, in parallel, into one packed file that later epochs read by position.
// The operating system's page cache does the mapping, so memory stays constant however large the set.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { decodeSquare, type Fit } from './decode.js';
import { UserError } from './errors.js';
import { findPictures, fingerprint, hashFile } from './scan.js';

/** The fewest pictures a network can learn from without merely storing them. */
export const FEWEST = 32;

export interface DatasetOptions {
  /** Side of the squares in px, a power of two from 8 to 1024. */
  size: number;
  /** First folders as labels, or none. By default folders where there are any. */
  labels?: 'folders' | 'none';
  /** 'crop' (default) keeps the middle square; 'pad' keeps the whole picture on white. */
  fit?: Fit;
  /** Folder for the packed file. */
  cache: string;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

interface Left {
  file: string;
  reason: string;
}

/** What is known of a packed data set; kept beside the pixels as JSON. */
interface Index {
  fingerprint: string;
  labels: string[];
  labelOf: number[];
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
  /** Hexadecimal SHA-256 over the hashes and names of all picture files in the folder. */
  fingerprint: string;
  /** Pictures left out because they are broken or too small. */
  skipped: Left[];
  /** Pictures left out because they carry a reservation against training. */
  reserved: Left[];
  /** Pixels of some pictures, planar RGB, [n, 3, size, size], 0 to 255. */
  read(indices: ArrayLike<number>, out?: Uint8Array): Uint8Array;
  close(): void;
}

async function inParallel<T>(count: number, work: (index: number) => Promise<T>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism() * 2) }, worker));
}

/**
 * Opens a folder of pictures as a data set, decoding it where the cache does not hold it yet.
 * @throws UserError for a folder that is missing, empty or unreadable, fewer than 32 usable pictures, or a full disk.
 */
export async function openDataset(folder: string, options: DatasetOptions): Promise<Dataset> {
  const { size, fit = 'crop', cache, signal } = options;
  if (!Number.isInteger(Math.log2(size)) || size < 8 || size > 1024)
    throw new UserError(`the size ${size} is no power of two from 8 to 1024; try 64`);
  const files = await findPictures(folder);
  const hashes: string[] = new Array(files.length);
  await inParallel(files.length, async (i) => {
    signal?.throwIfAborted();
    hashes[i] = await hashFile(join(folder, files[i]!)).catch((error: NodeJS.ErrnoException) => `unreadable ${error.code}`);
  });
  const print = fingerprint(files.map((path, i) => ({ path, sha256: hashes[i]! })));
  const mode = options.labels ?? 'auto';
  const key = createHash('sha256').update(`1 ${print} ${size} ${fit} ${mode}`).digest('hex').slice(0, 24);
  const [pixelsPath, indexPath] = [join(cache, `${key}.pixels`), join(cache, `${key}.json`)];

  let index = await readIndex(indexPath, pixelsPath, size);
  if (!index) {
    await pack(folder, files, { size, fit, mode, fingerprint: print, pixelsPath, indexPath, cache }, options);
    index = (await readIndex(indexPath, pixelsPath, size))!;
  }
  const descriptor = openSync(pixelsPath, 'r');
  const each = 3 * size * size;
  return {
    size,
    count: index.labelOf.length,
    labels: index.labels,
    labelOf: Uint16Array.from(index.labelOf),
    fingerprint: print,
    skipped: index.skipped,
    reserved: index.reserved,
    read(indices, out = new Uint8Array(indices.length * each)) {
      for (let i = 0; i < indices.length; i++) {
        const got = readSync(descriptor, out, i * each, each, indices[i]! * each);
        if (got !== each) throw new RangeError(`there is no picture ${indices[i]} in this data set`);
      }
      return out;
    },
    close: () => closeSync(descriptor),
  };
}

/** The index of a finished cache, or undefined where there is none whole. */
async function readIndex(path: string, pixels: string, size: number): Promise<Index | undefined> {
  try {
    const index = JSON.parse(await readFile(path, 'utf8')) as Index;
    const { size: bytes } = await stat(pixels);
    return bytes === index.labelOf.length * 3 * size * size ? index : undefined;
  } catch {
    return undefined;
  }
}

interface Packing {
  size: number;
  fit: Fit;
  mode: 'folders' | 'none' | 'auto';
  fingerprint: string;
  pixelsPath: string;
  indexPath: string;
  cache: string;
}

async function pack(folder: string, files: string[], packing: Packing, options: DatasetOptions): Promise<void> {
  const { size, fit, pixelsPath, indexPath, cache } = packing;
  const each = 3 * size * size;
  await mkdir(cache, { recursive: true });
  const { bavail, bsize } = await statfs(cache);
  const [need, free] = [files.length * each, bavail * bsize];
  if (need > free)
    throw new UserError(
      `the packed pictures need ${mega(need)} in '${cache}', where ${mega(free)} are free; free some or choose a smaller size`,
    );
  const temporary = `${pixelsPath}.${process.pid}.part`;
  const handle = await open(temporary, 'w');
  const [skipped, reserved]: [Left[], Left[]] = [[], []];
  const used: { file: string; slot: number }[] = [];
  let [done, slots] = [0, 0];
  try {
    await inParallel(files.length, async (i) => {
      options.signal?.throwIfAborted();
      const file = files[i]!;
      const bytes = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => error);
      const decoded =
        bytes instanceof Error ? { skipped: `cannot be read (${bytes.code})` } : await decodeSquare(bytes, size, fit);
      if ('skipped' in decoded) skipped.push({ file, reason: decoded.skipped });
      else if ('reserved' in decoded) reserved.push({ file, reason: decoded.reserved });
      else {
        const slot = slots++;
        used.push({ file, slot });
        await handle.write(decoded.pixels, 0, each, slot * each);
      }
      options.onProgress?.({ done: ++done, total: files.length });
    });
    if (used.length < FEWEST)
      throw new UserError(
        `'${folder}' holds ${used.length} usable pictures (${skipped.length} broken or too small, ${reserved.length} reserved); at least ${FEWEST} are needed`,
      );
    await handle.sync();
    await handle.close();
    // Workers finish in any order; the file's order of pictures must not depend on it.
    await sortSlots(temporary, used, each);
    const index = indexOf(used.map(({ file }) => file).sort(), packing);
    const byFile = (a: Left, b: Left) => (a.file < b.file ? -1 : 1);
    await rename(temporary, pixelsPath);
    const json = JSON.stringify({ ...index, skipped: skipped.sort(byFile), reserved: reserved.sort(byFile) });
    await writeFile(`${indexPath}.${process.pid}.part`, json);
    await rename(`${indexPath}.${process.pid}.part`, indexPath);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true });
    await rm(`${indexPath}.${process.pid}.part`, { force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new UserError(`the disk of '${cache}' is full; free ${mega(need)} and start again`);
    throw error;
  }
}

/** Rewrites the packed pictures in the order of their files' names. */
async function sortSlots(path: string, used: { file: string; slot: number }[], each: number): Promise<void> {
  const order = [...used].sort((a, b) => (a.file < b.file ? -1 : 1));
  if (order.every(({ slot }, i) => slot === i)) return;
  const [from, to] = [await open(path, 'r'), await open(`${path}.sorted`, 'w')];
  try {
    const buffer = new Uint8Array(each);
    for (const { slot } of order) {
      await from.read(buffer, 0, each, slot * each);
      await to.write(buffer, 0, each);
    }
    await to.sync();
  } catch (error) {
    await rm(`${path}.sorted`, { force: true });
    throw error;
  } finally {
    await from.close();
    await to.close();
  }
  await rename(`${path}.sorted`, path);
}

function indexOf(files: string[], { mode, fingerprint: print }: Packing): Index {
  const first = files.map((file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : ''));
  const nested = first.some((name) => name !== '');
  const labels = mode === 'none' || (mode === 'auto' && !nested) ? [] : [...new Set(first)].sort();
  const labelOf = first.map((name) => Math.max(0, labels.indexOf(name)));
  return { fingerprint: print, labels, labelOf, skipped: [], reserved: [] };
}

const mega = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
