// EXIF (CIPA DC-008, Exif 3.0, 4.6): read into its directories, put right for new pixels, and written again. libvips carries it
// in PNG, JPEG, WebP and AVIF but not in TIFF, where it is part of the file's own directories: so that is done here as well.

interface Entry {
  tag: number;
  type: number;
  count: number;
  /** In the byte order of its block. */
  value: Buffer;
}

interface Exif {
  little: boolean;
  /** IFD0: the camera, the author, the orientation. */
  main: Entry[];
  /** The Exif IFD: exposure, times, lens. */
  camera: Entry[];
  gps: Entry[];
  interoperability: Entry[];
}

const [ORIENTATION, EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD] = [0x0112, 0x8769, 0x8825, 0xa005];
const [PIXEL_X, PIXEL_Y, SHORT, LONG] = [0xa002, 0xa003, 3, 4];
/** Bytes of one value of each type, and of the unit that a byte order turns round. */
const SIZE = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const UNIT = [0, 1, 1, 2, 4, 4, 1, 1, 2, 4, 4, 4, 8, 4];
/**
 * Tags of IFD0 that say how a TIFF's pixels lie, or hold what travels by itself (XMP, IPTC, Photoshop, ICC) or other
 * pictures: none of them is true of another file.
 */
const structural = (tag: number) =>
  (tag >= 0xfe && tag <= 0x10a) || (tag >= 0x111 && tag <= 0x119 && tag !== ORIENTATION) || [0x11c, 0x11d, 0x11e, 0x11f, 0x122, 0x123, 0x124, 0x125,
    0x12d, 0x13d, 0x13e, 0x13f, 0x2bc, 0x83bb, 0x8649, 0x8773].includes(tag) || (tag >= 0x140 && tag <= 0x15b) || (tag >= 0x200 && tag <= 0x214);
/** Of a TIFF's resolution its writer takes care. */
const RESOLUTION = [0x11a, 0x11b, 0x128];
/** What one JPEG segment holds; a larger value would lose all of the EXIF there. */
const LARGEST = 0xff00;
/**
 * As many entries and bytes of values as are believed. Entries may share one area, so a small file can claim gigabytes; no camera
 * writes as much, and more than a JPEG segment can stand in a TIFF only.
 */
const [MOST_ENTRIES, MOST_BYTES] = [4096, 0x10000];
export const MOST_OF_TIFF = 2 ** 20;

