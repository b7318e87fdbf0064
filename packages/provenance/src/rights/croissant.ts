// The record as Croissant 1.0 (MLCommons), JSON-LD, which other tools read.

import { createHash } from 'node:crypto';
import { COLUMNS, type Row } from './csv.js';
import { addressOf, grants } from './licence.js';
import { RIGHTS_CSV } from './record.js';

export const CROISSANT = 'croissant.json';

/** As the format's specification gives it; readers compare it. */
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
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};

const distinct = (values: string[]) => [...new Set(values.filter((value) => value !== ''))].sort();

export function croissant(name: string, rows: readonly Row[], csv: string): string {
  const licences = distinct(rows.filter(({ licence }) => grants(licence)).map(({ licence }) => licence));
  const creators = distinct(rows.map(({ creator }) => creator));
  return `${JSON.stringify(
    {
      '@context': CONTEXT,
      '@type': 'sc:Dataset',
      name,
      description: `${rows.length} pictures, each with its source, creator, licence and consent.`,
      conformsTo: 'http://mlcommons.org/croissant/1.0',
      ...(licences.length > 0 ? { license: licences.map((licence) => addressOf(licence) ?? licence) } : {}),
      ...(creators.length > 0 ? { creator: creators.map((creator) => ({ '@type': 'sc:Person', name: creator })) } : {}),
      distribution: [
        { '@type': 'cr:FileObject', '@id': RIGHTS_CSV, name: RIGHTS_CSV, contentUrl: RIGHTS_CSV, encodingFormat: 'text/csv', sha256: createHash('sha256').update(csv).digest('hex') },
        { '@type': 'cr:FileSet', '@id': 'pictures', name: 'pictures', encodingFormat: 'image/*', includes: ['jpg', 'jpeg', 'png', 'webp', 'avif', 'tif', 'tiff'].map((end) => `**/*.${end}`) },
      ],
      recordSet: [
        {
          '@type': 'cr:RecordSet',
          '@id': 'rights',
          name: 'rights',
          key: { '@id': 'rights/file' },
          field: COLUMNS.map((column) => ({ '@type': 'cr:Field', '@id': `rights/${column}`, name: column, dataType: 'sc:Text', source: { fileObject: { '@id': RIGHTS_CSV }, extract: { column } } })),
        },
      ],
    },
    undefined,
    2,
  )}\n`;
}
