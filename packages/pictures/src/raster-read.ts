// Reading a picture whole, with every bit of its pixels in its own colour space: sharp (libvips) decodes PNG, JPEG, WebP, AVIF, TIFF.

import { readFile } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { MAXIMUM_PIXELS, requireFewPages, requireHeld } from './claims.js';
import { hasMagic } from './dicom/magic.js';
import { UserError } from './errors.js';
import { RASTER_FORMATS, type Raster, type RasterFormat } from './raster.js';
import { MOST_OF_TIFF, uprightExif } from './raster-exif.js';

export interface ReadOptions {
  /** Larger pictures are refused before they are decoded; MAXIMUM_PIXELS by default. */
  maximumPixels?: number | undefined;
  /** What is in the file, where that is at hand. */
  bytes?: Buffer;
}

/**
 * Reads a picture file. Its pixels are upright (EXIF orientation applied, the tag then 1) and otherwise as stored: never
 * converted to another colour space, 16 bits kept, grey kept grey. Palettes become RGB; 1, 2 and 4 bits become 8; the 10 and 12
 * bits of an AVIF become 16. An ICC profile that is not for the picture's kind (RGB for a grey one) is left out.
 * @throws UserError for a file that is missing, broken, cut short or no such picture, animated or of several pages, in CMYK or
 * another space than grey and RGB, with other than 8 or 16 bits, or larger than `maximumPixels`.
 */
export async function readRaster(path: string, { maximumPixels = MAXIMUM_PIXELS, bytes: given }: ReadOptions = {}): Promise<Raster> {
  // By bytes, not by path: libvips remembers what it opened by path, and the file may have changed since.
  const bytes = given ?? (await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new UserError(`there is no file '${path}'; check the path`);
    if (error.code === 'EISDIR') throw new UserError(`'${path}' is a folder; give the pictures in it`);
    throw new UserError(`'${path}' cannot be read (${error.code}); check its permissions`);
  }));
  if (bytes.length === 0) throw new UserError(`'${path}' is empty, no picture that can be read; get a whole copy`);
  try {
    requireFewPages(bytes);
  } catch (error) {
    throw new UserError(`'${path}' cannot be read: ${(error as Error).message}`);
  }
  const picture = () => sharp(bytes, { failOn: 'error', limitInputPixels: false, autoOrient: true });
  const metadata = await picture().metadata().catch((error: Error) => {
    throw unreadable(path, bytes, error);
  });
  const format = requireUsable(path, metadata);
  const pixels = metadata.width * metadata.height;
  if (pixels > maximumPixels)
    throw new UserError(`'${path}' has ${mega(pixels)} megapixels, more than ${mega(maximumPixels)}; --max-pixels raises it`);
  try {
    requireHeld(metadata, bytes);
  } catch (error) {
    throw unreadable(path, bytes, error as Error);
  }
  const channels = metadata.space === 'b-w' || metadata.space === 'grey16' ? 1 : 3;
  const depth = metadata.depth === 'ushort' ? 16 : 8;
  const alpha = metadata.hasAlpha;
  const { width, height, data } = await decode(picture(), { channels, depth, alpha }).catch((error: Error) => {
    throw unreadable(path, bytes, error);
  });
  const exif = format === 'tiff' ? bytes : metadata.exif;
  return {
    width,
    height,
    channels,
    alpha,
    depth,
    data,
    format,
    ...optional('icc', fits(metadata.icc, channels) ? metadata.icc : undefined),
    ...optional('exif', exif && uprightExif(exif, width, height, format === 'tiff' ? MOST_OF_TIFF : undefined)),
    ...optional('xmp', metadata.xmp && uprightXmp(metadata.xmp)),
    ...optional('density', metadata.density),
  };
}

