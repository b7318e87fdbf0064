// Decoding one picture for training: upright, sRGB, on white where it was transparent, cropped or padded to a square.

import sharp from 'sharp';
import { openPicture, requireFewPages, Unbearable } from './claims.js';

export type Fit = 'crop' | 'pad';
const SMALLEST = 16;

/** Why a picture must not be trained on: a reservation written in its own XMP, or undefined. */
function reservation(xmp: Buffer | undefined): string | undefined {
  const text = xmp?.toString('utf8') ?? '';
  // IPTC and PLUS, data mining property (2023): every value but 'unspecified' and 'allowed' prohibits training.
  const mining = /DMI-(PROHIBITED[A-Z-]*)/.exec(text)?.[1];
  if (mining) return `its metadata says data mining is ${mining.toLowerCase()}`;
  if (/\bno(image)?ai\b/i.test(text)) return "its metadata says 'noai'";
  if (/tdm:?reservation(=["']|>)\s*1/i.test(text)) return 'its metadata reserves text and data mining';
  return undefined;
}

/** C2PA's digital source types of what a model made, as they stand in a manifest's bytes (IPTC, 2022). */
const MADE_BY_MODEL = ['trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia'];

/** Why a picture cannot serve, or must not. */
export type Refused = { skipped: string } | { reserved: string };
export type Decoded = { pixels: Uint8Array } | Refused;

/**
 * What a picture's own C2PA manifest forbids, in the assertion c2pa.training-mining or cawg.training-mining (CAWG, Training and Data Mining
 * 1.1), as it stands in the file's bytes: the name of a use, in CBOR, and what is said of it. Undefined where nothing is.
 */
function credentialsReserve(file: Buffer): string | undefined {
  if (!file.includes('.training-mining')) return undefined;
  // Within one use's entry, whose parts may stand in any order, and up to the next use's name.
  const said = /(?:c2pa|cawg)\.(ai_generative_training|ai_training|data_mining)(?:(?!(?:c2pa|cawg)\.)[\s\S]){0,2000}?use[\s\S]{0,3}?(?:notAllowed|constrained)/.exec(file.toString('latin1'));
  return said?.[1]?.replaceAll('_', ' ');
}

/** Why a picture must not be trained on, by what its bytes and its XMP say of it. */
export function refusal(file: Buffer, xmp: Buffer | undefined): Refused | undefined {
  const reserved = reservation(xmp);
  if (reserved) return { reserved };
  // A generator that learns from generators forgets what pictures look like (Shumailov et al., 2024).
  if (MADE_BY_MODEL.some((type) => file.includes(type))) return { skipped: 'its credentials say that a model made it' };
  const mining = credentialsReserve(file);
  return mining === undefined ? undefined : { reserved: `its credentials say that ${mining} is not allowed` };
}

/** The same of a file alone: what stands against training on it, or that it cannot be read. */
export async function refusalOf(file: Buffer): Promise<Refused | undefined> {
  try {
    requireFewPages(file);
    return refusal(file, (await sharp(file).metadata()).xmp);
  } catch (error) {
    return undecodable(error);
  }
}

/** What the decoder's complaint means to the owner of the picture. */
export function undecodable(error: unknown): Refused {
  const { message } = error as Error;
  if (error instanceof Unbearable) return { skipped: message };
  return { skipped: `broken, or no picture that this machine reads: ${message.split('\n')[0]}` };
}

/**
 * Planar RGB, [3, size, size], of a picture file's bytes, or the reason why it cannot serve.
 * Nothing is thrown for a bad picture: one file must not end a run.
 */
export async function decodeSquare(file: Buffer, size: number, fit: Fit): Promise<Decoded> {
  try {
    const { picture, width, height, xmp } = await openPicture(file);
    const refused = refusal(file, xmp);
    if (refused) return refused;
    const shorter = Math.min(width, height);
    const least = Math.max(SMALLEST, size / 2);
    if (shorter < least) return { skipped: `too small: ${width}x${height}, the shorter side must be ${least} px` };
    const { data, info } = await picture
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .resize(size, size, { fit: fit === 'crop' ? 'cover' : 'contain', background: 'white', kernel: 'lanczos3' })
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const plane = size * size;
    const pixels = new Uint8Array(3 * plane);
    for (let channel = 0; channel < 3; channel++) {
      const from = Math.min(channel, info.channels - 1);
      for (let i = 0; i < plane; i++) pixels[channel * plane + i] = data[i * info.channels + from]!;
    }
    return { pixels };
  } catch (error) {
    return undecodable(error);
  }
}
