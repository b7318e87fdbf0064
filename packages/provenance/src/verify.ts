// What a file says of itself, in the words of the official reader: ours, and any other.

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { UserError } from '@zeuxis/pictures';
import { formatOf, LARGEST, loadC2pa, offline } from './c2pa.js';
import { isHumanWork } from './human.js';
import { configFolder, ownAnchors } from './identity.js';
import { type EditRecord, GENERATION, type Generation } from './publish.js';
import { isObject } from './values.js';
import { type Fault, sayEarlier, sayFaults, sayOrigin } from './words.js';
import { type Credits, learnedFrom, METADATA, sayCredits } from './work.js';

export interface Verdict extends Credits {
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
  /** From the manifest's actions; ends in trainedAlgorithmicMedia for what a model made, compositeWith… for what it changed. */
  digitalSourceType?: string;
  actions?: string[];
  /** For pictures made by zeuxis. */
  generation?: Generation;
  /** For pictures that zeuxis made from others. */
  edit?: EditRecord;
  /**
   * The picture it was made from. Its `problems` are what was wrong with its own credentials when that happened (an untrusted
   * signer among them): they are no fault of this picture, whose `state` they leave alone.
   */
  parent?: { title: string; problems: string[] };
  /** Titles of the pictures that went into it. */
  ingredients?: string[];
  /** Names of the models that made or changed it, as the manifest holds them. */
  models?: string[];
  /** Address where the credentials are said to be, in place of the file; it was not asked. */
  elsewhere?: string;
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

/** The part of c2pa-rs's report that is read here. */
interface Report {
  active_manifest?: string;
  validation_state?: string;
  validation_results?: Failures;
  validation_status?: Fault[];
  manifests?: Record<string, ReportedManifest>;
}
interface Failures {
  activeManifest?: { failure?: Fault[] };
  ingredientDeltas?: { validationDeltas?: { failure?: Fault[] } }[];
}
interface ReportedManifest {
  claim_generator?: string;
  claim_generator_info?: { name: string; version?: string }[];
  assertions?: { label: string; data: unknown }[];
  signature_info?: { common_name?: string; issuer?: string };
  ingredients?: { title?: string; relationship?: string; data_types?: { type: string }[]; validation_results?: Failures; validation_status?: Fault[] }[];
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
  const { roots, note } = await ownRoots(identityFolder);
  const found = await report(bytes, format, [...roots, ...trust]);
  signal?.throwIfAborted();
  return { file: path, ...judge(found), ...(note === undefined ? {} : { notes: [note] }) };
}

/** The user's own roots. A damaged identity is a matter for who signs: a verifier goes on without, and says so. */
async function ownRoots(folder: string): Promise<{ roots: string[]; note?: string }> {
  const { anchors, faults } = await ownAnchors(folder);
  const roots = anchors.filter(isCertificate);
  if (roots.length < anchors.length) faults.push(`the root certificate of the signing identity in '${folder}' is damaged`);
  return { roots, ...(faults.length > 0 ? { note: `${faults.join('; ')}; pictures signed so are not known as one's own` } : {}) };
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
  try {
    const reader = await WasmReader.fromBytes(format, bytes, offline(anchors));
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

/** What failed in a report, or in what an ingredient says of the validation of its file. */
function failures({ validation_results: results, validation_status: status = [] }: { validation_results?: Failures; validation_status?: Fault[] }): Fault[] {
  const deltas = (results?.ingredientDeltas ?? []).flatMap((delta) => delta.validationDeltas?.failure ?? []);
  return [...(results?.activeManifest?.failure ?? []), ...deltas, ...status];
}
const codesOf = (faults: readonly Fault[]): string[] => [...new Set(faults.map(({ code }) => code))];

function judge(found: Report | Failure | undefined): Omit<Verdict, 'file'> {
  if (!found) return { state: 'none', problems: [], summary: 'no credentials: nothing is known of where it is from' };
  if ('elsewhere' in found)
    return { state: 'none', problems: [], elsewhere: found.elsewhere, summary: `no credentials in the file; it names some at '${found.elsewhere}', which was not asked for them` };
  if ('damaged' in found)
    return { state: 'invalid', problems: [found.damaged], summary: `its credentials cannot be read (${found.damaged})` };
  const manifest = found.manifests?.[found.active_manifest ?? ''] ?? {};
  const failed = failures(found);
  const problems = codesOf(failed);
  const state = ({ Trusted: 'trusted', Valid: 'valid' } as const)[found.validation_state ?? ''] ?? 'invalid';
  const actions = (manifest.assertions ?? [])
    .filter(({ label }) => label.startsWith('c2pa.actions'))
    .flatMap(({ data }) => (isObject(data) && Array.isArray(data.actions) ? data.actions : []))
    .filter(isObject);
  const source = actions.map(({ digitalSourceType }) => digitalSourceType).find((type) => typeof type === 'string');
  const opened = actions.some(({ action }) => action === 'c2pa.opened');
  const said = (manifest.assertions ?? []).filter(({ label }) => label === GENERATION).map(({ data }) => data);
  const generation = opened ? undefined : said.find(isGeneration);
  const edit = opened ? said.find(isEdit) : undefined;
  const credited = learnedFrom((manifest.assertions ?? []).find(({ label }) => label === METADATA)?.data);
  const human = (generation ?? edit)?.human;
  const credits = { ...(credited.length > 0 ? { learnedFrom: credited } : {}), ...(human ? { human } : {}) };
  const { ingredients = [] } = manifest;
  const models = ingredients.filter(({ relationship, data_types: types }) => relationship === 'inputTo' && types?.some(({ type }) => type.startsWith('c2pa.types.model')));
  const pictures = ingredients.filter((ingredient) => !models.includes(ingredient));
  const from = ingredients.find(({ relationship }) => relationship === 'parentOf');
  const parent = from && { title: from.title ?? 'untitled', problems: codesOf(failures(from)) };
  const info = manifest.claim_generator_info?.[0];
  const generator = info ? [info.name, info.version].filter(Boolean).join(' ') : manifest.claim_generator;
  const { common_name: signer, issuer } = manifest.signature_info ?? {};
  const by = signer ?? issuer ?? 'someone';
  const origin = `${sayOrigin(source, { generation, actions, parent: parent?.title })}${sayCredits(credits)}`;
  const before = from ? sayEarlier(from.title ?? 'untitled', failures(from)) : '';
  const summary = {
    trusted: `${origin}, signed by ${by}, unchanged since${before}`,
    valid: `${origin}, unchanged since it was signed by ${by}, whom nothing here vouches for${before}`,
    invalid: `tampered with, or signed wrongly: ${sayFaults(failed) || 'the credentials do not hold'}`,
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
    ...(edit === undefined ? {} : { edit }),
    ...(parent === undefined ? {} : { parent }),
    ...titles('ingredients', pictures),
    ...titles('models', models),
    ...credits,
    summary,
  };
}

/** Titles under a name; nothing where there are none. */
const titles = (name: 'ingredients' | 'models', of: { title?: string }[]) => (of.length > 0 ? { [name]: of.map(({ title }) => title ?? 'untitled') } : {});

const isOptional = (value: unknown, type: 'number' | 'string') => value === undefined || typeof value === type;

/** Anyone may sign an assertion of our name, with anything in it. */
function isGeneration(value: unknown): value is Generation {
  if (!isObject(value) || !isObject(value.model)) return false;
  const { model, seed, index, label, truncation, guard, human } = value;
  return (
    [model.name, model.sha256].every((text) => typeof text === 'string') &&
    ['number', 'string'].includes(typeof seed) &&
    isOptional(index, 'number') &&
    isOptional(label, 'string') &&
    isOptional(truncation, 'number') &&
    (human === undefined || isHumanWork(human)) &&
    (guard === undefined || (isObject(guard) && [guard.threshold, guard.ratio].every((figure) => typeof figure === 'number')))
  );
}

function isEdit(value: unknown): value is EditRecord {
  if (!isObject(value) || !isObject(value.model) || !isObject(value.parent)) return false;
  const { model, parent, scale, strength, human } = value;
  return (
    [model.name, model.sha256, parent.title, parent.sha256].every((text) => typeof text === 'string') &&
    isOptional(scale, 'number') &&
    isOptional(strength, 'number') &&
    (human === undefined || isHumanWork(human))
  );
}
