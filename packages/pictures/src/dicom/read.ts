// Reading DICOM pictures: what is one that can be worked on, and its stored values. Patients' data stays in `dataset`:
// no message names anything of a file but its own name and technical facts.

import { UserError } from '../errors.js';
import { type Dataset, numbers, text } from './elements.js';
import { hasMagic } from './magic.js';
import { bareSyntax, type Parsed, parse, SYNTAX, TooMuch } from './parse.js';
import { canDecode, frameBytes, type Layout, PHOTOMETRICS, type Photometric, readEncoded, readNative } from './pixels.js';
import { TAG } from './tags.js';

export interface DicomPicture {
  /** The file's name, for messages. */
  name: string;
  width: number;
  height: number;
  /**
   * Stored values [channels, height, width] of each frame: whole numbers from 0 to 2^bitsStored - 1, signed ones from
   * -2^(bitsStored-1) to 2^(bitsStored-1) - 1; before rescale, window and inversion.
   */
  frames: Float32Array[];
  /** 1 is grey, 3 is RGB. */
  channels: 1 | 3;
  /** 1 to 16. */
  bitsStored: number;
  signed: boolean;
  /** MONOCHROME1 shows the smallest value white. YBR_… became RGB. */
  photometric: 'MONOCHROME1' | 'MONOCHROME2' | 'RGB';
  /** The stored value that stands for none, around the picture of a scanner; absent where there is none such. */
  padding?: number;
  /** UID of the transfer syntax that the file had. */
  syntax: string;
  /** Everything but the pixels, for `writeDerived`. Holds the patient's data: not to be printed. */
  dataset: Dataset;
}

/** As many as sharp takes: more is a broken header, or nothing that fits in memory. */
const MOST_VALUES = 2 ** 28;

const UIDS = [
  ['SOP class', TAG.SOPClassUID],
  ['SOP instance', TAG.SOPInstanceUID],
  ['study', TAG.StudyInstanceUID],
  ['series', TAG.SeriesInstanceUID],
] as const;

/** Grids that lie elsewhere than an image's position says; a finer grid would make them wrong. */
const FOREIGN_GRIDS = [
  [TAG.TotalPixelMatrixColumns, 'a tile of a slide'],
  [TAG.ImagePlanePixelSpacing, 'a radiotherapy image'],
  [TAG.PlanePositionVolumeSequence, 'an ultrasound volume'],
] as const;

/**
 * Whether a file is DICOM: 'DICM' at byte 128, or a bare data set in little endian that opens with an early element of
 * group 8. Nothing else is read; `readDicom` may still find it broken.
 */
export const isDicom = (bytes: Uint8Array): boolean => hasMagic(bytes) || bareSyntax(bytes) !== undefined;

/**
 * Reads a picture: grey or colour, 1 to 16 bits, one frame or many; uncompressed, deflated, RLE, JPEG (8 and 12 bits, lossless),
 * JPEG-LS, JPEG 2000 or HTJ2K.
 * @param name of the file, for messages.
 * @throws UserError where it is broken or cut short, holds no picture, or one of a kind that is not read: it says which.
 */
