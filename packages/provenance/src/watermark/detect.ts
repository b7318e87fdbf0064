// Finding the watermark: first as it was written, then turned, scaled, cut and mirrored.

import { openPicture } from '@zeuxis/pictures';
import sharp from 'sharp';
import { decodePayload, encodePayload, type PayloadBits } from './code.js';
import { folded, type Geometry, indexOf, ORIENTATIONS, partsOf, softOf, spectrumOf } from './fold.js';
import type { Spectrum } from './fourier.js';
import { type Frequency, type Part, planeOf, TILE } from './frequency.js';
import { type Look, luminanceOf } from './look.js';
import type { Pattern } from './pattern.js';
import { geometries, refined } from './search.js';
import { weighed } from './weighed.js';

export interface Detected {
  payload: bigint;
  bits: PayloadBits;
  geometry: Geometry;
  /** Mirrored or turned by quarters, one of eight; 0 is as written. */
  orientation: number;
}

/** Pictures of this shorter side and less are also looked at enlarged twofold, larger ones halved: what was written at 256 px and enlarged, or halved, stands as it was written. */
const SMALL = 300;
/** Down from this shorter side a halved picture's lattice does not stand out, and it is looked at enlarged in any case. */
const TINY = 200;

/** A picture as a detector sees it, whatever the key: as it is, and, when it is asked for, at another size. */
export interface Looks {
  first: Look;
  other(): Promise<Look>;
}

/**
 * @param file PNG, JPEG, WebP, AVIF, TIFF or GIF, from anybody.
 * @throws Error as `openPicture` does.
 */
export async function looksAt(file: Uint8Array): Promise<Looks> {
  const { picture, width, height } = await openPicture(file);
  const luminance = await luminanceOf(picture, width, height);
  const asWeighed = ({ data, ...size }: Look): Look => ({ ...size, data: weighed(data, size.width, size.height) });
  let other: Promise<Look> | undefined;
  return { first: asWeighed(luminance), other: () => (other ??= resized(luminance, Math.min(luminance.width, luminance.height) <= SMALL ? 2 : 0.5).then(asWeighed)) };
}

async function resized({ width, height, data }: Look, by: number): Promise<Look> {
  const { data: bytes, info } = await sharp(Uint8Array.from(data), { raw: { width, height, channels: 1 } })
    .resize(Math.max(1, Math.round(width * by)), Math.max(1, Math.round(height * by)), { fit: 'fill', kernel: 'lanczos3' })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, scale: 1, data: Float32Array.from(bytes) };
}

/** How far the best place must stand from the others, in deviations, for a payload to be read there. */
const CLEAR = 4.2;
/** How many of the likeliest payloads are tried where the pattern lies as it was written, not turned or scaled. */
const LIST = 16;
/**
 * By how many bits what is read must be told from chance, over and above those of the payload: of all payloads, at 160 places, one stands so in an unmarked picture for
 * one of 27 million keys. Marked pictures of 512 px that could be read at all stood 147 bits high and more; of those of 256 px only what was left after cutting
 * half away, or turning, stood lower at times.
 */
const TOLD = 32;

/** Reads the watermark of a picture: first as it may have been written, at either size, then turned and scaled. */
export async function detectIn({ first, other }: Looks, pattern: Pattern): Promise<Detected | undefined> {
  const straight = (seen: Look) => tried(seen, pattern, { scale: seen.scale, angle: 0 });
  const found = straight(first);
  if (found) return found;
  const [best, ...others] = geometries(first, pattern);
  const shorter = Math.min(first.width, first.height);
  // Enlarging costs as much as all the rest.
  if (best || shorter > SMALL || shorter <= TINY) {
    const beside = straight(await other());
    if (beside || !best) return beside;
    for (const geometry of [best, refined(first, pattern, best), ...others]) {
      const turned = tried(first, pattern, geometry);
      if (turned) return turned;
    }
  }
  return undefined;
}

