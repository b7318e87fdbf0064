// Who signs: certificates of an authority made here, keys in files, variables and signers elsewhere, and what must be refused; each
// signature is judged by the official reader.

import { execFile, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadC2pa, offline } from '../c2pa.js';
import { ensureLocal, openIdentity, ownAnchors, publish, reportKeys, rotateLocal, useSigning, verify } from '../index.js';

x509.cryptoProvider.set(webcrypto);
const DAY = 24 * 3600 * 1000;
const ALGORITHMS = {
  es256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  es384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  es512: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  ps256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  ed25519: { name: 'Ed25519' },
} as const;
type Kind = keyof typeof ALGORITHMS;
const newPair = (kind: Kind) => webcrypto.subtle.generateKey(ALGORITHMS[kind], true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
const pem = async (key: webcrypto.CryptoKey) => createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)), format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }) as string;

let home: string;
let root: { certificate: x509.X509Certificate; keys: webcrypto.CryptoKeyPair };
const at = (...path: string[]) => join(home, ...path);

interface Wish {
  kind?: Kind;
  days?: [from: number, to: number];
  authority?: boolean;
  purposes?: string[];
  /** Without the identifier of the issuer's key. */
  anonymous?: boolean;
  /** Without the root after it. */
  alone?: boolean;
  usage?: x509.KeyUsageFlags;
  selfSigned?: boolean;
}

/** A certificate under the root, and its key: files' names. */
async function issued(name: string, { kind = 'es256', days = [-1, 30], authority = false, purposes = [x509.ExtendedKeyUsage.emailProtection], anonymous = false, alone = false, usage = x509.KeyUsageFlags.digitalSignature, selfSigned = false }: Wish = {}) {
  const keys = await newPair(kind);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '0a',
    subject: `CN=${name}, O=Engines`,
    issuer: selfSigned ? `CN=${name}, O=Engines` : root.certificate.subject,
    notBefore: new Date(Date.now() + days[0] * DAY),
    notAfter: new Date(Date.now() + days[1] * DAY),
    signingAlgorithm: selfSigned ? ALGORITHMS[kind] : ALGORITHMS.es256,
    publicKey: keys.publicKey,
    signingKey: selfSigned ? keys.privateKey : root.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      new x509.ExtendedKeyUsageExtension(purposes, false),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ...(anonymous ? [] : [await x509.AuthorityKeyIdentifierExtension.create(root.keys.publicKey, false, webcrypto)]),
    ],
  });
  const [chain, key] = [at(`${name}.pem`), at(`${name}.key`)];
  await writeFile(chain, `${certificate.toString('pem')}\n${alone ? '' : root.certificate.toString('pem')}\n`);
  await writeFile(key, await pem(keys.privateKey), { mode: 0o600 });
  return { certificate: chain, key: { file: key } };
}

