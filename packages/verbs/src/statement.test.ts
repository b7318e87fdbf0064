// What contributors are due, by the ledger: exact sums, periods, mixed styles, and what cannot be known.

import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineGan, generatorModel, LATENT, Random } from '@zeuxis/nets';
import { writeWhole } from '@zeuxis/pictures';
import { type Contributor, inShort, type NamedModel, newId, openLedger, readTerms, type TrainedOn } from '@zeuxis/provenance';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cardMetadata, type GanCard } from './card.js';
import { findModel } from './models.js';
import { statement } from './statement.js';

let home: string;
let count = 0;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-statement-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const by = (name: string, weight: string, terms?: string): Contributor => ({ name, pictures: 1, weight, ...(terms === undefined ? {} : { terms }) });
const set = (fingerprint: string, weight: string, contributors: Contributor[]): TrainedOn => ({ name: 'set', pictures: 3, fingerprint, record: { pictures: 3, weight, licences: [], contributors, attributions: [] } });
const model = (name: string, ...trained: TrainedOn[]): NamedModel => ({ name, sha256: name.padEnd(64, '0').replace(/[^0-9a-f]/g, 'a'), trained });
/** A ledger of its own. */
function ledgerOf() {
  const identityFolder = join(home, `${count++}`);
  const ledger = openLedger(identityFolder);
  const publish = (time: string, models: NamedModel[], generation: Record<string, unknown> = {}, id = newId()) =>
    ledger.append({ id, time, name: 'a.png', sha256: 'ab'.repeat(32), bytes: 1, format: 'image/png', width: 1, height: 1, digitalSourceType: 'x', action: 'c2pa.created', generation, models, watermark: 0 });
  return { identityFolder, publish };
}
const linesOf = ({ lines }: Awaited<ReturnType<typeof statement>>) => Object.fromEntries(lines.map(({ name, ...line }) => [name, line]));

it('adds up shares exactly, for each currency, and rounds once', async () => {
  const { identityFolder, publish } = ledgerOf();
  const vines = model('vines', set('01', '3', [by('Ada', '1', '0.1 EUR per picture'), by('Grace', '1', '5 JPY per picture'), by('Zeno', '0.5', '10% of what is earned'), by('Hypatia', '0.5')]));
  for (let i = 0; i < 10; i++) await publish(`2026-01-0${1 + (i % 3)}T10:00:00.000Z`, [vines], { seed: i });
  const result = await statement({ identityFolder });
  expect(result).toMatchObject({ pictures: 10, unnamed: 0, cut: [], damaged: 0, totals: [{ currency: 'EUR', amount: '0.33' }, { currency: 'JPY', amount: '17' }] });
  expect(linesOf(result)).toEqual({
    Ada: { pictures: 10, weighted: '3.3333', due: [{ currency: 'EUR', amount: '0.33', exact: '1/3' }], terms: ['0.1 EUR per picture'], unpriced: [] },
    Grace: { pictures: 10, weighted: '3.3333', due: [{ currency: 'JPY', amount: '17', exact: '50/3' }], terms: ['5 JPY per picture'], unpriced: [] },
    Zeno: { pictures: 10, weighted: '1.6667', due: [], terms: ['10% of what is earned'], unpriced: ['10% of what is earned'] },
    Hypatia: { pictures: 10, weighted: '1.6667', due: [], terms: [], unpriced: [] },
  });
  // Binary fractions would make 0.30000000000000004 of it.
  for (let i = 0; i < 3; i++) await publish('2026-02-01T10:00:00.000Z', [model('own', set('02', '1', [by('Ada', '1', '0.1 EUR per picture')]))], { seed: i });
  expect(linesOf(await statement({ identityFolder, from: '2026-02-01' })).Ada!.due).toEqual([{ currency: 'EUR', amount: '0.30', exact: '0.3' }]);
});

