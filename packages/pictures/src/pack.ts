// What packed files of pixels have in common: reading in parallel, writing at a place, and room on the disk.

import { type FileHandle, rename, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { UserError } from './errors.js';
import { writeWhole } from './files.js';

/** A picture left out, and why. */
export interface Left {
  file: string;
  reason: string;
}

/** Pictures left out, by why: they cannot serve, they are reserved, or nobody states a right to them. */
export interface LeftOut {
  skipped: Left[];
  reserved: Left[];
  unstated: Left[];
}

/** A picture of a set: its name there, and the hexadecimal SHA-256 of its bytes. */
export interface HashedFile {
  file: string;
  sha256: string;
}

/** Why a picture must not be used: it is reserved, or nobody states a right to it. */
export type Denied = { reserved: string } | { unstated: string };

/** Which pictures of a set must not be used, by their names. Asked once, before any is decoded; what it throws ends the work. */
export type Admission = (files: readonly HashedFile[]) => Promise<ReadonlyMap<string, Denied>>;

/** Parts what may be used from what an admission denies, which it adds to what was left out before. */
export function admitted<T>(entries: readonly T[], fileOf: (entry: T) => string, denied: ReadonlyMap<string, Denied> | undefined, before: Omit<LeftOut, 'unstated'>): LeftOut & { kept: T[] } {
  const out: LeftOut & { kept: T[] } = { kept: [], skipped: [...before.skipped], reserved: [...before.reserved], unstated: [] };
  for (const entry of entries) {
    const [file, why] = [fileOf(entry), denied?.get(fileOf(entry))];
    if (why === undefined) out.kept.push(entry);
    else if ('unstated' in why) out.unstated.push({ file, reason: why.unstated });
    else out.reserved.push({ file, reason: why.reserved });
  }
  return out;
}

/** Does `count` pieces of work, a few at a time; the first that fails ends it. */
export async function inParallel<T>(count: number, work: (index: number) => Promise<T>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism() * 2) }, worker));
}

/**
 * Ends a packed file: its size, to the disk, its index beside it, and into place. The pixels last: what is left of a stop in
 * between is the small file, and it counts for nothing alone.
 */
export async function sealPacked(file: FileHandle, temporary: string, paths: { pixels: string; index: string }, size: number, index: object): Promise<void> {
  await file.truncate(size);
  await file.sync();
  await file.close();
  await writeWhole(paths.index, JSON.stringify(index));
  await rename(temporary, paths.pixels);
}

/** Writes all of the bytes: one write may take fewer than it was given, the last before a disk is full above all. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    if (bytesWritten === 0) throw Object.assign(new Error('nothing more could be written'), { code: 'ENOSPC' });
    at += bytesWritten;
  }
}

/** @param otherwise what to do but free some room. @throws UserError where a folder's disk has not that many bytes left. */
export async function requireSpace(cache: string, need: number, otherwise: string): Promise<void> {
  const { bavail, bsize } = await statfs(cache);
  const free = bavail * bsize;
  if (need > free)
    throw new UserError(
      `the packed pictures need ${mega(need)} in '${cache}', where ${mega(free)} are free; free some or ${otherwise}`,
    );
}

const mega = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
