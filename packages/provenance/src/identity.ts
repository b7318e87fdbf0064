// Who signs: the certificate that the configuration names, or one made on this machine.

import { createPrivateKey, type KeyObject, sign as signBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { removeStale, UserError, writeWhole } from '@zeuxis/pictures';
import { type Algorithm, algorithmOf, anchorOf, checkChain, embedded, readChain } from './keys/certificates.js';
import { ensureLocal, identityPath, localRoots } from './keys/local.js';
import { checkPlace, type KeyPlace, openSigner, placeText, type Sign } from './keys/signer.js';
import { presentWatermarkKey, reportWatermark, type WatermarkReport } from './keys/watermark.js';
import { signTrial } from './sign.js';

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
  /** Address of a time-stamp authority (RFC 3161) that is asked for each signature. */
  timestamp?: string;
  /** The key that marks pictures; the one that every Zeuxis knows where there is none. */
  watermark?: KeyObject;
}

/** Who is to sign, and whether the time is to be attested. */
export interface SigningConfiguration {
  /** A certificate that was brought along, and where its key is; without it this machine's own signs. */
  signer?: {
    /** PEM file: the signer's certificate, then whoever issued it, upwards. */
    certificate: string;
    key: KeyPlace;
  };
  /** Address of a time-stamp authority (RFC 3161). */
  timestamp?: string;
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

/** What is configured in a folder; nothing where its own identity signs. @throws UserError where it cannot be read. */
async function readSigning(folder: string): Promise<SigningConfiguration> {
  const path = join(folder, CONFIGURATION);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(`'${path}' cannot be read (${error.code}); check its permissions`);
  });
  if (text === undefined) return {};
  try {
    const { signing, signer, timestamp } = JSON.parse(text) as SigningConfiguration & { signing: number };
    const known = (signer === undefined || (typeof signer.certificate === 'string' && isPlace(signer.key))) && (timestamp === undefined || (typeof timestamp === 'string' && URL.canParse(timestamp)));
    if (signing !== 1 || !known || (!signer && !timestamp)) throw new Error();
    return { ...(signer ? { signer } : {}), ...(timestamp ? { timestamp } : {}) };
  } catch {
    throw new UserError(`'${path}' is damaged; \`zeuxis keys use\` writes it anew`);
  }
}

function isPlace(place: unknown): place is KeyPlace {
  const { file, variable, command, url } = (place ?? {}) as Record<string, unknown>;
  return typeof file === 'string' || typeof variable === 'string' || (typeof url === 'string' && URL.canParse(url)) || (Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === 'string'));
}

/**
 * Signs so from now on; with nothing given, as this machine does by itself. It is tried first.
 * @throws UserError as `openIdentity` does, and where the time-stamp authority gives none; then nothing is changed.
 */
export async function useSigning({ signer, timestamp }: SigningConfiguration, folder = configFolder()): Promise<void> {
  const path = join(folder, CONFIGURATION);
  if (!signer && !timestamp) return rm(path, { force: true });
  if (signer) checkPlace(signer.key);
  // Read from anywhere later.
  const absolute = signer && { certificate: resolve(signer.certificate), key: 'file' in signer.key ? { file: resolve(signer.key.file) } : signer.key };
  const identity: Identity = { ...(await (absolute ? configured(absolute, folder) : openLocal(folder))), ...(timestamp ? { timestamp } : {}) };
  await tried(identity);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A command or an address may hold what is not for everyone.
  await writeWhole(path, `${JSON.stringify({ signing: 1, ...(absolute ? { signer: absolute } : {}), ...(timestamp ? { timestamp } : {}) }, null, 1)}\n`, 0o600);
}

/**
 * Opens who signs: what `signing.json` in the folder names, or the folder's own identity, which is made at first use.
 * @throws UserError where the folder cannot be written, what is there is damaged, a certificate has expired or is not for signing
 * pictures, or a key, that of the watermark too, is missing, readable by others or another's.
 */