const readerOf = (bytes: Buffer, little: boolean) => ({
  u16: (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
  u32: (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
});

/** The entries of one directory, the first of each tag; those that point outside the block are left out. */
function readIfd(bytes: Buffer, offset: number, little: boolean): Entry[] {
  const { u16, u32 } = readerOf(bytes, little);
  const entries: Entry[] = [];
  const seen = new Set<number>();
  if (offset < 8 || offset + 2 > bytes.length) return entries;
  const count = u16(offset);
  for (let at = offset + 2; at < offset + 2 + 12 * count && at + 12 <= bytes.length; at += 12) {
    const [tag, type, values] = [u16(at), u16(at + 2), u32(at + 4)];
    const length = (SIZE[type] ?? 0) * values;
    const from = length <= 4 ? at + 8 : u32(at + 8);
    if (length === 0 || from + length > bytes.length || seen.has(tag)) continue;
    seen.add(tag);
    entries.push({ tag, type, count: values, value: bytes.subarray(from, from + length) });
  }
  return entries;
}

/** The byte order and first directory of a TIFF structure; undefined where it is none (a BigTIFF too). */
function header(bytes: Buffer): { little: boolean; first: number } | undefined {
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 14 || (order !== 'II' && order !== 'MM')) return undefined;
  const little = order === 'II';
  const { u16, u32 } = readerOf(bytes, little);
  return u16(2) === 42 ? { little, first: u32(4) } : undefined;
}

/** @returns undefined where it is none, or more than `most` bytes or MOST_ENTRIES. */
function parse(bytes: Buffer, most: number): Exif | undefined {
  const found = header(bytes);
  if (!found) return undefined;
  const { little, first } = found;
  const { u32 } = readerOf(bytes, little);
  const below = (entries: Entry[], tag: number) => {
    const entry = entries.find((e) => e.tag === tag && e.value.length === 4);
    return entry ? readIfd(bytes, u32(entry.value.byteOffset - bytes.byteOffset), little) : [];
  };
  const main = readIfd(bytes, first, little);
  const camera = below(main, EXIF_IFD);
  const fits = ({ tag, value }: Entry) => ![EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD].includes(tag) && value.length <= LARGEST;
  const exif = {
    main: main.filter((entry) => fits(entry) && !structural(entry.tag)),
    camera: camera.filter(fits),
    gps: below(main, GPS_IFD).filter(fits),
    interoperability: below(camera, INTEROPERABILITY_IFD).filter(fits),
  };
  const all = Object.values(exif).flat();
  if (all.length > MOST_ENTRIES || all.reduce((sum, { value }) => sum + value.length, 0) > most) return undefined;
  return { little, ...exif };
}

function number(little: boolean, type: number, value: number): Buffer {
  const bytes = Buffer.alloc(SIZE[type]!);
  if (little) bytes.writeUIntLE(value, 0, bytes.length);
  else bytes.writeUIntBE(value, 0, bytes.length);
  return bytes;
}

/** A directory that stands at `base`: its table, its values, then the directories below it. The thumbnail's, which would follow, is dropped. */
function writeIfd(own: readonly Entry[], below: Record<number, (base: number) => Buffer | undefined>, base: number, little: boolean): Buffer {
  const table = (count: number) => 2 + 12 * count + 4;
  const width = table(own.length + Object.keys(below).length);
  const parts: Buffer[] = [];
  let end = base + width;
  const place = (bytes: Buffer) => {
    const at = end;
    parts.push(bytes);
    end += bytes.length;
    // Every value starts at an even position.
    if (end % 2) {
      parts.push(Buffer.alloc(1));
      end++;
    }
    return number(little, LONG, at);
  };
  const rows = own.map(({ tag, type, count, value }) => ({ tag, type, count, field: value.length <= 4 ? value : place(value) }));
  for (const [tag, write] of Object.entries(below)) {
    const bytes = write(end);
    if (bytes) rows.push({ tag: Number(tag), type: LONG, count: 1, field: place(bytes) });
  }
  const head = Buffer.alloc(width);
  number(little, SHORT, rows.length).copy(head);
  for (const [i, { tag, type, count, field }] of rows.sort((a, b) => a.tag - b.tag).entries()) {
    const at = 2 + 12 * i;
    number(little, SHORT, tag).copy(head, at);
    number(little, SHORT, type).copy(head, at + 2);
    number(little, LONG, count).copy(head, at + 4);
    field.copy(head, at + 8);
  }
  return Buffer.concat([head, ...parts]);
}

function directories({ main, camera, gps, interoperability, little }: Exif, base: number, more: readonly Entry[] = []): Buffer {
  const one = (entries: Entry[]) => (at: number) => (entries.length > 0 ? writeIfd(entries, {}, at, little) : undefined);
  const cameraAt = (at: number) =>
    camera.length + interoperability.length > 0 ? writeIfd(camera, { [INTEROPERABILITY_IFD]: one(interoperability) }, at, little) : undefined;
  return writeIfd([...more, ...main], { [EXIF_IFD]: cameraAt, [GPS_IFD]: one(gps) }, base, little);
}

/**
 * A file's EXIF made true of upright pixels of a size: the orientation is 1, the thumbnail is gone, the dimensions are these.
 * @param bytes the EXIF block, or a whole TIFF. @param most bytes of values. @returns undefined where nothing usable is in it, or more.
 */
export function uprightExif(bytes: Buffer, width: number, height: number, most = MOST_BYTES): Buffer | undefined {
  const exif = parse(bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? bytes.subarray(6) : bytes, most);
  if (!exif) return undefined;
  const { little, main, camera, gps } = exif;
  // Every TIFF has these, and they say nothing that is not said elsewhere.
  if (camera.length + gps.length === 0 && main.every(({ tag }) => tag === ORIENTATION || RESOLUTION.includes(tag))) return undefined;
  const is = (tag: number, value: number, type = LONG) => (entry: Entry) =>
    entry.tag === tag ? { ...entry, type, count: 1, value: number(little, type, value) } : entry;
  exif.main = main.map(is(ORIENTATION, 1, SHORT));
  exif.camera = camera.map(is(PIXEL_X, width)).map(is(PIXEL_Y, height));
  const start = Buffer.concat([Buffer.from(little ? 'II' : 'MM', 'latin1'), number(little, SHORT, 42), number(little, LONG, 8)]);
  return Buffer.concat([start, directories(exif, 8)]);
}

/** The same in the other byte order, but for what is opaque (a MakerNote among it). */
function turned(exif: Exif): Exif {
  const turn = (entries: Entry[]) =>
    entries.map((entry) => {
      const [value, unit] = [Buffer.from(entry.value), UNIT[entry.type] ?? 1];
      for (let at = 0; at < value.length; at += unit) value.subarray(at, at + unit).reverse();
      return { ...entry, value };
    });
  const { little, main, camera, gps, interoperability } = exif;
  return { little: !little, main: turn(main), camera: turn(camera), gps: turn(gps), interoperability: turn(interoperability) };
}

/** A TIFF with EXIF among its directories: the first one is written anew at the end, where there is room. */
export function addExifToTiff(file: Buffer, block: Buffer): Buffer {
  const found = header(file);
  let exif = parse(block, MOST_OF_TIFF);
  if (!found || !exif) return file;
  const { little, first } = found;
  if (exif.little !== little) exif = turned(exif);
  const there = readIfd(file, first, little);
  exif.main = exif.main.filter(({ tag }) => tag !== ORIENTATION && !RESOLUTION.includes(tag));
  const before = there.filter(({ tag }) => !exif.main.some((entry) => entry.tag === tag));
  const gap = Buffer.alloc(file.length % 2);
  const whole = Buffer.concat([file, gap, directories(exif, file.length + gap.length, before)]);
  number(little, LONG, file.length + gap.length).copy(whole, 4);
  return whole;
}
