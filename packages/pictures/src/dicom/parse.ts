// DICOM files (PS3.10) to data sets. dicom-parser finds the elements; here they get their VR where the file leaves it out
// (implicit VR: dcmjs's dictionary) and little endian values where the file is big endian. Nothing is decoded.

import { inflateRawSync } from 'node:zlib';
import dictionary from 'dcmjs/dictionary';
import dicomParser, { type ByteStream, type Element as Found } from 'dicom-parser';
import { type Dataset, type Element, isVr } from './elements.js';
import { hasMagic } from './magic.js';

export const SYNTAX = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
} as const;

export interface Parsed {
  /** The transfer syntax's UID. */
  syntax: string;
  /** All elements but the pixels. */
  dataset: Dataset;
  /** The pixels: undefined where there are none, 'truncated' where the file ends within them. */
  pixels: Native | Encapsulated | 'truncated' | undefined;
}
/** Uncompressed pixels, all frames in a row, little endian. */
export type Native = Uint8Array;
/** Compressed pixels: gives each of `count` frames. Throws where the file does not say which fragments are whose. */
export type Encapsulated = (count: number) => Uint8Array[];

/** What a file claims is more than is believed: the message says what. */
export class TooMuch extends Error {}
/** Bytes that deflated data may come to: the 2^28 values of 16 bits that are read at most, and room for the rest. */
const MOST_INFLATED = 2 ** 29 + 2 ** 26;
/** Each element takes most of a kilobyte of memory, and eight bytes of a file. */
const MOST_ELEMENTS = 2 ** 20;
/** Where the meta information, a dozen short elements, and the first after it must have ended: these are read without a count. */
const MOST_META = 2 ** 20;

/** Ends dicom-parser's reading, within sequences as well: every element and item has a VR or a length of 32 bits, which it reads here. */
function limited(stream: ByteStream): ByteStream {
  const { readUint32, readFixedString } = stream;
  let steps = 0;
  const count = () => {
    if (++steps > MOST_ELEMENTS) throw new TooMuch(`it holds more than ${MOST_ELEMENTS / 2 ** 20} million elements`);
  };
  stream.readUint32 = () => {
    count();
    return readUint32.call(stream);
  };
  stream.readFixedString = (length) => {
    count();
    return readFixedString.call(stream, length);
  };
  return stream;
}

/**
 * The transfer syntax of a bare data set, without preamble and meta information, as ACR-NEMA and some archives have it:
 * little endian, and its first element is in group 8, no further than the SOP Instance UID, with a VR or a small even length.
 */
export function bareSyntax(bytes: Uint8Array): string | undefined {
  if (bytes.length < 12 || bytes[0] !== 8 || bytes[1] !== 0 || bytes[2]! > 0x18 || bytes[3] !== 0) return undefined;
  if (isVr(latin1(bytes, 4, 2))) return SYNTAX.explicit;
  return bytes[4]! <= 64 && bytes[4]! % 2 === 0 && !bytes[5] && !bytes[6] && !bytes[7] ? SYNTAX.implicit : undefined;
}

/** Reads a file. @throws anything where it is no DICOM file or is broken before its pixels. */
export function parse(file: Uint8Array): Parsed {
  let syntax = bareSyntax(file);
  let bytes = file;
  let start = 0;
  if (hasMagic(file)) {
    const meta = dicomParser.readPart10Header(file.subarray(0, MOST_META));
    syntax = meta.string('x00020010');
    start = (meta as unknown as { position: number }).position;
  }
  if (!syntax || !/^[\d.]+$/.test(syntax)) throw new Error('no transfer syntax');
  if (syntax === SYNTAX.deflated) {
    bytes = inflated(file.subarray(start));
    start = 0;
  }
  const { elements, pixels } = scan(bytes, start, syntax);
  const swap = syntax === SYNTAX.bigEndian;
  const signed = elements.find(({ tag }) => tag === 'x00280103');
  const context = { bytes, swap, signed: signed !== undefined && bytes[signed.dataOffset + (swap ? 1 : 0)] === 1 };
  return { syntax, dataset: convert(elements, context), pixels: pixels && readPixels(pixels, context) };
}

function inflated(deflated: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(deflated, { maxOutputLength: MOST_INFLATED });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new TooMuch(`it inflates to more than ${MOST_INFLATED / 2 ** 20} MB`);
  }
}

/**
 * The elements of the top level. dicomParser.parseDicom does the same, but it does not know OV, SV and UV (its issue 284),
 * which frame tables use, and does not say whether it was the pixels that are cut short.
 */
function scan(bytes: Uint8Array, start: number, syntax: string): { elements: Found[]; pixels: Found | 'truncated' | undefined } {
  const numbers = syntax === SYNTAX.bigEndian ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser;
  const stream = limited(new dicomParser.ByteStream(numbers, bytes, start));
  const elements: Found[] = [];
  const warnings: string[] = [];
  let pixels: Found | undefined;
  while (stream.position < bytes.length) {
    try {
      const found = next(stream, syntax === SYNTAX.implicit, warnings);
      const cut = stream.position > bytes.length || warnings.length > 0;
      if (found.tag === 'x7fe00010') {
        if (cut) return { elements, pixels: 'truncated' };
        pixels = found;
      } else if (cut) throw new Error('cut short');
      else elements.push(found);
    } catch (error) {
      // What follows the pixels is padding and signatures, and not needed.
      if (pixels) break;
      throw error;
    }
  }
  return { elements, pixels };
}

