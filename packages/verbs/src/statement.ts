// `rights statement`: what those are due whose pictures models learned from, for the published pictures of a period.

import { UserError, writeWhole } from '@zeuxis/pictures';
import { configFolder, openLedger, type Statement, type StatementLine, stateDues, writeTable } from '@zeuxis/provenance';
import { findModel, setsOf } from './models.js';

export interface StatementVerbOptions {
  /** First day or moment of the period, ISO 8601: '2026-01-01', or '2026-01-01T08:00:00Z'. Days are UTC's. */
  from?: string;
  /** Last day of the period, which belongs to it; or the moment at which it ends. */
  to?: string;
  /** Models, by shipped name, file or run folder, whose cards name the contributors that the ledger has no room for. */
  models?: readonly string[];
  /** Terms by contributors' names, for works whose record stated none when the model was trained: they may have been agreed since. */
  terms?: Readonly<Record<string, string>>;
  /** A CSV file to write it to. */
  csv?: string;
  /** Folder of the signing identity and its ledger; the user's own by default. */
  identityFolder?: string;
}

export interface StatementResult extends Statement {
  /** Lines of the ledger that cannot be read: what they recorded is missing here. */
  damaged: number;
}

const DAY = 24 * 60 * 60 * 1000;

function momentOf(option: 'from' | 'to', text: string): Date {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const time = day || /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : new Date(Number.NaN);
  // JavaScript takes the 31st of any month.
  if (Number.isNaN(time.getTime()) || (day && time.toISOString().slice(0, 10) !== text)) throw new UserError(`--${option} takes a day such as 2026-01-31, or a moment such as 2026-01-31T08:00:00Z, not '${text}'`);
  return option === 'to' && day ? new Date(time.getTime() + DAY) : time;
}

/** @throws UserError for a period that is none, a model that is none, and a ledger or a CSV file that cannot be read or written. */
export async function statement({ from, to, models = [], terms = {}, csv, identityFolder = configFolder() }: StatementVerbOptions = {}): Promise<StatementResult> {
  const period = { ...(from === undefined ? {} : { from: momentOf('from', from) }), ...(to === undefined ? {} : { to: momentOf('to', to) }) };
  if (period.from && period.to && period.from >= period.to) throw new UserError(`the period from ${from} to ${to} is empty`);
  const known = new Map((await Promise.all(models.map(findModel))).map(({ sha256, card }) => [sha256, setsOf(card)]));
  const ledger = openLedger(identityFolder);
  const { lines: damaged } = await ledger.damaged();
  const result = { ...(await stateDues(ledger.all(), { ...period, known, terms: new Map(Object.entries(terms)) })), damaged };
  if (csv !== undefined) await writeWhole(csv, writeTable(COLUMNS, result.lines.flatMap(rowsOf)));
  return result;
}

const COLUMNS = ['contributor', 'pictures', 'weighted', 'currency', 'amount', 'exact', 'terms'] as const;

/** A row for each currency; one without where no sum can be made. */
function rowsOf({ name, pictures, weighted, due, terms }: StatementLine): Record<string, string>[] {
  const common = { contributor: name, pictures: String(pictures), weighted, terms: terms.join('; ') };
  return due.length === 0 ? [common] : due.map((of) => ({ ...common, ...of }));
}
