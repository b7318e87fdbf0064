// The sets of a training: by what right they are used, what was left out of them, and what the card says of them.

import { createHash } from 'node:crypto';
import { type LeftOut, UserError } from '@zeuxis/pictures';
import { type SettledRights, type StatedRights, TrainingRights } from '@zeuxis/provenance';
import type { TrainingSet } from '../card.js';
import type { VerbOptions } from '../progress.js';
import { folderName } from './loop.js';
import type { KeptSettings, TrainingOptions } from './settings.js';

/** By what right a run trains: as it was begun, or as it is asked for. */
export const rightsOf = ({ rights, statedOnly, askRights }: TrainingOptions, kept: KeptSettings | undefined): TrainingRights =>
  new TrainingRights(kept ? { rights: kept.rights, statedOnly: kept.statedOnly } : { rights, statedOnly, ask: askRights });

const rightsText = (rights: StatedRights | undefined): string | undefined => rights && `${rights.text}, ${rights.name}`;

/** What no run can change of its rights. */
export const fixedRights = (asked: Pick<TrainingOptions, 'rights' | 'statedOnly'>, kept: Pick<KeptSettings, 'rights' | 'statedOnly'>): [string, unknown, unknown][] => [
  ['rights', rightsText(asked.rights), rightsText(kept.rights)],
  ['statedOnly', asked.statedOnly || undefined, kept.statedOnly],
];

const usedOf = (...files: (readonly string[])[]): string => createHash('sha256').update(JSON.stringify(files)).digest('hex');

/** What a new run keeps of its rights. @param files those trained on, of each of its sets. */
export const keptRights = ({ stated }: TrainingRights, { statedOnly }: Pick<TrainingOptions, 'statedOnly'>, ...files: (readonly string[])[]): Pick<KeptSettings, 'rights' | 'statedOnly' | 'used'> => ({
  ...(stated ? { rights: stated } : {}),
  ...(statedOnly ? { statedOnly } : {}),
  used: usedOf(...files),
});

/** @throws UserError where a run that is to go on would see other pictures than it began with. */
export function requireSame({ fingerprint, used }: KeptSettings, found: string, out: string, ...files: (readonly string[])[]): void {
  if (fingerprint !== found) throw new UserError(`the pictures are not those of the checkpoint in '${out}'; start a new run in another folder`);
  if (used !== undefined && used !== usedOf(...files))
    throw new UserError(`what the rights record allows is no longer what the run in '${out}' was begun with; start a new run in another folder, which trains on what may be used now`);
}

/** A set as it was opened. */
interface Opened extends LeftOut {
  count: number;
  files: readonly string[];
  fingerprint: string;
}

/** What a card says of a set. */
export const setOf = (path: string, { count, files, fingerprint, skipped, reserved, unstated }: Opened, settled: SettledRights): TrainingSet => ({
  name: folderName(path),
  pictures: count,
  fingerprint,
  skipped: skipped.length,
  reserved: reserved.length,
  ...(unstated.length > 0 ? { unstated: unstated.length } : {}),
  ...settled.of(files),
});

/** Of each kind so many are named, and the others counted. */
const NAMED = 10;

const countLeftOut = ({ skipped, reserved, unstated }: LeftOut): number => skipped.length + reserved.length + unstated.length;

/** What a report says of pictures that were left out; nothing where none were. */
export function alsoLeftOut(opened: LeftOut): string {
  const count = countLeftOut(opened);
  return count > 0 ? `; ${count} left out` : '';
}

/** Says which pictures were left out, and why: the first few of each kind by name, and how many there were. */
export function tellLeftOut(stage: string, { count, skipped, reserved, unstated }: Opened, onProgress: NonNullable<VerbOptions['onProgress']>): void {
  const say = (note: string) => onProgress({ stage, done: count, total: count, unit: 'pictures', note });
  for (const list of [skipped, reserved, unstated]) for (const { file, reason } of list.slice(0, NAMED)) say(`left out ${file}: ${reason}`);
  const all = countLeftOut({ skipped, reserved, unstated });
  if (all > 0) say(`left out ${all} of ${count + all} pictures: ${skipped.length} that cannot serve, ${reserved.length} reserved, ${unstated.length} without a stated right`);
}
