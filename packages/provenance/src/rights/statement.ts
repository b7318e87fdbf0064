// What each contributor is due for the pictures of a period: the ledger says which were published and with which models, those whose pictures the models
// learned from, with what share and on which terms. All of it is added up exactly, and rounded once, at the end.

import type { LedgerRecord } from '../ledger/record.js';
import type { TrainedOn } from '../publish.js';
import { Fraction } from './exact.js';
import { shareOf } from './summary.js';
import { readTerms } from './terms.js';

export interface Due {
  /** ISO 4217. */
  currency: string;
  /** Rounded to the currency's smallest unit, halves up. */
  amount: string;
  /** A decimal, or a fraction where that does not end. */
  exact: string;
}

export interface StatementLine {
  name: string;
  /** Published pictures that theirs had a part in. */
  pictures: number;
  /** The sum of their shares in these, rounded to four places. */
  weighted: string;
  due: Due[];
  /** Terms that were stated. */
  terms: string[];
  /** Those of them that no sum can be made of. */
  unpriced: string[];
}

export interface Statement {
  /** ISO 8601, UTC: from this moment on, and before that. */
  from?: string;
  to?: string;
  /** Published in the period. */
  pictures: number;
  /** Of these, made with models of which nobody says, in whole or in part, whose pictures they learned from. */
  unnamed: number;
  lines: StatementLine[];
  /** The sum of the lines. */
  totals: { currency: string; amount: string }[];
  /** Models of which the ledger names but the first of the contributors, whose file names all. */
  cut: { name: string; sha256: string; contributors: number }[];
}

export interface StatementOptions {
  from?: Date;
  to?: Date;
  /** What models were trained on by their own cards, under their SHA-256: these name all contributors. */
  known?: ReadonlyMap<string, readonly TrainedOn[]>;
  /** Terms by contributors' names, for works whose record states none. */
  terms?: ReadonlyMap<string, string>;
}

/** A part that a model had in a picture. */
interface Part {
  name: string;
  sha256: string;
  sets: readonly TrainedOn[];
  part: Fraction;
}

/** The models of a picture: of two that were mixed as much as of each is in it, otherwise each whole. Sets that a model saw twice count once. */
function partsOf({ models, generation }: LedgerRecord, known: StatementOptions['known']): Part[] {
  const second = models.length === 2 && typeof generation.mix === 'number' ? Fraction.read(String(generation.mix)) : undefined;
  return models.map(({ name, sha256, trained = [] }, i) => ({
    name,
    sha256,
    sets: [...new Map((known?.get(sha256) ?? trained).map((set) => [set.fingerprint, set])).values()],
    part: second === undefined ? Fraction.whole(1) : i === 0 ? Fraction.whole(1).minus(second) : second,
  }));
}

/** Digits after the point of a currency's smallest unit. */
function unitOf(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

class Account {
  pictures = 0;
  weighted = Fraction.zero;
  readonly due = new Map<string, Fraction>();
  readonly terms = new Set<string>();
  readonly unpriced = new Set<string>();

  add(share: Fraction, terms: string | undefined): void {
    this.weighted = this.weighted.plus(share);
    if (terms === undefined) return;
    this.terms.add(terms);
    const read = readTerms(terms);
    if (!read) this.unpriced.add(terms);
    else this.due.set(read.currency, (this.due.get(read.currency) ?? Fraction.zero).plus(share.times(read.rate)));
  }

  line(name: string): StatementLine {
    const due = [...this.due].sort().map(([currency, sum]) => ({ currency, amount: sum.toFixed(unitOf(currency)), exact: sum.toString() }));
    return { name, pictures: this.pictures, weighted: this.weighted.toFixed(4), due, terms: [...this.terms], unpriced: [...this.unpriced] };
  }
}

/** Whether all of a set's makers are named in it. */
const isNamed = (set: TrainedOn): boolean =>
  set.record !== undefined && set.record.more?.contributors === undefined && set.record.contributors.reduce((sum, { weight }) => sum.plus(shareOf(weight, set.record!)), Fraction.zero).compare(Fraction.whole(1)) === 0;

/** Sums up a ledger. A picture that was written again, the same to its words and pixels, is one. */
export async function stateDues(ledger: AsyncIterable<LedgerRecord>, { from, to, known, terms }: StatementOptions = {}): Promise<Statement> {
  const seen = new Set<string>();
  /** Pictures of the same models in the same parts, which are all worth the same. */
  const alike = new Map<string, { count: number; parts: Part[] }>();
  for await (const record of ledger) {
    const time = Date.parse(record.time);
    if ((from && time < from.getTime()) || (to && time >= to.getTime()) || seen.has(record.id)) continue;
    seen.add(record.id);
    const key = JSON.stringify([record.models, record.models.length === 2 ? record.generation.mix : 0]);
    const group = alike.get(key) ?? { count: 0, parts: partsOf(record, known) };
    group.count++;
    alike.set(key, group);
  }
  const accounts = new Map<string, Account>();
  const cut: Statement['cut'] = [];
  let unnamed = 0;
  for (const { count, parts } of alike.values()) {
    const named = new Set<Account>();
    for (const { name, sha256, sets, part } of parts)
      for (const { record } of sets) {
        if (record?.more?.contributors && !cut.some((of) => of.sha256 === sha256)) cut.push({ name, sha256, contributors: record.more.contributors });
        for (const contributor of record?.contributors ?? []) {
          const account = accounts.get(contributor.name) ?? new Account();
          accounts.set(contributor.name, account);
          account.add(shareOf(contributor.weight, record!).times(part).times(Fraction.whole(count)), contributor.terms ?? terms?.get(contributor.name));
          named.add(account);
        }
      }
    for (const account of named) account.pictures += count;
    if (!parts.every(({ sets }) => sets.length > 0 && sets.every(isNamed))) unnamed += count;
  }
  const lines = [...accounts].sort(([a, { weighted: m }], [b, { weighted: n }]) => n.compare(m) || (a < b ? -1 : 1)).map(([name, account]) => account.line(name));
  return { ...(from ? { from: from.toISOString() } : {}), ...(to ? { to: to.toISOString() } : {}), pictures: seen.size, unnamed, lines, totals: totalsOf(lines), cut };
}

function totalsOf(lines: readonly StatementLine[]): Statement['totals'] {
  const sums = new Map<string, Fraction>();
  for (const { currency, amount } of lines.flatMap(({ due }) => due)) sums.set(currency, (sums.get(currency) ?? Fraction.zero).plus(Fraction.read(amount) ?? Fraction.zero));
  return [...sums].sort().map(([currency, sum]) => ({ currency, amount: sum.toFixed(unitOf(currency)) }));
}
