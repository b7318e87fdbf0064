// Published files, read back by the official reader; identities; and files signed by others.

import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Pixels, RASTER_FORMATS, type RasterFormat } from '@zeuxis/pictures';
import ExifReader from 'exifreader';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadC2pa, offline } from './c2pa.js';
import { type Identity, openIdentity, ownAnchors, publish, verify } from './index.js';
import { signFile } from './sign.js';

let home: string;
let identity: Identity;
const pixels: Pixels = { width: 48, height: 32, channels: 3, data: Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 7) % 256) };
const generation = { model: { name: 'grapes', sha256: 'ab'.repeat(32) }, seed: 42, index: 3, label: 'bird' };
const leave = (format: RasterFormat, name = `picture.${format}`) => publish(pixels, join(home, name), generation, { identity, version: '9.9.9', format });
const ours = { identityFolder: '' };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-provenance-'));
  ours.identityFolder = join(home, 'identity');
  identity = await openIdentity(ours.identityFolder);
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Active {
  ingredients: Record<string, unknown>[];
  assertions: { label: string; data: unknown }[];
  thumbnail?: unknown;
}
async function activeManifest(path: string, format: string): Promise<Active> {
  const { WasmReader } = await loadC2pa();
  const reader = await WasmReader.fromBytes(format, await readFile(path), offline([identity.rootPem]));
  try {
    const { manifests, active_manifest: active } = JSON.parse(reader.json()) as { manifests: Record<string, Active>; active_manifest: string };
    return manifests[active]!;
  } finally {
    reader.free();
  }
}