it('takes the days of a period, both ends included, and refuses what is none', async () => {
  const { identityFolder, publish } = ledgerOf();
  const own = model('own', set('02', '1', [by('Ada', '1', '1 EUR per picture')]));
  for (const time of ['2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z', '2026-01-31T23:59:59.999Z', '2026-02-01T00:00:00.000Z']) await publish(time, [own]);
  expect(await statement({ identityFolder, from: '2026-01-01', to: '2026-01-31' })).toMatchObject({ from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', pictures: 2, totals: [{ currency: 'EUR', amount: '2.00' }] });
  expect(await statement({ identityFolder, to: '2026-01-01T00:00:00Z' })).toMatchObject({ pictures: 1 });
  for (const from of ['yesterday', '2026-02-30', '01.02.2026']) await expect(statement({ identityFolder, from })).rejects.toThrow(/--from takes a day such as 2026-01-31/);
  await expect(statement({ identityFolder, from: '2026-02-01', to: '2026-01-31' })).rejects.toThrow(/is empty/);
  expect(await statement({ identityFolder: join(home, 'none') })).toMatchObject({ pictures: 0, lines: [], totals: [] });
});

it('parts a picture of two styles as they were mixed, and counts a picture, a maker and a set once', async () => {
  const { identityFolder, publish } = ledgerOf();
  const sea = model('sea', set('03', '1', [by('Ada', '1', '1 EUR per picture')]), set('05', '2', [by('Grace', '2', '1 EUR per picture')]));
  const fire = model('fire', set('04', '1', [by('Zeno', '1', '1 EUR per picture')]), set('05', '2', [by('Grace', '2', '1 EUR per picture')]));
  await publish('2026-01-01T10:00:00.000Z', [sea, fire], { mix: 0.25 }, '0123456789abcdef');
  // Written again.
  await publish('2026-01-02T10:00:00.000Z', [sea, fire], { mix: 0.25 }, '0123456789abcdef');
  const twice = model('twice', set('06', '1', [by('Hypatia', '1', '1 EUR per picture')]), set('06', '1', [by('Hypatia', '1', '1 EUR per picture')]));
  await publish('2026-01-03T10:00:00.000Z', [twice]);
  const result = await statement({ identityFolder });
  expect(result.pictures).toBe(2);
  expect(result.lines.map(({ name, pictures, due }) => [name, pictures, due[0]!.amount])).toEqual([['Grace', 1, '1.00'], ['Hypatia', 1, '1.00'], ['Ada', 1, '0.75'], ['Zeno', 1, '0.25']]);
});

it('takes terms that were agreed since, where the record stated none', async () => {
  const { identityFolder, publish } = ledgerOf();
  await publish('2026-01-01T10:00:00.000Z', [model('own', set('0a', '4', [by('Ada', '1'), by('Ada', '1', '1 EUR per picture'), by('Grace', '2')]))]);
  expect((await statement({ identityFolder })).totals).toEqual([{ currency: 'EUR', amount: '0.25' }]);
  const agreed = linesOf(await statement({ identityFolder, terms: { Ada: '2 EUR per picture', Nobody: '9 EUR per picture' } }));
  expect(agreed.Ada!.due).toEqual([{ currency: 'EUR', amount: '0.75', exact: '0.75' }]);
  expect(Object.keys(agreed).sort()).toEqual(['Ada', 'Grace']);
});

it('says what it does not know: makers that nobody names, those that the ledger has no room for, and lines that are damaged', async () => {
  const { identityFolder, publish } = ledgerOf();
  const stated: TrainedOn = { name: 'set', pictures: 3, fingerprint: '07', rights: { text: 'mine', name: 'Ada' } };
  await publish('2026-01-01T10:00:00.000Z', [model('bare', stated)]);
  await publish('2026-01-01T10:00:00.000Z', [{ name: 'old', sha256: 'cd'.repeat(32) }]);
  await publish('2026-01-01T10:00:00.000Z', [model('half', set('08', '2', [by('Ada', '1')]))]);
  const many = Array.from({ length: 60 }, (_, i) => by(`Maker ${i}`, '1', '6 EUR per picture'));
  const trainingSet = { ...set('09', '60', many), skipped: 0, reserved: 0 };
  const card: GanCard = { card: 1, task: 'gan', name: 'crowd', preset: 'fast', size: 32, channels: 3, latent: LATENT, labels: [], trainingSet, seed: 0, images: 0, steps: 0, batch: 1, hours: 0, licence: 'CC0-1.0', zeuxis: '0.1.0' };
  const gan = defineGan({ preset: 'fast', size: 32, classes: 0 });
  const path = join(home, 'crowd.onnx');
  await writeWhole(path, generatorModel(gan, gan.generator.initialise(new Random(1)), cardMetadata(card)));
  const { sha256 } = await findModel(path);
  await publish('2026-01-01T10:00:00.000Z', [{ name: 'crowd', sha256, trained: [{ name: 'set', pictures: 3, fingerprint: '09', ...inShort(trainingSet) }] }]);
  await appendFile(join(identityFolder, 'ledger', 'published.jsonl'), '{"ledger":1,"torn":\n');
  expect(await statement({ identityFolder })).toMatchObject({ pictures: 4, unnamed: 4, cut: [{ name: 'crowd', sha256, contributors: 10 }], totals: [{ currency: 'EUR', amount: '5.00' }], damaged: 1 });
  const csv = join(home, 'dues.csv');
  expect(await statement({ identityFolder, models: [path], csv })).toMatchObject({ unnamed: 3, cut: [], totals: [{ currency: 'EUR', amount: '6.00' }] });
  const rows = (await readFile(csv, 'utf8')).trimEnd().split('\r\n');
  expect(rows).toHaveLength(62);
  expect(rows[0]).toBe('contributor,pictures,weighted,currency,amount,exact,terms');
  expect(rows).toContain('Maker 59,1,0.0167,EUR,0.10,0.1,6 EUR per picture');
});

it('reads terms as people write them, and no others', () => {
  const read = (text: string) => {
    const terms = readTerms(text);
    return terms && `${terms.rate} ${terms.currency}`;
  };
  expect(['0.05 EUR per picture', 'EUR 0,05 per picture', '2 usd a published picture', '1 CHF for each picture'].map(read)).toEqual(['0.05 EUR', '0.05 EUR', '2 USD', '1 CHF']);
  expect(['', '5% of revenue', '0.05 per picture', '-1 EUR per picture', '1.000.000 EUR per picture', '1 EUR per month'].map(read)).toEqual(Array(6).fill(undefined));
});
