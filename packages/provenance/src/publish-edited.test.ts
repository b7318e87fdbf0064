// Pictures made from others: what the official reader says of them, and what becomes of the credentials that the others carried.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeRaster, RASTER_FORMATS, type RasterFormat, UserError } from '@zeuxis/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadC2pa, offline } from './c2pa.js';
import { type Edit, type EditAction, type Identity, openIdentity, publish, publishEdited, verify } from './index.js';
import { leave } from './publish.js';

let home: string;
let identity: Identity;
const ours = { identityFolder: '' };
const model = { name: 'grapes', sha256: 'ab'.repeat(32) };
const data = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 7) % 256);
const large = { width: 48, height: 32, channels: 3, alpha: false, depth: 8, data } as const;
const signing = () => ({ identity, version: '9.9.9' });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-edited-'));
  ours.identityFolder = join(home, 'identity');
  identity = await openIdentity(ours.identityFolder);
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Enlarges, as it were, the file at a path. */
async function enlarge(source: string, format: RasterFormat = 'png', name = `enlarged.${format}`, more: Partial<Edit> = {}) {
  const parent = { path: source, bytes: await readFile(source) };
  const edit: Edit = { action: 'c2pa.resized', description: "enlarged 2 times by 'grapes'", parent, generation: { model, scale: 2 }, ...more };
  return publishEdited(async () => ({ ...large, format, data: data.slice() }), join(home, name), edit, { ...signing(), format });
}
const generated = (name: string, format: 'png' | 'jpeg' | 'webp' = 'png') =>
  publish({ width: 48, height: 32, channels: 3, data }, join(home, name), { model, seed: 1 }, { ...signing(), format });
async function plain(format: RasterFormat, name = `plain.${format}`): Promise<string> {
  await writeFile(join(home, name), await encodeRaster(large, { format }));
  return join(home, name);
}

interface Store {
  validation_state: string;
  active_manifest: string;
  manifests: Record<string, { ingredients: Record<string, unknown>[]; assertions: { label: string; data: { actions: Record<string, unknown>[] } }[] }>;
}
/** The manifest store as the official reader reports it. */
async function store(path: string, format: RasterFormat = 'png'): Promise<Store> {
  const { WasmReader } = await loadC2pa();
  const reader = await WasmReader.fromBytes(`image/${format}`, await readFile(path), offline([identity.rootPem]));
  try {
    return JSON.parse(reader.json());
  } finally {
    reader.free();
  }
}

