// What a picture's header claims, against what its bytes can hold: whoever believes a header makes room first, and gigabytes of it.

import type { Metadata } from 'sharp';

/**
 * Pixels that a byte of a JPEG holds at most. Its blocks are of 64 and take a bit each at least, in whatever kind of scan (ITU-T T.81, F and G);
 * where they are missing, libjpeg goes on in grey, and calls it a warning. Other decoders give up at the first row that is not there.
 */
const JPEG_PIXELS_A_BYTE = 512;

/** @throws Error for a picture that cannot be whole. @param length of the file in bytes. */
export function requireHeld({ format, width, height }: Pick<Metadata, 'format' | 'width' | 'height'>, length: number): void {
  const pixels = width * height;
  if (format === 'jpeg' && pixels > JPEG_PIXELS_A_BYTE * length) throw new Error(`its header says ${width}x${height}, of which ${length} bytes can hold no more than ${Math.ceil((100 * JPEG_PIXELS_A_BYTE * length) / pixels)} per cent`);
}
