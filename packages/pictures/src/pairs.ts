// Pictures for training an upscaler: every picture of a folder whole, beside itself reduced, packed into one file from which
// crops are read by position. The reduced ones are made once: by MATLAB's bicubic, which superresolution is compared under, or
// in several ways as photographs suffer.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { bicubic } from './bicubic.js';
import { type Refused, refusal, undecodable } from './decode.js';
import { degradePhoto } from './degrade.js';
import { UserError } from './errors.js';
import { removeStale, writeFault, writeWhole } from './files.js';
import { inParallel, type Left, requireSpace, writeAt } from './pack.js';
import { surveyPictures } from './scan.js';

/** How reduced pictures are made: 'bicubic', or 'photo', with blur, noise and JPEG by chance. */
export const DEGRADATIONS = ['bicubic', 'photo'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];
/** Reduced pictures of each large one, where chance has a part in them. */
const VARIANTS: Record<Degradation, number> = { bicubic: 1, photo: 4 };

export interface PairsOptions {
  /** 2, 3 or 4. */
  scale: number;
  degradation: Degradation;
  /** 3 for colours, 1 for luma alone. */
  channels: 1 | 3;
  /** The least side in px of a reduced picture that can serve: that of a crop. */
  side: number;
  /** Folder for the packed file. */
  cache: string;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** A picture in the packed file: the large one, then the small ones. */
interface Entry {
  file: string;
  /** Of the small picture; the large one's sides are `scale` times as long. */
  width: number;
  height: number;
  /** First byte of the large one. */
  offset: number;
}
interface Index {
  entries: Entry[];
  skipped: Left[];
  reserved: Left[];
  bytes: number;
}

/** A place for a crop: what `crop` reads. */
export interface Crop {
  picture: number;
  /** Of the upper left corner in the small picture. */
  x: number;
  y: number;
  /** Which of the reduced pictures. */
  variant: number;
  /** One of the eight ways to turn and mirror a square: bits for left to right, top to bottom and the diagonal. */
  turn: number;
}

export interface Pairs {
  count: number;
  /** Reduced pictures of each large one. */
  variants: number;
  /** Sides of the small pictures. */
  sizes: readonly { width: number; height: number }[];
  fingerprint: string;
  skipped: Left[];
  reserved: Left[];
  /** Writes a crop of `side` px, planar [channels, side, side], into `small` and its counterpart into `large`, at the n-th place. */
  crop(crop: Crop, side: number, n: number, small: Uint8Array, large: Uint8Array): void;
  close(): void;
}

/**
 * Opens a folder of pictures as pairs, packing them where the cache does not hold them yet.
 * @throws UserError for a folder that is missing, empty or unreadable, no picture large enough, and a full disk.
 */
export async function openPairs(folder: string, options: PairsOptions): Promise<Pairs> {
  const { scale, channels, side, degradation, cache, signal } = options;
  await removeStale(cache);
  const { files, print } = await surveyPictures(folder, signal);
  const key = createHash('sha256').update(`pairs 2 ${print} ${scale} ${channels} ${side} ${degradation}`).digest('hex').slice(0, 24);
  const paths = { pixels: join(cache, `${key}.pairs`), index: join(cache, `${key}.json`) };
  let packed = await openPacked(paths);
  if (!packed) {
    await pack(folder, files, paths, options);
    packed = await openPacked(paths);
  }
  if (!packed) throw new UserError(`the packed pictures in '${cache}' cannot be read back; check that disk and start again`);
  const { index, descriptor } = packed;
  const row = new Uint8Array(1 << 20);
  /** Copies a square out of a packed picture, turned, to planes. */
  const square = (offset: number, width: number, x: number, y: number, size: number, turn: number, out: Uint8Array, at: number) => {
    for (let i = 0; i < size; i++) {
      const length = size * channels;
      if (readSync(descriptor, row, 0, length, offset + ((y + i) * width + x) * channels) !== length)
        throw new UserError(`the packed pictures '${paths.pixels}' were cut short while in use; start again`);
      for (let j = 0; j < size; j++) {
        const across = turn & 1 ? size - 1 - j : j;
        const down = turn & 2 ? size - 1 - i : i;
        const place = turn & 4 ? across * size + down : down * size + across;
        for (let c = 0; c < channels; c++) out[at + c * size * size + place] = row[j * channels + c]!;
      }
    }
  };
  return {
    count: index.entries.length,
    variants: VARIANTS[degradation],
    sizes: index.entries,
    fingerprint: print,
    skipped: index.skipped,
    reserved: index.reserved,
    crop({ picture, variant, x, y, turn }, size, n, small, large) {
      const { width, height, offset } = index.entries[picture]!;
      const whole = size * scale;
      square(offset, width * scale, x * scale, y * scale, whole, turn, large, n * channels * whole * whole);
      const first = offset + width * height * (scale ** 2 + variant) * channels;
      square(first, width, x, y, size, turn, small, n * channels * size * size);
    },
    close: () => closeSync(descriptor),
  };
}

type Paths = Record<'pixels' | 'index', string>;

/** A finished cache, open for reading; undefined where there is none whole. */
async function openPacked(paths: Paths): Promise<{ index: Index; descriptor: number } | undefined> {
  let descriptor: number | undefined;
  try {
    const index = JSON.parse(await readFile(paths.index, 'utf8')) as Index;
    descriptor = openSync(paths.pixels, 'r');
    if (index.entries.length > 0 && fstatSync(descriptor).size === index.bytes) return { index, descriptor };
  } catch {
    // Missing, damaged, of another format or not ours to read: all the same here.
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

/** Interleaved samples of a whole picture, upright, on white, its sides cut to multiples of the scale. */
async function decodeWhole(file: Buffer, { scale, channels, side }: PairsOptions): Promise<{ width: number; height: number; data: Uint8Array } | Refused> {
  try {
    const picture = sharp(file, { failOn: 'truncated' });
    const { xmp } = await picture.metadata();
    const refused = refusal(file, xmp);
    if (refused) return refused;
    const flat = picture.autoOrient().flatten({ background: 'white' }).toColourspace(channels === 1 ? 'b-w' : 'srgb').removeAlpha();
    const { data, info } = await flat.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const [width, height] = [Math.floor(info.width / scale), Math.floor(info.height / scale)];
    if (Math.min(width, height) < side) return { skipped: `too small: ${info.width}x${info.height}, the shorter side must be ${side * scale} px` };
    const [w, h] = [width * scale, height * scale];
    const cut = new Uint8Array(w * h * channels);
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) for (let c = 0; c < channels; c++)
      cut[(y * w + x) * channels + c] = data[(y * info.width + x) * info.channels + Math.min(c, info.channels - 1)]!;
    return { width, height, data: cut };
  } catch (error) {
    return undecodable(error);
  }
}

async function pack(folder: string, files: string[], paths: Paths, options: PairsOptions): Promise<void> {
  const { scale, channels, degradation, cache, signal, onProgress } = options;
  const temporary = `${paths.pixels}.${process.pid}.part`;
  const index: Index = { entries: [], skipped: [], reserved: [], bytes: 0 };
  const handle = await mkdir(cache, { recursive: true })
    .then(() => open(temporary, 'w'))
    .catch((error) => {
      throw writeFault(error, paths.pixels);
    });
  try {
    let done = 0;
    await inParallel(files.length, async (i) => {
      signal?.throwIfAborted();
      const path = join(folder, files[i]!);
      const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
      const decoded = bytes instanceof Error ? { skipped: `cannot be read (${bytes.code})` } : await decodeWhole(bytes, options);
      if ('data' in decoded) {
        const { width, height, data } = decoded;
        const large = { width: width * scale, height: height * scale, channels, data };
        // Seeds by place in the folder, not by when a worker got there.
        const reduce = (variant: number) =>
          degradation === 'bicubic' ? bicubic(large, 1 / scale) : degradePhoto(large, scale, i * VARIANTS[degradation] + variant);
        const reduced = await Promise.all(Array.from({ length: VARIANTS[degradation] }, (_, variant) => reduce(variant)));
        const offset = index.bytes;
        index.bytes += data.length + reduced.reduce((sum, small) => sum + small.data.length, 0);
        await requireSpace(cache, index.bytes - offset);
        await writeAt(handle, data, offset);
        for (const [variant, small] of reduced.entries()) await writeAt(handle, small.data, offset + data.length + variant * small.data.length);
        index.entries.push({ file: files[i]!, width, height, offset });
      } else if ('skipped' in decoded) index.skipped.push({ file: files[i]!, reason: decoded.skipped });
      else index.reserved.push({ file: files[i]!, reason: decoded.reserved });
      onProgress?.({ done: ++done, total: files.length });
    });
    // Workers finish in any order; crops are drawn by position, and must not depend on it.
    for (const list of [index.entries, index.skipped, index.reserved]) list.sort((a, b) => (a.file < b.file ? -1 : 1));
    if (index.entries.length === 0) {
      const [first] = [...index.skipped, ...index.reserved];
      throw new UserError(`'${folder}' holds no usable picture${first ? ` ('${first.file}', for one: ${first.reason})` : ''}`);
    }
    await handle.sync();
    await handle.close();
    await writeWhole(paths.index, JSON.stringify(index));
    await rename(temporary, paths.pixels);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw writeFault(error, paths.pixels);
  }
}