describe('a picture made from another', () => {
  it.each(RASTER_FORMATS)('is trusted as %s, and says from what and how', async (format) => {
    const source = await plain(format);
    const { path, bytes, sha256: sum } = await enlarge(source, format);
    const file = await readFile(path);
    expect([bytes, sum]).toEqual([file.length, sha256(file)]);
    const title = `plain.${format}`;
    expect(await verify(path, ours)).toMatchObject({
      state: 'trusted',
      problems: [],
      claimGenerator: 'zeuxis 9.9.9',
      actions: ['c2pa.opened', 'c2pa.resized'],
      digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia',
      edit: { model, scale: 2, parent: { title, sha256: sha256(await readFile(source)) } },
      parent: { title, problems: [] },
      ingredients: [title],
      models: [model.name],
      summary: expect.stringMatching(new RegExp(`^edited with a model: enlarged 2 times by 'grapes', from '${title}', signed by Zeuxis local key \\w+, unchanged since$`)),
    });
    expect((await verify(path, ours)).generation).toBeUndefined();
  });

  it('opens its parent as C2PA 2.x asks: first, by reference, without a source type', async () => {
    const { path } = await enlarge(await plain('png'));
    const { manifests, active_manifest: active } = await store(path);
    const { ingredients, assertions } = manifests[active]!;
    expect(ingredients).toMatchObject([
      { title: 'plain.png', relationship: 'parentOf', format: 'image/png', label: 'c2pa.ingredient.v3' },
      { title: model.name, relationship: 'inputTo', data_types: [{ type: 'c2pa.types.model.onnx' }], description: `SHA-256 ${model.sha256}` },
    ]);
    const [opened, resized] = assertions.find(({ label }) => label === 'c2pa.actions.v2')!.data.actions;
    expect(opened).toEqual({ action: 'c2pa.opened', parameters: { ingredients: [{ url: 'self#jumbf=c2pa.assertions/c2pa.ingredient.v3', hash: expect.any(String) }] } });
    expect(resized).toMatchObject({ action: 'c2pa.resized', softwareAgent: { name: 'zeuxis', version: '9.9.9' }, description: "enlarged 2 times by 'grapes'" });
  });

  it('takes any pair of formats', async () => {
    for (const from of RASTER_FORMATS) expect(await verify((await enlarge(await plain(from), 'jpeg')).path, ours)).toMatchObject({ state: 'trusted', ingredients: [`plain.${from}`] });
  });

  it('serves other edits too, with their settings', async () => {
    const styled: EditAction = 'c2pa.filtered';
    const generation = { model, strength: 0.5, keepColour: true };
    const { path } = await enlarge(await plain('webp'), 'webp', 'styled.webp', { action: styled, description: 'painted over', generation });
    expect(await verify(path, ours)).toMatchObject({ state: 'trusted', actions: ['c2pa.opened', styled], edit: generation, summary: expect.stringMatching(/^edited with a model: painted over, from 'plain.webp', signed/) });
  });

  it('keeps the whole line of ancestors and their credentials', async () => {
    const first = await generated('born.jpg', 'jpeg');
    const second = await enlarge(first.path, 'webp', 'second.webp');
    const third = await enlarge(second.path, 'tiff', 'third.tiff');
    const { manifests, active_manifest: active } = await store(third.path, 'tiff');
    expect(Object.keys(manifests)).toHaveLength(3);
    const parent = manifests[active]!.ingredients[0]!;
    expect(parent.title).toBe('second.webp');
    const grandparent = manifests[parent.active_manifest as string]!.ingredients[0]!;
    expect(grandparent.title).toBe('born.jpg');
    expect(manifests[grandparent.active_manifest as string]!.assertions[0]!.data.actions[0]).toMatchObject({ action: 'c2pa.created' });
    expect(await verify(third.path, ours)).toMatchObject({ state: 'trusted', problems: [], parent: { title: 'second.webp', problems: [] } });
    // To someone who does not know this signer, nothing is tampered with.
    const stranger = await verify(third.path, { identityFolder: join(home, 'nobody') });
    expect(stranger).toMatchObject({ state: 'valid', problems: ['signingCredential.untrusted'] });
  });

  it('is itself found out when it is changed', async () => {
    const { path } = await enlarge((await generated('honest.png')).path, 'jpeg', 'changed.jpeg');
    const file = await readFile(path);
    file[file.length - 20]! ^= 1;
    await writeFile(path, file);
    expect(await verify(path, ours)).toMatchObject({ state: 'invalid', problems: ['assertion.dataHash.mismatch'], summary: expect.stringMatching(/^tampered with/) });
  });

  it('is not blamed for a parent that was tampered with, and does not hide it', async () => {
    const { path: source } = await generated('forged.png');
    const forged = await readFile(source);
    forged[forged.length - 16]! ^= 1;
    await writeFile(source, forged);
    expect((await verify(source, ours)).state).toBe('invalid');
    for (const format of RASTER_FORMATS) {
      const { path } = await enlarge(source, format, `from-forged.${format}`);
      expect((await store(path, format)).validation_state).toBe('Trusted');
      expect(await verify(path, ours)).toMatchObject({
        state: 'trusted',
        problems: [],
        parent: { title: 'forged.png', problems: ['assertion.dataHash.mismatch'] },
        summary: expect.stringMatching(/^edited with a model: .*; 'forged.png' itself had been tampered with, or signed wrongly, before that: the picture is not the one that was signed \(assertion.dataHash.mismatch\)$/),
      });
    }
    // And still in the next generation.
    const next = await enlarge(join(home, 'from-forged.png'), 'png', 'next.png');
    const { manifests, active_manifest: active } = await store(next.path);
    const middle = manifests[active]!.ingredients[0]!.active_manifest as string;
    expect(JSON.stringify(manifests[middle]!.ingredients[0])).toContain('assertion.dataHash.mismatch');
  });

  it('names a parent that the library cannot read', async () => {
    const broken: [string, Uint8Array][] = [
      ['text.png', Buffer.from('no picture')],
      ['cut.png', (await readFile((await generated('whole.png')).path)).subarray(0, 300)],
      ['empty.png', new Uint8Array()],
    ];
    for (const [name, bytes] of broken) {
      await writeFile(join(home, name), bytes);
      const { path } = await enlarge(join(home, name), 'png', `from-${name}`);
      expect(await verify(path, ours)).toMatchObject({ state: 'trusted', parent: { title: name }, edit: { parent: { title: name, sha256: sha256(bytes) } } });
    }
    const { manifests, active_manifest: active } = await store(join(home, 'from-text.png'));
    expect(manifests[active]!.ingredients[0]!.description).toBe(`SHA-256 ${sha256(broken[0]![1])}; this file could not be examined for credentials`);
  });

  it('survives a parent whose credentials are garbage', async () => {
    const { path: source } = await generated('garbage.png');
    const file = await readFile(source);
    const at = file.indexOf('c2pa.assertions');
    file.fill(0x5a, at - 40, at + 200);
    await writeFile(source, file);
    const { path } = await enlarge(source, 'png', 'from-garbage.png');
    expect(await verify(path, ours)).toMatchObject({ state: 'trusted', parent: { title: 'garbage.png' } });
  });

  it('asks no address that its parent names', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end('no manifest');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.c2pa`;
      const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="${address}"/></rdf:RDF></x:xmpmeta>`;
      const source = join(home, 'remote.jpg');
      await sharp(data, { raw: { width: 48, height: 32, channels: 3 } }).withXmp(xmp).jpeg().toFile(source);
      // The XMP goes along with the pixels, but for the address: it is of the parent's credentials, and stays with the parent.
      const edit: Edit = { action: 'c2pa.resized', description: 'enlarged', parent: { path: source, bytes: await readFile(source) }, generation: { model } };
      const { path } = await publishEdited(async () => ({ ...large, format: 'jpeg', data: data.slice(), xmp: Buffer.from(xmp) }), join(home, 'from-remote.jpg'), edit, { ...signing(), format: 'jpeg' });
      const verdict = await verify(path, ours);
      expect(verdict).toMatchObject({ state: 'trusted', problems: [], parent: { title: 'remote.jpg', problems: ['manifest.inaccessible'] } });
      expect(verdict.summary).toMatch(/'remote.jpg' names credentials elsewhere, which were not asked for$/);
      expect((await sharp(path).metadata()).xmp!.toString('utf8')).not.toContain(address);
      const { manifests, active_manifest: active } = await store(path, 'jpeg');
      expect(JSON.stringify(manifests[active]!.ingredients[0])).toContain(address);
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });

  it.each<[string, object]>([
    ['a model that is a text', { model: 'grapes' }],
    ['a scale that is a text', { model, scale: '2' }],
    ['no model', {}],
  ])('takes no word of an edit that holds %s', async (_, generation) => {
    // What is written into the manifest is another thing than what it is named by: anyone may sign such a one.
    const said = { parent: { title: 'plain.png', sha256: 'ab'.repeat(32) }, ...(generation as object) };
    const { path } = await enlarge(await plain('png'), 'png', 'strange.png', { generation: { model, toJSON: () => said } });
    const verdict = await verify(path, ours);
    expect(verdict).toMatchObject({ state: 'trusted', summary: expect.stringMatching(/^edited with a model/) });
    expect(verdict.edit).toBeUndefined();
  });

  it('refuses what it cannot write or sign', async () => {
    await expect(enlarge(await plain('png'), 'png', join('nowhere', 'a.png'))).rejects.toThrow(/there is no folder/);
    const leaving = { act: { action: 'c2pa.created', digitalSourceType: 'x' }, generation: { model, seed: 1 }, marks: { id: '0'.repeat(16), watermark: 0, actions: [], assertions: [] }, hash: '0'.repeat(16), models: [model], width: 1, height: 1 } as const;
    const leaveAs = (name: string, encoded: Uint8Array) => leave(join(home, name), { ...leaving, encoding: { file: Promise.resolve(encoded), format: 'image/png' }, models: [model], marks: { ...leaving.marks, actions: [], assertions: [] } }, signing(), [], undefined);
    await expect(leaveAs('a.png', Buffer.from('text'))).rejects.toThrow(/is no image\/png/);
    const huge = Buffer.alloc(769 * 2 ** 20);
    huge.write('\x89PNG\r\n\x1a\n', 'latin1');
    const refused = leaveAs('huge.png', huge);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/huge.png' would take 769 MiB, more than the 768 that can be signed; choose jpeg/);
    expect((await readdir(home)).filter((name) => name.endsWith('.part') || name === 'huge.png')).toEqual([]);
  });
});

