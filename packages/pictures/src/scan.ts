// Finding pictures in a folder: which files, under which label, and what their bytes hash to.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from './errors.js';

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff']);

/** Every file with a picture's extension below a folder, sorted, with '/' between folders. Hidden ones are left out. */
export async function findPictures(folder: string): Promise<string[]> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new UserError(`there is no folder '${folder}'; check the path`)
      : new UserError(`the folder '${folder}' cannot be opened (${error.code}); check its permissions`);
  });
  if (!info.isDirectory()) throw new UserError(`'${folder}' is a file; give the folder that holds the pictures`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new UserError(`the folder '${folder}' cannot be read (${error.code}); check its permissions`);
    },
  );
  const files = entries
    .filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name).toLowerCase()))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')));
  if (files.length === 0)
    throw new UserError(`'${folder}' holds no JPEG, PNG, WebP, AVIF or TIFF; give a folder of pictures`);
  return files.sort();
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
