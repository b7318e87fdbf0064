// The record of a set: a row for each picture, kept by what its bytes hash to.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPictures, inParallel, type Left, refusalOf, UserError } from '@zeuxis/pictures';
import { COLUMNS, type Row, readCsv } from './csv.js';
import { readEmbedded } from './embedded.js';
import { Fraction } from './exact.js';
import { consentsToTraining, grants, licenceOf, needsNames, refusedBy } from './licence.js';
import { readTerms } from './terms.js';

export const RIGHTS_CSV = 'rights.csv';
/** Columns that can be stated for all pictures at once. */
export const STATED = ['source', 'creator', 'licence', 'consent', 'terms'] as const;
export type RowStatement = Partial<Record<(typeof STATED)[number], string>>;

export interface Surveyed {
  rows: Row[];
  /** Pictures without a row before. */
  added: string[];
  /** Pictures whose bytes are others than those that the statement was made of: it counts no more. */
  changed: string[];
  moved: string[];
  /** Rows whose pictures are no more. */
  gone: string[];
}

/** The record of a folder; undefined where it has none. @throws UserError where it cannot be read. */
export async function readRecord(folder: string): Promise<Row[] | undefined> {
  const path = join(folder, RIGHTS_CSV);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(`'${path}' cannot be read (${error.code}); check its permissions`);
  });
  const rows = bytes && readCsv(bytes, path);
  const wrong = rows?.find(({ weight }) => weight !== '' && !Fraction.read(weight));
  if (wrong) throw new UserError(`'${path}' says the weight '${wrong.weight}' of '${wrong.file}'; write a number from 0 on, as in 1 or 0.5`);
  return rows;
}

/** The pictures of a folder with what the record before says of them, then they themselves, then the statement given for all. */
export async function surveyRights(folder: string, before: readonly Row[], stated: RowStatement, options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {}): Promise<Surveyed> {
  const files = await findPictures(folder);
  const byFile = new Map(before.map((row) => [row.file, row]));
  const byHash = new Map(before.toReversed().map((row) => [row.sha256, row]));
  const survey: Surveyed = { rows: new Array(files.length), added: [], changed: [], moved: [], gone: [] };
  let done = 0;
  await inParallel(files.length, async (i) => {
    options.signal?.throwIfAborted();
    const file = files[i]!;
    const bytes = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`'${join(folder, file)}' cannot be read (${error.code}); check it, or take it away`);
    });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const here = byFile.get(file);
    // A row without a hash was typed for this very name.
    const same = here && (here.sha256 === sha256 || here.sha256 === '');
    const old = same ? here : byHash.get(sha256);
    if (!same) (old ? survey.moved : here ? survey.changed : survey.added).push(file);
    const [refused, own] = [await refusalOf(bytes), await readEmbedded(bytes)];
    // What people typed of these bytes stays where the file itself says nothing: somebody asked to be left out.
    const reservation = refused && 'reserved' in refused ? refused.reserved : (old?.reservation ?? '');
    const row = { ...Object.fromEntries(COLUMNS.map((name) => [name, ''])), ...old, file, sha256, reservation } as Row;
    row.title ||= own.title ?? '';
    for (const name of STATED) row[name] ||= (own as RowStatement)[name] ?? stated[name]?.trim() ?? '';
    row.licence = licenceOf(row.licence);
    survey.rows[i] = row;
    options.onProgress?.(++done, files.length);
  });
  const [found, hashes] = [new Set(files), new Set(survey.rows.map(({ sha256 }) => sha256))];
  survey.gone = before.filter(({ file, sha256 }) => !found.has(file) && !hashes.has(sha256)).map(({ file }) => file);
  for (const list of [survey.added, survey.changed, survey.moved]) list.sort();
  return survey;
}

/** Why a picture must not be trained on, by its row. */
export const reservedBy = (row: Row): string | undefined => row.reservation || refusedBy(row.consent);

/** Whether a row states a right to train: a licence that grants something, or a consent to training. */
export const permitted = ({ licence, consent }: Row): boolean => grants(licence) || consentsToTraining(consent);

export interface Judgement {
  /** What the rows forbid. */
  reserved: Left[];
  /** Pictures that no right is stated to. */
  lacking: string[];
  /** Pictures whose licence asks for their maker's name, which no row has. */
  unattributed: string[];
  /** Terms that no sum can be made of. */
  unpriced: string[];
}

/** What the rows forbid, and what they leave open. */
export function judge(rows: readonly Row[]): Judgement {
  const reserved = rows.flatMap((row) => {
    const reason = reservedBy(row);
    return reason ? [{ file: row.file, reason }] : [];
  });
  const named = (of: (row: Row) => boolean) => rows.filter((row) => !reservedBy(row) && of(row)).map(({ file }) => file);
  return {
    reserved,
    lacking: named((row) => !permitted(row)),
    unattributed: named(({ licence, creator }) => needsNames(licence) && creator.trim() === ''),
    unpriced: [...new Set(rows.map(({ terms }) => terms.trim()).filter((terms) => terms !== '' && !readTerms(terms)))],
  };
}