const signed = async (folder: string) => {
  const pixels = { width: 16, height: 16, channels: 3 as const, data: new Uint8Array(768).fill(90) };
  const { path } = await publish(pixels, at('picture.png'), { model: { name: 'm', sha256: 'ab'.repeat(32) }, seed: 1 }, { identity: await openIdentity(folder), version: '9', format: 'png' });
  return { path, verdict: await verify(path, { identityFolder: folder }) };
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-keys-'));
  const keys = await newPair('es256');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Authority, O=Trust',
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 100 * DAY),
    signingAlgorithm: ALGORITHMS.es256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    ],
  });
  root = { certificate, keys };
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a certificate that was brought along', () => {
  it.each(Object.keys(ALGORITHMS) as Kind[])('signs with %s, and the official reader trusts it', async (kind) => {
    const folder = at('config', kind);
    await useSigning({ signer: await issued(kind, { kind }) }, folder);
    const { verdict } = await signed(folder);
    expect(verdict).toMatchObject({ state: 'trusted', signer: kind, issuer: 'Engines' });
    expect(await reportKeys(folder)).toMatchObject({ kind: 'configured', algorithm: kind.toUpperCase(), certificates: [{ subject: expect.stringContaining(kind) }, { subject: expect.stringContaining('Authority') }] });
  });

  it.each<[string, Wish, RegExp]>([
    ['that has expired', { days: [-30, -1] }, /certificate of 'bad' expired on .*; renew it/],
    ['that is not valid yet', { days: [2, 30] }, /not valid before .*is the clock right/],
    ["that is an authority's", { authority: true }, /is an authority's; put the signer's first/],
    ['for web servers', { purposes: [x509.ExtendedKeyUsage.serverAuth] }, /is for 1\.3\.6\.1\.5\.5\.7\.3\.1, not for e-mail protection/],
    ['for any purpose', { purposes: [x509.ExtendedKeyUsage.emailProtection, '2.5.29.37.0'] }, /is for any purpose, which C2PA forbids/],
    ['that does not name its issuer', { anonymous: true }, /does not name its issuer's key/],
    ['without its issuers', { alone: true }, /holds the certificate of 'bad' alone; put those of its issuers after it/],
    ['that may not sign', { usage: x509.KeyUsageFlags.keyEncipherment }, /is not for digital signatures/],
    ['that signed itself', { selfSigned: true }, /is signed by itself/],
  ])('is refused before any work: one %s', async (_, wish, message) => {
    await expect(useSigning({ signer: await issued('bad', wish) }, at('refused'))).rejects.toThrow(message);
    await expect(readFile(at('refused', 'signing.json'))).rejects.toThrow(/ENOENT/);
  });

  it('is refused where it expires later, and where what it names is gone', async () => {
    const folder = at('later');
    const good = await issued('good');
    await useSigning({ signer: good }, folder);
    await issued('good', { days: [-30, -1] });
    await expect(openIdentity(folder)).rejects.toThrow(/expired on/);
    await rm(good.certificate);
    await expect(openIdentity(folder)).rejects.toThrow(/there is no certificate '.*good\.pem'/);
    await writeFile(join(folder, 'signing.json'), '{"signing": 1}');
    await expect(openIdentity(folder)).rejects.toThrow(/is damaged; `zeuxis keys use` writes it anew/);
  });

  it('is refused in another order, of another family, damaged or missing', async () => {
    const { certificate, key } = await issued('ada');
    const [leaf, above] = (await readFile(certificate, 'utf8')).match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g)!;
    await writeFile(at('turned.pem'), `${above}\n${leaf}`);
    await expect(useSigning({ signer: { certificate: at('turned.pem'), key } }, home)).rejects.toThrow(/is an authority's; put the signer's first/);
    const other = await readFile((await issued('other')).certificate, 'utf8');
    await writeFile(at('strangers.pem'), `${leaf}\n${other.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/)![0]}`);
    await expect(useSigning({ signer: { certificate: at('strangers.pem'), key } }, home)).rejects.toThrow(/'ada' was not issued by 'other'/);
    await writeFile(at('torn.pem'), `${leaf!.slice(0, 200)}\n-----END CERTIFICATE-----`);
    await expect(useSigning({ signer: { certificate: at('torn.pem'), key } }, home)).rejects.toThrow(/certificate 1 in '.*torn\.pem' is damaged/);
    await writeFile(at('none.pem'), 'hello');
    await expect(useSigning({ signer: { certificate: at('none.pem'), key } }, home)).rejects.toThrow(/holds no certificate in PEM/);
    await expect(useSigning({ signer: { certificate: at('nowhere.pem'), key } }, home)).rejects.toThrow(/there is no certificate/);
  });
});

