// What a file says of itself, in the words of the official reader: ours, and any other.

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { UserError } from '@zeuxis/pictures';
import { loadC2pa } from './c2pa.js';
import { configFolder, localRoot } from './identity.js';
import { GENERATION, type Generation } from './publish.js';

export interface Verdict {
  file: string;
  /**
   * 'trusted': whole, and signed by someone who is trusted; 'valid': whole, by a signer nobody here vouches for;
   * 'invalid': changed after signing, or signed wrongly; 'none': no credentials in the file, which says nothing either way.
   */
  state: 'trusted' | 'valid' | 'invalid' | 'none';
  /** Codes of C2PA's validation that failed, as in 'assertion.dataHash.mismatch'. An untrusted signer is among them. */
  problems: string[];
  /** Common name and organisation in the signer's certificate. */
  signer?: string;
  issuer?: string;
  claimGenerator?: string;
  /** From the manifest's actions; ends in trainedAlgorithmicMedia for what a model made. */
  digitalSourceType?: string;
  actions?: string[];
  /** For pictures made by zeuxis. */
  generation?: Generation;
  /** Titles of the pictures that went into it. */
  ingredients?: string[];
  /** What hindered the reading but is no fault of the file, as a damaged identity of one's own, which was then not trusted. */
  notes?: string[];
  /** All of it in a sentence. It quotes the file, which may hold control characters: mind them where it is shown. */
  summary: string;
}

export interface VerifyOptions {
  /** Folder of the identity whose root is trusted; the user's own by default. */
  identityFolder?: string;
  /** Further certificates to trust, PEM. */
  trust?: readonly string[];
  /** Heard between reading the file and judging it, not within: the official reader does not stop half-way. */
  signal?: AbortSignal;
}

/** Larger files are not read into memory. */
const LARGEST = 512 * 2 ** 20;

/** MIME types by the first bytes: a name proves nothing. */
export function formatOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'image/webp';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'image/tiff';
  if (text.slice(4, 8) === 'ftyp' && /^(avif|avis)/.test(text.slice(8))) return 'image/avif';
  if (text.slice(4, 8) === 'ftyp' && /^(heic|heix|mif1)/.test(text.slice(8))) return 'image/heic';
  if (text.startsWith('GIF8')) return 'image/gif';
  return undefined;
}

/** The part of c2pa-rs's report that is read here. */
interface Report {
  active_manifest?: string;
  validation_state?: string;
  validation_results?: { activeManifest?: { failure?: { code: string }[] }; ingredientDeltas?: { validationDeltas?: { failure?: { code: string }[] } }[] };
  validation_status?: { code: string }[];
  manifests?: Record<string, ReportedManifest>;
}
interface ReportedManifest {
  claim_generator?: string;
  claim_generator_info?: { name: string; version?: string }[];
  assertions?: { label: string; data: unknown }[];
  signature_info?: { common_name?: string; issuer?: string };
  ingredients?: { title?: string }[];
}

/**
 * Reads and checks the credentials of one file. Makes no identity, changes nothing, asks no network.
 * @throws UserError for a file that is missing or no picture, and for a certificate in `trust` that is none; the
 * signal's reason (an AbortError) where it was aborted.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Verdict> {
  const { identityFolder = configFolder(), trust = [], signal } = options;
  signal?.throwIfAborted();
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no file '${path}'` : `'${path}' cannot be read (${error.code})`);
  });
  if (!info.isFile()) throw new UserError(`'${path}' is no file`);
  if (info.size > LARGEST) throw new UserError(`'${path}' is larger than ${LARGEST / 2 ** 20} MiB, too large to verify`);
  const bytes = await readFile(path, { signal }).catch((error: NodeJS.ErrnoException) => {
    signal?.throwIfAborted();
    throw new UserError(`'${path}' cannot be read (${error.code})`);
  });
  const format = formatOf(bytes);
  if (!format) throw new UserError(`'${path}' is no picture whose credentials can be read (PNG, JPEG, WebP, TIFF, AVIF, HEIC, GIF)`);
  for (const pem of trust) if (!isCertificate(pem)) throw new UserError('what is to be trusted is no certificate in PEM');
  const { root, note } = await ownRoot(identityFolder);
  const found = await report(bytes, format, root === undefined ? trust : [root, ...trust]);
  signal?.throwIfAborted();
  return { file: path, ...judge(found), ...(note === undefined ? {} : { notes: [note] }) };
}

/** The user's own root. A damaged identity is a matter for who signs: a verifier goes on without, and says so. */
async function ownRoot(folder: string): Promise<{ root?: string; note?: string }> {
  try {
    const root = await localRoot(folder);
    if (root === undefined) return {};
    if (!isCertificate(root)) throw new UserError(`the root certificate of the signing identity in '${folder}' is damaged`);
    return { root };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { note: `${error.message}; pictures signed here are not known as one's own` };
  }
}

/** The reader would take a damaged anchor for a fault of the picture. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** What the reader said in place of a report: that it could not, or where the credentials are said to be. */
type Failure = { damaged: string } | { elsewhere: string };