/** The raw values. keepIccProfile is what stops sharp from converting the colours to sRGB. */
async function decode(picture: Sharp, { channels, depth, alpha }: Pick<Raster, 'channels' | 'depth' | 'alpha'>) {
  // To raw output sharp gives grey of 8 bits without its alpha: that one goes through RGB, which repeats the grey.
  const detour = channels === 1 && depth === 8 && alpha;
  const space = detour ? 'srgb' : channels === 1 ? (depth === 16 ? 'grey16' : 'b-w') : depth === 16 ? 'rgb16' : 'srgb';
  const { data, info } = await picture
    .keepIccProfile()
    .toColourspace(space)
    .raw({ depth: depth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const bands = channels + (alpha ? 1 : 0);
  const { width, height } = info;
  if (info.channels !== (detour ? 4 : bands)) throw new Error(`${info.channels} channels where ${bands} were expected`);
  if (depth === 16) return { width, height, data: new Uint16Array(data.buffer, data.byteOffset, data.length / 2) };
  if (!detour) return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  const pairs = new Uint8Array(width * height * 2);
  for (let i = 0; i < width * height; i++) {
    pairs[2 * i] = data[4 * i]!;
    pairs[2 * i + 1] = data[4 * i + 3]!;
  }
  return { width, height, data: pairs };
}

function requireUsable(path: string, { format, compression, pages = 1, space, depth, channels, hasAlpha }: Metadata): RasterFormat {
  const name = (format as string) === 'heif' ? (compression === 'av1' ? 'avif' : 'heic') : format;
  const usable = RASTER_FORMATS.find((known) => known === name);
  if (pages > 1) {
    const what = usable === 'tiff' ? `holds ${pages} pages` : usable === 'avif' ? `holds ${pages} pictures` : `is animated (${pages} frames)`;
    throw new UserError(`'${path}' ${what}; give it as single pictures`);
  }
  if (!usable) throw new UserError(`'${path}' is in the format ${name}; convert it to PNG, JPEG, WebP, AVIF or TIFF`);
  if (space === 'cmyk') throw new UserError(`'${path}' is in CMYK; convert it to RGB`);
  const colours = { 'b-w': 1, grey16: 1, srgb: 3, rgb16: 3 }[space as string];
  if (colours === undefined) throw new UserError(`'${path}' is in the colour space ${space}; convert it to RGB or grey`);
  if (depth !== 'uchar' && depth !== 'ushort') throw new UserError(`'${path}' has values of the kind ${depth}; convert it to 8 or 16 bits a channel`);
  if (channels !== colours + (hasAlpha ? 1 : 0))
    throw new UserError(`'${path}' has ${channels} channels; convert it to RGB or grey, with or without one alpha channel`);
  return usable;
}

const MAGIC = [/^\x89PNG/, /^\xff\xd8\xff/, /^RIFF....WEBP/s, /^....ftypavi[fs]/s, /^(II[*+]\0|MM\0[*+])/];

/** A fault of decoding in one line. Of a TIFF whose end is missing libvips does not even see that it is one. */
function unreadable(path: string, bytes: Buffer, error: Error): UserError {
  if (hasMagic(bytes)) return new UserError(`'${path}' is a DICOM file, which \`zeuxis upscale\` alone takes`);
  const known = MAGIC.some((magic) => magic.test(bytes.toString('latin1', 0, 16)));
  if (!known && /unsupported image format/i.test(error.message))
    return new UserError(`'${path}' is no picture that can be read; give a PNG, JPEG, WebP, AVIF or TIFF`);
  const lines = error.message.split('\n').map((line) => line.trim());
  const why = lines.find((line) => line !== '' && !/^(source: bad seek|Warning treated as error)/.test(line)) ?? 'unknown';
  return new UserError(`'${path}' is broken or cut short (${why.replace(/^Input buffer has corrupt header:\s*$/, 'its header is damaged')}); get a whole copy`);
}

/** The data colour space in an ICC profile's header (ICC.1:2022, 7.2). */
function fits(icc: Buffer | undefined, channels: 1 | 3): boolean {
  return icc !== undefined && icc.length > 128 && icc.toString('latin1', 16, 20) === (channels === 1 ? 'GRAY' : 'RGB ');
}

/** XMP may repeat the orientation, and some programs believe it first. Nothing else is touched. */
function uprightXmp(xmp: Buffer): Buffer {
  const text = xmp.toString('latin1');
  return Buffer.from(text.replace(/(tiff:Orientation\s*(?:=\s*["']|>\s*))[2-8]/g, '$11'), 'latin1');
}

const mega = (pixels: number) => (pixels >= 1e7 ? Math.round(pixels / 1e6) : Number((pixels / 1e6).toPrecision(2)));
const optional = <K extends string, V>(key: K, value: V | undefined) => (value === undefined ? {} : { [key]: value }) as { [k in K]?: V };
