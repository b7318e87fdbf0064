// Data sets (PS3.5, chapter 7) in memory and as bytes in explicit VR little endian. Values stay the bytes that the file had,
// character sets and padding included: what nobody changes is written as it was read.

/** One data element. `open` marks a value of undefined length, which only UN has here: a sequence nobody could look into. */
export type Element = { vr: 'SQ'; items: Dataset[] } | { vr: string; bytes: Uint8Array; open?: true };
/** Elements by tag, group * 65536 + element. */
export type Dataset = Map<number, Element>;

const NUMBERS = { US: Uint16Array, SS: Int16Array, UL: Uint32Array, SL: Int32Array, FL: Float32Array, FD: Float64Array };
const TEXTS = ['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UI'];
const SHORT = new Set([...TEXTS, 'AT', ...Object.keys(NUMBERS)]);
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const UNDEFINED = 0xffffffff;

/** Whether PS3.5 knows a VR. */
export const isVr = (vr: string) => SHORT.has(vr) || LONG.has(vr);

const bytesOf = (set: Dataset, tag: number) => {
  const element = set.get(tag);
  return element && 'bytes' in element ? element.bytes : undefined;
};

/** A value as it stands in the file, one character a byte, without padding. Undefined where there is none or it is empty. */
export function text(set: Dataset, tag: number): string | undefined {
  const bytes = bytesOf(set, tag);
  return (bytes && Buffer.from(bytes).toString('latin1').replace(/[\0 ]+$/, '').trimStart()) || undefined;
}

/** The numbers of an element, be they binary or text (DS, IS); none where there is no such element or it is no number. */
export function numbers(set: Dataset, tag: number): number[] {
  const bytes = bytesOf(set, tag);
  if (!bytes) return [];
  const Numbers = NUMBERS[set.get(tag)!.vr as keyof typeof NUMBERS];
  if (!Numbers) return (text(set, tag) ?? '').split('\\').filter((part) => part.trim()).map(Number).filter(Number.isFinite);
  // A copy, which lies where its numbers may. Buffer's own slice would be none.
  return [...new Numbers(new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % Numbers.BYTES_PER_ELEMENT))).buffer)];
}

/** The items of a sequence; none where there is no such sequence. */
export function items(set: Dataset, tag: number): Dataset[] {
  const element = set.get(tag);
  return element && 'items' in element ? element.items : [];
}

/** An element of ASCII text or of numbers. DS and IS are given as numbers too. */
export function element(vr: string, ...values: (string | number)[]): Element {
  const Numbers = NUMBERS[vr as keyof typeof NUMBERS];
  if (Numbers) return { vr, bytes: new Uint8Array(Numbers.from(values as number[]).buffer) };
  const parts = values.map((value) => (typeof value === 'number' ? decimal(value) : value));
  return { vr, bytes: Buffer.from(parts.join('\\'), 'latin1') };
}

/** A number in at most 16 characters, as DS wants it, with all the digits that fit. */
export function decimal(value: number): string {
  for (let digits = 17; ; digits--) {
    const shortest = String(Number(value.toPrecision(digits)));
    if (shortest.length <= 16) return shortest;
  }
}

/** The bytes of a data set, sorted by tag. Group lengths (retired) are left out: they no longer hold. */
export function writeDataset(set: Dataset): Buffer {
  const parts: Uint8Array[] = [];
  for (const [tag, it] of [...set].sort(([a], [b]) => a - b)) {
    if (tag % 0x10000 === 0 && tag >= 0x00080000) continue;
    const value = 'items' in it ? writeItems(it.items) : padded(it);
    const open = 'open' in it;
    parts.push(header(tag, it.vr, open ? UNDEFINED : value.length), value);
    if (open) parts.push(delimiter(0xe0dd, 0));
  }
  return Buffer.concat(parts);
}

function writeItems(sets: Dataset[]): Buffer {
  return Buffer.concat(
    sets.flatMap((set) => {
      const bytes = writeDataset(set);
      return [delimiter(0xe000, bytes.length), bytes];
    }),
  );
}

/** Values have an even length: text is padded with a space, UIDs and bytes with 0. */
function padded({ vr, bytes }: { vr: string; bytes: Uint8Array }): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  return Buffer.concat([bytes, Uint8Array.of(vr !== 'UI' && (TEXTS.includes(vr) || /^U[CRT]$/.test(vr)) ? 0x20 : 0)]);
}

/** Tag, VR and length. A value too long for its VR's 16 bits of length becomes UN (PS3.5, 6.2.2), as does an unknown VR. */
function header(tag: number, vr: string, length: number): Buffer {
  const short = SHORT.has(vr) && length < 0x10000;
  const bytes = Buffer.alloc(short ? 8 : 12);
  bytes.writeUInt16LE(tag >>> 16, 0);
  bytes.writeUInt16LE(tag % 0x10000, 2);
  bytes.write(short || LONG.has(vr) ? vr : 'UN', 4, 'latin1');
  if (short) bytes.writeUInt16LE(length, 6);
  else bytes.writeUInt32LE(length, 8);
  return bytes;
}

/** An item's start (E000) or a sequence's end (E0DD). */
function delimiter(element: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(0xfffe, 0);
  bytes.writeUInt16LE(element, 2);
  bytes.writeUInt32LE(length, 4);
  return bytes;
}