/** The official reader's report; undefined where the file carries no manifest. */
async function report(bytes: Uint8Array, format: string, anchors: readonly string[]): Promise<Report | Failure | undefined> {
  const { WasmReader } = await loadC2pa();
  const settings = {
    // A picture may name addresses of manifests, revocation lists and identities. Whoever looks at it must not thereby be
    // seen, nor made to call on his own network: the first switch gives an answer of its own, the list closes every other way.
    core: { allowed_network_hosts: [] },
    verify: { verify_trust: true, remote_manifest_fetch: false },
    ...(anchors.length > 0 ? { trust: { user_anchors: anchors.join('\n') } } : {}),
  };
  try {
    const reader = await WasmReader.fromBytes(format, bytes, JSON.stringify(settings));
    try {
      return JSON.parse(reader.json()) as Report;
    } finally {
      reader.free();
    }
  } catch (error) {
    const message = String((error as Error)?.message ?? error);
    // Before all else: the address may hold any words.
    const elsewhere = /^(?:C2pa\()?RemoteManifestUrl\("(.*)"\)+$/s.exec(message)?.[1];
    if (elsewhere !== undefined) return { elsewhere };
    if (/no JUMBF|JumbfNotFound|not found/i.test(message)) return undefined;
    return { damaged: message.split('\n')[0]! };
  }
}

const UNTRUSTED = 'signingCredential.untrusted';

function judge(found: Report | Failure | undefined): Omit<Verdict, 'file'> {
  if (!found) return { state: 'none', problems: [], summary: 'no credentials: nothing is known of where it is from' };
  if ('elsewhere' in found)
    return { state: 'none', problems: [], summary: `no credentials in the file; it names some at '${found.elsewhere}', which was not asked for them` };
  if ('damaged' in found)
    return { state: 'invalid', problems: [found.damaged], summary: `its credentials cannot be read (${found.damaged})` };
  const manifest = found.manifests?.[found.active_manifest ?? ''] ?? {};
  const problems = [
    ...new Set([
      ...(found.validation_results?.activeManifest?.failure ?? []).map(({ code }) => code),
      ...(found.validation_results?.ingredientDeltas ?? []).flatMap((delta) => (delta.validationDeltas?.failure ?? []).map(({ code }) => code)),
      ...(found.validation_status ?? []).map(({ code }) => code),
    ]),
  ];
  const state = ({ Trusted: 'trusted', Valid: 'valid' } as const)[found.validation_state ?? ''] ?? 'invalid';
  const actions = (manifest.assertions ?? [])
    .filter(({ label }) => label.startsWith('c2pa.actions'))
    .flatMap(({ data }) => (isObject(data) && Array.isArray(data.actions) ? data.actions : []))
    .filter(isObject);
  const source = actions.map(({ digitalSourceType }) => digitalSourceType).find((type) => typeof type === 'string');
  const generation = manifest.assertions?.map(({ label, data }) => (label === GENERATION ? data : undefined)).find(isGeneration);
  const info = manifest.claim_generator_info?.[0];
  const generator = info ? [info.name, info.version].filter(Boolean).join(' ') : manifest.claim_generator;
  const { common_name: signer, issuer } = manifest.signature_info ?? {};
  const faults = problems.filter((code) => code !== UNTRUSTED);
  const summary = {
    trusted: `${origin(source, generation)}, signed by ${signer ?? issuer ?? 'someone'}, unchanged since`,
    valid: `${origin(source, generation)}, unchanged since it was signed by ${signer ?? issuer ?? 'someone'}, whom nothing here vouches for`,
    invalid: `tampered with, or signed wrongly: ${faults.join(', ') || problems.join(', ') || 'the credentials do not hold'}`,
  }[state];
  return {
    state,
    problems,
    ...(signer === undefined ? {} : { signer }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(generator === undefined ? {} : { claimGenerator: generator }),
    ...(source === undefined ? {} : { digitalSourceType: source }),
    ...(actions.length === 0 ? {} : { actions: actions.map(({ action }) => String(action)) }),
    ...(generation === undefined ? {} : { generation }),
    ...(manifest.ingredients?.length ? { ingredients: manifest.ingredients.map(({ title }) => title ?? 'untitled') } : {}),
    summary,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isOptional = (value: unknown, type: 'number' | 'string') => value === undefined || typeof value === type;

/** Anyone may sign an assertion of our name, with anything in it. */
function isGeneration(value: unknown): value is Generation {
  if (!isObject(value) || !isObject(value.model)) return false;
  const { model, seed, index, label, truncation } = value;
  return (
    [model.name, model.sha256].every((text) => typeof text === 'string') &&
    ['number', 'string'].includes(typeof seed) &&
    isOptional(index, 'number') &&
    isOptional(label, 'string') &&
    isOptional(truncation, 'number')
  );
}

function origin(source: string | undefined, generation: Generation | undefined): string {
  const made = /trainedAlgorithmicMedia$/i.test(source ?? '') ? 'made by a model' : 'credentials present';
  return generation ? `${made} ('${generation.model.name}', seed ${generation.seed})` : made;
}
