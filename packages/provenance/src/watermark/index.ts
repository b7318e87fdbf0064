// The watermark of a picture: the number by which the ledger knows it, in its pixels, so that a screenshot or a copy without credentials can be led back.

import type { PayloadBits } from './code.js';
import { detectIn, looksAt } from './detect.js';
import { embed, type Marked, payloadBits } from './embed.js';
import { type Pattern, patternOf } from './pattern.js';

/** Name of this way of marking, in the assertion `c2pa.soft-binding`. */
export const WATERMARK = 'org.zeuxis.watermark.1';

/** The key that every Zeuxis knows: whoever looks sees that one made the picture, though its number says something only to who keeps the ledger. */
const PUBLIC_KEY = Buffer.from('zeuxis public watermark key 1');
/** Holds a key of one's own: then others see no mark. */
const KEY_VARIABLE = 'ZEUXIS_WATERMARK_KEY';

const patterns = new Map<string, Pattern>();
/** Drawing a pattern takes some milliseconds. */
function patternFor(key: Buffer): Pattern {
  const name = key.toString('hex');
  const known = patterns.get(name) ?? patternOf(key);
  patterns.set(name, known);
  return known;
}

const ownKey = (): Buffer | undefined => (process.env[KEY_VARIABLE] ? Buffer.from(process.env[KEY_VARIABLE]) : undefined);

/** The payload for an id: all of it, or its first four digits. */
const payloadOf = (id: string, bits: PayloadBits): bigint => BigInt(`0x${id.slice(0, bits / 4)}`);

/**
 * Writes an id into pixels, in place, with the key in ZEUXIS_WATERMARK_KEY or the public one. The peak signal to noise ratio stays above 42 dB.
 * @param id 16 hexadecimal digits. @param frames of an animation, whose data lie one below the other.
 * @returns how many of its bits went in: 64 from a shorter side of 256 px on, 16 from 128 px on, 0 below.
 */
export async function writeWatermark(picture: Marked, id: string, frames = 1): Promise<PayloadBits | 0> {
  const bits = payloadBits(picture.width, picture.height);
  if (bits === 0) return 0;
  const options = { pattern: patternFor(ownKey() ?? PUBLIC_KEY), payload: payloadOf(id, bits), bits };
  await embed(picture, options, frames);
  return bits;
}

export interface FoundWatermark {
  /** 16 hexadecimal digits, or the first four of them. */
  id: string;
  bits: PayloadBits;
  /** Whether it was written with the key in ZEUXIS_WATERMARK_KEY or with the one that every Zeuxis knows. */
  key: 'own' | 'public';
}

/**
 * Reads the watermark of a picture file: undefined where there is none that can be read, which says nothing.
 * @throws Error for what is no picture.
 */
export async function readWatermark(file: Uint8Array): Promise<FoundWatermark | undefined> {
  const own = ownKey();
  const looks = await looksAt(file);
  for (const [key, bytes] of [...(own ? [['own', own] as const] : []), ['public', PUBLIC_KEY] as const]) {
    const found = await detectIn(looks, patternFor(bytes));
    if (found) return { id: found.payload.toString(16).padStart(found.bits / 4, '0'), bits: found.bits, key };
  }
  return undefined;
}
