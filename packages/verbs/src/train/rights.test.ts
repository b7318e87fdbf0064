// No picture is trained on without a right: what every kind of training asks, and what its card says. The pictures are drawn here.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger, sayRights, verify } from '@zeuxis/provenance';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GenerateOptions, generate } from '../generate.js';
import { findModel } from '../models.js';
import { rights as record } from '../rights.js';
import { type StyleOptions, style } from '../style/style.js';
import { trainGan } from './gan.js';
import { trainStyle } from './style.js';
import { type TrainUpscalerOptions, trainUpscaler } from './upscaler.js';

let home: string;
const at = (...path: string[]) => join(home, ...path);
const mine = { text: 'drawn by this test', name: 'the test' };
const draw = (path: string, hue: number) =>
  sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="160" height="140"><rect width="160" height="140" fill="hsl(${hue},60%,40%)"/><circle cx="${60 + (hue % 40)}" cy="70" r="40" fill="hsl(${hue + 90},80%,60%)"/></svg>`)).png().toFile(path);
const train = (out: string, options: Partial<TrainUpscalerOptions> = {}) =>
  trainUpscaler({ pictures: at('set'), out: at(out), cache: at('cache'), scale: 2, preset: 'fast', images: 4, batch: 2, threads: 1, snapshots: 1, ...options });
/** Types into the record: columns of some of its rows. */
async function type(folder: string, of: Record<string, Record<string, string>>): Promise<void> {
  await record(folder);
  const [head, ...rows] = (await readFile(join(folder, 'rights.csv'), 'utf8')).trimEnd().split('\r\n');
  const names = head!.split(',');
  const typed = rows.map((row) => {
    const cells = row.split(',');
    for (const [name, value] of Object.entries(of[cells[0]!] ?? {})) cells[names.indexOf(name)] = /[",]/.test(value) ? `"${value}"` : value;
    return cells.join(',');
  });
  await writeFile(join(folder, 'rights.csv'), `${[head, ...typed].join('\r\n')}\r\n`);
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-asks-'));
  await mkdir(at('set'));
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) await draw(at('set', `${name}.png`), i * 50);
  const ada = { creator: 'Ada', licence: 'CC-BY-4.0' };
  await type(at('set'), {
    'a.png': { ...ada, title: 'Grapes', source: 'https://example.org/grapes' },
    'b.png': { ...ada, terms: '0.05 EUR per picture', weight: '2' },
    'c.png': { creator: 'Grace', consent: 'yes to training; signed 2026-01-02' },
    'd.png': { creator: 'Zeno', licence: 'CC0-1.0', consent: 'withdrawn' },
    'e.png': { licence: '© Hypatia' },
  });
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('refuses pictures without a right in one line that says what to do, and leaves nothing', async () => {
  const refusal = await train('refused').catch((error: Error) => error);
  expect(refusal).toMatchObject({ name: 'UserError', message: expect.stringMatching(/^1 of 6 pictures in '.*set' have no stated right \(f\.png\): fill in '.*rights\.csv' \(`zeuxis rights .*`.*--rights "TEXT, NAME".*--stated-only$/) });
  await mkdir(at('bare'));
  await draw(at('bare', 'a.png'), 0);
  await expect(train('refused', { pictures: at('bare') })).rejects.toThrow(/state the right.*--rights.*zeuxis rights/);
  expect(await readdir(home)).not.toContain('refused');
});

it('trains on the stated ones when told to leave the others out, names and counts those, and says whose pictures they are', async () => {
  const notes: string[] = [];
  const { card } = await train('stated', { statedOnly: true, onProgress: ({ note }) => note && notes.push(note) });
  expect(notes).toEqual([
    'left out d.png: the rights record says of consent: withdrawn',
    "left out e.png: the rights record says of its licence '© Hypatia', which grants nothing",
    'left out f.png: the rights record states no right to it',
    'left out 3 of 6 pictures: 0 that cannot serve, 1 reserved, 2 without a stated right',
  ]);
  expect(card.trainingSet).toMatchObject({ name: 'set', pictures: 3, reserved: 1, unstated: 2 });
  expect(card.trainingSet).not.toHaveProperty('rights');
  const said = {
    pictures: 3,
    weight: '4',
    licences: [
      { licence: 'CC-BY-4.0', pictures: 2 },
      { licence: 'consent: yes to training; signed 2026-01-02', pictures: 1 },
    ],
    contributors: [
      { name: 'Ada', pictures: 1, weight: '1' },
      { name: 'Ada', pictures: 1, weight: '2', terms: '0.05 EUR per picture' },
      { name: 'Grace', pictures: 1, weight: '1' },
    ],
    attributions: ['"Grapes" by Ada, https://example.org/grapes, CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)', '1 picture by Ada, CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)'],
  };
  expect({ ...card.trainingSet.record, attributions: card.trainingSet.record!.attributions.toSorted() }).toEqual(said);
  // The file says so too, and a resumed run still does.
  await trainUpscaler({ pictures: at('set'), out: at('stated'), cache: at('cache'), threads: 1, images: 8, resume: true });
  expect((await findModel(at('stated'))).card).toMatchObject({ images: 8, trainingSet: { pictures: 3, record: { contributors: said.contributors } } });
  expect(await readFile(at('stated', 'report.html'), 'utf8')).toContain('by its rights record: CC BY 4.0 (2 pictures)');
});

it('takes a stated right for those alone that say nothing themselves, and asks for it once', async () => {
  const { card } = await train('mine', { rights: mine });
  expect(card.trainingSet).toMatchObject({ pictures: 4, reserved: 1, unstated: 1, rights: mine, record: { pictures: 3, weight: '5' } });
  const asked: string[][] = [];
  const answered = await train('asked', {
    askRights: async ({ lacking }) => {
      asked.push(lacking);
      return mine;
    },
  });
  expect(asked).toEqual([['f.png']]);
  expect(answered.card.trainingSet).toEqual(card.trainingSet);
  await expect(train('asked', { resume: true, images: 8, statedOnly: true })).rejects.toThrow(/begun without --stated-only/);
});

it('does not go on with a run when a right is taken back, nor by a row of other bytes', async () => {
  await cp(at('set'), at('later'), { recursive: true });
  await train('begun', { pictures: at('later'), statedOnly: true });
  await type(at('later'), { 'c.png': { consent: 'refused' } });
  await expect(train('begun', { pictures: at('later'), resume: true, images: 8 })).rejects.toThrow(/what the rights record allows is no longer what the run/);
  await cp(at('later', 'c.png'), at('later', 'again.png'));
  await expect(train('copied', { pictures: at('later'), rights: mine })).resolves.toMatchObject({ card: { trainingSet: { pictures: 3, reserved: 3, unstated: 1 } } });
  await rm(at('later', 'again.png'));
  await draw(at('later', 'a.png'), 333);
  await expect(train('other', { pictures: at('later') })).rejects.toThrow(/2 of 6 pictures .* \(a\.png, f\.png\)/);
});

it('is asked by a generator and by a style, of paintings and of photographs', async () => {
  await mkdir(at('many'));
  for (let i = 0; i < 36; i++) await draw(at('many', `${i}.png`), i * 10);
  const gan = (out: string) => trainGan({ pictures: at('many'), out: at(out), cache: at('cache'), size: 32, batch: 8, images: 8, threads: 1, snapshots: 1 });
  await record(at('many'));
  await expect(gan('gan')).rejects.toThrow(/36 of 36 pictures .*\(0\.png, 1\.png, 10\.png and 33 more\)/);
  await record(at('many'), { licence: 'CC0', creator: 'Ada' });
  expect((await gan('gan')).card.trainingSet.record).toMatchObject({ pictures: 36, licences: [{ licence: 'CC0-1.0', pictures: 36 }], contributors: [{ name: 'Ada', pictures: 36, weight: '36' }], attributions: [] });

  await mkdir(at('paintings'));
  await draw(at('paintings', 'one.png'), 200);
  const learn = (out: string, options = {}) => trainStyle({ pictures: at('paintings', 'one.png'), content: at('set'), out: at(out), images: 2, batch: 2, crop: 96, scale: 0.3, threads: 1, snapshots: 1, ...options });
  await expect(learn('style', { statedOnly: true })).rejects.toThrow(/state the right/);
  await record(at('paintings'), { creator: 'Vincent', licence: 'public domain' });
  await expect(learn('style')).rejects.toThrow(/1 of 6 pictures in '.*set' have no stated right/);
  const { card } = await learn('style', { statedOnly: true });
  expect(card.trainingSet).toMatchObject({ pictures: 1, record: { contributors: [{ name: 'Vincent', pictures: 1 }] } });
  expect(card.content).toMatchObject({ pictures: 3, unstated: 2, reserved: 1, record: { pictures: 3 } });
});

it('stands in every picture painted in a style, by whose hand it is; in a mixture both', async () => {
  await mkdir(at('others'));
  await draw(at('others', 'two.png'), 20);
  await record(at('others'), { creator: 'Katsushika', licence: 'CC BY 4.0' });
  await trainStyle({ pictures: at('others'), content: at('set'), out: at('other-style'), images: 2, batch: 2, crop: 96, scale: 0.3, threads: 1, snapshots: 1, statedOnly: true });
  const mask = await sharp({ create: { width: 160, height: 140, channels: 3, background: 'white' } }).toColourspace('b-w').png().toFile(at('mask.png')).then(() => at('mask.png'));
  const paint = (out: string, options: Partial<StyleOptions> = {}) =>
    style({ inputs: [at('set', 'a.png')], out: at(out), model: at('style'), identityFolder: at('identity'), threads: 1, ...options });
  const { files } = await paint('painted');
  const alone = await verify(files[0]!.path, { identityFolder: at('identity') });
  expect(alone).toMatchObject({ state: 'trusted', learnedFrom: ['Vincent', 'Ada', 'Grace'], summary: expect.stringContaining("the style 'style', learned from 1 painting by Vincent (by its rights record: public domain (1 picture))") });
  expect(alone.human).toBeUndefined();
  const mixed = await paint('mixed', { model: [at('style'), at('other-style')], mix: 0.25, mask, author: 'Grace Hopper', chose: ['this frame'] });
  const both = await verify(mixed.files[0]!.path, { identityFolder: at('identity') });
  expect(both).toMatchObject({
    state: 'trusted',
    learnedFrom: ['Vincent', 'Ada', 'Grace', 'Katsushika'],
    actions: ['c2pa.opened', 'c2pa.filtered', 'c2pa.edited', 'org.zeuxis.chosen', 'org.zeuxis.chosen', 'org.zeuxis.chosen', 'c2pa.watermarked.bound'],
    human: { author: 'Grace Hopper', edited: ['where it is painted, by a mask'], chose: ["the style 'style' and 'other-style'", 'a mix of 0.25', 'this frame'] },
    summary: expect.stringMatching(/by Vincent .* by Katsushika /),
  });
  const [record0] = [await openLedger(at('identity')).byId(mixed.files[0]!.id!)];
  expect(record0!.models.map(({ trained }) => trained![0]!.record!.contributors[0]!.name)).toEqual(['Vincent', 'Katsushika']);
  expect(record0!.generation).toMatchObject({ human: { author: 'Grace Hopper' } });
  // Done before is only what says the same.
  expect((await paint('mixed', { model: [at('style'), at('other-style')], mix: 0.25, mask, author: 'Grace Hopper', chose: ['this frame'] })).kept).toHaveLength(1);
  expect((await paint('mixed', { model: [at('style'), at('other-style')], mix: 0.25, mask })).failures[0]!.message).toMatch(/is there already/);
  await expect(paint('mixed', { chose: ['this frame'] })).rejects.toThrow(/say who chose or edited: --author NAME/);
});

it('makes the pictures again that a person picked, and says who did', async () => {
  const make = (out: string, options: Partial<GenerateOptions> = {}) => generate({ model: at('gan'), out: at(out), count: 6, seed: 'grapes', identityFolder: at('identity'), threads: 1, ...options });
  const all = await make('all');
  const { files } = await make('picked', { pick: [4, 1, 4], author: 'Ada', truncation: 1 });
  expect(files.map(({ index }) => index)).toEqual([4, 1]);
  const pixels = (path: string) => sharp(path).raw().toBuffer();
  expect((await pixels(files[0]!.path)).equals(await pixels(all.files[4]!.path))).toBe(true);
  expect(await verify(files[1]!.path, { identityFolder: at('identity') })).toMatchObject({ state: 'trusted', generation: { index: 1 }, learnedFrom: ['Ada'], human: { author: 'Ada', chose: ['this one of 6', 'truncation 1', 'seed grapes'] } });
  expect((await verify(all.files[0]!.path, { identityFolder: at('identity') })).human).toBeUndefined();
  await expect(make('picked', { pick: [6] })).rejects.toThrow(/there is no picture 6 among 6, which go from 0 to 5/);
});

it('lets older cards say what they know', async () => {
  const { card } = await findModel('starry-night');
  expect(card).toMatchObject({ trainingSet: { rights: { text: expect.stringContaining('Vincent van Gogh') } } });
  expect(sayRights(card.task === 'style' ? card.trainingSet : {})).toMatch(/Vincent van Gogh, The Starry Night.*\(stated by Zeuxis\)/);
});
