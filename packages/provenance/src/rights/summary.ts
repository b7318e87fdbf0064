// What a model's card, its pictures' manifests and the ledger say of the rights to what it was trained on: which licences, whose pictures, what
// their makers must be named as (CC BY 4.0, 3(a)), and what is their share.

import { counted, isObject, isText, oneLine } from '../values.js';
import type { Row } from './csv.js';
import { Fraction } from './exact.js';
import { addressOf, needsNames } from './licence.js';
import type { StatedRights } from './settle.js';

/** One whose pictures a model was trained on, under the terms stated for them. */
export interface Contributor {
  name: string;
  pictures: number;
  /** Sum of the weights of these pictures, a decimal: 1 each where none is stated. Over the summary's it is the share. */
  weight: string;
  /** What is due for a picture made with the model, as in '0.05 EUR per picture'. */
  terms?: string;
}

/** Of pictures whose rights a record states. */
export interface RightsSummary {
  pictures: number;
  /** Sum of the weights of all pictures of the set, those of nobody named included; a decimal. */
  weight: string;
  licences: { licence: string; pictures: number }[];
  contributors: Contributor[];
  /** Texts that name makers, sources and licences, for pictures whose licence asks for it. */
  attributions: string[];
  /** How many further ones are not listed. */
  more?: Partial<Record<Listed, number>>;
}

/** By what right a set was trained on: a record's, a statement's for the pictures that the record says nothing of, or both. */
export interface SetRights {
  rights?: StatedRights;
  record?: RightsSummary;
}

const LISTED = ['licences', 'contributors', 'attributions'] as const;
type Listed = (typeof LISTED)[number];

/** What a card lists at most. */
const IN_CARD: Record<Listed, number> = { licences: 100, contributors: 5000, attributions: 1000 };
/** What a manifest and the ledger's record list: they come with every picture. The card, which they name by its model's hash, holds the rest. */
const IN_SHORT: Record<Listed, number> = { licences: 10, contributors: 50, attributions: 20 };
/** Characters of a name, a licence or terms. A sentence may be a licence. */
const LONGEST = 200;

const clean = (text: string): string => oneLine(text).slice(0, LONGEST);

/** A licence as people write it. */
export const licenceName = (licence: string): string => licence.replace(/^CC-(BY[A-Z-]*)-(\d\.\d)$/, 'CC $1 $2').replace(/^CC0-(\d\.\d)$/, 'CC0 $1');

/** "Title" by creator, source, licence (address). Of pictures without titles how many. */
function attribution({ title, creator, source, licence }: Record<'title' | 'creator' | 'source' | 'licence', string>, count: number): string {
  const address = addressOf(licence);
  const what = title === '' ? counted(count) : `"${title}"${count > 1 ? ` (${counted(count)})` : ''}`;
  return `${what} by ${creator || 'a maker who is not named'}${source === '' ? '' : `, ${source}`}, ${licenceName(licence)}${address && address !== licence ? ` (${address})` : ''}`;
}

/** Values under their keys, those that came most often first. */
function tally<T>(of: readonly Row[], keyOf: (row: Row) => T & Record<string, string>): { key: T; rows: Row[] }[] {
  const groups = new Map<string, { key: T; rows: Row[] }>();
  for (const row of of) {
    const key = keyOf(row);
    const text = JSON.stringify(key);
    const group = groups.get(text) ?? { key, rows: [] };
    group.rows.push(row);
    groups.set(text, group);
  }
  return [...groups].sort(([a, { rows: { length: m } }], [b, { rows: { length: n } }]) => n - m || (a < b ? -1 : 1)).map(([, group]) => group);
}

const weightOf = ({ weight }: Row): Fraction => Fraction.read(weight || '1') ?? Fraction.whole(1);
const weigh = (rows: readonly Row[]): Fraction => rows.reduce((sum, row) => sum.plus(weightOf(row)), Fraction.zero);

/**
 * Of the pictures that were trained on.
 * @param stating the rows that state the rights to some of them. @param stated the right to the others.
 */
