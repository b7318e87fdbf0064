// What a picture's header claims, against what its bytes can hold: whoever believes a header makes room first, and gigabytes of it.

import sharp, { type Metadata, type Sharp } from 'sharp';

/**
 * Pixels that a byte of a JPEG holds at most. Its blocks are of 64 and take a bit each at least, in whatever kind of scan (ITU-T T.81, F and G);
 * where they are missing, libjpeg goes on in grey, and calls it a warning.
 */
const JPEG_PIXELS_A_BYTE = 512;
/** What deflate makes of a byte at most: 258 of a length and a distance of a bit each (RFC 1951, 3.2.5). */
const INFLATED = 1032;
/** Samples of a pixel by the colour type in a PNG's header (PNG, 11.2.1). */
const PNG_SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Of how many pixels a file can be at most. Of the formats that are not here decoders give up before they take much memory. */
function mostPixels(format: string | undefined, file: Uint8Array): number {
  if (format === 'jpeg') return JPEG_PIXELS_A_BYTE * file.length;
  if (format === 'png') return (8 * INFLATED * file.length) / (file[24]! * (PNG_SAMPLES[file[25]!] ?? 1));
  return Number.POSITIVE_INFINITY;
}

/** @throws Error for a picture that cannot be whole. */
export function requireHeld({ format, width, height }: Pick<Metadata, 'format' | 'width' | 'height'>, file: Uint8Array): void {
  const [pixels, most] = [width * height, mostPixels(format, file)];
  if (pixels > most) throw new Error(`its header says ${width}x${height}, of which ${file.length} bytes can hold no more than ${Math.ceil((100 * most) / pixels)} per cent`);
}

/** A picture file from anybody, to be decoded once, upright. */
export interface OpenedPicture {
  picture: Sharp;
  /** Upright. */
  width: number;
  height: number;
  xmp?: Buffer;
}

/** @throws Error for what is no picture, cannot be whole, or has more than 268 million pixels, when it is decoded. */
export async function openPicture(file: Uint8Array): Promise<OpenedPicture> {
  const picture = sharp(file, { failOn: 'error' }).autoOrient();
  const metadata = await picture.metadata();
  requireHeld(metadata, file);
  const { width, height } = metadata.autoOrient;
  return { picture, width, height, ...(metadata.xmp ? { xmp: metadata.xmp } : {}) };
}
