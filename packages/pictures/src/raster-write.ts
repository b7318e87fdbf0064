// Encoding a picture with its metadata. What a user may keep is written by `publishEdited` of @zeuxis/provenance; this only makes its bytes.

import sharp, { type Raw, type Sharp } from 'sharp';
import { PNG } from './encode.js';
import { UserError } from './errors.js';
import { addXmpToPng, blackPixel } from './png.js';
import type { Raster, RasterFormat } from './raster.js';
import { addExifToTiff, MOST_OF_TIFF, uprightExif } from './raster-exif.js';

export interface EncodeOptions {
  format: RasterFormat;
  /** 1 to 100, for jpeg and webp (90 by default) and avif (80, about as good). */
  quality?: number;
}

/** The longest side that a format or its library can hold. */
const LONGEST: Partial<Record<RasterFormat, number>> = { jpeg: 65_500, webp: 16_383, avif: 16_384 };
/**
 * Above this many pixels the encoders' costly searches are left off: at 100 megapixels optimised Huffman tables take JPEG from 0.1 to
 * 1.2 GB of its own memory for a few per cent of file size, sharp subsampling takes WebP from 0.5 to 1.5 GB, and AVIF takes minutes.
 */
const LARGE = 32e6;
const NAME: Record<RasterFormat, string> = { png: 'PNG', jpeg: 'JPEG', webp: 'WebP', avif: 'AVIF', tiff: 'TIFF' };

/** The longest side in px that a format holds; undefined where it is none that a picture here reaches. */
export const largestSide = (format: RasterFormat): number | undefined => LONGEST[format];

/** For callers that would rather refuse before their work than after it. @throws UserError for a picture too large for the format. */
export function requireFits(width: number, height: number, format: RasterFormat): void {
  const longest = largestSide(format);
  if (longest !== undefined && Math.max(width, height) > longest)
    throw new UserError(`${width}x${height} is too large for ${NAME[format]}, which ends at ${longest} px a side; choose png or tiff`);
}

/**
 * A picture file's bytes, with the ICC profile, EXIF, XMP and density of the picture. PNG and TIFF (deflate) keep each value; the
 * others store 8 bits (rounded), and WebP and AVIF store grey as RGB. JPEG has no alpha: the picture is laid on white.
 * EXIF is put right: orientation 1, dimensions of these pixels, no thumbnail. JPEG holds no EXIF or XMP above 64 KB: they are left out.
 * Beside the pixels, PNG, JPEG and TIFF need little more memory than the file they make (JPEG of 16 bits or with alpha also the
 * pixels as 8 bits); WebP needs about six bytes a pixel, AVIF about thirty-five.
 * @throws UserError for a picture that is too large for the format.
 */
export async function encodeRaster(picture: Omit<Raster, 'format'>, options: EncodeOptions): Promise<Buffer> {
  const { format, quality = options.format === 'avif' ? 80 : 90 } = options;
  const { width, height } = picture;
  requireFits(width, height, format);
  const pixels = prepared(picture, format);
  const exif = picture.exif && uprightExif(picture.exif, width, height, MOST_OF_TIFF);
  const large = width * height > LARGE;
  const xmp = picture.xmp && asText(picture.xmp);
  const carried = carry(pixels, { icc: picture.icc, exif, xmp: format === 'png' ? undefined : xmp, density: picture.density });
  switch (format) {
    case 'png': {
      const file = await carried.png(PNG).toBuffer();
      return xmp ? addXmpToPng(file, Buffer.from(xmp)) : file;
    }
    case 'jpeg':
      // Colours at full resolution: enlarged once more, halved ones show.
      return carried.jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: !large }).toBuffer();
    case 'webp':
      return carried.webp({ quality, smartSubsample: !large, exact: true }).toBuffer();
    case 'avif':
      return carried.avif({ quality, chromaSubsampling: '4:4:4', effort: large ? 2 : 4 }).toBuffer();
    case 'tiff': {
      // A classic TIFF ends at 4 GB.
      const bigtiff = pixels.data.byteLength > 3.9e9;
      const file = await carried.tiff({ compression: 'deflate', predictor: 'horizontal', bigtiff }).toBuffer();
      return exif ? addExifToTiff(file, exif) : file;
    }
  }
}

/** Of what is not in UTF-8, as XMP must be in these formats, nothing: sharp takes a text, and would write another. */
function asText(xmp: Buffer): string | undefined {
  const text = xmp.toString('utf8');
  return Buffer.from(text).equals(xmp) ? text || undefined : undefined;
}

type Prepared = Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'depth' | 'data'>;

/** The pixels as the format can hold them. */
function prepared({ width, height, channels, alpha, depth, data }: Prepared, format: RasterFormat): Prepared {
  const bands = channels + (alpha ? 1 : 0);
  if (data.length !== width * height * bands)
    throw new Error(`${data.length} values for ${width}x${height} pixels of ${bands} channels, ${width * height * bands} are needed`);
  if (data.BYTES_PER_ELEMENT !== depth / 8) throw new Error(`a depth of ${depth} bits and values of ${data.BYTES_PER_ELEMENT} bytes`);
  if (format === 'png' || format === 'tiff') return { width, height, channels, alpha, depth, data };
  const bytes = depth === 16 ? rounded(data) : data;
  if (format !== 'jpeg' || !alpha) return { width, height, channels, alpha, depth: 8, data: bytes };
  return { width, height, channels, alpha: false, depth: 8, data: onWhite(bytes, channels) };
}

/** 16 bits as 8: the nearest of v / 257. libvips would cut the lower byte off. */
function rounded(data: Uint8Array | Uint16Array): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = (data[i]! * 255 + 32_895) >> 16;
  return out;
}

function onWhite(data: Uint8Array | Uint16Array, channels: number): Uint8Array {
  const count = data.length / (channels + 1);
  const out = new Uint8Array(count * channels);
  for (let i = 0, from = 0, to = 0; i < count; i++, from++) {
    const opacity = data[from + channels]!;
    for (let c = 0; c < channels; c++) out[to++] = Math.round((data[from++]! * opacity + 255 * (255 - opacity)) / 255);
  }
  return out;
}

interface Metadata {
  icc: Buffer | undefined;
  exif: Buffer | undefined;
  xmp: string | undefined;
  density: number | undefined;
}

/**
 * Pixels with metadata, for sharp to encode. To raw pixels sharp adds no profile without converting the colours, and no EXIF but
 * single texts. What it keeps is what a *file* came with: so the first input is a PNG of one black pixel that carries all of it,
 * widened with black, and the pixels are joined to it by OR, which changes none of them. libvips does so row by row, without a copy.
 */
function carry({ width, height, channels, alpha, depth, data }: Prepared, { icc, exif, xmp, density }: Metadata): Sharp {
  const bands = (channels + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4;
  const background = alpha ? { r: 0, g: 0, b: 0, alpha: 0 } : { r: 0, g: 0, b: 0 };
  const picture = sharp(blackPixel(channels, alpha, depth, icc, exif), { limitInputPixels: false })
    .extend({ right: width - 1, bottom: height - 1, background })
    .boolean(data as unknown as Buffer, 'or', { raw: { width, height, channels: bands }, limitInputPixels: false } as { raw: Raw })
    .toColourspace(channels === 1 ? (depth === 16 ? 'grey16' : 'b-w') : depth === 16 ? 'rgb16' : 'srgb');
  if (exif) picture.keepExif();
  if (icc) picture.keepIccProfile();
  if (xmp) picture.withXmp(xmp);
  if (density) picture.withDensity(density);
  return picture;
}
