// For tests: small DICOM files, written by hand and independently of what is tested, in each uncompressed encoding.

import { deflateRawSync } from 'node:zlib';

/** Text, numbers, bytes or items, by VR. */
export type Entry = [tag: number, vr: string, value: string | number[] | Uint8Array | Entry[][]];

const IMPLICIT = '1.2.840.10008.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const UNCOMPRESSED = [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN];

/** A file with preamble and meta information, its data set in a transfer syntax. */
export function file(entries: Entry[], syntax = EXPLICIT): Buffer {
  const meta = encode([[0x00020010, 'UI', syntax]], EXPLICIT);
  const head = encode([[0x00020000, 'UL', [meta.length]]], EXPLICIT);
  const body = encode(entries, syntax);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), head, meta, syntax === DEFLATED ? deflateRawSync(body) : body]);
}

/** A bare data set. */
export function encode(entries: Entry[], syntax: string): Buffer {
  const big = syntax === BIG_ENDIAN;
  const uint = (value: number, width: 2 | 4) => {
    const bytes = Buffer.alloc(width);
    if (big) bytes.writeUIntBE(value, 0, width);
    else bytes.writeUIntLE(value, 0, width);
    return bytes;
  };
  const tagOf = (tag: number) => Buffer.concat([uint(tag >>> 16, 2), uint(tag % 0x10000, 2)]);
  const parts = entries.map(([tag, vr, given]) => {
    let value: Buffer;
    if (vr === 'SQ')
      value = Buffer.concat(
        (given as Entry[][]).flatMap((item) => {
          const bytes = encode(item, syntax);
          return [tagOf(0xfffee000), uint(bytes.length, 4), bytes];
        }),
      );
    else if (typeof given === 'string') value = Buffer.from(given.length % 2 ? given + (vr === 'UI' ? '\0' : ' ') : given, 'latin1');
    else if (given instanceof Uint8Array) value = Buffer.from(given);
    else value = Buffer.concat((given as number[]).map((one) => (vr === 'UL' ? uint(one, 4) : uint(one & 0xffff, 2))));
    if (syntax === IMPLICIT) return Buffer.concat([tagOf(tag), uint(value.length, 4), value]);
    const long = /O[A-Z]|SQ|U[CNRTV]|SV/.test(vr);
    // Pixels of unknown length are fragments.
    const length = vr === 'OB' && value.readUInt32LE(0) === 0xe000fffe ? 0xffffffff : value.length;
    return Buffer.concat([tagOf(tag), Buffer.from(vr), long ? uint(0, 2) : Buffer.alloc(0), uint(length, long ? 4 : 2), value]);
  });
  return Buffer.concat(parts);
}

/** Encapsulated pixels (PS3.5, A.4): a table of offsets, possibly empty, and the fragments. */
export function fragments(table: number[], ...pieces: Uint8Array[]): Uint8Array {
  const item = (bytes: Uint8Array) => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(bytes.length + (bytes.length % 2), 4);
    return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
  };
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  return Buffer.concat([item(new Uint8Array(Uint32Array.from(table).buffer)), ...pieces.map(item), end]);
}

/** The attributes of a small CT slice of 4 x 3 pixels, by tag, with what a test has its own way put in place of them. */
export function slice(...own: Entry[]): Entry[] {
  const entries: Entry[] = [
    [0x00080005, 'CS', 'ISO_IR 100'],
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00080018, 'UI', '1.2.3.4.5'],
    [0x00100010, 'PN', 'Secret^Patient'],
    [0x00100020, 'LO', 'ID-4711'],
    [0x0020000d, 'UI', '1.2.3.1'],
    [0x0020000e, 'UI', '1.2.3.2'],
    [0x00200032, 'DS', '-10\\-20\\5'],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00200052, 'UI', '1.2.3.3'],
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [3]],
    [0x00280011, 'US', [4]],
    [0x00280030, 'DS', '0.6\\0.8'],
    [0x00280100, 'US', [16]],
    [0x00280101, 'US', [16]],
    [0x00280102, 'US', [15]],
    [0x00280103, 'US', [1]],
    [0x7fe00010, 'OW', VALUES],
  ];
  // The last of each tag counts.
  return [...new Map([...entries, ...own].map((entry) => [entry[0], entry])).values()].sort(([a], [b]) => a - b);
}

/** The stored values of `slice`. */
export const VALUES = [-1000, -500, -1, 0, 1, 2, 300, 400, 1000, 2000, 32767, -32768];