describe('a key', () => {
  it("is refused where others may read it, it is missing, another's, or no key, and never quoted", async () => {
    const { certificate, key } = await issued('eve');
    const secret = await readFile(key.file, 'utf8');
    if (process.platform !== 'win32') {
      await chmod(key.file, 0o640);
      await expect(useSigning({ signer: { certificate, key } }, home)).rejects.toThrow(/eve\.key' can be read by others; chmod 600 it/);
      await chmod(key.file, 0o600);
    }
    await expect(useSigning({ signer: { certificate, key: { file: at('gone.key') } } }, home)).rejects.toThrow(/there is no signing key in the file '.*gone\.key'/);
    await expect(useSigning({ signer: { certificate, key: (await issued('mallory')).key } }, home)).rejects.toThrow(/is not the certificate's/);
    await writeFile(key.file, secret.slice(0, 80), { mode: 0o600 });
    const error = await useSigning({ signer: { certificate, key } }, home).catch((reason: Error) => reason);
    expect((error as Error).message).toMatch(/holds no private key in PEM that can be read/);
    expect((error as Error).message).not.toContain(secret.slice(30, 60));
  });

  it('comes from an environment variable, and from an encrypted file with its passphrase', async () => {
    const { certificate, key } = await issued('bob');
    const folder = at('variable');
    await expect(useSigning({ signer: { certificate, key: { variable: 'ZEUXIS_TEST_KEY' } } }, folder)).rejects.toThrow(/the variable ZEUXIS_TEST_KEY, which is to hold the signing key, is not set/);
    const text = await readFile(key.file, 'utf8');
    process.env.ZEUXIS_TEST_KEY = text;
    try {
      await useSigning({ signer: { certificate, key: { variable: 'ZEUXIS_TEST_KEY' } } }, folder);
      expect((await signed(folder)).verdict).toMatchObject({ state: 'trusted', signer: 'bob' });
      expect(JSON.stringify(await reportKeys(folder)) + (await readFile(join(folder, 'signing.json'), 'utf8'))).not.toContain(text.split('\n')[1]);
    } finally {
      delete process.env.ZEUXIS_TEST_KEY;
    }
    await writeFile(key.file, createPrivateKey(text).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' }), { mode: 0o600 });
    await expect(useSigning({ signer: { certificate, key } }, folder)).rejects.toThrow(/is encrypted; put its passphrase into ZEUXIS_KEY_PASSPHRASE/);
    process.env.ZEUXIS_KEY_PASSPHRASE = 'open sesame';
    try {
      await useSigning({ signer: { certificate, key } }, folder);
      expect((await signed(folder)).verdict.state).toBe('trusted');
    } finally {
      delete process.env.ZEUXIS_KEY_PASSPHRASE;
    }
  });

  it('may be too weak to sign pictures', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const { algorithmOf } = await import('./certificates.js');
    expect(() => algorithmOf(publicKey, 'the test')).toThrow(/the key of the test is rsa 1024, which cannot sign pictures/);
  });
});

/**
 * Signs a digest as an HSM does, by a module for CommonJS: Node hashes what it signs with ECDSA, so that the arithmetic of P-256 (SEC 1, 4.1.3)
 * stands here. For tests alone: it takes no care of time.
 */
const HSM = `
  const { createPrivateKey, randomBytes } = require('node:crypto');
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const G = [0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n];
  const mod = (a, m) => ((a % m) + m) % m;
  const inverse = (a, m) => { let [r, s, x, y] = [mod(a, m), m, 1n, 0n]; while (r > 0n) { const q = s / r; [r, s, x, y] = [s - q * r, r, y - q * x, x]; } return mod(y, m); };
  const sum = (A, B) => {
    if (!A) return B;
    if (!B) return A;
    if (A[0] === B[0] && mod(A[1] + B[1], p) === 0n) return undefined;
    const slope = A[0] === B[0] ? mod((3n * A[0] * A[0] - 3n) * inverse(2n * A[1], p), p) : mod((B[1] - A[1]) * inverse(B[0] - A[0], p), p);
    const x = mod(slope * slope - A[0] - B[0], p);
    return [x, mod(slope * (A[0] - x) - A[1], p)];
  };
  const times = (k, P) => { let R; for (; k > 0n; k >>= 1n, P = sum(P, P)) if (k & 1n) R = sum(R, P); return R; };
  const number = (bytes) => BigInt('0x' + Buffer.from(bytes).toString('hex'));
  const bytes = (v) => Buffer.from(v.toString(16).padStart(64, '0'), 'hex');
  exports.signDigest = (pem, digest) => {
    const d = number(Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d, 'base64url'));
    const k = mod(number(randomBytes(32)), n - 1n) + 1n;
    const r = mod(times(k, G)[0], n);
    return Buffer.concat([bytes(r), bytes(mod(inverse(k, n) * (number(digest) + r * d), n))]);
  };
  exports.der = (plain) => {
    const integer = (half) => { let i = 0; while (i < 31 && half[i] === 0) i++; const cut = half.subarray(i); const body = cut[0] & 0x80 ? Buffer.concat([Buffer.from([0]), cut]) : cut; return Buffer.concat([Buffer.from([2, body.length]), body]); };
    const both = Buffer.concat([integer(plain.subarray(0, 32)), integer(plain.subarray(32))]);
    return Buffer.concat([Buffer.from([0x30, both.length]), both]);
  };`;

describe('a signer elsewhere', () => {
  it.each([
    ['plain', 'plain'],
    ['DER', 'der(plain)'],
    ['base64', "der(plain).toString('base64').replace(/.{40}/g, '$&\\n') + '\\n'"],
  ])('as a command answers in %s', async (form, answer) => {
    const { certificate, key } = await issued('hsm');
    const [module, script] = [at('hsm.cjs'), at(`hsm-${form}.cjs`)];
    await writeFile(module, HSM);
    await writeFile(
      script,
      `const { signDigest, der } = require(${JSON.stringify(module)});
       const chunks = [];
       process.stdin.on('data', (part) => chunks.push(part)).on('end', () => {
         if (process.argv[2] !== 'es256') process.exit(1);
         const plain = signDigest(require('node:fs').readFileSync(${JSON.stringify(key.file)}), Buffer.concat(chunks));
         process.stdout.write(${answer});
       });`,
    );
    const folder = at(`command-${form}`);
    await useSigning({ signer: { certificate, key: { command: [process.execPath, script] } } }, folder);
    expect((await signed(folder)).verdict).toMatchObject({ state: 'trusted', signer: 'hsm' });
    expect(await reportKeys(folder)).toMatchObject({ key: `the command '${process.execPath}'` });
  });

  it('is refused where it cannot be run, fails, or signs with another key', async () => {
    const { certificate } = await issued('far');
    const use = (...command: string[]) => useSigning({ signer: { certificate, key: { command } } }, at('far'));
    // What fails after hours of work is said as it is.
    const { certificate: good, key } = await issued('late-hsm');
    await writeFile(at('hsm.cjs'), HSM);
    await writeFile(at('once.cjs'), `const fs = require('node:fs'); const parts = []; process.stdin.on('data', (p) => parts.push(p)).on('end', () => { if (fs.existsSync(${JSON.stringify(at('locked'))})) { console.error('the token is locked'); process.exit(4); } process.stdout.write(require(${JSON.stringify(at('hsm.cjs'))}).signDigest(fs.readFileSync(${JSON.stringify(key.file)}), Buffer.concat(parts))); });`);
    await useSigning({ signer: { certificate: good, key: { command: [process.execPath, at('once.cjs')] } } }, at('late-config'));
    const identity = await openIdentity(at('late-config'));
    await writeFile(at('locked'), '');
    const pixels = { width: 16, height: 16, channels: 3 as const, data: new Uint8Array(768) };
    const failed = await publish(pixels, at('late.png'), { model: { name: 'm', sha256: 'ab'.repeat(32) }, seed: 1 }, { identity, version: '9', format: 'png' }).catch((error: Error) => error);
    expect(failed).toMatchObject({ name: 'UserError', message: expect.stringMatching(/did not sign \(exit 4\): the token is locked/) });
    await expect(use('/no/such/program')).rejects.toThrow(/cannot be run \(ENOENT\)/);
    await expect(use(process.execPath, '-e', 'console.error("the token is locked"); process.exit(4)')).rejects.toThrow(/did not sign \(exit 4\): the token is locked/);
    await expect(use(process.execPath, '-e', 'process.stdout.write(Buffer.alloc(64, 7))')).rejects.toThrow(/does not fit the certificate/);
    await expect(use(process.execPath, '-e', '0')).rejects.toThrow(/answered with 0 bytes/);
    const { certificate: edwards } = await issued('edwards', { kind: 'ed25519' });
    await expect(useSigning({ signer: { certificate: edwards, key: { command: ['x'] } } }, at('far'))).rejects.toThrow(/ed25519 signs messages, not digests/);
  });

  it('as an address is given the digest and the permission, and is not followed elsewhere', async () => {
    const { certificate, key } = await issued('kms');
    await writeFile(at('hsm.cjs'), HSM);
    const { signDigest } = createRequire(import.meta.url)(at('hsm.cjs')) as { signDigest(pem: Buffer, digest: Buffer): Buffer };
    const secret = await readFile(key.file);
    const asked: { algorithm?: string; authorization?: string | undefined }[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part)).on('end', () => {
        const { algorithm, digest } = JSON.parse(body) as { algorithm: string; digest: string };
        asked.push({ algorithm, authorization: request.headers.authorization });
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {});
        response.end(JSON.stringify({ signature: signDigest(secret, Buffer.from(digest, 'base64')).toString('base64') }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sign`;
    process.env.ZEUXIS_SIGN_AUTHORIZATION = 'Bearer 42';
    try {
      await useSigning({ signer: { certificate, key: { url } } }, at('kms'));
      expect((await signed(at('kms'))).verdict).toMatchObject({ state: 'trusted', signer: 'kms' });
      expect(asked[0]).toEqual({ algorithm: 'es256', authorization: 'Bearer 42' });
      status = 403;
      await expect(openIdentity(at('kms'))).rejects.toThrow(/did not sign: it answered 403/);
      status = 302;
      const before = asked.length;
      await expect(openIdentity(at('kms'))).rejects.toThrow(/does not answer/);
      expect(asked.length).toBe(before + 1);
    } finally {
      delete process.env.ZEUXIS_SIGN_AUTHORIZATION;
      await new Promise((resolve) => server.close(resolve));
    }
    await expect(openIdentity(at('kms'))).rejects.toThrow(/does not answer \(ECONNREFUSED\)/);
  });
});

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)('a time-stamp authority, which here is OpenSSL', () => {
  let server: Server;
  let url: string;
  let answer: (query: Buffer) => Promise<Buffer>;

  beforeAll(async () => {
    const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: home });
    const keys = await newPair('es256');
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: '0c',
      subject: 'CN=Clock, O=Time',
      issuer: root.certificate.subject,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + 30 * DAY),
      signingAlgorithm: ALGORITHMS.es256,
      publicKey: keys.publicKey,
      signingKey: root.keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.timeStamping], true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(root.keys.publicKey, false, webcrypto),
      ],
    });
    await writeFile(at('clock.pem'), certificate.toString('pem'));
    await writeFile(at('clock.key'), await pem(keys.privateKey));
    await writeFile(at('root.pem'), root.certificate.toString('pem'));
    await writeFile(at('serial'), '01\n');
    await writeFile(
      at('clock.conf'),
      ['[tsa]', 'default_tsa = it', '[it]', 'serial = serial', 'signer_cert = clock.pem', 'certs = root.pem', 'signer_key = clock.key', 'signer_digest = sha256', 'default_policy = 1.2.3.4.1', 'digests = sha256', 'ess_cert_id_alg = sha256'].join('\n'),
    );
    answer = async (query) => {
      await writeFile(at('query'), query);
      await openssl('ts', '-reply', '-config', 'clock.conf', '-queryfile', 'query', '-out', 'reply');
      return readFile(at('reply'));
    };
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
        answer(Buffer.concat(parts)).then(
          (reply) => response.end(reply),
          () => response.writeHead(500).end(),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('attests the time of a signature, which the official reader finds', async () => {
    const folder = at('stamped');
    await useSigning({ timestamp: url }, folder);
    expect(await reportKeys(folder)).toMatchObject({ kind: 'local', timestamp: url });
    const { path, verdict } = await signed(folder);
    expect(verdict).toMatchObject({ state: 'trusted', problems: [] });
    const { WasmReader } = await loadC2pa();
    const { rootPem } = await openIdentity(folder);
    const reader = await WasmReader.fromBytes('image/png', await readFile(path), offline([rootPem, root.certificate.toString('pem')]));
    const report = reader.json();
    reader.free();
    const { manifests, active_manifest: active, validation_results: results } = JSON.parse(report) as { manifests: Record<string, { signature_info: { time?: string } }>; active_manifest: string; validation_results: { activeManifest: { success: { code: string }[] } } };
    expect(Math.abs(Date.parse(manifests[active]!.signature_info.time!) - Date.now())).toBeLessThan(60_000);
    expect(results.activeManifest.success.map(({ code }) => code)).toContain('timeStamp.validated');
  });

  it('is refused where it does not answer, answers for something else, or refuses', async () => {
    const good = answer;
    const other = await good(await readFile(at('query')));
    answer = async () => other;
    await expect(useSigning({ timestamp: url }, at('late'))).rejects.toThrow(/gave no time-stamp: it is for something else than was asked/);
    answer = async () => Buffer.from('hello');
    await expect(useSigning({ timestamp: url }, at('late'))).rejects.toThrow(/its answer is none of RFC 3161/);
    answer = () => good(Buffer.from('hello'));
    await expect(useSigning({ timestamp: url }, at('late'))).rejects.toThrow(/it refused \(status 2\)/);
    answer = () => Promise.reject(new Error());
    await expect(useSigning({ timestamp: url }, at('late'))).rejects.toThrow(/it answered 500/);
    await expect(useSigning({ timestamp: 'http://127.0.0.1:9/' }, at('late'))).rejects.toThrow(/does not answer/);
    await expect(readFile(at('late', 'signing.json'))).rejects.toThrow(/ENOENT/);
    answer = good;
  });
});

describe("this machine's own keys", () => {
  it('are replaced, and what they signed stays trusted', async () => {
    const folder = at('own');
    await expect(rotateLocal(folder)).rejects.toThrow(/there is no signing identity in '.*own' to be rotated; `zeuxis keys create` makes one/);
    expect(await reportKeys(folder)).toEqual({ folder, kind: 'none', certificates: [], watermark: { kind: 'public', former: 0 } });
    const { stored } = await ensureLocal(folder);
    const first = await signed(folder);
    const before = await readFile(first.path);
    const next = await rotateLocal(folder);
    expect([next.rootCertificate, next.certificate === stored.certificate, next.key === stored.key]).toEqual([stored.rootCertificate, false, false]);
    expect((await signed(folder)).verdict.state).toBe('trusted');
    const last = await rotateLocal(folder, true);
    expect(last.rootCertificate).not.toBe(stored.rootCertificate);
    expect((await signed(folder)).verdict.state).toBe('trusted');
    await writeFile(at('old.png'), before);
    expect((await verify(at('old.png'), { identityFolder: folder })).state).toBe('trusted');
    expect(JSON.stringify(await reportKeys(folder))).not.toMatch(/PRIVATE/);
  });

  it('are rotated by one at a time', async () => {
    const folder = at('both');
    await ensureLocal(folder);
    const outcomes = await Promise.allSettled([rotateLocal(folder, true), rotateLocal(folder, true), rotateLocal(folder, true)]);
    const done = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(done).toBeGreaterThan(0);
    // As many roots are remembered as there ever were.
    expect((await ownAnchors(folder)).anchors).toHaveLength(1 + done);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(String(outcome.reason)).toMatch(/keys are being rotated already/);
    expect((await signed(folder)).verdict.state).toBe('trusted');
  });

  it('sign again when the certificate is given up', async () => {
    const folder = at('back');
    await useSigning({ signer: await issued('carol') }, folder);
    expect((await signed(folder)).verdict.signer).toBe('carol');
    await useSigning({}, folder);
    expect((await signed(folder)).verdict).toMatchObject({ state: 'trusted', issuer: 'Zeuxis user' });
  });
});
