// A root and a signing certificate made on the user's own machine at first use.
//
// C2PA 2.x, "X.509 certificates": the signer is an end-entity certificate with digitalSignature and an extended key
// usage that C2PA names (here emailProtection), issued by a root that signs no pictures. Nobody but the user trusts
// this root; whoever has a certificate of a public authority names it in the configuration.

import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, writeFault } from '@zeuxis/pictures';
import { locked } from './lock.js';
import { randomInteger } from './numbers.js';

const FILE = 'identity.json';
const YEAR = 365 * 24 * 3600 * 1000;
const LIFETIME = { root: 10 * YEAR, signer: 5 * YEAR };

/** Everything in one file, so that the first run of two processes at once cannot mix two identities. */
export interface Stored {
  identity: 1;
  rootCertificate: string;
  rootKey: string;
  certificate: string;
  key: string;
  /** Roots that came before, PEM: what was signed under them stays one's own. */
  formerRoots?: string[];
}

export const identityPath = (folder: string): string => join(folder, FILE);

/** The local root certificates, PEM, the present one first; none where no identity has been made. Never makes one. */
export async function localRoots(folder: string): Promise<string[]> {
  const stored = await load(identityPath(folder));
  return stored ? [stored.rootCertificate, ...(stored.formerRoots ?? [])] : [];
}

/** The identity in a folder, made where there is none: folder mode 0700, file mode 0600. */
export async function ensureLocal(folder: string): Promise<{ stored: Stored; created: boolean }> {
  const path = identityPath(folder);
  const found = await load(path);
  if (found) return { stored: found, created: false };
  const created = await put(folder, await issue(), link);
  return { stored: (await load(path))!, created };
}

/**
 * A new signing key, certified by the root that is there, or by a new one; the old key is gone.
 * @throws UserError where there is no identity, or its root has expired and is to be kept.
 */
export async function rotateLocal(folder: string, newRoot = false): Promise<Stored> {
  // Of two at once one would forget the other's root, and with it whatever that had signed.
  return locked(`${identityPath(folder)}.lock`, 'keys are being rotated', () => rotated(folder, newRoot)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new UserError(MISSING(folder)) : error;
  });
}

const MISSING = (folder: string) => `there is no signing identity in '${folder}' to be rotated; \`zeuxis keys create\` makes one`;

async function rotated(folder: string, newRoot: boolean): Promise<Stored> {
  const stored = await load(identityPath(folder));
  if (!stored) throw new UserError(MISSING(folder));
  const { formerRoots = [], rootCertificate, rootKey } = stored;
  if (!newRoot && !rootKey) throw new UserError(`the root's key is not in '${identityPath(folder)}'; put it back, or make a new root as well, with --root`);
  if (!newRoot && Date.parse(new X509Certificate(rootCertificate).validTo) < Date.now()) throw new UserError('the root certificate has expired; rotate it too, with --root');
  const next: Stored = newRoot ? { ...(await issue()), formerRoots: [rootCertificate, ...formerRoots] } : { ...stored, ...(await issueSigner({ rootCertificate, rootKey })) };
  await put(folder, next, rename);
  return next;
}

async function load(path: string): Promise<Stored | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(`the signing identity in '${path}' cannot be read (${error.code}); check its permissions`);
  });
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as Stored;
    if (stored.identity !== 1 || !stored.key || !stored.certificate || !stored.rootCertificate) throw new Error();
    return stored;
  } catch {
    throw new UserError(`the signing identity in '${path}' is damaged; move it away, and a new one is made`);
  }
}

/** Puts an identity into place, by a link, which fails where another process was quicker, or a rename, which replaces; says whether it did. */
async function put(folder: string, stored: Stored, place: (from: string, to: string) => Promise<void>): Promise<boolean> {
  const path = identityPath(folder);
  const temporary = join(folder, `${FILE}.${randomBytes(4).toString('hex')}.${process.pid}.part`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await writeFile(temporary, JSON.stringify(stored, null, 1), { mode: 0o600, flush: true });
    await place(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeFault(error, path);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** A day of grace for clocks that disagree. */
const GRACE = 24 * 3600 * 1000;

async function x509Library() {
  // x509's dependency injection wants this polyfill loaded before it.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

const newPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)), format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
const validity = (span: number) => ({ notBefore: new Date(Date.now() - GRACE), notAfter: new Date(Date.now() + span) });

/** A new root and a signing certificate under it. */
async function issue(): Promise<Stored> {
  const x509 = await x509Library();
  const root = await newPair();
  // Told apart by a number: a machine's name often is a person's, and these go into every picture.
  const mark = randomBytes(4).toString('hex');
  const rootCertificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomInteger().toString('hex'),
    name: `CN=Zeuxis local root ${mark}, O=Zeuxis user`,
    ...validity(LIFETIME.root),
    signingAlgorithm: ALGORITHM,
    keys: root,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(root.publicKey, false, webcrypto),
    ],
  });
  const authority = { rootCertificate: rootCertificate.toString('pem'), rootKey: await pemOf(root.privateKey) };
  return { identity: 1, ...authority, ...(await issueSigner(authority)) };
}

/** A new signing key and its certificate under a root. */
async function issueSigner({ rootCertificate, rootKey }: Pick<Stored, 'rootCertificate' | 'rootKey'>): Promise<Pick<Stored, 'certificate' | 'key'>> {
  const x509 = await x509Library();
  const root = new x509.X509Certificate(rootCertificate);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', createPrivateKey(rootKey).export({ format: 'der', type: 'pkcs8' }), ALGORITHM, false, ['sign']);
  const signer = await newPair();
  const { notBefore, notAfter } = validity(LIFETIME.signer);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomInteger().toString('hex'),
    subject: root.subject.replace('local root', 'local key'),
    issuer: root.subject,
    notBefore,
    // No longer than the root.
    notAfter: new Date(Math.min(notAfter.getTime(), root.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: signer.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.emailProtection], false),
      await x509.SubjectKeyIdentifierExtension.create(signer.publicKey, false, webcrypto),
      await x509.AuthorityKeyIdentifierExtension.create(await root.publicKey.export(webcrypto), false, webcrypto),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await pemOf(signer.privateKey) };
}
