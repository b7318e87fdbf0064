// A few pictures whole and in memory, for training on crops of them: paintings, and photographs to paint. Reduced so that crops show
// things and not pores.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openPicture } from './claims.js';
import { type Refused, refusal, undecodable } from './decode.js';
import { UserError } from './errors.js';
import { type Admission, admitted, inParallel, type LeftOut } from './pack.js';
import { hashDistance, isTelling, perceptualHash, SIMILAR } from './perceptual-hash.js';
import { findPictures, fingerprint, hashFile } from './scan.js';

export interface CanvasOptions {
  /** Larger pictures are reduced until their shorter side is this, in px: the first to the first, and so on in turns. */
  shorter: readonly number[];
  /** Smaller ones are left out: the least shorter side, in px. */
  least: number;
  /** Those below it are enlarged to it, in px: the side of a crop. Without it none is. */
  side?: number;
  /** The most pictures taken, evenly from the sorted folder. */
  most: number;
  /** Paintings: files that are one of them are left out, and pictures that look like one, encoded anew or in another size. */
  not?: Pick<Canvases, 'hashes' | 'looks'>;
  /** Which pictures must not be used; by default only what they themselves say of it counts. */
  admit?: Admission;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

export interface Canvases extends LeftOut {
  count: number;
  /** The file of each picture, below the folder. */
  files: readonly string[];
  sizes: readonly { width: number; height: number }[];
  /** SHA-256 of the files taken. */
  hashes: readonly string[];
  /** What they look like. */
  looks(): readonly Look[];
  fingerprint: string;
  /** All of a picture, planar [3, height, width]. */
  planes(picture: number): Uint8Array;
  /** Writes a crop of `side` px with its upper left corner at (x, y), mirrored or not, into `out` at the n-th place, planar [3, side, side]. */
  crop(place: { picture: number; x: number; y: number; mirrored: boolean }, side: number, n: number, out: Uint8Array): void;
}

/** A picture by its perceptual hash, which knows no colours, and the means of its parts, [PARTS, PARTS, 3]. */
interface Look {
  hash: string;
  colours: readonly number[];
}

interface Canvas {
  width: number;
  height: number;
  /** Interleaved RGB. */
  data: Buffer;
}

/**
 * Reads a picture or a folder of pictures.
 * @throws UserError for a path that is missing, and where no picture can serve.
 */
export async function openCanvases(path: string, { shorter, least, side = 0, most, not, admit, signal, onProgress }: CanvasOptions): Promise<Canvases> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new UserError(`there is no file or folder '${path}'; check the path`);
  const single = info.isFile();
  const found = single ? [basename(path)] : await findPictures(path);
  const pathOf = (file: string) => (single ? path : join(path, file));
  const { kept: all, ...out } = admitted(found, (file) => file, await admit?.(await hashAll(found, pathOf, signal)), { skipped: [], reserved: [] });
  const files = all.length <= most ? all : Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)]!);
  const outcomes: ((Canvas & { sha256: string }) | Refused)[] = new Array(files.length);
  let done = 0;
  await inParallel(files.length, async (i) => {
    signal?.throwIfAborted();
    outcomes[i] = await readFile(pathOf(files[i]!)).then(
      async (file) => {
        const sha256 = createHash('sha256').update(file).digest('hex');
        if (not?.hashes.includes(sha256)) return { skipped: 'it is a painting that the style is learned from' };
        const canvas = await decodeCanvas(file, shorter[i % shorter.length]!, least, side);
        if (!('data' in canvas)) return canvas;
        return not && looksLike(canvas, not.looks()) ? { skipped: 'it looks like a painting that the style is learned from' } : { ...canvas, sha256 };
      },
      (error: NodeJS.ErrnoException) => ({ skipped: `cannot be read (${error.code})` }),
    );
    onProgress?.({ done: ++done, total: files.length });
  });
  const taken: (Canvas & { path: string; sha256: string })[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const file = files[i]!;
    if ('data' in outcome) taken.push({ ...outcome, path: file });
    else if ('skipped' in outcome) out.skipped.push({ file, reason: outcome.skipped });
    else out.reserved.push({ file, reason: outcome.reserved });
  }
  if (taken.length === 0) {
    const [first] = [...out.skipped, ...out.reserved, ...out.unstated];
    throw new UserError(single ? `'${path}' cannot serve: ${first!.reason}` : `'${path}' holds no usable picture ('${first!.file}', for one: ${first!.reason})`);
  }
  let looks: Look[] | undefined;
  return {
    count: taken.length,
    sizes: taken,
    hashes: taken.map(({ sha256 }) => sha256),
    looks: () => (looks ??= taken.map(lookOf)),
    files: taken.map(({ path: file }) => file),
    fingerprint: fingerprint(taken),
    ...out,
    planes(picture) {
      const { width, height, data } = taken[picture]!;
      const plane = width * height;
      const out = new Uint8Array(3 * plane);
      for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) out[c * plane + i] = data[3 * i + c]!;
      return out;
    },
    crop({ picture, x, y, mirrored }, side, n, out) {
      const { width, height, data } = taken[picture]!;
      if (x < 0 || y < 0 || x + side > width || y + side > height) throw new RangeError(`a crop of ${side} px at ${x}, ${y} does not lie in a picture of ${width}x${height}`);
      for (let row = 0; row < side; row++)
        for (let column = 0; column < side; column++) {
          const from = ((y + row) * width + x + (mirrored ? side - 1 - column : column)) * 3;
          const to = (n * 3 * side + row) * side + column;
          for (let c = 0; c < 3; c++) out[to + c * side * side] = data[from + c]!;
        }
    },
  };
}

