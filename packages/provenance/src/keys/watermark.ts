// The key of the watermark: one that every Zeuxis knows, so that anybody's sees that one made the picture, or one's own, so that nobody else
// does. Those that were one's own before are kept: pictures that bear them are still about.

import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError, writeFault, writeWhole } from '@zeuxis/pictures';
import { locked } from './lock.js';
import { checkPlace, placeText, readSecret } from './signer.js';

/** Where a key is that was brought along. Any bytes, those of a variable in UTF-8. */
export type WatermarkPlace = { file: string } | { variable: string };
/** A key that was made here stands in the configuration itself, in hexadecimal digits. */
type Entry = WatermarkPlace | { secret: string };

/** `watermark.json`, which nobody else may read. */
interface Stored {
  watermark: 1;
  /** What marks pictures now; the key that every Zeuxis knows where there is none. */
  present?: Entry;
  /** The newest first. */
  former: Entry[];
}

/** Keys as such: printed or written down they say nothing. */
export interface WatermarkKeys {
  /** One's own, where there is one. */
  present?: KeyObject;
  former: KeyObject[];
  /** What could not be read, for people. */
  faults: string[];
}

/** What marks pictures, for people: nothing secret. */
export interface WatermarkReport {
  /** 'public' is the key that every Zeuxis knows. */
  kind: 'own' | 'public';
  /** By which a key is known again, and no more: 16 hexadecimal digits. */
  fingerprint?: string;
  /** Where the key is. */
  key?: string;
  /** Keys of one's own that are still looked for. */
  former: number;
}

/** Takes precedence over what is configured. */
const VARIABLE = 'ZEUXIS_WATERMARK_KEY';
const FILE = 'watermark.json';
/** Bytes of a key that is made here, and of one that is brought, at least: shorter ones can be guessed from their fingerprints. */
const [LENGTH, LEAST] = [32, 16];

const pathOf = (folder: string): string => join(folder, FILE);
const same = (a: Entry, b: Entry): boolean => JSON.stringify(a) === JSON.stringify(b);
const placeOf = (entry: Entry, folder: string): WatermarkPlace => ('secret' in entry ? { file: pathOf(folder) } : entry);

export const fingerprintOf = (key: KeyObject): string => createHmac('sha256', key).update('zeuxis watermark fingerprint').digest('hex').slice(0, 16);

