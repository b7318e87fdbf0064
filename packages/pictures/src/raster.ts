// A picture to be enlarged or restyled: its pixels as they stand in the file, and what the file says about them. Training
// pictures are brought into one shape (decode.ts); here nothing is: depth, grey, alpha and colour space are the picture's own.

export const RASTER_FORMATS = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
export type RasterFormat = (typeof RASTER_FORMATS)[number];

/** File extension of each format. */
export const RASTER_EXTENSION: Record<RasterFormat, string> = { png: '.png', jpeg: '.jpg', webp: '.webp', avif: '.avif', tiff: '.tif' };

/** Pixels in the colour space of their ICC profile (sRGB where there is none), and the metadata that goes with them. */
export interface Raster {
  width: number;
  height: number;
  /** Colour channels: 1 is grey, 3 is RGB. */
  channels: 1 | 3;
  /** Whether one more channel follows the colours: opacity, not multiplied into them. */
  alpha: boolean;
  depth: 8 | 16;
  /** Interleaved, rows from the top: width * height * (channels + alpha) values, a Uint16Array where the depth is 16. */
  data: Uint8Array | Uint16Array;
  icc?: Buffer;
  /** A TIFF structure (Exif 3.0, 4.5), without the 'Exif\0\0' that JPEG puts before it. */
  exif?: Buffer;
  /** UTF-8. */
  xmp?: Buffer;
  /** Pixels per inch. */
  density?: number;
  format: RasterFormat;
}