/** Parts a side that colours are compared in, and the mean difference, of 255, that encoding and scaling leave at most. */
const [PARTS, SAME_COLOURS] = [4, 8];

function lookOf({ width, height, data }: Canvas): Look {
  const [sums, counts] = [new Array<number>(3 * PARTS * PARTS).fill(0), new Array<number>(PARTS * PARTS).fill(0)];
  for (let y = 0, from = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const part = Math.floor((y * PARTS) / height) * PARTS + Math.floor((x * PARTS) / width);
      counts[part]!++;
      for (let c = 0; c < 3; c++) sums[3 * part + c]! += data[from++]!;
    }
  const colours = sums.map((sum, i) => sum / Math.max(1, counts[Math.floor(i / 3)]!));
  return { hash: perceptualHash({ width, height, channels: 3, alpha: false, data }), colours };
}

function looksLike(canvas: Canvas, looks: readonly Look[]): boolean {
  const { hash, colours } = lookOf(canvas);
  const apart = (other: Look) => other.colours.reduce((sum, value, i) => sum + Math.abs(value - colours[i]!), 0) / colours.length;
  return isTelling(hash) && looks.some((other) => hashDistance(hash, other.hash) <= SIMILAR && apart(other) <= SAME_COLOURS);
}

/** What cannot be read has no hash, and is left out when it is to be decoded. */
async function hashAll(files: readonly string[], pathOf: (file: string) => string, signal: AbortSignal | undefined) {
  const hashed = files.map((file) => ({ file, sha256: '' }));
  await inParallel(files.length, async (i) => {
    signal?.throwIfAborted();
    hashed[i]!.sha256 = await hashFile(pathOf(files[i]!)).catch(() => '');
  });
  return hashed;
}

async function decodeCanvas(file: Buffer, shorter: number, least: number, side: number): Promise<Canvas | Refused> {
  try {
    const { picture, width, height, xmp } = await openPicture(file);
    const refused = refusal(file, xmp);
    if (refused) return refused;
    if (Math.min(width, height) < least) return { skipped: `too small: ${width}x${height}, the shorter side must be ${least} px` };
    const upright = picture.flatten({ background: 'white' }).toColourspace('srgb');
    const wanted = Math.max(side, Math.min(shorter, width, height));
    const resized = upright.resize({ width: wanted, height: wanted, fit: 'outside', kernel: 'lanczos3' });
    const { data, info } = await resized.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: info.channels === 3 ? data : tripled(data, info.channels) };
  } catch (error) {
    return undecodable(error);
  }
}

/** Grey to RGB. */
function tripled(grey: Buffer, channels: number): Buffer {
  const count = grey.length / channels;
  const out = Buffer.alloc(3 * count);
  for (let i = 0; i < count; i++) out.fill(grey[i * channels]!, 3 * i, 3 * i + 3);
  return out;
}
