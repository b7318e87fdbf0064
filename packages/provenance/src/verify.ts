// What a file says of itself, in the words of the official reader: ours, and any other.

import { readFile, stat } from 'node:fs/promises';
import { UserError } from '@zeuxis/pictures';
import { loadC2pa } from './c2pa.js';
import { configFolder, localRoot } from './identity.js';
import { GENERATION, type Generation } from './publish.js';

export interface Verdict {
  file: string;
  /**
   * 'trusted': whole, and signed by someone who is trusted; 'valid': whole, by a signer nobody here vouches for;
   * 'invalid': changed after signing, or signed wrongly; 'none': no credentials at all, which says nothing either way.
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
  /** All of it in a sentence. */
  summary: string;
}

export interface VerifyOptions {
  /** Folder of the identity whose root is trusted; the user's own by default. */
  identityFolder?: string;
  /** Further certificates to trust, PEM. */
  trust?: readonly string[];
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
 * Reads and checks the credentials of one file. Makes no identity, changes nothing.
 * @throws UserError for a file that is missing or no picture.
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Verdict> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(error.code === 'ENOENT' ? `there is no file '${path}'` : `'${path}' cannot be read (${error.code})`);
  });
  if (!info.isFile()) throw new UserError(`'${path}' is no file`);
  if (info.size > LARGEST) throw new UserError(`'${path}' is larger than ${LARGEST / 2 ** 20} MiB, too large to verify`);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`'${path}' cannot be read (${error.code})`);
  });
  const format = formatOf(bytes);
  if (!format) throw new UserError(`'${path}' is no picture whose credentials can be read (PNG, JPEG, WebP, TIFF, AVIF, HEIC, GIF)`);
  const root = await localRoot(options.identityFolder ?? configFolder());
  return { file: path, ...judge(await report(bytes, format, [root, ...(options.trust ?? [])].filter((pem) => pem !== undefined))) };
}

/** The official reader's report; undefined where the file carries no manifest. */
async function report(bytes: Uint8Array, format: string, anchors: string[]): Promise<Report | { damaged: string } | undefined> {
  const { WasmReader } = await loadC2pa();
  const settings = { verify: { verify_trust: true }, ...(anchors.length > 0 ? { trust: { user_anchors: anchors.join('\n') } } : {}) };
  try {
    const reader = await WasmReader.fromBytes(format, bytes, JSON.stringify(settings));
    try {
      return JSON.parse(reader.json()) as Report;
    } finally {
      reader.free();
    }
  } catch (error) {
    const message = String((error as Error)?.message ?? error);
    if (/no JUMBF|JumbfNotFound|not found/i.test(message)) return undefined;
    return { damaged: message.split('\n')[0]! };
  }
}

const UNTRUSTED = 'signingCredential.untrusted';

function judge(found: Report | { damaged: string } | undefined): Omit<Verdict, 'file'> {
  if (!found) return { state: 'none', problems: [], summary: 'no credentials: nothing is known of where it is from' };
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
    .flatMap(({ data }) => (data as { actions?: { action: string; digitalSourceType?: string }[] }).actions ?? []);
  const source = actions.map(({ digitalSourceType }) => digitalSourceType).find((type) => type !== undefined);
  const generation = manifest.assertions?.find(({ label }) => label === GENERATION)?.data as Generation | undefined;
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
    ...(actions.length === 0 ? {} : { actions: actions.map(({ action }) => action) }),
    ...(generation === undefined ? {} : { generation }),
    ...(manifest.ingredients?.length ? { ingredients: manifest.ingredients.map(({ title }) => title ?? 'untitled') } : {}),
    summary,
  };
}

function origin(source: string | undefined, generation: Generation | undefined): string {
  const made = /trainedAlgorithmicMedia$/i.test(source ?? '') ? 'made by a model' : 'credentials present';
  return generation ? `${made} ('${generation.model.name}', seed ${generation.seed})` : made;
}
