// Pictures for training an upscaler: every picture of a folder whole, beside itself reduced, packed into one file from which
// crops are read by position. The reduced ones are made once: by MATLAB's bicubic, which superresolution is compared under, or
// in several ways as photographs suffer.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bicubic } from './bicubic.js';
import { openPicture } from './claims.js';
import { type Refused, refusal, undecodable } from './decode.js';
import { degradePhoto } from './degrade.js';
import { UserError } from './errors.js';
import { partOf, removeStale, writeFault } from './files.js';
import { type Admission, admitted, inParallel, type Left, type LeftOut, requireSpace, sealPacked, writeAt } from './pack.js';
import { LUMA } from './plane.js';
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
  /** Which pictures must not be used; by default only what they themselves say of it counts. */
  admit?: Admission;
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

export interface Pairs extends LeftOut {
  count: number;
  /** The file of each picture, below the folder. */
  files: readonly string[];
  /** Reduced pictures of each large one. */
  variants: number;
  /** Sides of the small pictures. */
  sizes: readonly { width: number; height: number }[];
  fingerprint: string;
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
  const { files, hashed, print } = await surveyPictures(folder, signal);
  const denied = await options.admit?.(hashed);
  const key = createHash('sha256').update(`pairs 4 ${print} ${scale} ${channels} ${side} ${degradation}`).digest('hex').slice(0, 24);
  const paths = { pixels: join(cache, `${key}.pairs`), index: join(cache, `${key}.json`) };
  let packed = await openPacked(paths);
  if (!packed) {
    await pack(folder, files, paths, options);
    packed = await openPacked(paths);
  }
  if (!packed) throw new UserError(`the packed pictures in '${cache}' cannot be read back; check that disk and start again`);
  const { index, descriptor } = packed;
  const { kept, ...left } = admitted(index.entries, ({ file }) => file, denied, index);
  if (kept.length === 0) {
    closeSync(descriptor);
    throw nothingUsable(folder, left);
  }
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
    count: kept.length,
    files: kept.map(({ file }) => file),
    variants: VARIANTS[degradation],
    sizes: kept,
    fingerprint: print,
    ...left,
    crop({ picture, variant, x, y, turn }, size, n, small, large) {
      const { width, height, offset } = kept[picture]!;
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

/** Where a picture's pixels go, known before they are decoded. */
interface Slot {
  width: number;
  height: number;
  offset: number;
}

/** The sides that the small picture will have, by the file's header, upright; or why it cannot serve, or must not. */
async function measure(file: Buffer, { scale, side }: PairsOptions): Promise<{ width: number; height: number } | Refused> {
  try {
    const { width, height, xmp } = await openPicture(file);
    const refused = refusal(file, xmp);
    if (refused) return refused;
    const small = { width: Math.floor(width / scale), height: Math.floor(height / scale) };
    if (Math.min(small.width, small.height) < side)
      return { skipped: `too small: ${width}x${height}, the shorter side must be ${side * scale} px` };
    return small;
  } catch (error) {
    return undecodable(error);
  }
}

/** Interleaved samples of a whole picture, upright, on white, its sides cut to those of its slot. */
async function decodeWhole(file: Buffer, slot: Slot, { scale, channels }: PairsOptions): Promise<{ data: Uint8Array } | Refused> {
  try {
    const { picture } = await openPicture(file);
    const flat = picture.flatten({ background: 'white' }).toColourspace('srgb').removeAlpha();
    const { data, info } = await flat.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (Math.floor(info.width / scale) !== slot.width || Math.floor(info.height / scale) !== slot.height)
      return { skipped: `broken: it is ${info.width}x${info.height}, and its header says otherwise` };
    const [w, h] = [slot.width * scale, slot.height * scale];
    const cut = new Uint8Array(w * h * channels);
    const [green, blue] = info.channels < 3 ? [0, 0] : [1, 2];
    for (let y = 0, to = 0; y < h; y++)
      for (let x = 0, from = y * info.width * info.channels; x < w; x++, from += info.channels) {
        const [r, g, b] = [data[from]!, data[from + green]!, data[from + blue]!];
        if (channels === 1) cut[to++] = Math.round(LUMA[0] * r + LUMA[1] * g + LUMA[2] * b);
        else {
          cut[to++] = r;
          cut[to++] = g;
          cut[to++] = b;
        }
      }
    return { data: cut };
  } catch (error) {
    return undecodable(error);
  }
}

/**
 * Packs in two passes: headers first, so that each picture has its place by its file's, whichever worker finishes first, and
 * the whole room is known before it is taken. Then all packings of a key are the same to the byte, and it does not matter whose
 * index and whose pixels come to lie beside each other. The slots of files that turn out broken stay holes, which take no room.
 */
async function pack(folder: string, files: string[], paths: Paths, options: PairsOptions): Promise<void> {
  const { scale, channels, degradation, cache, signal, onProgress } = options;
  const variants = VARIANTS[degradation];
  const temporary = partOf(paths.pixels);
  const read = (i: number) =>
    readFile(join(folder, files[i]!)).catch((error: NodeJS.ErrnoException) => ({ skipped: `cannot be read (${error.code})` }));
  let handle: FileHandle | undefined;
  try {
    const outcomes: (Slot | Refused)[] = new Array(files.length);
    await inParallel(files.length, async (i) => {
      signal?.throwIfAborted();
      const bytes = await read(i);
      const measured = Buffer.isBuffer(bytes) ? await measure(bytes, options) : bytes;
      outcomes[i] = 'width' in measured ? { ...measured, offset: 0 } : measured;
    });
    let room = 0;
    for (const outcome of outcomes) {
      if (!('offset' in outcome)) continue;
      outcome.offset = room;
      room += outcome.width * outcome.height * channels * (scale ** 2 + variants);
    }
    if (room === 0) throw nothingUsable(folder, indexOf(files, outcomes, room));
    await mkdir(cache, { recursive: true });
    await requireSpace(cache, room, 'take fewer pictures');
    const file = await open(temporary, 'w');
    handle = file;
    let done = 0;
    await inParallel(files.length, async (i) => {
      signal?.throwIfAborted();
      const slot = outcomes[i]!;
      if ('offset' in slot) {
        const bytes = await read(i);
        const decoded = Buffer.isBuffer(bytes) ? await decodeWhole(bytes, slot, options) : bytes;
        if ('data' in decoded) {
          const large = { width: slot.width * scale, height: slot.height * scale, channels, data: decoded.data };
          // Seeds by place in the folder, not by when a worker got there.
          const reduce = (variant: number) =>
            degradation === 'bicubic' ? bicubic(large, 1 / scale) : degradePhoto(large, scale, i * variants + variant);
          const reduced = await Promise.all(Array.from({ length: variants }, (_, variant) => reduce(variant)));
          let at = slot.offset;
          for (const { data } of [large, ...reduced]) {
            await writeAt(file, data, at);
            at += data.length;
          }
        } else outcomes[i] = decoded;
      }
      onProgress?.({ done: ++done, total: files.length });
    });
    const index = indexOf(files, outcomes, room);
    if (index.entries.length === 0) throw nothingUsable(folder, index);
    await sealPacked(file, temporary, paths, room, index);
  } catch (error) {
    await handle?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw writeFault(error, paths.pixels);
  }
}

/** In the order of files. */
function indexOf(files: string[], outcomes: (Slot | Refused)[], bytes: number): Index {
  const index: Index = { entries: [], skipped: [], reserved: [], bytes };
  for (const [i, outcome] of outcomes.entries()) {
    const file = files[i]!;
    if ('offset' in outcome) index.entries.push({ file, ...outcome });
    else if ('skipped' in outcome) index.skipped.push({ file, reason: outcome.skipped });
    else index.reserved.push({ file, reason: outcome.reserved });
  }
  return index;
}

function nothingUsable(folder: string, { skipped, reserved, unstated = [] }: Omit<LeftOut, 'unstated'> & Partial<LeftOut>): UserError {
  const [first] = [...skipped, ...reserved, ...unstated];
  return new UserError(`'${folder}' holds no usable picture${first ? ` ('${first.file}', for one: ${first.reason})` : ''}`);
}
