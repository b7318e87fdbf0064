// The structure of a TIFF file (TIFF 6.0, section 2; BigTIFF, Aware Systems 2005) as far as it says what a decoder is in for.

export interface TiffStructure {
  /** Pictures, counted to one more than was asked for: a chain of directories may be long, or lead back into itself. */
  pages: number;
  /** Of the first picture, tag 259. */
  compression: number;
}

const COMPRESSION = 259;

/** @param most pages to be counted. @returns undefined for what is no TIFF; what is damaged ends the count. */
export function tiffStructure(bytes: Uint8Array, most: number): TiffStructure | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = file.toString('latin1', 0, 2);
  if (file.length < 16 || (order !== 'II' && order !== 'MM')) return undefined;
  const little = order === 'II';
  const u16 = (at: number) => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const u64 = (at: number) => Number(little ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));
  const magic = u16(2);
  if (magic !== 42 && magic !== 43) return undefined;
  const big = magic === 43;
  const [head, entry, pointer] = big ? [8, 20, 8] : [2, 12, 4];
  const address = big ? u64 : u32;
  const found: TiffStructure = { pages: 0, compression: 1 };
  for (let at = address(big ? 8 : 4); at > 0 && at + head <= file.length && found.pages <= most; ) {
    const entries = big ? u64(at) : u16(at);
    const end = at + head + entries * entry;
    if (end > file.length) break;
    for (let tag = at + head; found.pages === 0 && tag < end; tag += entry) if (u16(tag) === COMPRESSION) found.compression = u16(tag + (big ? 12 : 8));
    found.pages++;
    if (end + pointer > file.length) break;
    at = address(end);
  }
  return found;
}
