// Pieces of PNG files that sharp does not write, or not as the standards have them.

import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** What precedes the packet: keyword, not compressed, no language (XMP specification, part 3, 1.1.5). */
const XMP_HEAD = Buffer.from('XML:com.adobe.xmp\0\0\0\0\0', 'latin1');

/** A piece of a PNG file (PNG, 5.3): its length, type, data and checksum. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** One black pixel, transparent where there is alpha, with the metadata that sharp keeps of a file (PNG, third edition, 2025). */
export function blackPixel(channels: 1 | 3, alpha: boolean, depth: 8 | 16, icc: Buffer | undefined, exif: Buffer | undefined): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(1, 0);
  header.writeUInt32BE(1, 4);
  header[8] = depth;
  header[9] = (channels === 3 ? 2 : 0) + (alpha ? 4 : 0);
  const row = Buffer.alloc(1 + ((channels + (alpha ? 1 : 0)) * depth) / 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(icc ? [chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(icc)]))] : []),
    ...(exif ? [chunk('eXIf', exif)] : []),
    chunk('IDAT', deflateSync(row)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * A PNG file with an XMP packet, UTF-8, where readers look for it: in an iTXt chunk that is not compressed. libvips puts it into a zTXt, which
 * only libvips and the most forgiving readers take for XMP. @param file one without.
 */
export function addXmpToPng(file: Buffer, xmp: Buffer): Buffer {
  // Behind the header, which comes first and always has 13 bytes.
  const end = SIGNATURE.length + 12 + 13;
  return Buffer.concat([file.subarray(0, end), chunk('iTXt', Buffer.concat([XMP_HEAD, xmp])), file.subarray(end)]);
}