const samples = fileURLToPath(new URL('../../../../shared/data/c2pa/', import.meta.url));
describe.skipIf(!existsSync(samples))('made from files signed by others (../shared/data/c2pa; left out where it is not there)', () => {
  const untrusted = 'signingCredential.untrusted';
  const expected: Record<string, [manifests: number, problems: string[]]> = {
    A: [1, []],
    C: [2, [untrusted]],
    CA: [2, [untrusted]],
    CICA: [3, [untrusted]],
    'E-dat-CA': [2, [untrusted, 'assertion.dataHash.mismatch']],
    XCA: [2, [untrusted, 'assertion.dataHash.mismatch']],
    'E-sig-CA': [2, [untrusted, 'claimSignature.mismatch']],
    'E-uri-CA': [2, [untrusted, 'assertion.hashedURI.mismatch']],
  };
  it.each(Object.entries(expected))('%s', async (name, [count, problems]) => {
    const file = (await readdir(samples)).find((f) => f.replace(/^adobe-\d+-/, '').replace(/\.jpe?g$/, '') === name)!;
    const { path } = await enlarge(join(samples, file), 'png', `from-${name}.png`);
    const { validation_state: state, manifests } = await store(path);
    expect([state, Object.keys(manifests).length]).toEqual(['Trusted', count]);
    const verdict = await verify(path, ours);
    expect(verdict).toMatchObject({ state: 'trusted', problems: [], parent: { title: file, problems } });
    expect(verdict.summary.includes('itself had been tampered with')).toBe(problems.some((code) => code !== untrusted));
  });
});
