// Pictures from anybody: what their headers claim, against what their bytes can hold and what this machine is to bear. Whoever believes a header makes
// room first, and gigabytes of it.

import sharp, { type Metadata, type Sharp } from 'sharp';
import { tiffStructure } from './tiff.js';

/** As many pixels as sharp itself takes at most, 16,383 squared. */
export const MAXIMUM_PIXELS = 268_402_689;
/** Longest side, in px, that JPEG holds: libvips keeps whole rows, many at a time. */
const LONGEST_SIDE = 65_535;
const MOST_PAGES = 1000;
/** Bytes that decoding may hold at once. */
const MOST_HELD = 512 * 2 ** 20;
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'heif', 'tiff', 'gif'];

/** Of a picture that may well be whole, and is more than is borne. */
export class Unbearable extends Error {}

/**
 * Pixels that a byte of a JPEG holds at most. Its blocks are of 64 and take a bit each at least, in whatever kind of scan (ITU-T T.81, F and G);
 * where they are missing, libjpeg goes on in grey, and calls it a warning.
 */
const JPEG_PIXELS_A_BYTE = 512;
/** What deflate makes of a byte at most: 258 of a length and a distance of a bit each (RFC 1951, 3.2.5). */
const INFLATED = 1032;
/** The same of the ways in which a TIFF's pixels may be packed (its tag 259): none, LZW (of its 4,096 strings the longest for 12 bits), deflate, PackBits. */
const TIFF_INFLATED: Record<number, number> = { 1: 1, 5: 2730, 8: INFLATED, 32946: INFLATED, 32773: 64 };
/** Samples of a pixel by the colour type in a PNG's header (PNG, 11.2.1). */
const PNG_SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

type Claims = Pick<Metadata, 'format' | 'width' | 'height'> & Partial<Metadata>;

/** Of how many pixels a file can be at most. Of the formats that are not here decoders give up before they take much memory. */
function mostPixels({ format, channels = 1, bitsPerSample = 1 }: Claims, file: Uint8Array): number {
  if (format === 'jpeg') return JPEG_PIXELS_A_BYTE * file.length;
  if (format === 'png') return (8 * INFLATED * file.length) / (file[24]! * (PNG_SAMPLES[file[25]!] ?? 1));
  if (format === 'tiff') return (8 * (TIFF_INFLATED[tiffStructure(file, 1)?.compression ?? 0] ?? Number.POSITIVE_INFINITY) * file.length) / (channels * bitsPerSample);
  return Number.POSITIVE_INFINITY;
}

/** @throws Error for a picture that cannot be whole. */
export function requireHeld(claims: Claims, file: Uint8Array): void {
  const { width, height } = claims;
  const [pixels, most] = [width * height, mostPixels(claims, file)];
  if (pixels > most) throw new Error(`its header says ${width}x${height}, of which ${file.length} bytes can hold no more than ${Math.ceil((100 * most) / pixels)} per cent`);
}

/** To be asked before libvips is, which counts all of them. @throws Unbearable for a TIFF of more pages than anybody's. */
export function requireFewPages(file: Uint8Array): void {
  const { pages = 0 } = tiffStructure(file, MOST_PAGES) ?? {};
  if (pages > MOST_PAGES) throw new Unbearable(`it holds more than ${MOST_PAGES} pages; give it as single pictures`);
}

/** Bytes a pixel that a decoder holds of the whole picture at once; 0 where it goes row by row. */
function heldOfPixel({ format, channels = 4, depth, isProgressive, chromaSubsampling = '' }: Claims): number {
  // Coefficients of 16 bits until the last scan; halved colours are a half of all.
  if (format === 'jpeg') return isProgressive ? 2 * channels * (chromaSubsampling.startsWith('4:2:0') ? 0.5 : 1) : 0;
  if (format === 'png') return isProgressive ? channels * (depth === 'ushort' ? 2 : 1) : 0;
  // Planes of 16 bits, and what is made of them.
  if (format === 'heif') return 8;
  return format === 'webp' || format === 'gif' ? 4 : 0;
}

/** @throws Unbearable for a picture whose decoding would take more memory than a picture is worth. */
export function requireBearable(claims: Claims): void {
  const { width, height, isProgressive } = claims;
  if (Math.max(width, height) > LONGEST_SIDE) throw new Unbearable(`${width}x${height}, and no side may be longer than ${LONGEST_SIDE} px; cut it`);
  const held = width * height * heldOfPixel(claims);
  if (held > MOST_HELD) throw new Unbearable(`${width}x${height}, which takes ${(held / 2 ** 30).toFixed(1)} GB to decode${isProgressive ? '; save it without interlacing' : '; scale it down'}`);
}

/** A picture file from anybody, to be decoded once, upright. */
export interface OpenedPicture {
  picture: Sharp;
  /** Upright. */
  width: number;
  height: number;
  xmp?: Buffer;
}

/**
 * Opens a picture from anybody, whatever its name: JPEG, PNG, WebP, AVIF, TIFF or GIF, of several the first.
 * @throws Error for what is no such picture, or cannot be whole; Unbearable for one that is too large.
 */
export async function openPicture(file: Uint8Array): Promise<OpenedPicture> {
  requireFewPages(file);
  // The limit is below, in words for its owner.
  const picture = sharp(file, { failOn: 'error', limitInputPixels: false }).autoOrient();
  const metadata = await picture.metadata();
  if (!FORMATS.includes(metadata.format)) throw new Error(`it is ${metadata.format}`);
  if (metadata.width * metadata.height > MAXIMUM_PIXELS) throw new Unbearable('more than 268 million pixels; scale it down');
  requireHeld(metadata, file);
  requireBearable(metadata);
  const { width, height } = metadata.autoOrient;
  return { picture, width, height, ...(metadata.xmp ? { xmp: metadata.xmp } : {}) };
}
