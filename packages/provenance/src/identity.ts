// Who signs: the certificate that the configuration names, or one made on this machine.

import { createPrivateKey, type KeyObject, sign as signBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeStale, UserError, writeWhole } from '@zeuxis/pictures';
import { type Algorithm, algorithmOf, anchorOf, checkChain, embedded, readChain } from './keys/certificates.js';
import { ensureLocal, identityPath, localRoots } from './keys/local.js';
import { type KeyPlace, openSigner, placeText, type Sign } from './keys/signer.js';

export interface Identity {
  folder: string;
  /** Whether this call made it. */
  created: boolean;
  algorithm: Algorithm;
  /** The signing certificate and what stands above it but for the root, DER. */
  chain: Uint8Array[];
  /** The root, or the highest certificate that is known, for trusting one's own pictures. */
  rootPem: string;
  /** A signature in the plain form of COSE: of ECDSA r and s. */
  sign: Sign;
}

/** A certificate that was brought along, and where its key is. */
export interface SigningConfiguration {
  /** PEM file: the signer's certificate, then whoever issued it, upwards. */
  certificate: string;
  key: KeyPlace;
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

const CONFIGURATION = 'signing.json';

/** What signs in a folder by configuration; undefined where its own identity does. @throws UserError where it cannot be read. */
export async function readSigning(folder = configFolder()): Promise<SigningConfiguration | undefined> {
  const path = join(folder, CONFIGURATION);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(`'${path}' cannot be read (${error.code}); check its permissions`);
  });
  if (text === undefined) return undefined;
  try {
    const { signing, certificate, key } = JSON.parse(text) as SigningConfiguration & { signing: number };
    if (signing !== 1 || typeof certificate !== 'string' || !isPlace(key)) throw new Error();
    return { certificate, key };
  } catch {
    throw new UserError(`'${path}' is damaged; \`zeuxis keys use\` writes it anew`);
  }
}

function isPlace(place: unknown): place is KeyPlace {
  const { file, variable, command, url } = (place ?? {}) as Record<string, unknown>;
  return typeof file === 'string' || typeof variable === 'string' || (typeof url === 'string' && URL.canParse(url)) || (Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === 'string'));
}

/**
 * Signs with a certificate from now on, or, undefined, with the folder's own again. It is tried first.
 * @throws UserError as `openIdentity` does; then nothing is changed.
 */
export async function useSigning(configuration: SigningConfiguration | undefined, folder = configFolder()): Promise<void> {
  const path = join(folder, CONFIGURATION);
  if (!configuration) return rm(path, { force: true });
  const { certificate, key } = configuration;
  // Read from anywhere later.
  const absolute = { certificate: resolve(certificate), key: 'file' in key ? { file: resolve(key.file) } : key };
  await configured(absolute, folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(path, Buffer.from(`${JSON.stringify({ signing: 1, ...absolute }, null, 1)}\n`));
  await chmod(path, 0o600);
}

/**
 * Opens who signs: what `signing.json` in the folder names, or the folder's own identity, which is made at first use.
 * @throws UserError where the folder cannot be written, what is there is damaged, a certificate has expired or is not for signing
 * pictures, or a key is missing, readable by others or another's.
 */
export async function openIdentity(folder = configFolder()): Promise<Identity> {
  const configuration = await readSigning(folder);
  if (configuration) return configured(configuration, folder);
  const path = identityPath(folder);
  // A process that was killed while it made an identity left a key behind.
  await removeStale(folder);
  const { stored, created } = await ensureLocal(folder);
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
    throw new UserError(`the signing certificate in '${path}' expired on ${certificate.validTo}; \`zeuxis keys rotate\` makes a new one`);
  return {
    folder,
    created,
    algorithm: algorithmOf(key, `'${path}'`),
    chain: [certificate.raw],
    rootPem: stored.rootCertificate,
    sign: async (bytes) => signBytes('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

async function certificatesOf(path: string): Promise<X509Certificate[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no certificate '${path}'` : `the certificate '${path}' cannot be read (${error.code})`);
  });
  return readChain(text, `'${path}'`);
}

async function configured({ certificate: path, key }: SigningConfiguration, folder: string): Promise<Identity> {
  const chain = await certificatesOf(path);
  await checkChain(chain, `'${path}'`);
  const algorithm = algorithmOf(chain[0]!.publicKey, `the certificate '${path}'`);
  return { folder, created: false, algorithm, chain: embedded(chain), rootPem: anchorOf(chain), sign: await openSigner(key, chain[0]!, algorithm) };
}

/** What is to be trusted for pictures signed here to be one's own, PEM. */
export async function ownAnchors(folder = configFolder()): Promise<string[]> {
  const configuration = await readSigning(folder);
  return [...(configuration ? [anchorOf(await certificatesOf(configuration.certificate))] : []), ...(await localRoots(folder))];
}

/** Who signs, for people: nothing secret. */
export interface KeyReport {
  folder: string;
  /** 'local' is this machine's own, 'configured' one that was brought along; 'none' has not been made yet. */
  kind: 'local' | 'configured' | 'none';
  /** Where the key is. */
  key?: string;
  algorithm?: string;
  /** The signer's first. */
  certificates: { subject: string; issuer: string; validFrom: string; validTo: string; sha256: string }[];
}

/** @throws UserError for what is there and damaged. */
export async function reportKeys(folder = configFolder()): Promise<KeyReport> {
  const configuration = await readSigning(folder);
  const roots = await localRoots(folder);
  if (!configuration && roots.length === 0) return { folder, kind: 'none', certificates: [] };
  const chain = configuration ? await certificatesOf(configuration.certificate) : [...readChain((await ensureLocal(folder)).stored.certificate, `'${identityPath(folder)}'`), new X509Certificate(roots[0]!)];
  return {
    folder,
    kind: configuration ? 'configured' : 'local',
    key: configuration ? placeText(configuration.key) : `the file '${identityPath(folder)}'`,
    algorithm: algorithmOf(chain[0]!.publicKey, 'the certificate').name.toUpperCase(),
    certificates: chain.map(({ subject, issuer, validFrom, validTo, fingerprint256 }) => ({
      subject: subject.replaceAll('\n', ', '),
      issuer: issuer.replaceAll('\n', ', '),
      validFrom,
      validTo,
      sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
    })),
  };
}
