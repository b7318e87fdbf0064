import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Identity, openIdentity, verify } from './index.js';
import { signFile } from './sign.js';
import { sayEarlier, sayFaults } from './words.js';

let home: string;
let identity: Identity;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-words-'));
  identity = await openIdentity(home);
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('the summary of what others signed', () => {
  it.each([
    ['digitalCapture', /^said to be a photograph, signed by/],
    ['algorithmicMedia', /^said to be made by an algorithm, without a trained model, signed by/],
    ['trainedAlgorithmicMedia', /^made by a model, signed by/],
    ['constructor', /^credentials that do not say how it was made, signed by/],
  ])('says of %s', async (type, words) => {
    const actions = [{ action: 'c2pa.created', digitalSourceType: `http://cv.iptc.org/newscodes/digitalsourcetype/${type}` }];
    const manifest = { claim_generator_info: [{ name: 'camera', version: '1' }], title: 'a', format: 'image/png', assertions: [{ label: 'c2pa.actions.v2', data: { actions } }] };
    const file = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'olive' } }).png().toBuffer();
    await writeFile(join(home, 'a.png'), (await signFile(file, 'image/png', manifest, identity)).asset);
    expect((await verify(join(home, 'a.png'), { identityFolder: home })).summary).toMatch(words);
  });
});

describe('what failed', () => {
  const untrusted = { code: 'signingCredential.untrusted' };
  it('is said in words, with its code and its place, once', () => {
    const changed = { code: 'assertion.hashedURI.mismatch', url: 'self#jumbf=/c2pa/urn:c2pa:1/c2pa.assertions/c2pa.actions' };
    expect(sayFaults([untrusted, changed, changed])).toBe('what it says is not what was signed (assertion.hashedURI.mismatch of c2pa.actions)');
    expect(sayFaults([{ code: 'claimSignature.mismatch' }, { code: 'some.new.code' }])).toBe('the signature is not of these credentials (claimSignature.mismatch), some.new.code');
  });
  it('leaves out what is no fault of the file', () => {
    expect(sayFaults([untrusted])).toBe('');
    expect(sayEarlier('a.jpg', [untrusted])).toBe('');
    expect(sayEarlier('a.jpg', [untrusted, { code: 'manifest.inaccessible', url: 'https://example.com' }])).toBe("; 'a.jpg' names credentials elsewhere, which were not asked for");
  });
});
