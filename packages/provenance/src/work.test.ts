// Whose pictures a picture was learned from, and what people did for it: what its manifest, the ledger and verify say.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRaster } from '@zeuxis/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatOf, loadC2pa, offline } from './c2pa.js';
import { examine, humanWork, type Identity, inShort, type NamedModel, openIdentity, openLedger, publish, publishEdited, type RightsSummary, type SetRights, verify } from './index.js';
import type { Row } from './rights/csv.js';
import { summarise } from './rights/summary.js';

let home: string;
let identity: Identity;
const folder = () => join(home, 'identity');
const data = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 7) % 256);
const pixels = { width: 48, height: 32, channels: 3, data } as const;
const signing = () => ({ identity, version: '9.9.9' });

const row = (file: string, stated: Partial<Row>): [string, Row] => [
  file,
  { file, sha256: '', source: '', creator: '', licence: '', consent: '', reservation: '', title: '', weight: '', terms: '', ...(stated as Record<string, string>) } as Row,
];
const stating = new Map([row('a', { creator: 'Ada', licence: 'CC-BY-4.0', title: 'Grapes', source: 'https://example.org/a' }), row('b', { creator: 'Grace', licence: 'CC0-1.0', terms: '0.05 EUR per picture' })]);
const set = (rights: SetRights) => ({ name: 'vines', pictures: 3, fingerprint: 'cd'.repeat(32), ...rights });
const model = (): NamedModel => ({ name: 'grapes', sha256: 'ab'.repeat(32), trained: [set(summarise(['a', 'b', 'c'], stating, { text: 'mine', name: 'Zeno' }))] });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-work-'));
  identity = await openIdentity(folder());
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function assertions(path: string): Promise<{ label: string; data: Record<string, unknown> & { actions: Record<string, unknown>[] } }[]> {
  const { WasmReader } = await loadC2pa();
  const bytes = await readFile(path);
  const reader = await WasmReader.fromBytes(formatOf(bytes)!, bytes, offline([identity.rootPem]));
  const { manifests, active_manifest: active } = JSON.parse(reader.json());
  reader.free();
  return manifests[active].assertions;
}
const work = async (path: string) => (await assertions(path)).find(({ label }) => label === 'cawg.metadata')?.data;

it.each(['png', 'jpeg', 'webp'] as const)('names makers, licences and attribution in a %s that the official reader trusts, and in the ledger', async (format) => {
  const path = join(home, `made.${format}`);
  const { id } = await publish(pixels, path, { model: model(), seed: 1 }, { ...signing(), format });
  const verdict = await verify(path, { identityFolder: folder() });
  expect(verdict).toMatchObject({ state: 'trusted', problems: [], learnedFrom: ['Ada', 'Grace'], summary: expect.stringContaining('; learned from pictures by Ada, Grace, signed by') });
  expect(await work(path)).toEqual({
    '@context': { schema: 'https://schema.org/' },
    'schema:isBasedOn': [
      {
        '@type': 'schema:SoftwareApplication',
        'schema:name': 'grapes',
        'schema:identifier': `sha256:${'ab'.repeat(32)}`,
        'schema:isBasedOn': [
          {
            '@type': 'schema:Dataset',
            'schema:name': 'vines',
            'schema:size': '3 pictures',
            'schema:identifier': 'cd'.repeat(32),
            'schema:license': ['https://creativecommons.org/licenses/by/4.0/', 'https://creativecommons.org/publicdomain/zero/1.0/', 'mine (stated by Zeno)'],
            'schema:contributor': [
              { '@type': 'schema:Person', 'schema:name': 'Ada', 'schema:description': '1 picture' },
              { '@type': 'schema:Person', 'schema:name': 'Grace', 'schema:description': '1 picture; 0.05 EUR per picture' },
            ],
            'schema:creditText': ['"Grapes" by Ada, https://example.org/a, CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)'],
          },
        ],
      },
    ],
  });
  expect((await openLedger(folder()).byId(id))!.models[0]!.trained).toEqual(model().trained);
});

it('names them in pictures that a model changed, of each format', async () => {
  for (const format of ['tiff', 'avif'] as const) {
    const [source, path] = [join(home, 'source.png'), join(home, `changed.${format}`)];
    const raster = { ...pixels, alpha: false, depth: 8 } as const;
    await writeFile(source, await encodeRaster(raster, { format: 'png' }));
    const edit = { action: 'c2pa.filtered', description: "painted by 'grapes'", parent: { path: source, bytes: await readFile(source) }, generation: { model: model() } } as const;
    await publishEdited(async () => ({ ...raster, data: data.slice(), format }), path, edit, { ...signing(), format });
    expect(await verify(path, { identityFolder: folder() })).toMatchObject({ state: 'trusted', learnedFrom: ['Ada', 'Grace'] });
  }
});