export async function readDicom(bytes: Uint8Array, name: string): Promise<DicomPicture> {
  const fail = (what: string): never => {
    throw new UserError(`'${name}' ${what}`);
  };
  if (!isDicom(bytes)) fail('is no DICOM file; give one that has DICM at byte 128');
  let parsed: Parsed;
  try {
    parsed = parse(bytes);
  } catch (error) {
    if (error instanceof TooMuch) return fail(`cannot be read as DICOM: ${error.message}; split it, or store it anew`);
    return fail('cannot be read as DICOM: it is broken or cut short; fetch it again from where it came');
  }
  const { syntax, dataset, pixels } = parsed;
  const layout = readLayout(dataset, fail);
  const count = numbers(dataset, TAG.NumberOfFrames)[0] ?? 1;
  if (!Number.isInteger(count) || count < 1) fail(`says that it holds ${count} frames; it is broken`);
  if (layout.width * layout.height * layout.channels * count > MOST_VALUES)
    fail(`holds ${count} frames of ${layout.width}x${layout.height}: more than ${MOST_VALUES / 2 ** 20} million values; split it`);
  const cut = () => fail('is cut short: its pixels end too early; fetch it again from where it came');
  if (pixels === undefined) return fail('holds no picture');
  if (pixels === 'truncated') return cut();
  const frames: Float32Array[] = [];
  if (typeof pixels === 'function') {
    if (!canDecode(syntax)) fail(`is compressed by transfer syntax ${syntax}, which is not supported; store it uncompressed`);
    if (layout.photometric === 'YBR_FULL_422' && !/\.4\.5[01]$/.test(syntax))
      fail(`has YBR_FULL_422 colour in transfer syntax ${syntax}, which is not supported; store it uncompressed`);
    try {
      for (const frame of pixels(count)) frames.push(await readEncoded(frame, layout, syntax));
    } catch {
      fail(`has pixels that transfer syntax ${syntax} cannot decode: it is broken; fetch it again from where it came`);
    }
  } else {
    if (!(Object.values(SYNTAX) as string[]).includes(syntax))
      fail(`has uncompressed pixels, but says that they are in transfer syntax ${syntax}; it is broken`);
    const size = frameBytes(layout);
    if (pixels.length < size * count) cut();
    for (let i = 0; i < count; i++) frames.push(readNative(pixels.subarray(i * size, (i + 1) * size), layout));
  }
  const { width, height, channels, bitsStored, signed } = layout;
  const photometric = layout.photometric.startsWith('MONO') ? (layout.photometric as 'MONOCHROME1' | 'MONOCHROME2') : 'RGB';
  const [padding] = numbers(dataset, TAG.PixelPaddingValue);
  return { name, width, height, frames, channels, bitsStored, signed, photometric, ...(padding === undefined ? {} : { padding }), syntax, dataset };
}

/** The Image Pixel module (PS3.3, C.7.6.3), if it describes pixels that are read. */
function readLayout(set: Dataset, fail: (what: string) => never): Layout {
  const number = (tag: number) => numbers(set, tag)[0];
  const [width, height] = [number(TAG.Columns), number(TAG.Rows)];
  if (!width || !height) return fail('holds no picture');
  if (set.has(TAG.FloatPixelData) || set.has(TAG.DoubleFloatPixelData)) fail('holds floating point pixels; 8 and 16 bits are read');
  for (const [tag, what] of FOREIGN_GRIDS) if (set.has(tag)) fail(`is ${what}, which is not supported`);
  for (const [what, tag] of UIDS) if (!text(set, tag)) fail(`lacks the UID of its ${what}, so nothing could refer to it; it is broken`);
  // Broken files can have anything there.
  const photometric = /^[A-Z\d_ ]{1,16}$/.exec(text(set, TAG.PhotometricInterpretation) ?? '')?.[0] ?? 'unknown';
  const channels = number(TAG.SamplesPerPixel) ?? 1;
  const grey = photometric.startsWith('MONO');
  if (!PHOTOMETRICS.includes(photometric as Photometric) || channels !== (grey ? 1 : 3))
    fail(`has ${photometric} pixels of ${channels} samples, which are not supported; grey, RGB and YBR are`);
  const bitsAllocated = number(TAG.BitsAllocated);
  const bitsStored = number(TAG.BitsStored) ?? bitsAllocated ?? 0;
  const highBit = number(TAG.HighBit) ?? bitsStored - 1;
  if (bitsAllocated !== 8 && bitsAllocated !== 16) return fail(`stores a value in ${bitsAllocated} bits; 8 and 16 are read`);
  if (bitsStored < 1 || highBit >= bitsAllocated || highBit + 1 < bitsStored)
    fail(`says that bit ${highBit} is the highest of ${bitsStored} in ${bitsAllocated}; it is broken`);
  const signed = number(TAG.PixelRepresentation) === 1;
  const planar = number(TAG.PlanarConfiguration) === 1;
  return { width, height, channels, bitsAllocated, bitsStored, highBit, signed, photometric: photometric as Photometric, planar } as Layout;
}