export async function openIdentity(folder = configFolder()): Promise<Identity> {
  const { signer, timestamp } = await readSigning(folder);
  const watermark = await presentWatermarkKey(folder);
  return { ...(await (signer ? configured(signer, folder) : openLocal(folder))), ...(timestamp ? { timestamp } : {}), ...(watermark ? { watermark } : {}) };
}

async function openLocal(folder: string): Promise<Identity> {
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

/** @throws UserError where the official reader would not have what is signed so. */
async function tried(identity: Identity): Promise<void> {
  await signTrial({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) }, identity).catch((error: Error) => {
    throw error.name === 'UserError' ? error : new UserError(`the official reader does not take what is signed so: ${error.message}`);
  });
}

async function certificatesOf(path: string): Promise<X509Certificate[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no certificate '${path}'` : `the certificate '${path}' cannot be read (${error.code})`);
  });
  return readChain(text, `'${path}'`);
}

async function configured({ certificate: path, key }: NonNullable<SigningConfiguration['signer']>, folder: string): Promise<Identity> {
  const chain = await certificatesOf(path);
  checkPlace(key);
  await checkChain(chain, `'${path}'`);
  const algorithm = algorithmOf(chain[0]!.publicKey, `the certificate '${path}'`);
  return { folder, created: false, algorithm, chain: embedded(chain), rootPem: anchorOf(chain), sign: await openSigner(key, chain[0]!, algorithm) };
}

/**
 * What is to be trusted for pictures signed here to be one's own, PEM, and what could not be read: a certificate that was moved takes nothing from
 * what this machine's own key signed.
 */
export async function ownAnchors(folder = configFolder()): Promise<{ anchors: string[]; faults: string[] }> {
  const faults: string[] = [];
  const told = (error: Error): string[] => {
    if (error.name !== 'UserError') throw error;
    faults.push(error.message);
    return [];
  };
  const brought = await readSigning(folder)
    .then(async ({ signer }) => (signer ? [anchorOf(await certificatesOf(signer.certificate))] : []))
    .catch(told);
  return { anchors: [...brought, ...(await localRoots(folder).catch(told))], faults };
}

/** Who signs, for people: nothing secret. */
export interface KeyReport {
  folder: string;
  /** 'local' is this machine's own, 'configured' one that was brought along; 'none' has not been made yet. */
  kind: 'local' | 'configured' | 'none';
  /** Where the key is. */
  key?: string;
  algorithm?: string;
  /** The time-stamp authority. */
  timestamp?: string;
  /** The signer's first. */
  certificates: { subject: string; issuer: string; validFrom: string; validTo: string; sha256: string }[];
  watermark: WatermarkReport;
}

/** @throws UserError for what is there and damaged. */
export async function reportKeys(folder = configFolder()): Promise<KeyReport> {
  const { signer, timestamp } = await readSigning(folder);
  const roots = await localRoots(folder);
  const watermark = await reportWatermark(folder);
  const attested = timestamp ? { timestamp } : {};
  if (!signer && roots.length === 0) return { folder, kind: 'none', ...attested, certificates: [], watermark };
  const chain = signer ? await certificatesOf(signer.certificate) : [...readChain((await ensureLocal(folder)).stored.certificate, `'${identityPath(folder)}'`), new X509Certificate(roots[0]!)];
  return {
    folder,
    kind: signer ? 'configured' : 'local',
    key: signer ? placeText(signer.key) : `the file '${identityPath(folder)}'`,
    algorithm: algorithmOf(chain[0]!.publicKey, 'the certificate').name.toUpperCase(),
    ...attested,
    certificates: chain.map(({ subject, issuer, validFrom, validTo, fingerprint256 }) => ({
      subject: subject.replaceAll('\n', ', '),
      issuer: issuer.replaceAll('\n', ', '),
      validFrom,
      validTo,
      sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
    })),
    watermark,
  };
}
