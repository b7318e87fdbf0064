import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecord } from '@zeuxis/provenance';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rights } from './rights.js';

let home: string;
const XMP = (inner: string) =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">${inner}</rdf:Description></rdf:RDF></x:xmpmeta>`;
const draw = (name: string, hue: number, xmp?: string) => {
  const picture = sharp({ create: { width: 40, height: 40, channels: 3, background: `hsl(${hue},70%,50%)` } }).jpeg();
  return (xmp ? picture.withXmp(XMP(xmp)) : picture).toFile(join(home, name));
};
const rowOf = async (file: string) => (await readRecord(home))!.find((row) => row.file === file);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-rights-'));
  await mkdir(join(home, 'sub'));
  await draw('a.jpg', 0);
  await draw('sub/b.jpg', 100);
  await draw('c.jpg', 200, '<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator><xmpRights:WebStatement>https://creativecommons.org/licenses/by/4.0/</xmpRights:WebStatement>');
  await draw('d.jpg', 300, '<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining>');
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('reads what pictures say, keeps what people typed, and lets go what is of other bytes', async () => {
  await expect(rights(home, { check: true })).rejects.toThrow(/has no rights\.csv/);
  expect(await rights(home)).toMatchObject({ pictures: 4, lacking: ['a.jpg', 'sub/b.jpg'], reserved: [{ file: 'd.jpg' }] });
  expect(await rowOf('c.jpg')).toMatchObject({ creator: 'Ada', licence: 'CC-BY-4.0' });
  // As a spreadsheet leaves it: a byte order mark and semicolons.
  const typed = (await readFile(join(home, 'rights.csv'), 'utf8')).replaceAll(',', ';').replace(/(a\.jpg;\w+);;;/, '$1;=1+1;Grace;© Grace');
  await writeFile(join(home, 'rights.csv'), `\ufeff${typed}`);
  expect((await rights(home, { licence: 'CC0', source: 'here' })).lacking).toEqual(['a.jpg']);
  expect(await rowOf('a.jpg')).toMatchObject({ source: '=1+1', creator: 'Grace', licence: '© Grace' });
  expect(await readFile(join(home, 'rights.csv'), 'utf8')).toContain(",'=1+1,");
  expect(await rowOf('sub/b.jpg')).toMatchObject({ source: 'here', licence: 'CC0-1.0' });
  expect(await rights(home, { check: true })).toMatchObject({ matches: true });
  await rename(join(home, 'sub/b.jpg'), join(home, 'moved.jpg'));
  await draw('a.jpg', 50);
  await rm(join(home, 'd.jpg'));
  expect(await rights(home, { check: true })).toMatchObject({ matches: false });
  expect(await rights(home)).toMatchObject({ moved: ['moved.jpg'], changed: ['a.jpg'], gone: ['d.jpg'], lacking: ['a.jpg'] });
  expect(await rowOf('moved.jpg')).toMatchObject({ source: 'here', licence: 'CC0-1.0' });
  const json = JSON.parse(await readFile(join(home, 'croissant.json'), 'utf8'));
  expect(json).toMatchObject({ conformsTo: 'http://mlcommons.org/croissant/1.0', creator: [{ name: 'Ada' }], license: expect.arrayContaining(['https://creativecommons.org/licenses/by/4.0/']) });
});
