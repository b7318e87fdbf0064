// From a published picture to a copy without credentials, and back to the record: what each verdict says.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examine, type Identity, openIdentity, openLedger, type PublishOptions, publish, publishEdited } from './index.js';
import { Noise } from './reference-noise.js';

let home: string;
let identity: Identity;
const at = (name: string) => join(home, name);
const ours = () => ({ identityFolder: at('identity') });
const model = { name: 'grapes', sha256: 'ab'.repeat(32) };
const [width, height] = [320, 256];

/** Blots with grain, others for every seed. */
function drawn(seed: number): Uint8Array {
  const random = new Noise(seed);
  const blots = Array.from({ length: 30 }, () => ({ x: random.uniform() * width, y: random.uniform() * height, r: 10 + random.uniform() * 60, v: random.uniform() * 120 - 60 }));
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = blots.reduce((sum, b) => sum + b.v * Math.exp(-((x - b.x) ** 2 + (y - b.y) ** 2) / b.r ** 2), 120) + random.below(15) - 7;
      for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = Math.max(5, Math.min(250, value + 12 * c));
    }
  return out;
}
const made = (name: string, seed: number, more: Partial<PublishOptions> = {}) =>
  publish({ width, height, channels: 3, data: drawn(seed) }, at(name), { model, seed }, { identity, version: '9.9.9', format: 'png', ...more });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-marks-'));
  identity = await openIdentity(at('identity'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a published picture', () => {
  it('is signed, with a soft binding to its watermark, and stands in the ledger with its manifest', async () => {
    const { path, id, sha256, watermark } = await made('one.png', 1);
    expect(watermark).toBe(64);
    const answer = await examine(path, ours());
    expect(answer).toMatchObject({ verdict: 'signed', trusted: true, problems: [], actions: ['c2pa.created', 'c2pa.watermarked.bound'], sourceType: expect.stringMatching(/trainedAlgorithmicMedia$/) });
    const ledger = openLedger(at('identity'));
    const record = await ledger.byId(id);
    expect(record).toMatchObject({ sha256, name: 'one.png', width, height, watermark: 64, action: 'c2pa.created', generation: { seed: 1 }, models: [model] });
    // The very bytes that stand in the file.
    const manifest = (await ledger.manifest(record!))!;
    expect((await readFile(path)).includes(Buffer.from(manifest))).toBe(true);
    expect((await readFile(path)).includes(`org.zeuxis.watermark.1`)).toBe(true);
  });

  it('is led back from a copy without credentials', async () => {
    const { id } = await made('two.png', 2);
    await sharp(at('two.png')).resize(416).jpeg({ quality: 75 }).toFile(at('copy.jpg'));
    const answer = await examine(at('copy.jpg'), ours());
    expect(answer).toMatchObject({ verdict: 'watermark', trusted: false, watermark: { id, bits: 64, key: 'public' }, record: { name: 'two.png' }, sourceType: expect.stringMatching(/trainedAlgorithmicMedia$/) });
    expect(answer.summary).toMatch(/^no credentials, but the watermark of 'two.png', made by 'grapes' on \d{4}-\d\d-\d\d/);
    // Where the ledger is another's, that a Zeuxis made it is still seen.
    const elsewhere = await examine(at('copy.jpg'), { identityFolder: at('nobody') });
    expect(elsewhere).toMatchObject({ verdict: 'watermark', watermark: { id } });
    expect(elsewhere.record).toBeUndefined();
    expect(elsewhere.summary).toMatch(/this ledger does not know it/);
  });

  it('says that it was tampered with, and is led back all the same', async () => {
    await made('three.png', 3);
    const bytes = await readFile(at('three.png'));
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(at('three.png'), bytes);
    expect(await examine(at('three.png'), ours())).toMatchObject({ verdict: 'tampered', problems: expect.arrayContaining(['assertion.dataHash.mismatch']) });
  });

  it('is the same picture for the same seed, and another id for other words', async () => {
    const [a, b, other] = [await made('a.png', 5), await made('b.png', 5), await publish({ width, height, channels: 3, data: drawn(5) }, at('c.png'), { model, seed: 5, label: 'bird' }, { identity, version: '9.9.9', format: 'png' })];
    const pixels = async (path: string) => createHash('sha256').update(await sharp(path).raw().toBuffer()).digest('hex');
    expect(a.id).toBe(b.id);
    expect(await pixels(a.path)).toBe(await pixels(b.path));
    expect(other.id).not.toBe(a.id);
  });

  it('leaves the pixels it was given as they were, and says where a watermark was left out', async () => {
    const data = drawn(6);
    const { path, watermark } = await publish({ width, height, channels: 3, data }, at('plain.png'), { model, seed: 6 }, { identity, version: '9.9.9', format: 'png', watermark: false });
    expect(watermark).toBe(0);
    expect(Buffer.from(data).equals(Buffer.from(drawn(6)))).toBe(true);
    expect((await sharp(path).raw().toBuffer()).equals(Buffer.from(data))).toBe(true);
    expect(await examine(path, ours())).toMatchObject({ verdict: 'signed', generation: { watermark: false } });
    // Without a watermark it is known by what it looks like; to which metadata come before.
    await sharp(path).removeAlpha().png().toFile(at('bare.png'));
    expect(await examine(at('bare.png'), ours())).toMatchObject({ verdict: 'similar', record: { name: 'plain.png' }, distance: 0 });
    await sharp(path).keepXmp().png().toFile(at('with-xmp.png'));
    expect(await examine(at('with-xmp.png'), ours())).toMatchObject({ verdict: 'claimed', sourceType: expect.stringMatching(/trainedAlgorithmicMedia$/) });
  });

  it('bears a label where it is asked for, which the manifest says', async () => {
    const { path, visibleMark } = await made('labelled.png', 7, { visible: { language: 'de' } });
    expect(visibleMark).toMatchObject({ text: 'KI', language: 'de', kind: 'generated' });
    const answer = await examine(path, ours());
    expect(answer.actions).toEqual(['c2pa.created', 'c2pa.edited', 'c2pa.watermarked.bound']);
    const { left, top, width: w, height: h } = visibleMark!.box;
    const { data } = await sharp(path).extract({ left: left + 2, top: top + Math.floor(h / 2), width: w - 4, height: 1 }).raw().toBuffer({ resolveWithObject: true });
    // White letters on black.
    expect([Math.min(...data) < 60, Math.max(...data) > 220]).toEqual([true, true]);
  });

  it.each(['jpeg', 'webp', 'avif', 'tiff'] as const)('edited and written as %s holds its watermark', async (format) => {
    const source = at('source.png');
    await sharp(drawn(8), { raw: { width, height, channels: 3 } }).png().toFile(source);
    const edit = { action: 'c2pa.filtered', description: 'painted', parent: { path: source, bytes: await readFile(source) }, generation: { model, strength: 1 } } as const;
    const { path, id } = await publishEdited(async () => ({ width, height, channels: 3, alpha: false, depth: 8, format, data: drawn(8) }), at(`edited.${format}`), edit, { identity, version: '9.9.9', format });
    expect(await examine(path, ours())).toMatchObject({ verdict: 'signed', trusted: true, problems: [], actions: ['c2pa.opened', 'c2pa.filtered', 'c2pa.watermarked.bound'] });
    await sharp(path).png().toFile(at('stripped.png'));
    expect(await examine(at('stripped.png'), ours())).toMatchObject({ verdict: 'watermark', record: { id, parent: { title: 'source.png' } } });
    // What it was made from is no picture of ours.
    const answer = await examine(source, ours());
    expect(answer).toMatchObject({ verdict: 'similar', summary: expect.stringMatching(/^no credentials; 'edited.\w+' of .* in the ledger was made from it$/) });
    expect(answer.sourceType).toBeUndefined();
  });

  it('of 16 bits is told from others of the same number by its looks', async () => {
    const small = await sharp(drawn(9), { raw: { width, height, channels: 3 } }).resize(160, 128).raw().toBuffer();
    const { id, watermark } = await publish({ width: 160, height: 128, channels: 3, data: small }, at('small.png'), { model, seed: 9 }, { identity, version: '9.9.9', format: 'png' });
    expect(watermark).toBe(16);
    await sharp(at('small.png')).jpeg({ quality: 95 }).toFile(at('small.jpg'));
    expect(await examine(at('small.jpg'), ours())).toMatchObject({ verdict: 'watermark', watermark: { bits: 16, id: id.slice(0, 4) }, record: { name: 'small.png' } });
  });

  it('made by nobody here is nothing, and flat ones are alike to none', async () => {
    await sharp(drawn(99), { raw: { width, height, channels: 3 } }).png().toFile(at('foreign.png'));
    const answer = await examine(at('foreign.png'), ours());
    expect(answer).toMatchObject({ verdict: 'nothing', summary: expect.stringMatching(/^nothing found: .*where it is from is not known$/) });
    await publish({ width, height, channels: 3, data: new Uint8Array(width * height * 3).fill(90) }, at('flat.png'), { model, seed: 1 }, { identity, version: '9.9.9', format: 'png', watermark: false });
    await sharp({ create: { width: 300, height: 300, channels: 3, background: 'white' } }).png().toFile(at('white.png'));
    expect(await examine(at('white.png'), ours())).toMatchObject({ verdict: 'nothing' });
  });
});
