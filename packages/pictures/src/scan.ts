// Finding pictures in a folder: which files, under which label, and what their bytes hash to.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from './errors.js';
import { type HashedFile, inParallel } from './pack.js';

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff']);

/**
 * Every file with a picture's extension below a folder, sorted, with '/' between folders. Hidden ones are left out; links are
 * followed, and what lies behind them goes by the link's name.
 * @param extra further extensions, in small letters with their dots; '' is none.
 */
export async function findPictures(folder: string, extra: readonly string[] = []): Promise<string[]> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new UserError(`there is no folder '${folder}'; check the path`)
      : new UserError(`the folder '${folder}' cannot be opened (${error.code}); check its permissions`);
  });
  if (!info.isDirectory()) throw new UserError(`'${folder}' is a file; give the folder that holds the pictures`);
  const files: string[] = [];
  await collect(folder, '', [], files, new Set([...EXTENSIONS, ...extra]));
  if (files.length === 0)
    throw new UserError(`'${folder}' holds no JPEG, PNG, WebP, AVIF or TIFF; give a folder of pictures`);
  return files.sort();
}

/** In small letters; what follows the last dot of a UID is none. */
const extensionOf = (name: string): string => extname(name).toLowerCase().replace(/^\.\d+$/, '');

/** Adds the pictures below a folder to `files`. @param above true paths of the folders on the way here. */
async function collect(folder: string, prefix: string, above: string[], files: string[], extensions: ReadonlySet<string>): Promise<void> {
  const unreadable = (error: NodeJS.ErrnoException) => {
    throw new UserError(`the folder '${folder}' cannot be read (${error.code}); check its permissions`);
  };
  const here = await realpath(folder).catch(unreadable);
  // A link back to a folder that we are in: following it would never end. Its pictures are counted already.
  if (above.includes(here)) return;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(unreadable)) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => 'broken' as const) : entry;
    if (kind !== 'broken' && kind.isDirectory()) await collect(path, `${prefix}${entry.name}/`, [...above, here], files, extensions);
    // A picture's link that leads nowhere stays in, so that it is named and counted as one that cannot be read.
    else if ((kind === 'broken' || kind.isFile()) && extensions.has(extensionOf(entry.name)))
      files.push(prefix + entry.name);
  }
}

/** The hexadecimal SHA-256 of a file's bytes. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** The fingerprint of a data set: SHA-256 over the sorted lines "hash  relative path". Times do not enter. */
export function fingerprint(files: readonly { path: string; sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${path}\n`);
  return hash.digest('hex');
}

/** The pictures of a folder, sorted, with the SHA-256 of each, and the folder's fingerprint. */
export async function surveyPictures(folder: string, signal?: AbortSignal): Promise<{ files: string[]; hashed: HashedFile[]; print: string }> {
  const files = await findPictures(folder);
  const hashes: string[] = new Array(files.length);
  await inParallel(files.length, async (i) => {
    signal?.throwIfAborted();
    hashes[i] = await hashFile(join(folder, files[i]!)).catch((error: NodeJS.ErrnoException) => `unreadable ${error.code}`);
  });
  const print = fingerprint(files.map((path, i) => ({ path, sha256: hashes[i]! })));
  return { files, hashed: files.map((file, i) => ({ file, sha256: hashes[i]! })), print };
}