function next(stream: ByteStream, implicit: boolean, warnings: string[]): Found {
  if (implicit) return dicomParser.readDicomElementImplicit(stream, undefined, knownVr as (tag: string) => string);
  const vr = latin1(stream.byteArray, stream.position + 4, 2);
  if (!WIDE.includes(vr)) return dicomParser.readDicomElementExplicit(stream, warnings);
  const tag = dicomParser.readTag(stream);
  stream.seek(4);
  const length = stream.readUint32();
  const found = { tag, vr, length, dataOffset: stream.position };
  stream.seek(length);
  return found;
}

interface Context {
  bytes: Uint8Array;
  swap: boolean;
  /** Whether pixels are signed, which decides the VR of values that are US or SS. */
  signed: boolean;
}

const WIDE = ['OV', 'SV', 'UV'];
/** Bytes of a binary number, by VR. */
const WIDTH: Record<string, number> = { US: 2, SS: 2, OW: 2, AT: 2, UL: 4, SL: 4, FL: 4, OF: 4, OL: 4, FD: 8, OD: 8, OV: 8, SV: 8, UV: 8 };

function convert(found: Found[], context: Context, inside = false): Dataset {
  const set: Dataset = new Map();
  // Tags of group FFFE end items; those below group 8 have no place in a data set.
  for (const it of found) {
    const tag = Number.parseInt(it.tag.slice(1), 16);
    if (tag < 0x00080000 || tag >>> 16 === 0xfffe) continue;
    // dicom-parser misread what follows.
    if (inside && WIDE.includes(it.vr ?? '')) throw new Error(`${it.vr} in a sequence`);
    set.set(tag, convertElement(it, context));
  }
  return set;
}

function convertElement(found: Found, context: Context): Element {
  const vr = settledVr(found, context);
  if (vr === 'SQ') {
    const items = (found.items ?? []).map(({ dataSet }) => convert(Object.values(dataSet!.elements), context, true));
    return { vr, items };
  }
  const bytes = littleEndian(found, vr, context);
  return vr === 'UN' && found.hadUndefinedLength ? { vr, bytes, open: true } : { vr, bytes };
}

function littleEndian({ dataOffset, length }: Found, vr: string, { bytes, swap }: Context): Uint8Array {
  const value = bytes.subarray(dataOffset, dataOffset + length);
  const width = WIDTH[vr];
  if (!swap || !width) return value;
  const swapped = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) swapped[i] = value[i - (i % width) + width - 1 - (i % width)] ?? 0;
  return swapped;
}

/** The VR of an element that the file, implicit or not, gives or the dictionary knows; else UN, which keeps the bytes. */
function settledVr({ vr, items }: Found, { signed }: Context): string {
  if (vr === undefined) return items ? 'SQ' : 'UN';
  // The dictionary's names for values whose VR depends on others (PS3.6, notes to table 6-1).
  if (vr === 'xs') return signed ? 'SS' : 'US';
  if (vr === 'ox' || vr === 'lt') return 'OW';
  return isVr(vr) ? vr : 'UN';
}

function knownVr(tag: string): string | undefined {
  const [group, element] = [tag.slice(1, 5), tag.slice(5)];
  const known = dictionary[`(${group},${element})`.toUpperCase()]?.vr;
  // The names of private blocks, at elements 10 to FF (PS3.5, 7.8.1).
  return known ?? (Number.parseInt(group, 16) % 2 === 1 && /^00[1-9a-f]/.test(element) ? 'LO' : undefined);
}

function readPixels(found: Found | 'truncated', context: Context): Parsed['pixels'] {
  if (found === 'truncated') return found;
  const { fragments, basicOffsetTable } = found;
  if (!fragments || !basicOffsetTable) return littleEndian(found, found.vr ?? 'OW', context);
  const source = { byteArray: context.bytes, byteArrayParser: dicomParser.littleEndianByteArrayParser } as dicomParser.DataSet;
  const join = (first: number, count: number) => dicomParser.readEncapsulatedPixelDataFromFragments(source, found, first, count);
  return (count) => {
    if (count === 1) return [join(0, fragments.length)];
    if (fragments.length === count) return fragments.map((_, i) => join(i, 1));
    const table = basicOffsetTable.length > 0 ? basicOffsetTable : dicomParser.createJPEGBasicOffsetTable(source, found);
    if (table.length !== count) throw new Error(`${table.length} frames instead of ${count}`);
    return table.map((_, i) => dicomParser.readEncapsulatedImageFrame(source, found, i, table));
  };
}

const latin1 = (bytes: Uint8Array, at: number, length: number) => Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
