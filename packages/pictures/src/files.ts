// Files as wholes. They are read by one call, and written whole or not at all: into a neighbour first, to the disk, then into place.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from './errors.js';

/** A file by one call, as `readFile` gives it: that one asks for half a megabyte after the other, and has to wait each time for a thread that does other work meanwhile. */
export async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // Pipes and the system's own files say 0, and a file may have shrunk: these are read to their ends.
    const bytes = Buffer.allocUnsafeSlow(size);
    if (size === 0 || (await file.read(bytes, 0, size, 0)).bytesRead < size) return await file.readFile();
    return bytes;
  } finally {
    await file.close();
  }
}

/**
 * Writes a file so that at every moment, power cuts included, its path holds the old contents or the new ones.
 * @param mode of the file, less what the process's mask takes away. @param before that the file is brought into place: where that fails, nothing is, and its error is thrown.
 * @throws UserError where the disk is full, read-only or not ours to write, the name too long or a folder's; nothing is left behind.
 */
export async function writeWhole(path: string, parts: Uint8Array | string | readonly (Uint8Array | string)[], mode = 0o666, before?: Promise<unknown>): Promise<void> {
  // Awaited below, unless something else goes wrong first.
  before?.catch(() => {});
  const temporary = partOf(path);
  try {
    const file = await open(temporary, 'w', mode);
    try {
      for (const part of [parts].flat() as (Uint8Array | string)[]) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await before;
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    await before?.catch(() => {});
    throw writeFault(error, path);
  }
}

/**
 * What a writing process calls a file that is not whole yet, in the same folder. By chance, as one process may write a file twice at
 * once; and short whatever the file's own name, which may be as long as the file system allows.
 */
export const partOf = (path: string): string => join(dirname(path), `zeuxis-${randomBytes(8).toString('hex')}.${process.pid}.part`);

/** Such a name, and those of versions up to 0.1.0: the file's own name in front, and '.part.sorted' too. */
const PART = /\.(\d+)\.part(\.sorted)?$/;

/**
 * Deletes the unfinished files in a folder whose process was killed before it could. Only whole names of ours count, as the
 * folder may be the user's. What cannot be read or deleted stays: tidying must not stop the work.
 */
export async function removeStale(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const pid = PART.exec(entry.name)?.[1];
    if (pid && entry.isFile() && !lives(Number(pid))) await rm(join(folder, entry.name), { force: true }).catch(() => {});
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM is a process of someone else's; only ESRCH says that there is none.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** A fault of writing in words for the person at the keyboard; what is none of these is passed on. */
export function writeFault(error: unknown, path: string): unknown {
  const { code, path: taken, syscall } = error as NodeJS.ErrnoException;
  const folder = dirname(path);
  // Recursive mkdir says ENOENT where it should say EROFS (Node 20), and then names the first folder that it could not make.
  if (code === 'ENOENT' && syscall === 'mkdir' && taken && existsSync(dirname(taken)))
    return new UserError(`the folder '${taken}' cannot be made: '${dirname(taken)}' may not be written; choose another folder`);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UserError(`the disk of '${folder}' is full: '${path}' was not written; free some space and try again`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new UserError(`'${path}' may not be written (${code}); choose another folder or change its permissions`);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UserError(`'${path}' cannot be written: there is no folder '${folder}'`);
  if (code === 'ENAMETOOLONG') return new UserError(`'${path}' cannot be written: its name is too long; choose a shorter one`);
  if (code === 'EISDIR') return new UserError(`'${path}' is a folder where a file is to be written; choose another name`);
  // From mkdir.
  if (code === 'EEXIST') return new UserError(`'${taken ?? path}' is a file where a folder is needed; choose another folder`);
  return error;
}
