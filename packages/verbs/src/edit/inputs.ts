// What is to be enlarged: files, folders and patterns, and where each result goes.

import { open, realpath, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { findPictures, UserError } from '@zeuxis/pictures';
import { type EditRecord, verify } from '@zeuxis/provenance';

/** Beside the extensions of pictures: DICOM, which often has none, and what is refused by name rather than passed over. */
const EXTRA = ['.dcm', '.gif', ''];

/** Whether a file without an extension is DICOM: 'DICM' stands at byte 128 (PS3.10, 7.1). */
async function isBareDicom(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  const { buffer } = (await file?.read(Buffer.alloc(4), 0, 4, 128).catch(() => undefined)) ?? {};
  await file?.close();
  return buffer?.toString('latin1') === 'DICM';
}

export interface Input {
  path: string;
  /** Of the result, without extension. */
  name: string;
}

export interface Inputs {
  inputs: Input[];
  /** Arguments that name nothing. */
  failures: { source: string; message: string }[];
}

/**
 * All files that the arguments name, folders with everything below them, each with the name of its result. Results of earlier runs,
 * in an output folder that lies among the pictures, are not taken up again.
 */
export async function findInputs(args: readonly string[], out: string, isOurs: (edit: EditRecord) => boolean): Promise<Inputs> {
  const paths = new Map<string, string>();
  const failures: Inputs['failures'] = [];
  const add = (path: string) => paths.set(resolve(path), paths.get(resolve(path)) ?? path);
  for (const argument of args)
    await expand(argument, out, isOurs).then(
      (found) => found.forEach(add),
      (error: Error) => {
        if (error.name !== 'UserError') throw error;
        failures.push({ source: argument, message: error.message });
      },
    );
  return { inputs: [...paths.values()].map((path) => ({ path, name: nameOf(path) })), failures };
}

/** Extensions that a name is known by; what follows another dot is part of it, as in UIDs. */
const KNOWN = /\.(png|jpe?g|webp|avif|tiff?|gif|dcm|heic|heif|bmp|svg|jxl|txt)$/i;
/** Whether a file's name says that it is a picture of another kind than DICOM. */
export const hasPictureName = (path: string): boolean => KNOWN.test(path) && !/\.dcm$/i.test(path);
const nameOf = (path: string): string => basename(path).replace(KNOWN, '');

async function expand(argument: string, out: string, isOurs: (edit: EditRecord) => boolean): Promise<string[]> {
  const info = await stat(argument).catch(() => undefined);
  if (info?.isDirectory()) {
    const [folder, results] = [await realpath(argument), await realpath(out).catch(() => undefined)];
    const all = (await findPictures(argument, EXTRA)).map((file) => join(argument, file));
    const usable = await Promise.all(all.map((path) => KNOWN.test(path) || isBareDicom(path)));
    const found = all.filter((_, i) => usable[i]);
    if (found.length === 0) throw new UserError(`'${argument}' holds no PNG, JPEG, WebP, AVIF, TIFF or DICOM; give a folder of pictures`);
    if (results === undefined || relative(folder, results).startsWith('..')) return found;
    // In the very folder of the pictures only its manifest tells a result from a picture.
    const isResult = async (path: string) => {
      if (folder !== results) return !relative(results, await realpath(path).catch(() => path)).startsWith('..');
      const edit = extname(path).toLowerCase() === '.dcm' ? undefined : (await verify(path).catch(() => undefined))?.edit;
      return edit !== undefined && isOurs(edit);
    };
    const marks = await Promise.all(found.map(isResult));
    return found.filter((_, i) => !marks[i]);
  }
  if (info || !/[*?[{]/.test(argument)) return [argument];
  // A shell expands patterns; those in quotes, and all on Windows, come here as they were written.
  const { glob } = await import('tinyglobby');
  const found = await glob(argument.replaceAll('\\', '/'), { onlyFiles: true, absolute: isAbsolute(argument) });
  if (found.length === 0) throw new UserError(`no file matches '${argument}'`);
  return found.sort();
}