describe('publish and verify', () => {
  it.each(RASTER_FORMATS)('signs a %s that the official reader trusts', async (format) => {
    const { path, sha256, bytes } = await leave(format);
    const file = await readFile(path);
    expect([bytes, sha256]).toEqual([file.length, createHash('sha256').update(file).digest('hex')]);
    expect(await verify(path, ours)).toMatchObject({
      state: 'trusted',
      problems: [],
      issuer: 'Zeuxis user',
      claimGenerator: 'zeuxis 9.9.9',
      actions: ['c2pa.created'],
      digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
      generation,
    });
  });

  it.each(RASTER_FORMATS)('names the source in the XMP of a %s too, and the model as what went in', async (format) => {
    const trained = [{ name: 'vines', pictures: 12, fingerprint: 'cd'.repeat(32), rights: { text: 'CC BY 4.0 by Ada', name: 'Grace' } }];
    const { path } = await publish(pixels, join(home, `xmp.${format}`), { ...generation, model: { ...generation.model, trained } }, { identity, version: '9.9.9', format });
    // By a reader that is not the library that wrote it, and that looks only where the standards put it.
    const { xmp } = ExifReader.load(await readFile(path), { expanded: true });
    expect(xmp?.DigitalSourceType).toMatchObject({ value: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia' });
    const verdict = await verify(path, ours);
    expect(verdict).toMatchObject({ state: 'trusted', models: ['grapes'], generation: { model: { trained } } });
    expect(verdict.ingredients).toBeUndefined();
    const manifest = await activeManifest(path, `image/${format}`);
    expect(manifest.ingredients).toMatchObject([
      { relationship: 'inputTo', title: 'grapes', description: `SHA-256 ${generation.model.sha256}; trained on 12 pictures ('vines', fingerprint ${'cd'.repeat(32)}; CC BY 4.0 by Ada (stated by Grace))`, data_types: [{ type: 'c2pa.types.model.onnx' }] },
    ]);
    expect(manifest.assertions.find(({ label }) => label === 'cawg.training-mining')!.data).toMatchObject({ entries: { 'cawg.ai_generative_training': { use: 'notAllowed' }, 'cawg.data_mining': { use: 'notAllowed' } } });
  });

  it.each(RASTER_FORMATS)('holds a thumbnail of what is larger than one in a %s', async (format) => {
    const large: Pixels = { width: 600, height: 300, channels: 3, data: new Uint8Array(600 * 300 * 3).fill(120) };
    const { path } = await publish(large, join(home, `large.${format}`), generation, { identity, version: '9.9.9', format });
    expect(await verify(path, ours)).toMatchObject({ state: 'trusted', problems: [] });
    expect((await activeManifest(path, `image/${format}`)).thumbnail).toMatchObject({ format: 'image/jpeg' });
    expect((await activeManifest((await leave(format)).path, `image/${format}`)).thumbnail).toBeUndefined();
  });

  it.each(['c2pa', 'cawg'])('forbids training where a manifest says so in %s.training-mining', async (author) => {
    const { openCanvases } = await import('@zeuxis/pictures');
    const file = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'olive' } }).png().toBuffer();
    const captured = { action: 'c2pa.created', digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture' };
    const sign = async (use: string, more: object = {}) => {
      const entries = { [`${author}.ai_generative_training`]: { ...more, use }, [`${author}.data_mining`]: { use: 'allowed' } };
      const manifest = { claim_generator_info: [{ name: 'camera', version: '1' }], title: 'a', format: 'image/png', assertions: [{ label: 'c2pa.actions.v2', data: { actions: [captured] } }, { label: `${author}.training-mining`, data: { entries } }] };
      await writeFile(join(home, `${use}.png`), (await signFile(file, 'image/png', manifest, identity)).asset);
      return openCanvases(join(home, `${use}.png`), { shorter: [64], least: 16, most: 1 });
    };
    await expect(sign('notAllowed')).rejects.toThrow(/notAllowed\.png' cannot serve: its credentials say that ai generative training is not allowed/);
    // Parts in any order, and a word of the owner's between.
    await expect(sign('constrained', { constraint_info: 'ask me first, at ada@example.org' })).rejects.toThrow(/ai generative training is not allowed/);
    await expect(sign('notAllowed', { constraint_info: 'x'.repeat(300) })).rejects.toThrow(/ai generative training is not allowed/);
    expect((await sign('allowed')).count).toBe(1);
    expect((await sign('allowed', { constraint_info: 'be kind' })).count).toBe(1);
  });

  it('keeps every pixel of a PNG', async () => {
    const { path } = await leave('png');
    expect(Buffer.compare(await sharp(path).raw().toBuffer(), Buffer.from(pixels.data))).toBe(0);
  });

  it('finds out a picture that was changed after signing', async () => {
    const { path } = await leave('jpeg', 'changed.jpeg');
    const file = await readFile(path);
    file[file.length - 20]! ^= 1;
    await writeFile(path, file);
    expect(await verify(path, ours)).toMatchObject({ state: 'invalid', problems: ['assertion.dataHash.mismatch'] });
  });

  it('trusts nobody it was not told to trust', async () => {
    const { path } = await leave('png');
    const nobody = { identityFolder: join(home, 'nobody') };
    expect(await verify(path, nobody)).toMatchObject({ state: 'valid', problems: ['signingCredential.untrusted'] });
    expect(await verify(path, { ...nobody, trust: [identity.rootPem] })).toMatchObject({ state: 'trusted' });
    expect(existsSync(nobody.identityFolder)).toBe(false);
  });

  it('says of a picture without credentials that it has none, and refuses what is no picture', async () => {
    const plain = join(home, 'plain.png');
    await sharp(Buffer.from(pixels.data), { raw: { width: 48, height: 32, channels: 3 } }).png().toFile(plain);
    expect(await verify(plain, ours)).toMatchObject({ state: 'none', problems: [] });
    await writeFile(join(home, 'text.png'), 'no picture at all');
    await expect(verify(join(home, 'text.png'), ours)).rejects.toThrow(/no picture whose credentials/);
    await expect(verify(join(home, 'missing.png'), ours)).rejects.toThrow(/there is no file/);
    await expect(verify(home, ours)).rejects.toThrow(/is no file/);
    await writeFile(join(home, 'empty.png'), '');
    await expect(verify(join(home, 'empty.png'), ours)).rejects.toThrow(/no picture/);
    await writeFile(join(home, 'cut.jpg'), (await readFile((await leave('jpeg')).path)).subarray(0, 700));
    expect((await verify(join(home, 'cut.jpg'), ours)).state).not.toBe('trusted');
  });

  it('asks no address that a picture names', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end('no manifest');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/not found.c2pa`;
      const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="${address}"/></rdf:RDF></x:xmpmeta>`;
      for (const format of ['jpeg', 'webp'] as const) {
        const path = join(home, `remote.${format}`);
        await sharp({ create: { width: 20, height: 20, channels: 3, background: 'red' } }).withXmp(xmp).toFormat(format).toFile(path);
        const { state, problems, summary } = await verify(path, ours);
        expect({ state, problems }).toEqual({ state: 'none', problems: [] });
        expect(summary).toContain(`'${address}', which was not asked`);
      }
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a model without a name', { model: {}, seed: 1 }],
    ['a model that is a text', { model: 'grapes', seed: 1 }],
    ['a seed that is a table', { model: generation.model, seed: {} }],
    ['a label that is a number', { ...generation, label: 7 }],
  ])('takes no word of a generation that holds %s', async (_, data) => {
    const strange = { ...generation, toJSON: () => data };
    const { path } = await publish(pixels, join(home, 'strange.png'), strange, { identity, version: '9.9.9', format: 'png' });
    const verdict = await verify(path, ours);
    expect(verdict).toMatchObject({ state: 'trusted', summary: expect.stringMatching(/^made by a model, signed by/) });
    expect(verdict.generation).toBeUndefined();
  });

  it('needs no identity of its own: goes on without a damaged one, and says so', async () => {
    const { path } = await leave('png', 'whole.png');
    const folder = join(home, 'broken');
    await mkdir(folder);
    const stored = JSON.parse(await readFile(join(ours.identityFolder, 'identity.json'), 'utf8'));
    for (const content of ['{"identity":1', 'null', JSON.stringify({ ...stored, rootCertificate: 'no certificate' })]) {
      await writeFile(join(folder, 'identity.json'), content);
      expect(await verify(path, { identityFolder: folder })).toMatchObject({
        state: 'valid',
        problems: ['signingCredential.untrusted'],
        notes: [expect.stringMatching(/identity in '.*broken.*' is damaged/)],
      });
    }
    expect((await verify(path, ours)).notes).toBeUndefined();
    await expect(verify(path, { ...ours, trust: ['no certificate'] })).rejects.toThrow(/no certificate in PEM/);
  });

  it('hears an abort', async () => {
    const { path } = await leave('png', 'aborted.png');
    await expect(verify(path, { ...ours, signal: AbortSignal.abort() })).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    const controller = new AbortController();
    const verdict = verify(path, { ...ours, signal: controller.signal });
    controller.abort();
    await expect(verdict).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect((await verify(path, { ...ours, signal: new AbortController().signal })).state).toBe('trusted');
  });

  it('leaves nothing behind where it cannot write', async () => {
    await mkdir(join(home, 'taken.png'));
    await expect(leave('png', 'taken.png')).rejects.toThrow();
    await expect(leave('png', join('nowhere', 'a.png'))).rejects.toThrow(/there is no folder/);
    expect((await readdir(home)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('the identity', () => {
  it('is made once, readable by its owner alone', async () => {
    expect(identity.created).toBe(true);
    const again = await openIdentity(ours.identityFolder);
    expect(again).toMatchObject({ created: false, rootPem: identity.rootPem });
    const modes = await Promise.all([ours.identityFolder, join(ours.identityFolder, 'identity.json')].map(async (path) => (await stat(path)).mode & 0o777));
    if (process.platform !== 'win32') expect(modes).toEqual([0o700, 0o600]);
  });

  it('is one, also where processes race for it', async () => {
    const module = fileURLToPath(new URL('../dist/index.js', import.meta.url));
    const script = `const { openIdentity } = await import(${JSON.stringify(module)}); const i = await openIdentity(process.argv[1]); console.log(JSON.stringify([i.created, i.rootPem]))`;
    const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(home, 'raced')]);
    const results = (await Promise.all([run(), run(), run()])).map(({ stdout }) => JSON.parse(stdout) as [boolean, string]);
    expect(results.filter(([created]) => created)).toHaveLength(1);
    expect(new Set(results.map(([, root]) => root)).size).toBe(1);
    expect(await readdir(join(home, 'raced'))).toEqual(['identity.json']);
  });

  it('sweeps up the key of a process that was killed while it made one', async () => {
    const folder = join(home, 'killed');
    await mkdir(folder);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await writeFile(join(folder, `identity.json.0a1b2c3d.${pid}.part`), 'a private key');
    await openIdentity(folder);
    expect(await readdir(folder)).toEqual(['identity.json']);
  });

  it('says what is wrong with a damaged file', async () => {
    const folder = join(home, 'damaged');
    await mkdir(folder);
    await writeFile(join(folder, 'identity.json'), '{"identity":1');
    await expect(openIdentity(folder)).rejects.toThrow(/damaged; move it away/);
    expect(await ownAnchors(folder)).toEqual({ anchors: [], faults: [expect.stringMatching(/damaged/)] });
    const good = JSON.parse(await readFile(join(ours.identityFolder, 'identity.json'), 'utf8'));
    const other = await openIdentity(join(home, 'other')).then(() => readFile(join(home, 'other', 'identity.json'), 'utf8')).then(JSON.parse);
    await writeFile(join(folder, 'identity.json'), JSON.stringify({ ...good, key: other.key }));
    await expect(openIdentity(folder)).rejects.toThrow(/do not belong together/);
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('says where a folder cannot be written', async () => {
    const locked = join(home, 'locked');
    await mkdir(locked, { mode: 0o500 });
    await expect(openIdentity(join(locked, 'in'))).rejects.toThrow(/may not be written/);
    await chmod(locked, 0o700);
  });
});

const samples = fileURLToPath(new URL('../../../../shared/data/c2pa/', import.meta.url));
describe.skipIf(!existsSync(samples))('files signed by others (../shared/data/c2pa; left out where it is not there)', () => {
  const expected: Record<string, [string, string[]]> = {
    A: ['none', []],
    C: ['valid', []],
    CA: ['valid', []],
    CI: ['valid', []],
    CAI: ['valid', []],
    CICA: ['valid', []],
    'E-dat-CA': ['invalid', ['assertion.dataHash.mismatch']],
    XCA: ['invalid', ['assertion.dataHash.mismatch']],
    'E-sig-CA': ['invalid', ['claimSignature.mismatch']],
    'E-uri-CA': ['invalid', ['assertion.hashedURI.mismatch']],
  };
  it.each(Object.entries(expected))('%s', async (name, [state, problems]) => {
    const files = await readdir(samples);
    const file = files.find((f) => f.replace(/^adobe-\d+-/, '').replace(/\.jpe?g$/, '') === name)!;
    const verdict = await verify(join(samples, file), ours);
    expect(verdict.state).toBe(state);
    expect(verdict.problems).toEqual(expect.arrayContaining(problems));
    if (state === 'valid') expect(verdict.problems).toEqual(['signingCredential.untrusted']);
  });
});
