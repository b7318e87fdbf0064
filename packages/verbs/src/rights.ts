// `rights`: the record of by what right each picture of a folder may be trained on.

import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError, writeWhole } from '@zeuxis/pictures';
import { CROISSANT, croissant, type Judgement, judge, RIGHTS_CSV, type RowStatement, readRecord, STATED, surveyRights, writeCsv } from '@zeuxis/provenance';
import { pictureProgress, type VerbOptions } from './progress.js';

export interface RightsOptions extends VerbOptions, RowStatement {
  /** Change nothing. */
  check?: boolean;
}

export interface RightsResult extends Judgement {
  csv: string;
  croissant: string;
  pictures: number;
  added: string[];
  /** Pictures whose bytes are no longer those of their statement. */
  changed: string[];
  moved: string[];
  gone: string[];
  /** Whether the record as it lay there was that of these files. */
  matches: boolean;
}

/** Builds the record, or checks it. @throws UserError for a folder or a record that cannot be read or written. */
export async function rights(pictures: string, options: RightsOptions = {}): Promise<RightsResult> {
  const { check = false, signal } = options;
  const before = await readRecord(pictures);
  if (check && !before) throw new UserError(`'${pictures}' has no ${RIGHTS_CSV}; \`zeuxis rights\` without --check makes one`);
  const stated: RowStatement = check ? {} : Object.fromEntries(STATED.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
  const tell = { done: (_: number) => {} };
  const survey = await surveyRights(pictures, before ?? [], stated, {
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => {
      if (done === 1) tell.done = pictureProgress('rights', total, options);
      tell.done(done);
    },
  });
  const { rows, added, changed, moved, gone } = survey;
  const paths = { csv: join(pictures, RIGHTS_CSV), croissant: join(pictures, CROISSANT) };
  const csv = writeCsv(rows);
  const lay = await Promise.all([paths.csv, paths.croissant].map((path) => readFile(path, 'utf8').catch(() => undefined)));
  const json = croissant(basename(resolve(pictures)), rows, csv, lay[1]);
  if (!check) {
    await writeWhole(paths.csv, csv);
    await writeWhole(paths.croissant, json);
  }
  return { ...paths, pictures: rows.length, ...judge(rows), added, changed, moved, gone, matches: lay[0] === csv && lay[1] === json };
}
