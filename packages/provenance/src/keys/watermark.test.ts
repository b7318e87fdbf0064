// The key of the watermark: who may read it, that old ones are still found, and that nothing says what it is.

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWatermarkKey, examine, openIdentity, publish, reportKeys, rotateWatermarkKey, useWatermarkKey, watermarkKeys } from '../index.js';
import { Noise } from '../reference-noise.js';

let home: string;
const at = (...path: string[]) => join(home, ...path);
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-watermark-keys-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));
afterEach(() => {
  delete process.env.ZEUXIS_WATERMARK_KEY;
  delete process.env.ZEUXIS_TEST_MARK;
});

/** A copy without credentials of a picture that a folder's user published, and what is said of it. */
async function copied(folder: string, name: string) {
  const random = new Noise(5);
  const [width, height] = [256, 256];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => 120 + 40 * Math.sin(i / 900) + random.below(40));
  const path = at(`${name}.png`);
  const { id } = await publish({ width, height, channels: 3, data }, path, { model: { name: 'm', sha256: 'ab'.repeat(32) }, seed: 1 }, { identity: await openIdentity(folder), version: '9', format: 'png' });
  const copy = at(`${name}.jpg`);
  await sharp(path).jpeg({ quality: 80 }).toFile(copy);
  return { id, said: (user = folder) => examine(copy, { identityFolder: user }) };
}

describe('the key of the watermark', () => {
  it("is nobody else's, is rotated, and what it marked before is still found", async () => {
    const folder = at('own');
    expect(await createWatermarkKey(folder)).toBe(true);
    expect(await createWatermarkKey(folder)).toBe(false);
    const { id, said } = await copied(folder, 'first');
    expect(await said()).toMatchObject({ verdict: 'watermark', watermark: { id, bits: 64, key: 'own' } });
    expect((await said(at('other'))).watermark).toBeUndefined();

    await rotateWatermarkKey(folder);
    const after = await said();
    expect(after).toMatchObject({ verdict: 'watermark', watermark: { id, key: 'former' }, record: { name: 'first.png' } });
    await useWatermarkKey('public', folder);
    expect(await said()).toMatchObject({ watermark: { key: 'former' } });
    const open = await copied(folder, 'open');
    expect(await open.said(at('other'))).toMatchObject({ watermark: { id: open.id, key: 'public' } });
    expect((await reportKeys(folder)).watermark).toEqual({ kind: 'public', former: 2 });
    await useWatermarkKey('own', folder);
    expect((await reportKeys(folder)).watermark).toMatchObject({ kind: 'own', former: 1 });
  });

  it('stands in a file that nobody else may read, and is never printed', async () => {
    const folder = at('quiet');
    await createWatermarkKey(folder);
    const path = join(folder, 'watermark.json');
    const { secret } = JSON.parse(await readFile(path, 'utf8')).present as { secret: string };
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const shown = [await reportKeys(folder), await openIdentity(folder), await watermarkKeys(folder)].map((value) => JSON.stringify(value) + inspect(value, { depth: 9 })).join();
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret, 'hex').toString('base64'));

    await chmod(path, 0o644);
    await expect(openIdentity(folder)).rejects.toThrow(/the watermark key in the file '.*watermark\.json' can be read by others; chmod 600 it/);
    await chmod(path, 0o600);
    await writeFile(path, `{"watermark": 1, "present": {"secret": "${secret}`);
    const damaged = await openIdentity(folder).catch((error: Error) => error.message);
    expect(damaged).toMatch(/watermark\.json' are damaged/);
    expect(damaged).not.toContain(secret);
    // A verifier goes on without, and says so.
    await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).png().toFile(at('plain.png'));
    expect(await examine(at('plain.png'), { identityFolder: folder })).toMatchObject({ verdict: 'nothing', notes: [expect.stringMatching(/damaged.*pictures that it marks are not known/)] });
  });

  it('may be brought along in a file or a variable, long enough and for few eyes', async () => {
    const folder = at('brought');
    await writeFile(at('mark.key'), 'a key of more than sixteen bytes', { mode: 0o600 });
    await writeFile(at('short.key'), 'a key', { mode: 0o600 });
    await expect(useWatermarkKey({ file: at('short.key') }, folder)).rejects.toThrow(/has 5 bytes and needs 16/);
    await expect(useWatermarkKey({ file: at('none.key') }, folder)).rejects.toThrow(/there is no watermark key in the file/);
    await expect(useWatermarkKey({ variable: 'ZEUXIS_TEST_MARK' }, folder)).rejects.toThrow(/ZEUXIS_TEST_MARK, which is to hold the watermark key, is not set/);
    await expect(useWatermarkKey('own', folder)).rejects.toThrow(/no watermark key was made here/);
    await expect(rotateWatermarkKey(folder)).rejects.toThrow(/the key that every Zeuxis knows, and that is not rotated/);
    expect((await reportKeys(folder)).watermark).toEqual({ kind: 'public', former: 0 });

    await useWatermarkKey({ file: at('mark.key') }, folder);
    const byFile = (await reportKeys(folder)).watermark;
    expect(byFile).toMatchObject({ kind: 'own', key: expect.stringMatching(/mark\.key/), former: 0 });
    process.env.ZEUXIS_TEST_MARK = 'a key of more than sixteen bytes';
    await useWatermarkKey({ variable: 'ZEUXIS_TEST_MARK' }, folder);
    // The same bytes, the same key.
    expect((await reportKeys(folder)).watermark).toMatchObject({ fingerprint: byFile.fingerprint, former: 1 });
    process.env.ZEUXIS_WATERMARK_KEY = 'before all others';
    expect((await reportKeys(folder)).watermark).toMatchObject({ key: 'the variable ZEUXIS_WATERMARK_KEY', former: 2 });
  });

  it('is changed by one at a time', async () => {
    const folder = at('both');
    const outcomes = await Promise.allSettled([createWatermarkKey(folder), createWatermarkKey(folder)]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value)).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(String(outcome.reason)).toMatch(/the key of the watermark is being changed already/);
    expect((await reportKeys(folder)).watermark).toMatchObject({ kind: 'own', former: 0 });
  });
});
