// The door for DICOM, which has no place for C2PA's credentials: a derived object says in its own tags what it is (PS3.3,
// C.7.6.1.1.3), and is written whole like every picture that leaves.

import { createHash } from 'node:crypto';
import { writeWhole } from '@zeuxis/pictures';
import type { Published } from './publish.js';

/** Writes a derived object, as of `writeDerived`. @throws UserError where the file cannot be written. */
export async function publishDicom(file: Uint8Array, path: string): Promise<Published> {
  await writeWhole(path, file);
  return { path, sha256: createHash('sha256').update(file).digest('hex'), bytes: file.length };
}
