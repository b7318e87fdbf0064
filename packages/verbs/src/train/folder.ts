// What every training does before it begins and after it failed to: the run folder, and what can be refused at once.

import { mkdir, rm } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { add, compile, input } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { removeStale, UserError, writeFault } from '@zeuxis/pictures';
import { runPaths } from './loop.js';

/**
 * Does the work in a run folder, made where it is missing. What needs no pictures fails before they are read, which may take
 * long; a run that never began (the work never called `begin`) leaves no empty folders.
 * @throws UserError where the folder cannot be made or lies among the pictures; DeviceError where the device does not start.
 */
export async function inRunFolder<T>(
  { out, pictures, device = 'cpu' }: { out: string; pictures: string | readonly string[]; device?: string },
  work: (begin: () => void) => Promise<T>,
): Promise<T> {
  // A run must not train on its own grids.
  for (const folder of [pictures].flat())
    if (!relative(resolve(folder), resolve(out)).startsWith('..')) throw new UserError(`the run folder '${out}' lies in the pictures' folder '${folder}'; choose one outside it`);
  await (await openSession(compile({ y: add(input('x', [1]), 1) }), { device, threads: 1 })).close();
  const { grids } = runPaths(out);
  // The uppermost folder that had to be made, or undefined where all were there.
  const made = await mkdir(grids, { recursive: true }).catch((error) => {
    throw writeFault(error, grids);
  });
  await removeStale(out);
  let begun = false;
  try {
    return await work(() => {
      begun = true;
    });
  } catch (error) {
    if (made && !begun) await rm(made, { recursive: true, force: true });
    throw error;
  }
}

/** Turns a network's refusal of a preset or size into one for people. */
export function asUserError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RangeError ? new UserError(error.message) : error;
  }
}
