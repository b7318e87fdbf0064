// Where a picture is from, as far as it can be known: the strongest evidence that is found answers, and what was not found proves nothing.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { declaredSource, hashDistance, isTelling, openPicture, perceptualHashOf, SIMILAR } from '@zeuxis/pictures';
import { configFolder } from './identity.js';
import { watermarkKeys } from './keys/watermark.js';
import { type Ledger, type LedgerRecord, ledgerOf } from './ledger.js';
import { type Verdict, type VerifyOptions, verify } from './verify.js';
import { type FoundWatermark, readWatermark } from './watermark/index.js';
import { creditsOf, sayCredits } from './work.js';

/**
 * 'signed': credentials that hold; 'tampered': credentials that do not; 'watermark': none, but the watermark of a Zeuxis; 'claimed': none,
 * but metadata that say how it came about, which anybody can write; 'similar': nothing in it, but the ledger knows a picture that looks alike;
 * 'nothing': nothing found, which does not make it a photograph.
 */
export type Finding = 'signed' | 'tampered' | 'watermark' | 'claimed' | 'similar' | 'nothing';

/** What is found of one file: the credentials' verdict with all that it says, and what stands beside. */
export interface Answer extends Verdict {
  verdict: Finding;
  /** Whether the signer is trusted here. */
  trusted: boolean;
  /** IPTC digital source type: of the credentials, the record of the watermark, or the metadata, whichever answered. */
  sourceType?: string;
  /** Looked for where credentials are missing or do not hold. */
  watermark?: FoundWatermark;
  /** The ledger's record of the picture that the watermark names, or that looks alike. */
  record?: LedgerRecord;
  /** The manifest that the ledger kept of that picture: its SHA-256. `ledger/manifests` holds it. */
  manifest?: string;
  /** Bits of 64 in which the perceptual hash differs from the record's. */
  distance?: number;
}

/**
 * Answers for one file. Asks no network, changes nothing.
 * @throws UserError for a file that is missing or no picture.
 */
export async function examine(path: string, options: VerifyOptions = {}): Promise<Answer> {
  const { identityFolder = configFolder(), signal } = options;
  const credentials = await verify(path, options);
  const { state, digitalSourceType } = credentials;
  const trusted = state === 'trusted';
  const source = digitalSourceType === undefined ? {} : { sourceType: digitalSourceType };
  if (state === 'trusted' || state === 'valid') return { ...credentials, verdict: 'signed', trusted, ...source };
  const file = await readFile(path, { signal });
  signal?.throwIfAborted();
  // What cannot be decoded has neither watermark nor likeness; its credentials were judged all the same.
  const keys = await watermarkKeys(identityFolder);
  const watermark = await readWatermark(file, keys).catch(() => undefined);
  const ledger = ledgerOf(identityFolder);
  const hash = await perceptualHashOf(file).catch(() => undefined);
  const known = watermark ? await recordOf(watermark, hash, ledger) : undefined;
  const notes = [...(credentials.notes ?? []), ...keys.faults.map((fault) => `${fault}; pictures that it marks are not known`)];
  const found = { ...credentials, ...(notes.length > 0 ? { notes } : {}), trusted, ...source, ...(watermark ? { watermark } : {}), ...(known ? { ...ofRecord(known), ...creditsOf(known) } : {}) };
  if (state === 'invalid') return { ...found, verdict: 'tampered', summary: `${credentials.summary}${watermark ? `; ${sayWatermark(watermark, known)}` : ''}` };
  if (watermark)
    return { ...found, verdict: 'watermark', ...(known ? { sourceType: known.digitalSourceType } : {}), summary: `no credentials, but ${sayWatermark(watermark, known)}` };
  const claimed = declaredSource(await openPicture(file).then(({ xmp }) => xmp, () => undefined));
  if (claimed)
    return { ...found, verdict: 'claimed', sourceType: claimed, summary: `no credentials; its metadata call it ${claimed.split('/').at(-1)}, which anybody can write and anybody can take away` };
  const [like] = hash && isTelling(hash) ? await ledger.near(hash) : [];
  if (like)
    // How that came about says nothing of this one, which may well be what it was made from.
    return { ...found, verdict: 'similar', ...ofRecord(like.record), distance: like.distance, summary: `no credentials; ${sayLike(like.record, like.distance, createHash('sha256').update(file).digest('hex'))}` };
  return { ...found, verdict: 'nothing', summary: credentials.elsewhere === undefined ? 'nothing found: no credentials, no watermark, nothing like it in the ledger; where it is from is not known' : credentials.summary };
}

const ofRecord = (record: LedgerRecord) => ({ record, ...(record.manifest === undefined ? {} : { manifest: record.manifest }) });

/** The record that a watermark names. Of 16 bits several may share the number: the one that looks alike is it. */
async function recordOf({ id, bits }: FoundWatermark, hash: string | undefined, ledger: Ledger): Promise<LedgerRecord | undefined> {
  if (bits === 64) return ledger.byId(id);
  const alike = (await ledger.byShortId(id)).filter((record) => record.watermark === 16 && record.hash !== undefined && hash !== undefined && hashDistance(record.hash, hash) <= SIMILAR);
  return alike[0];
}

function sayLike({ name, time, parent }: LedgerRecord, distance: number, sha256: string): string {
  const known = `'${name}' of ${time.slice(0, 10)} in the ledger`;
  return parent?.sha256 === sha256 ? `${known} was made from it` : `it looks like ${known} (${distance} of 64 bits differ), or like what that was made from`;
}

function sayWatermark({ id, key }: FoundWatermark, record: LedgerRecord | undefined): string {
  if (!record) return `the watermark of a picture that a Zeuxis made or changed (${id}${key === 'public' ? '' : `, by ${key === 'own' ? 'your own key' : 'a key that was yours before'}`}); this ledger does not know it`;
  const models = record.models.map(({ name }) => `'${name}'`).join(' and ');
  return `the watermark of '${record.name}', ${record.action === 'c2pa.created' ? 'made' : 'changed'} by ${models} on ${record.time.slice(0, 10)} (${id} in the ledger)${sayCredits(creditsOf(record))}`;
}
