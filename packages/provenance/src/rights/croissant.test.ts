// The record as Croissant, held against rules written down from the specification (MLCommons, Croissant 1.0: "Dataset-level information", "Resources",
// "RecordSets") and from what its reference reader, mlcroissant, calls an error or warns of. The rules know nothing of the code that writes it.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { croissant } from './croissant.js';
import { type Row, writeCsv } from './csv.js';

type Json = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value.trim() !== '';
const url: Check = (value) => text(value) && URL.canParse(value as string, 'https://example.org/') && !/\s/.test(value as string);
const date: Check = (value) => text(value) && /^\d{4}-\d\d-\d\d(T\S+)?$/.test(value as string) && !Number.isNaN(Date.parse(value as string));
const mime: Check = (value) => text(value) && /^(text|image|application)\/[a-z0-9.+-]+$/.test(value as string);
const of =
  (types: string[]): Check =>
  (value) =>
    typeof value === 'object' && value !== null && types.includes((value as Json)['@type'] as string) && text((value as Json).name);
const many =
  (check: Check): Check =>
  (value) =>
    [value].flat().length > 0 && [value].flat().every(check);
const either =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

/** What must be there, and of what type; what a reader warns of is asked for as well. */
const DATASET: Record<string, Check> = {
  '@type': (value) => value === 'sc:Dataset',
  conformsTo: (value) => value === 'http://mlcommons.org/croissant/1.0',
  name: text,
  description: text,
  license: many(either(url, of(['sc:CreativeWork']))),
  url,
  creator: many(of(['sc:Person', 'sc:Organization'])),
  datePublished: date,
  dateModified: date,
  version: (value) => text(value) && /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(value as string),
  citeAs: text,
  distribution: (value) => Array.isArray(value) && value.length > 0,
  recordSet: Array.isArray,
};
const RESOURCE: Record<string, Record<string, Check>> = {
  'cr:FileObject': { '@id': text, name: text, description: text, contentUrl: url, contentSize: (value) => text(value) && /^\d+ B$/.test(value as string), encodingFormat: mime, sha256: (value) => text(value) && /^[\da-f]{64}$/.test(value as string) },
  'cr:FileSet': { '@id': text, name: text, description: text, encodingFormat: mime, includes: many(text) },
};
const RECORD_SET: Record<string, Check> = { '@type': (value) => value === 'cr:RecordSet', '@id': text, name: text, description: text, key: many((value) => text((value as Json)['@id'])), field: (value) => Array.isArray(value) && value.length > 0 };
const FIELD: Record<string, Check> = { '@type': (value) => value === 'cr:Field', '@id': text, name: text, description: text, dataType: many((value) => ['sc:Boolean', 'sc:Date', 'sc:Float', 'sc:Integer', 'sc:Text', 'sc:URL', 'sc:ImageObject'].includes(value as string)) };
/** Terms that the specification gives an address in Croissant's own vocabulary: without the context they would be schema.org's. */
const OWN_TERMS = ['citeAs', 'column', 'dataType', 'extract', 'field', 'fileObject', 'fileSet', 'fileProperty', 'includes', 'key', 'recordSet', 'references', 'source', 'transform'];

function wrong(what: string, node: Json, rules: Record<string, Check>): string[] {
  return Object.entries(rules).flatMap(([name, check]) => (check(node[name]) ? [] : [`${what}: ${name}`]));
}

/** Every term that a document uses. */
const terms = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap(terms) : typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, inner]) => [name, ...terms(inner)]) : [];

/** What in a document is against the specification. @param columns those of the table that it describes. */
function faults(document: Json, columns: readonly string[]): string[] {
  const { '@context': context, ...rest } = document as { '@context': Record<string, string | { '@id': string }> } & Json;
  const resources = [document.distribution ?? []].flat() as Json[];
  const sets = [document.recordSet ?? []].flat() as Json[];
  const fields = sets.flatMap(({ field }) => field as Json[]);
  const ids = [...resources, ...sets, ...fields].map((node) => node['@id'] as string);
  const found = [...wrong('dataset', document, DATASET)];
  if (context['@vocab'] !== 'https://schema.org/' || context.sc !== 'https://schema.org/' || context.cr !== 'http://mlcommons.org/croissant/' || context.dct !== 'http://purl.org/dc/terms/') found.push('context: vocabularies');
  if (context.conformsTo !== 'dct:conformsTo') found.push('context: conformsTo');
  const used = new Set(terms(rest));
  for (const term of OWN_TERMS.filter((term) => used.has(term))) {
    const mapped = context[term];
    if ((typeof mapped === 'string' ? mapped : mapped?.['@id']) !== `cr:${term}`) found.push(`context: ${term}`);
  }
  if ((context.dataType as { '@type'?: string })?.['@type'] !== '@vocab') found.push('context: dataType is of the vocabulary');
  for (const node of resources) found.push(...wrong(String(node['@id']), node, RESOURCE[node['@type'] as string] ?? { '@type': () => false }));
  for (const set of sets) found.push(...wrong(String(set['@id']), set, RECORD_SET));
  if (new Set(ids).size < ids.length) found.push('an @id twice');
  for (const set of sets) {
    const own = (set.field as Json[]).map((field) => field['@id'] as string);
    for (const id of own) if (!id.startsWith(`${set['@id']}/`)) found.push(`${id}: not of its set`);
    for (const key of [set.key].flat() as Json[]) if (!own.includes(key['@id'] as string)) found.push(`${set['@id']}: key is no field of it`);
  }
  for (const field of fields) {
    found.push(...wrong(String(field['@id']), field, FIELD));
    const { fileObject, fileSet, extract } = (field.source ?? {}) as { fileObject?: Json; fileSet?: Json; extract?: Json };
    const from = [fileObject, fileSet].filter((one) => one !== undefined);
    if (from.length !== 1) found.push(`${field['@id']}: source`);
    const kind = fileObject ? 'cr:FileObject' : 'cr:FileSet';
    if (!resources.some((node) => node['@type'] === kind && node['@id'] === from[0]?.['@id'])) found.push(`${field['@id']}: source is not there`);
    if (Object.keys(extract ?? {}).length !== 1 || !columns.includes(extract?.column as string)) found.push(`${field['@id']}: extract`);
  }
  return found;
}

