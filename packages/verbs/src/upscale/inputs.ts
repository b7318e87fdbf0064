// What is to be enlarged: files, folders and patterns, and where each result goes.

import { stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join } from 'node:path';
import { findPictures, UserError } from '@zeuxis/pictures';

/** Beside the extensions of pictures: DICOM, and what is refused by name rather than passed over. */
const EXTRA = ['.dcm', '.gif'];

export interface Input {
  path: string;
  /** Of the result, without extension. */
  name: string;
}

/**
 * All files that the arguments name, folders with everything below them, each with the name of its result: the output folder
 * is flat, and two files of one name would take each other's place.
 * @throws UserError for an argument that names nothing.
 */
export async function findInputs(args: readonly string[]): Promise<Input[]> {
  const paths: string[] = [];
  for (const argument of args) {
    const info = await stat(argument).catch(() => undefined);
    if (info?.isDirectory()) paths.push(...(await findPictures(argument, EXTRA)).map((file) => join(argument, file)));
    else if (info || !/[*?[{]/.test(argument)) paths.push(argument);
    else {
      // A shell expands patterns; those in quotes, and all on Windows, come here as they were written.
      const { glob } = await import('tinyglobby');
      const found = await glob(argument.replaceAll('\\', '/'), { onlyFiles: true, absolute: isAbsolute(argument) });
      if (found.length === 0) throw new UserError(`no file matches '${argument}'`);
      paths.push(...found.sort());
    }
  }
  return [...new Set(paths)].map((path) => ({ path, name: basename(path, extname(path)) }));
}
