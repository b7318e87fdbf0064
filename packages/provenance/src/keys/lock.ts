// One at a time: what changes keys reads them, and of two at once one would forget what the other wrote.

import { open, rm } from 'node:fs/promises';
import { UserError, writeFault } from '@zeuxis/pictures';

/**
 * Does work while nobody else does under the same name.
 * @param lock a file that is there meanwhile. @param doing what is being done, for people.
 * @throws UserError where somebody does already, or where the file cannot be written; the system's own error, ENOENT, where its folder is missing.
 */
export async function locked<T>(lock: string, doing: string, work: () => Promise<T>): Promise<T> {
  const held = await open(lock, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw error;
    throw error.code === 'EEXIST' ? new UserError(`${doing} already; if that was cut short, delete '${lock}'`) : writeFault(error, lock);
  });
  try {
    return await work();
  } finally {
    await held.close();
    await rm(lock, { force: true });
  }
}