export function summarise(files: readonly string[], stating: ReadonlyMap<string, Row>, stated: StatedRights | undefined): SetRights {
  const rows = files.flatMap((file) => stating.get(file) ?? []);
  const others = files.length - rows.length;
  const rights = stated && others > 0 ? { rights: stated } : {};
  if (rows.length === 0) return rights;
  const contributors = tally(rows.filter(({ creator }) => clean(creator) !== ''), ({ creator, terms }) => ({ name: clean(creator), terms: clean(terms) }));
  const summary: RightsSummary = {
    pictures: rows.length,
    weight: weigh(rows).plus(Fraction.whole(others)).toString(),
    licences: tally(rows, ({ licence, consent }) => ({ licence: clean(licence) || `consent: ${clean(consent)}` })).map(({ key, rows: of }) => ({ ...key, pictures: of.length })),
    contributors: contributors.map(({ key: { name, terms }, rows: of }) => ({ name, pictures: of.length, weight: weigh(of).toString(), ...(terms === '' ? {} : { terms }) })),
    attributions: tally(
      rows.filter(({ licence }) => needsNames(licence)),
      ({ title, creator, source, licence }) => ({ title: clean(title), creator: clean(creator), source: clean(source), licence: clean(licence) }),
    ).map(({ key, rows: of }) => attribution(key, of.length)),
  };
  return { ...rights, record: cut(summary, IN_CARD) };
}

function cut(summary: RightsSummary, most: Record<Listed, number>): RightsSummary {
  const more = LISTED.map((name) => [name, Math.max(0, summary[name].length - most[name]) + (summary.more?.[name] ?? 0)] as const).filter(([, count]) => count > 0);
  const { more: _, licences, contributors, attributions, ...rest } = summary;
  return {
    ...rest,
    licences: licences.slice(0, most.licences),
    contributors: contributors.slice(0, most.contributors),
    attributions: attributions.slice(0, most.attributions),
    ...(more.length > 0 ? { more: Object.fromEntries(more) } : {}),
  };
}

/** Short enough to come with every picture. */
export const inShort = ({ rights, record }: SetRights): SetRights => ({ ...(rights ? { rights } : {}), ...(record ? { record: cut(record, IN_SHORT) } : {}) });

/** The share of a set that a weight is. */
export const shareOf = (weight: string, { weight: all }: RightsSummary): Fraction => {
  const [part, whole] = [Fraction.read(weight), Fraction.read(all)];
  return part && whole && whole.compare(Fraction.zero) > 0 ? part.over(whole) : Fraction.zero;
};

/** The first few of some names, and how many more: those left out here and so many others. */
const NAMED = 5;
export const sayNames = (names: readonly string[], more = 0, named = NAMED): string => {
  const rest = Math.max(0, names.length - named) + more;
  return [names.slice(0, named).join(', '), ...(rest > 0 ? [`${rest} more`] : [])].join(' and ');
};

/** Whose pictures a set holds, as in ' by Ada, Grace'; nothing where nobody is named. */
export function sayMakers({ record }: SetRights): string {
  const names = [...new Set(record?.contributors.map(({ name }) => name))];
  return names.length > 0 ? ` by ${sayNames(names, record?.more?.contributors)}` : '';
}

/** In a sentence, for people. */
export function sayRights({ rights, record }: SetRights): string {
  const own = rights && `${rights.text} (stated by ${rights.name})`;
  if (!record) return own ?? 'nobody states a right';
  const licences = record.licences.map(({ licence, pictures }) => `${licenceName(licence)} (${counted(pictures)})`);
  const more = record.more?.licences ? ` and ${record.more.licences} more` : '';
  return `by its rights record: ${licences.join(', ')}${more}${own ? `; the others: ${own}` : ''}`;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isWeight = (value: unknown): boolean => isText(value) && Fraction.read(value) !== undefined;
const all = (value: unknown, holds: (item: unknown) => boolean): boolean => Array.isArray(value) && value.every(holds);

/** Whether a value from a file, which anyone may have made, is what it must be: a statement, a summary, or both. */
export function isSetRights(value: unknown): value is SetRights {
  if (!isObject(value)) return false;
  const { rights, record } = value;
  if (rights === undefined && record === undefined) return false;
  if (rights !== undefined && !(isObject(rights) && isText(rights.text) && isText(rights.name))) return false;
  if (record === undefined) return true;
  return (
    isObject(record) &&
    isCount(record.pictures) &&
    isWeight(record.weight) &&
    all(record.licences, (item) => isObject(item) && isText(item.licence) && isCount(item.pictures)) &&
    all(record.contributors, (item) => isObject(item) && isText(item.name) && isCount(item.pictures) && isWeight(item.weight) && (item.terms === undefined || isText(item.terms))) &&
    all(record.attributions, isText) &&
    (record.more === undefined || (isObject(record.more) && Object.values(record.more).every(isCount)))
  );
}