/** Reads what lies in a picture by a geometry, in each orientation. */
function tried(seen: Look, pattern: Pattern, geometry: Geometry): Detected | undefined {
  const spectrum = spectrumOf(folded(seen, geometry));
  const straight = geometry.scale === seen.scale && geometry.angle === 0;
  for (const [orientation, turn] of ORIENTATIONS.entries()) {
    const place = placeOf(spectrum, pattern, turn);
    // Of a picture of one colour there is no peak, and no number either.
    if (!(place.peak >= CLEAR)) continue;
    // What was neither turned nor scaled was cut at whole pixels, which are known better than a faint peak tells.
    for (const { x, y } of straight ? [{ x: Math.round(place.x), y: Math.round(place.y) }, place] : [place]) {
      const parts = partsOf(spectrum, pattern, turn, { x, y });
      for (const bits of [64, 16] as const) {
        const payload = decodePayload(softOf(parts, pattern, bits), bits, straight ? LIST : 1);
        if (payload !== undefined && bitsTold(parts, pattern, payload, bits) >= bits + TOLD) return { payload, bits, geometry, orientation };
      }
    }
  }
  return undefined;
}

/**
 * By how many bits a payload that was read is told from chance. Whatever stands in an unmarked picture, a key's phases are drawn regardless of it: frequencies of
 * amplitudes a, added up by what the payload says, come to s at most once in exp(s^2 / sum a^2) keys (Hoeffding's bound, 1963, for cosines of
 * phases drawn at random), whichever amplitudes they are given. A frequency bears two bits, so that its amplitude is the root of two times what stands there.
 */
export function bitsTold(parts: Float64Array, pattern: Pattern, payload: bigint, bits: PayloadBits): number {
  const even = parts.slice();
  let power = 0;
  for (let at = 0; at < even.length; at += 2) {
    const less = evening(even[at]!, even[at + 1]!);
    even[at]! *= less;
    even[at + 1]! *= less;
    power += 2 * (even[at]! ** 2 + even[at + 1]! ** 2);
  }
  const soft = softOf(even, pattern, bits);
  const sum = encodePayload(payload, bits).reduce((total, bit, i) => total + bit * soft[i]!, 0);
  return sum > 0 ? (sum * sum) / power / Math.LN2 : 0;
}

/** By what a frequency becomes the root of its amplitude: otherwise a few that stand high would be all that is seen, and how far anything can stand out is bounded by how many are seen. */
const evening = (re: number, im: number): number => 1 / Math.sqrt(Math.hypot(re, im) + Number.MIN_VALUE);

interface Place {
  /** Offset of the pattern in px. */
  x: number;
  y: number;
  /** Height of the correlation there, in deviations of it elsewhere. */
  peak: number;
}

/** Where the pattern begins: the highest place of the correlation with the known frequencies. */
function placeOf(spectrum: Spectrum, pattern: Pattern, turn: (f: Frequency) => Frequency): Place {
  const plane = planeOf(
    pattern.sync.map(({ phase, ...frequency }): Part => {
      const seen = turn(frequency);
      const at = indexOf(seen);
      const [re, im] = [spectrum[at]!, spectrum[at + 1]!];
      const less = evening(re, im);
      const [c, s] = [less * Math.cos(phase), less * Math.sin(phase)];
      return { ...seen, re: re * c + im * s, im: im * c - re * s };
    }),
  );
  let [best, energy] = [0, 0];
  for (let i = 0; i < plane.length; i++) {
    if (plane[i]! > plane[best]!) best = i;
    energy += plane[i]! ** 2;
  }
  const [x, y] = [best % TILE, Math.floor(best / TILE)];
  const value = (i: number, j: number) => plane[((j + TILE) % TILE) * TILE + ((i + TILE) % TILE)]!;
  const peak = value(x, y);
  // The top of a parabola through the neighbours.
  const top = (before: number, after: number) => {
    const bend = before - 2 * peak + after;
    return bend < 0 ? Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend))) : 0;
  };
  return { x: x + top(value(x - 1, y), value(x + 1, y)), y: y + top(value(x, y - 1), value(x, y + 1)), peak: peak / Math.sqrt(energy / (TILE * TILE)) };
}
