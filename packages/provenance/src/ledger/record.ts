// A record of the ledger, as one line of JSON that ends in its own checksum: {…,"crc":"1a2b3c4d"}.

import { crc32 } from 'node:zlib';
import type { NamedModel } from '../publish.js';
import { isSetRights } from '../rights/summary.js';
import { isObject, isText } from '../values.js';

/** What is known of a published picture. */
export interface LedgerRecord {
  /** Version of the record. */
  ledger: 1;
  /** 16 hexadecimal digits, by which the watermark names the picture: all of them, or the first four (`newId`). */
  id: string;
  /** ISO 8601, UTC. */
  time: string;
  /** Of the file, without its folder. */
  name: string;
  /** Hexadecimal, of the file as it was written. */
  sha256: string;
  bytes: number;
  /** MIME type. */
  format: string;
  width: number;
  height: number;
  /** As in the manifest: an address of IPTC's. */
  digitalSourceType: string;
  /** As in 'c2pa.created'. */
  action: string;
  /** Seed, settings and labels: what the assertion `org.zeuxis.generation` says. */
  generation: Record<string, unknown>;
  models: NamedModel[];
  /** What it was made from. */
  parent?: { title: string; sha256: string };
  /** As of `perceptualHash`; left out where there are no pixels to look at. */
  hash?: string;
  /** Bits that the watermark in the pixels holds. */
  watermark: 0 | 16 | 64;
  /** Hexadecimal SHA-256 of the manifest that is kept beside the ledger. */
  manifest?: string;
}

/** Longest line in bytes; what is longer is no record. */
export const LONGEST = 2 ** 20;
/** Levels of objects in a record; deeper ones would end the stack of whoever writes them out again. */
const DEEPEST = 32;

const TAIL = /,"crc":"([0-9a-f]{8})"\}$/;

/** A line without its end. */
export function encodeRecord(record: LedgerRecord): string {
  const text = JSON.stringify(record);
  return `${text.slice(0, -1)},"crc":"${checksum(text)}"}`;
}

const checksum = (text: string | Uint8Array): string => crc32(text).toString(16).padStart(8, '0');

/** The record in a line; undefined where it is damaged, or none. */
export function decodeRecord(line: Uint8Array): LedgerRecord | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    const tail = TAIL.exec(text);
    if (!tail) return undefined;
    const body = `${text.slice(0, tail.index)}}`;
    return checksum(body) === tail[1] ? readRecord(JSON.parse(body)) : undefined;
  } catch {
    return undefined;
  }
}

const isHex = (value: unknown, digits: number): value is string => isText(value) && value.length === digits && /^[0-9a-f]+$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSet = (value: unknown): boolean =>
  isObject(value) && isText(value.name) && isCount(value.pictures) && isText(value.fingerprint) && isSetRights(value);
const isModel = (value: unknown): value is NamedModel =>
  isObject(value) && isText(value.name) && isHex(value.sha256, 64) && (value.trained === undefined || (Array.isArray(value.trained) && value.trained.every(isSet)));

const within = (value: unknown, levels: number): boolean => typeof value !== 'object' || value === null || (levels > 0 && Object.values(value).every((inner) => within(inner, levels - 1)));

const FIELDS: { [field in keyof LedgerRecord]-?: (value: unknown) => boolean } = {
  ledger: (value) => value === 1,
  id: (value) => isHex(value, 16),
  time: (value) => isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value)),
  name: isText,
  sha256: (value) => isHex(value, 64),
  bytes: isCount,
  format: isText,
  width: isCount,
  height: isCount,
  digitalSourceType: isText,
  action: isText,
  generation: (value) => isObject(value) && within(value, DEEPEST),
  models: (value) => Array.isArray(value) && value.every(isModel),
  parent: (value) => value === undefined || (isObject(value) && isText(value.title) && isHex(value.sha256, 64)),
  hash: (value) => value === undefined || isHex(value, 16),
  watermark: (value) => value === 0 || value === 16 || value === 64,
  manifest: (value) => value === undefined || isHex(value, 64),
};

/** The first field that is not what it must be. */
export function faultOf(value: Record<string, unknown>): string | undefined {
  return Object.entries(FIELDS).find(([field, holds]) => !holds(value[field]))?.[0];
}

/** The known fields of a value that is a record. */
function readRecord(value: unknown): LedgerRecord | undefined {
  if (!isObject(value) || faultOf(value) !== undefined) return undefined;
  return Object.fromEntries(Object.keys(FIELDS).flatMap((field) => (value[field] === undefined ? [] : [[field, value[field]]]))) as unknown as LedgerRecord;
}
