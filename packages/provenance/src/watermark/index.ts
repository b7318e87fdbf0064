// The watermark of a picture: the number by which the ledger knows it, in its pixels, so that a screenshot or a copy without credentials can be led back.

import { createSecretKey, type KeyObject } from 'node:crypto';
import { fingerprintOf } from '../keys/watermark.js';
import type { PayloadBits } from './code.js';
import { detectIn, looksAt } from './detect.js';
import { embed, type Marked, payloadBits } from './embed.js';
import { type Pattern, patternOf } from './pattern.js';

/** Name of this way of marking, in the assertion `c2pa.soft-binding`. */
export const WATERMARK = 'org.zeuxis.watermark.1';

/** The key that every Zeuxis knows: whoever looks sees that one made the picture, though its number says something only to who keeps the ledger. */
const PUBLIC_KEY = createSecretKey(Buffer.from('zeuxis public watermark key 1'));

/** Drawing a pattern takes some milliseconds. */
const patterns = new Map<string, Pattern>();
function patternFor(key: KeyObject): Pattern {
  const name = fingerprintOf(key);
  const known = patterns.get(name) ?? patternOf(key);
  patterns.set(name, known);
  return known;
}

/** The payload for an id: all of it, or its first four digits. */
const payloadOf = (id: string, bits: PayloadBits): bigint => BigInt(`0x${id.slice(0, bits / 4)}`);

export interface WriteOptions {
  /** Of an animation, whose data lie one below the other; 1 by default. */
  frames?: number;
  /** The one that every Zeuxis knows by default. */
  key?: KeyObject;
}

/**
 * Writes an id into pixels, in place. The peak signal to noise ratio stays above 42 dB.
 * @param id 16 hexadecimal digits.
 * @returns how many of its bits went in: 64 from a shorter side of 256 px on, 16 from 128 px on, 0 below.
 */
export async function writeWatermark(picture: Marked, id: string, { frames = 1, key = PUBLIC_KEY }: WriteOptions = {}): Promise<PayloadBits | 0> {
  const bits = payloadBits(picture.width, picture.height);
  if (bits > 0) await embed(picture, { pattern: patternFor(key), payload: payloadOf(id, bits as PayloadBits), bits: bits as PayloadBits }, frames);
  return bits;
}

export interface FoundWatermark {
  /** 16 hexadecimal digits, or the first four of them. */
  id: string;
  bits: PayloadBits;
  /** Whether it was written with one's own key, with one that was one's own before, or with the one that every Zeuxis knows. */
  key: 'own' | 'former' | 'public';
}

/**
 * Reads the watermark of a picture file: undefined where there is none that can be read, which says nothing.
 * @param keys of one's own: the present one is looked for before the one that every Zeuxis knows, former ones after it.
 * @throws Error for what is no picture.
 */
export async function readWatermark(file: Uint8Array, { present, former = [] }: { present?: KeyObject; former?: readonly KeyObject[] } = {}): Promise<FoundWatermark | undefined> {
  const looks = await looksAt(file);
  const kinds = [...(present ? [['own', present] as const] : []), ['public', PUBLIC_KEY] as const, ...former.map((key) => ['former', key] as const)];
  for (const [key, secret] of kinds) {
    const found = await detectIn(looks, patternFor(secret));
    if (found) return { id: found.payload.toString(16).padStart(found.bits / 4, '0'), bits: found.bits, key };
  }
  return undefined;
}