/** As of Python's fnmatch, by which the reference reader goes: a star goes into folders. */
const matches = (pattern: string, path: string) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's').test(path);

const row = (file: string, more: Partial<Row> = {}) => ({ file, sha256: 'ab'.repeat(32), source: '', creator: '', licence: '', consent: '', reservation: '', ...more }) as Row;
const ROWS = [
  row('a.jpg', { creator: 'Ada {Lovelace}', licence: 'CC-BY-4.0', source: 'https://example.org/set' }),
  row('kind/b.JPG', { creator: 'Grace', licence: 'drawn by us, for any use', source: 'https://example.org/set' }),
  row('kind/c.tif', { licence: '© Grace', source: 'https://example.org/set' }),
];
const written = (rows: readonly Row[], ...more: [before?: string, today?: string]) => croissant('my set', rows, writeCsv(rows), ...more);
const read = (...args: Parameters<typeof written>) => JSON.parse(written(...args)) as Json;
const COLUMNS = writeCsv(ROWS).split('\r\n')[0]!.split(',');

describe('the record as Croissant', () => {
  it.each<[string, readonly Row[]]>([
    ['a set with statements', ROWS],
    ['a set of which nothing is stated', [row('a.png')]],
    ['an empty one', []],
  ])('holds to the specification: %s', (_, rows) => {
    expect(faults(read(rows), COLUMNS)).toEqual([]);
  });

  it.each<[string, (document: Json & { distribution: Json[]; recordSet: (Json & { field: Json[] })[] }) => void]>([
    ['dataset: license', (document) => delete document.license],
    ['dataset: license', (document) => (document.license = ['drawn by us'])],
    ['dataset: url', (document) => delete document.url],
    ['dataset: datePublished', (document) => (document.datePublished = 'today')],
    ['dataset: version', (document) => (document.version = '2026.01.02')],
    ['rights.csv: sha256', (document) => delete document.distribution[0]!.sha256],
    ['rights.csv: @type', (document) => (document.distribution[0]!['@type'] = 'sc:FileObject')],
    ['pictures-jpeg: encodingFormat', (document) => (document.distribution[1]!.encodingFormat = 'image/*')],
    ['an @id twice', (document) => (document.distribution[1]!['@id'] = 'rights')],
    ['rights/file: description', (document) => delete document.recordSet[0]!.field[0]!.description],
    ['rights/file: source is not there', (document) => (document.recordSet[0]!.field[0]!.source = { fileObject: { '@id': 'other.csv' }, extract: { column: 'file' } })],
    ['rights: key is no field of it', (document) => (document.recordSet[0]!.key = { '@id': 'file' })],
    ['context: recordSet', (document) => delete (document['@context'] as Json).recordSet],
  ])('would be told of %s', (fault, spoil) => {
    const document = read(ROWS);
    spoil(document as Parameters<typeof spoil>[0]);
    expect(faults(document, COLUMNS)).toContain(fault);
  });

  it('names the table by its bytes, every picture by one set of files of its type, and each licence once that grants something', () => {
    const document = read(ROWS);
    const [table, ...sets] = document.distribution as (Json & { includes: string[] })[];
    expect(table).toMatchObject({ sha256: createHash('sha256').update(writeCsv(ROWS)).digest('hex'), contentSize: `${new TextEncoder().encode(writeCsv(ROWS)).length} B` });
    const holding = (file: string) => sets.filter(({ includes }) => includes.some((pattern) => matches(pattern, file))).map(({ encodingFormat }) => encodingFormat);
    expect(ROWS.map(({ file }) => holding(file))).toEqual([['image/jpeg'], ['image/jpeg'], ['image/tiff']]);
    expect(holding('rights.csv')).toEqual([]);
    expect(document).toMatchObject({
      license: ['https://creativecommons.org/licenses/by/4.0/', { name: 'drawn by us, for any use' }],
      creator: [{ name: 'Ada {Lovelace}' }, { name: 'Grace' }],
      url: 'https://example.org/set',
      citeAs: expect.stringContaining('author = {Ada Lovelace and Grace}'),
    });
  });

  it('is as old as its first record, and changed with its table; the same record is the same file', () => {
    const first = written(ROWS, undefined, '2026-03-04');
    expect(JSON.parse(first)).toMatchObject({ datePublished: '2026-03-04', dateModified: '2026-03-04', version: '2026.3.4' });
    expect(written(ROWS, first, '2027-01-02')).toBe(first);
    expect(read(ROWS.slice(1), first, '2027-01-02')).toMatchObject({ datePublished: '2026-03-04', dateModified: '2027-01-02', version: '2027.1.2' });
    for (const damaged of ['', '{', '[]', 'null', '{"datePublished":5,"distribution":[null]}']) expect(read(ROWS, damaged, '2027-01-02')).toMatchObject({ datePublished: '2027-01-02' });
  });
});