it('says how many more there are than a manifest has room for, and nothing of a model that says nothing', async () => {
  const many = new Map(Array.from({ length: 120 }, (_, i) => row(`${i}`, { creator: `Maker ${i}`, licence: 'CC-BY-4.0', title: `Work ${i}` })));
  const all = summarise([...many.keys()], many, undefined);
  expect(all.record).toMatchObject({ pictures: 120, weight: '120', licences: [{ licence: 'CC-BY-4.0', pictures: 120 }] });
  expect([all.record!.contributors.length, all.record!.attributions.length, all.record!.more]).toEqual([120, 120, undefined]);
  const short = inShort(all).record as RightsSummary;
  expect([short.contributors.length, short.attributions.length, short.more]).toEqual([50, 20, { contributors: 70, attributions: 100 }]);
  const path = join(home, 'many.png');
  await publish(pixels, path, { model: { ...model(), trained: [set(inShort(all))] }, seed: 1 }, { ...signing(), format: 'png' });
  expect(JSON.stringify(await work(path))).toMatch(/"70 more contributors, in the model's card"/);
  expect(JSON.stringify(await work(path))).toMatch(/"and 100 more, in the model's card"/);
  await publish(pixels, path, { model: { name: 'grapes', sha256: 'ab'.repeat(32) }, seed: 1 }, { ...signing(), format: 'png' });
  expect(await work(path)).toBeUndefined();
});

it('is led back to them by the watermark of a copy without credentials', async () => {
  const size = { width: 256, height: 256 };
  const noise = Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => 128 + 60 * Math.sin(i / 97) + ((i * 7919) % 31));
  const path = join(home, 'marked.png');
  await publish({ ...size, channels: 3, data: noise }, path, { model: model(), seed: 1, human: humanWork('Grace', { chose: ['this one'] }) }, { ...signing(), format: 'png' });
  const copy = join(home, 'copy.png');
  await sharp(path).png().toFile(copy);
  const answer = await examine(copy, { identityFolder: folder() });
  expect(answer).toMatchObject({ verdict: 'watermark', learnedFrom: ['Ada', 'Grace'], human: { author: 'Grace', chose: ['this one'] }, summary: expect.stringMatching(/ledger\); learned from pictures by Ada, Grace; Grace chose this one$/) });
});

it('keeps what a person chose and edited as actions without a software agent', async () => {
  const human = humanWork(' Grace\nHopper ', { chose: ["the label 'dress'", ''], edited: ['the mask'] });
  const path = join(home, 'human.png');
  const { id } = await publish(pixels, path, { model: { name: 'grapes', sha256: 'ab'.repeat(32) }, seed: 1, human }, { ...signing(), format: 'png' });
  expect(await verify(path, { identityFolder: folder() })).toMatchObject({
    state: 'trusted',
    digitalSourceType: expect.stringMatching(/\/trainedAlgorithmicMedia$/),
    actions: ['c2pa.created', 'c2pa.edited', 'org.zeuxis.chosen'],
    human: { author: 'Grace Hopper', chose: ["the label 'dress'"], edited: ['the mask'] },
    summary: expect.stringContaining("; Grace Hopper edited the mask and chose the label 'dress', signed by"),
  });
  const [, edited, chosen] = (await assertions(path)).find(({ label }) => label.startsWith('c2pa.actions'))!.data.actions;
  expect(edited).toMatchObject({ digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits', description: 'Grace Hopper edited the mask', parameters: { 'org.zeuxis.author': 'Grace Hopper' } });
  expect(chosen).toMatchObject({ description: "Grace Hopper chose the label 'dress'" });
  for (const action of [edited, chosen]) expect(action).not.toHaveProperty('softwareAgent');
  expect(await work(path)).toMatchObject({ 'schema:contributor': [{ 'schema:name': 'Grace Hopper' }] });
  expect((await openLedger(folder()).byId(id))!.generation).toMatchObject({ human });
  expect(() => humanWork(' ', {})).toThrow(/has no name/);
  expect(() => humanWork('Grace', { chose: ['x'.repeat(301)] })).toThrow(/longer than the 300 letters/);
  expect(() => humanWork('Grace', { chose: Array.from({ length: 21 }, (_, i) => `${i}`) })).toThrow(/at most 20/);
});
