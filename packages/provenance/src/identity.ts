// Who signs: a root and a signing certificate made on the user's own machine at first use.
//
// C2PA 2.x, "X.509 certificates": the signer is an end-entity certificate with digitalSignature and an extended key
// usage that C2PA names (here emailProtection), issued by a root that signs no pictures. Nobody but the user trusts
// this root; whoever has a certificate of a public authority will be able to bring it.

import { createPrivateKey, type KeyObject, randomBytes, sign as signBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { removeStale, UserError, writeFault } from '@zeuxis/pictures';

export interface Identity {
  folder: string;
  /** Whether this call made it. */
  created: boolean;
  /** The signing certificate and what stands above it but for the root, DER. */
  chain: Uint8Array[];
  /** The root, for trusting one's own pictures. */
  rootPem: string;
  /** ECDSA with P-256 and SHA-256 in the plain form of COSE: r and s, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** The user's configuration folder. ZEUXIS_HOME overrides it. */
export function configFolder(): string {
  if (process.env.ZEUXIS_HOME) return process.env.ZEUXIS_HOME;
  const base =
    process.platform === 'win32'
      ? process.env.APPDATA
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Application Support')
        : process.env.XDG_CONFIG_HOME;
  return join(base ?? join(homedir(), '.config'), 'zeuxis');
}

const FILE = 'identity.json';
const YEAR = 365 * 24 * 3600 * 1000;
const LIFETIME = { root: 10 * YEAR, signer: 5 * YEAR };

/** Everything in one file, so that the first run of two processes at once cannot mix two identities. */
interface Stored {
  identity: 1;
  rootCertificate: string;
  rootKey: string;
  certificate: string;
  key: string;
}

/** The local root certificate, PEM, or undefined where no identity has been made. Never makes one. */
export async function localRoot(folder = configFolder()): Promise<string | undefined> {
  return (await load(join(folder, FILE)))?.rootCertificate;
}

/**
 * Opens the identity in a folder, making it at first use: folder mode 0700, file mode 0600.
 * @throws UserError where the folder cannot be written, or the file there is damaged or expired.
 */
export async function openIdentity(folder = configFolder()): Promise<Identity> {
  const path = join(folder, FILE);
  // A process that was killed while it made an identity left a key behind.
  await removeStale(folder);
  let stored = await load(path);
  let created = false;
  if (!stored) {
    created = await store(folder, path, await issue());
    stored = (await load(path))!;
  }
  let key: KeyObject;
  let certificate: X509Certificate;
  try {
    key = createPrivateKey(stored.key);
    certificate = new X509Certificate(stored.certificate);
    if (!certificate.checkPrivateKey(key)) throw new Error('key and certificate do not belong together');
  } catch (error) {
    throw new UserError(`the signing identity in '${path}' is damaged (${(error as Error).message}); move it away, and a new one is made`);
  }
  if (Date.parse(certificate.validTo) < Date.now())
    throw new UserError(`the signing certificate in '${path}' expired on ${certificate.validTo}; move it away, and a new one is made`);
  return {
    folder,
    created,
    chain: [certificate.raw],
    rootPem: stored.rootCertificate,
    sign: (bytes) => signBytes('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
  };
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

/** Puts an identity into place unless another process was quicker; says whether it was this one. */
async function store(folder: string, path: string, stored: Stored): Promise<boolean> {
  const temporary = join(folder, `${FILE}.${randomBytes(4).toString('hex')}.${process.pid}.part`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await writeFile(temporary, JSON.stringify(stored, null, 1), { mode: 0o600, flush: true });
    // A link fails where the name is taken, which a rename would not.
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeFault(error, path);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** A new root and a signing certificate under it. */
async function issue(): Promise<Stored> {
  // x509's dependency injection wants this polyfill loaded before it.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const crypto = webcrypto;
  x509.cryptoProvider.set(crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const pair = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pem = async (key: webcrypto.CryptoKey) =>
    createPrivateKey({ key: Buffer.from(await crypto.subtle.exportKey('pkcs8', key)), format: 'der', type: 'pkcs8' })
      .export({ format: 'pem', type: 'pkcs8' })
      .toString();
  const serial = () => {
    const bytes = randomBytes(16);
    // Positive, and never shortened by a leading zero.
    bytes[0] = (bytes[0]! & 0x7f) | 0x40;
    return bytes.toString('hex');
  };
  const [root, signer] = [await pair(), await pair()];
  // Told apart by a number: a machine's name often is a person's, and these go into every picture.
  const mark = randomBytes(4).toString('hex');
  // A day of grace for clocks that disagree.
  const notBefore = new Date(Date.now() - 24 * 3600 * 1000);
  const until = (span: number) => new Date(Date.now() + span);
  const rootCertificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Zeuxis local root ${mark}, O=Zeuxis user`,
    notBefore,
    notAfter: until(LIFETIME.root),
    signingAlgorithm: algorithm,
    keys: root,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(root.publicKey, false, crypto),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=Zeuxis local key ${mark}, O=Zeuxis user`,
    issuer: rootCertificate.subject,
    notBefore,
    notAfter: until(LIFETIME.signer),
    signingAlgorithm: algorithm,
    publicKey: signer.publicKey,
    signingKey: root.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.emailProtection], false),
      await x509.SubjectKeyIdentifierExtension.create(signer.publicKey, false, crypto),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey, false, crypto),
    ],
  });
  return {
    identity: 1,
    rootCertificate: rootCertificate.toString('pem'),
    rootKey: await pem(root.privateKey),
    certificate: certificate.toString('pem'),
    key: await pem(signer.privateKey),
  };
}
