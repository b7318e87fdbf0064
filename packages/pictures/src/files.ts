// Writing files whole or not at all: into a neighbour first, to the disk, then into place.

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from './errors.js';

/**
 * Writes a file so that at every moment, power cuts included, its path holds the old contents or the new ones.
 * @throws UserError where the disk is full, read-only or not ours to write; nothing is left behind.
 */
export async function writeWhole(path: string, ...parts: (Uint8Array | string)[]): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'w');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeFault(error, path);
  }
}

/** A fault of writing in words for the person at the keyboard; what is none of these is passed on. */
export function writeFault(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const folder = dirname(path);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UserError(`the disk of '${folder}' is full: '${path}' was not written; free some space and try again`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new UserError(`'${path}' may not be written (${code}); choose another folder or change its permissions`);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UserError(`'${path}' cannot be written: there is no folder '${folder}'`);
  return error;
}