async function read(folder: string): Promise<Stored> {
  const path = pathOf(folder);
  const text = await readSecret({ file: path }, `the file '${path}'`, 'watermark key').catch((error: Error) => {
    if (['ENOENT', 'ENOTDIR'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')) return undefined;
    throw error;
  });
  if (text === undefined) return { watermark: 1, former: [] };
  try {
    const stored = JSON.parse(text) as Stored;
    if (stored.watermark !== 1 || ![stored.present ?? { secret: '' }, ...stored.former].every(isEntry)) throw new Error();
    return stored;
  } catch {
    // Not in the parser's words, which quote what it was given.
    throw new UserError(`the watermark keys in '${path}' are damaged; put a copy back, or move them away and \`zeuxis keys watermark create\` makes a new one`);
  }
}

function isEntry(entry: unknown): entry is Entry {
  const { secret, file, variable } = (entry ?? {}) as Record<string, unknown>;
  return [secret, file, variable].filter((value) => typeof value === 'string').length === 1;
}

async function keyOf(entry: Entry): Promise<KeyObject> {
  if ('secret' in entry) return createSecretKey(Buffer.from(entry.secret, 'hex'));
  const where = placeText(entry);
  const bytes = Buffer.from(await readSecret(entry, where, 'watermark key'), 'latin1');
  if (bytes.length < LEAST) throw new UserError(`the watermark key in ${where} has ${bytes.length} bytes and needs ${LEAST}, so that nobody guesses it`);
  return createSecretKey(bytes);
}

const fromVariable = (): KeyObject | undefined => (process.env[VARIABLE] ? createSecretKey(Buffer.from(process.env[VARIABLE])) : undefined);

/** The key that marks pictures now, or nothing for the one that every Zeuxis knows. @throws UserError where it is configured and cannot be read. */
export async function presentWatermarkKey(folder: string): Promise<KeyObject | undefined> {
  const given = fromVariable();
  if (given) return given;
  const { present } = await read(folder);
  return present && keyOf(present);
}

/** All keys of one's own. What cannot be read is told and left out: a verifier goes on without. */
export async function watermarkKeys(folder: string): Promise<WatermarkKeys> {
  const faults: string[] = [];
  const told = (error: Error): undefined => {
    if (error.name !== 'UserError') throw error;
    faults.push(error.message);
  };
  const stored = (await read(folder).catch(told)) ?? { watermark: 1, former: [] };
  const given = fromVariable();
  const present = given ?? (stored.present && (await keyOf(stored.present).catch(told)));
  const earlier = await Promise.all([...(given && stored.present ? [stored.present] : []), ...stored.former].map((entry) => keyOf(entry).catch(told)));
  return { ...(present ? { present } : {}), former: earlier.filter((key) => key !== undefined), faults };
}

/** @throws UserError for what is there and cannot be read. */
export async function reportWatermark(folder: string): Promise<WatermarkReport> {
  const { present, former } = await read(folder);
  const given = fromVariable();
  const earlier = former.length + (given && present ? 1 : 0);
  const key = given ?? (present && (await keyOf(present)));
  if (!key) return { kind: 'public', former: earlier };
  return { kind: 'own', fingerprint: fingerprintOf(key), key: placeText(given ? { variable: VARIABLE } : placeOf(present!, folder)), former: earlier };
}

/** Marks with what `next` makes of what was before; the key that was one's own till then is kept as a former one. */
async function change(folder: string, next: (stored: Stored) => Promise<Entry | undefined>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => {
    throw writeFault(error, folder);
  });
  await locked(`${pathOf(folder)}.lock`, 'the key of the watermark is being changed', async () => {
    const stored = await read(folder);
    const present = await next(stored);
    const former = [...(stored.present ? [stored.present] : []), ...stored.former].filter((entry) => !present || !same(entry, present));
    const text = JSON.stringify({ watermark: 1, ...(present ? { present } : {}), former } satisfies Stored, null, 1);
    await writeWhole(pathOf(folder), `${text}\n`, 0o600);
  });
}

const made = (): Entry => ({ secret: randomBytes(LENGTH).toString('hex') });

/** Marks with a key of one's own that is made here; one that is there already stays. @returns whether one was made. */
export async function createWatermarkKey(folder: string): Promise<boolean> {
  let created = false;
  await change(folder, async ({ present }) => {
    created = present === undefined;
    return present ?? made();
  });
  return created;
}

/** Marks with a new key; the old one is still looked for. @throws UserError where there is none. */
export const rotateWatermarkKey = (folder: string): Promise<void> =>
  change(folder, async ({ present }) => {
    if (!present) throw new UserError('pictures are marked with the key that every Zeuxis knows, and that is not rotated; `zeuxis keys watermark create` makes one of your own');
    return made();
  });

/**
 * Marks from now on with a key that was brought along, with the newest that was made here, or with the one that every Zeuxis knows.
 * @throws UserError where there is none, it is too short, or others may read it; nothing is changed then.
 */
export const useWatermarkKey = (use: WatermarkPlace | 'own' | 'public', folder: string): Promise<void> =>
  change(folder, async ({ present, former }) => {
    if (use === 'public') return undefined;
    if (use === 'own') {
      const own = [...(present ? [present] : []), ...former].find((entry) => 'secret' in entry);
      if (!own) throw new UserError('no watermark key was made here; `zeuxis keys watermark create` makes one');
      return own;
    }
    checkPlace(use);
    const entry = 'file' in use ? { file: resolve(use.file) } : use;
    await keyOf(entry);
    return entry;
  });
