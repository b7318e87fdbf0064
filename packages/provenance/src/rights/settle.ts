// Whether a picture may be trained on: the one place where that is decided, for every kind of training.
//
// Never, whatever else is said, where it is reserved: in the file itself, which whoever decodes it looks for, or in the rights record.
// Where its row states a right, of these very bytes. Otherwise where the one who trains states a right to all pictures without a
// statement of their own, unless the row's licence says that nothing is granted. What is left is a refusal, or left out by those who say so.

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Admission, type Denied, type HashedFile, UserError } from '@zeuxis/pictures';
import type { Row } from './csv.js';
import { withholds } from './licence.js';
import { permitted, RIGHTS_CSV, readRecord, reservedBy } from './record.js';
import { type SetRights, sayNames, summarise } from './summary.js';

/** A right to train, as somebody states it. */
export interface StatedRights {
  /** A licence or a sentence. */
  text: string;
  /** Who states it. */
  name: string;
}

/** Pictures that nothing states a right to. */
export interface Lacking {
  folder: string;
  /** Their names. */
  lacking: string[];
  pictures: number;
}

export interface TrainingRightsOptions {
  /** The right to pictures that carry no statement of their own. */
  rights?: StatedRights | undefined;
  /** Train on those alone that a record states a right to. */
  statedOnly?: boolean | undefined;
  /** Asked once, where there are pictures without a right and neither of these says what to do. */
  ask?: ((lacking: Lacking) => Promise<StatedRights | undefined>) | undefined;
}

/** What may be used of one set. */
export interface SettledRights {
  /** For whoever opens the set; undefined where it has no record. */
  admit?: Admission;
  /** By what right the pictures were used that came to be, for the model's card. */
  of(files: readonly string[]): SetRights;
}

/** Decides for all sets of a training. */
export class TrainingRights {
  #stated: StatedRights | undefined;

  constructor(private readonly options: TrainingRightsOptions) {
    this.#stated = options.rights;
  }

  /** The right that was stated for pictures without one of their own, in advance or when asked. */
  get stated(): StatedRights | undefined {
    return this.#stated;
  }

  /**
   * What may be used of a folder, or of one picture in a folder.
   * @throws UserError where neither a record nor anybody states a right, and for a record that cannot be read; `admit` where some pictures have none.
   */
  async settle(path: string): Promise<SettledRights> {
    const folder = (await stat(path).catch(() => undefined))?.isFile() ? dirname(path) : path;
    const record = await readRecord(folder);
    const rows = new Map<string, Row>();
    const of = (files: readonly string[]) => summarise(files, rows, this.#stated);
    if (record) return { admit: (files) => this.#admit(folder, record, files, rows), of };
    if (!this.#stated)
      throw new UserError(`state the right to train on these pictures: --rights "LICENCE OR SENTENCE, NAME", or picture by picture in a record, which \`zeuxis rights ${folder}\` begins`);
    return { of };
  }

  async #admit(folder: string, record: readonly Row[], files: readonly HashedFile[], rows: Map<string, Row>): Promise<ReadonlyMap<string, Denied>> {
    const denied = new Map<string, Denied>();
    const { byFile, byHash, reservedHashes } = indexed(record);
    const lacking: string[] = [];
    for (const { file, sha256 } of files) {
      const here = byFile.get(file);
      // A row without a hash was typed for this very name. Of other bytes a right says nothing; but who reserved a picture meant what it shows, and every copy.
      const row = here && (here.sha256 === sha256 || here.sha256 === '') ? here : byHash.get(sha256);
      const reserved = (here && reservedBy(here)) ?? reservedHashes.get(sha256);
      if (reserved) denied.set(file, { reserved });
      else if (row && permitted(row)) rows.set(file, row);
      else if (row && withholds(row.licence)) denied.set(file, { unstated: `the rights record says of its licence '${row.licence}', which grants nothing` });
      else lacking.push(file);
    }
    const { statedOnly = false, ask } = this.options;
    if (lacking.length > 0 && !this.#stated && !statedOnly) this.#stated = await ask?.({ folder, lacking, pictures: files.length });
    if (lacking.length > 0 && !this.#stated && !statedOnly)
      throw new UserError(
        `${lacking.length} of ${files.length} pictures in '${folder}' have no stated right (${firstFew(lacking)}): fill in '${join(folder, RIGHTS_CSV)}' (\`zeuxis rights ${folder}\` brings it up to date), state the right to them with --rights "TEXT, NAME", or leave them out with --stated-only`,
      );
    if (!this.#stated) for (const file of lacking) denied.set(file, { unstated: 'the rights record states no right to it' });
    return denied;
  }
}

/** Whether a folder, or the folder of a picture, has a record. */
export const hasRecord = async (path: string): Promise<boolean> => {
  const folder = (await stat(path).catch(() => undefined))?.isFile() ? dirname(path) : path;
  return (await stat(join(folder, RIGHTS_CSV)).catch(() => undefined)) !== undefined;
};

function indexed(record: readonly Row[]) {
  const hashed = record.filter(({ sha256 }) => sha256 !== '');
  return {
    byFile: new Map(record.map((row) => [row.file, row])),
    // Of several the first counts.
    byHash: new Map(hashed.toReversed().map((row) => [row.sha256, row])),
    reservedHashes: new Map(hashed.flatMap((row) => (reservedBy(row) ? [[row.sha256, reservedBy(row)!]] : []))),
  };
}

/** The first few by name, and how many more. */
const NAMED = 3;
export const firstFew = (files: readonly string[]): string => sayNames(files, 0, NAMED);
