// The record as Croissant 1.0 (MLCommons), JSON-LD, which other tools read.

import { createHash } from 'node:crypto';
import { counted } from '../values.js';
import { COLUMNS, type Row } from './csv.js';
import { addressOf, grants } from './licence.js';
import { RIGHTS_CSV } from './record.js';

export const CROISSANT = 'croissant.json';

/** As the format's specification gives it, with what its own reader has added since: readers compare it. */
const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};

const DESCRIPTIONS: Record<(typeof COLUMNS)[number], string> = {
  file: 'Path of the picture, from the folder of this file on.',
  sha256: 'SHA-256 of the picture file, hexadecimal.',
  source: 'Where the picture is from.',
  creator: 'Who made the picture.',
  licence: 'Under what licence it may be used: an SPDX identifier, or a sentence. Empty where none is stated.',
  consent: 'Consent of those whom the picture shows.',
  reservation: 'What the picture file itself reserves, or whoever keeps the record. Empty where nothing is reserved.',
  title: 'What the picture is called, for its attribution.',
  weight: 'What the picture counts in the shares of contributors: a decimal, 1 where it is empty.',
  terms: 'What is due for a picture made with a model that learned from this one.',
};

const TYPES: Record<string, string> = { jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', avif: 'image/avif', tif: 'image/tiff', tiff: 'image/tiff' };

/** In the citation. */
const MOST_AUTHORS = 20;

const distinct = (values: readonly string[]) => [...new Set(values.filter((value) => value !== ''))].sort();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Nothing that would end a text of BibTeX, or begin a command. */
const plain = (text: string) => text.replace(/[\\{}]/g, '');

/** One set of files for each kind of picture (1.0, FileSet: homogeneous), by the endings that there are: patterns tell capitals from small letters. */
function fileSets(rows: readonly Row[]) {
  const endings = distinct(rows.map(({ file }) => file.split('.').at(-1)!));
  const typeOf = (ending: string) => TYPES[ending.toLowerCase()] ?? 'application/octet-stream';
  return distinct(endings.map(typeOf)).map((type) => ({
    '@type': 'cr:FileSet',
    '@id': `pictures-${type.split('/').at(-1)}`,
    name: `pictures-${type.split('/').at(-1)}`,
    description: `The pictures of type ${type}.`,
    encodingFormat: type,
    // Of some readers '*' does not go into folders, and of some '**' not out of them.
    includes: endings.filter((ending) => typeOf(ending) === type).flatMap((ending) => [`*.${ending}`, `**/*.${ending}`]),
  }));
}

/** When a record was first written, and of what table it was last; of one that cannot be read nothing is known. */
function readDates(before: string | undefined): { published?: string; modified?: string; table?: string } {
  try {
    const { datePublished: published, dateModified: modified, distribution } = JSON.parse(before ?? '') as { datePublished?: unknown; dateModified?: unknown; distribution?: { '@id'?: string; sha256?: string }[] };
    const isDate = (date: unknown): date is string => typeof date === 'string' && /^\d{4}-\d\d-\d\d$/.test(date);
    const table = distribution?.find((file) => file['@id'] === RIGHTS_CSV)?.sha256;
    return { ...(isDate(published) ? { published } : {}), ...(isDate(modified) ? { modified } : {}), ...(table === undefined ? {} : { table }) };
  } catch {
    return {};
  }
}

/**
 * The record of a folder. All that the specification requires of a data set is there: what nobody stated is said to be not stated. A licence that has no
 * address is a work of that name.
 * @param csv the table as it is written.
 * @param before the file as it lay there: a set is as old as its first record, and changed with its table.
 * @param today ISO 8601, day.
 */
export function croissant(name: string, rows: readonly Row[], csv: string, before?: string, today = new Date().toISOString().slice(0, 10)): string {
  const licences = distinct(rows.filter(({ licence }) => grants(licence)).map(({ licence }) => licence));
  const creators = distinct(rows.map(({ creator }) => creator));
  const sources = distinct(rows.map(({ source }) => source));
  const lay = readDates(before);
  const datePublished = lay.published ?? today;
  const dateModified = lay.table === sha256(csv) ? (lay.modified ?? today) : today;
  const authors = [...creators.slice(0, MOST_AUTHORS).map(plain), ...(creators.length > MOST_AUTHORS ? ['others'] : [])];
  return `${JSON.stringify(
    {
      '@context': CONTEXT,
      '@type': 'sc:Dataset',
      name,
      description: `${counted(rows.length)}, each with its source, creator, licence and consent.`,
      conformsTo: 'http://mlcommons.org/croissant/1.0',
      license: (licences.length > 0 ? licences : ['NOASSERTION']).map((licence) => addressOf(licence) ?? { '@type': 'sc:CreativeWork', name: licence }),
      creator: creators.length > 0 ? creators.map((creator) => ({ '@type': 'sc:Person', name: creator })) : [{ '@type': 'sc:Organization', name: 'not stated' }],
      // A folder has no page of its own, unless all of it is from one.
      url: sources.length === 1 && /^https?:\/\/\S+$/.test(sources[0]!) ? sources[0] : './',
      datePublished,
      dateModified,
      // By the calendar, as MAJOR.MINOR.PATCH.
      version: dateModified.split('-').map(Number).join('.'),
      citeAs: `@misc{${name.replace(/[^\w-]+/g, '-')}, title = {${plain(name)}}, author = {${authors.join(' and ') || 'not stated'}}, year = {${datePublished.slice(0, 4)}}}`,
      distribution: [
        {
          '@type': 'cr:FileObject',
          '@id': RIGHTS_CSV,
          name: RIGHTS_CSV,
          description: 'The rights record: a row a picture.',
          contentUrl: RIGHTS_CSV,
          contentSize: `${Buffer.byteLength(csv)} B`,
          encodingFormat: 'text/csv',
          sha256: sha256(csv),
        },
        ...fileSets(rows),
      ],
      recordSet: [
        {
          '@type': 'cr:RecordSet',
          '@id': 'rights',
          name: 'rights',
          description: 'By what right each picture may be used.',
          key: { '@id': 'rights/file' },
          field: COLUMNS.map((column) => ({
            '@type': 'cr:Field',
            '@id': `rights/${column}`,
            name: column,
            description: DESCRIPTIONS[column],
            dataType: 'sc:Text',
            source: { fileObject: { '@id': RIGHTS_CSV }, extract: { column } },
          })),
        },
      ],
    },
    undefined,
    2,
  )}\n`;
}
