// Where each record of a ledger lies, by what it is looked up by: 40 bytes a record, so that a million of them take 40 MB. Looking up
// goes over all of it, which for a million takes some milliseconds, less than reading the record that is found.

import { bitCount } from '@zeuxis/pictures';

/** Words of 32 bits a record: id, perceptual hash, the first half of a SHA-256's first half; and whether there is a hash, with the line's length. */
const WORDS = 7;
const [ID, HASH, SHA, LENGTH] = [0, 2, 4, 6];
const HASHED = 0x80000000;

/** Where a record is in the file. */
export interface Place {
  at: number;
  length: number;
}

const words = (hex: string): [number, number] => [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8, 16), 16)];

export class Table {
  size = 0;
  #words = new Uint32Array(WORDS * 64);
  #at = new Float64Array(64);

  add({ at, length }: Place, { id, hash, sha256 }: { id: string; hash?: string; sha256: string }): void {
    if (this.size === this.#at.length) this.#grow();
    this.#at[this.size] = at;
    this.#words.set([...words(id), ...(hash === undefined ? [0, 0] : words(hash)), ...words(sha256), length | (hash === undefined ? 0 : HASHED)], WORDS * this.size++);
  }

  #grow(): void {
    const [kept, at] = [this.#words, this.#at];
    this.#words = new Uint32Array(2 * kept.length);
    this.#words.set(kept);
    this.#at = new Float64Array(2 * at.length);
    this.#at.set(at);
  }

  /** Records of an id. */
  ids = (id: string): Place[] => this.#same(ID, words(id));
  /** Records whose SHA-256 begins with the 16 digits with which this one does. */
  sums = (sha256: string): Place[] => this.#same(SHA, words(sha256));
  /** Records whose id begins with these four digits. */
  beginnings(short: string): Place[] {
    const first = Number.parseInt(short, 16);
    return this.#where((i) => this.#words[i + ID]! >>> 16 === first);
  }

  #same = (field: number, [high, low]: [number, number]): Place[] => this.#where((i) => this.#words[i + field] === high && this.#words[i + field + 1] === low);

  /** The places of records that differ in `most` bits of the perceptual hash at most, nearest first. */
  near(hash: string, most: number): (Place & { distance: number })[] {
    const [high, low] = words(hash);
    const distance = (i: number) => bitCount(this.#words[i + HASH]! ^ high) + bitCount(this.#words[i + HASH + 1]! ^ low);
    return this.#where((i) => this.#words[i + LENGTH]! >= HASHED && distance(i) <= most, distance).sort((a, b) => a.distance - b.distance);
  }

  #where(holds: (i: number) => boolean): Place[];
  #where(holds: (i: number) => boolean, distance: (i: number) => number): (Place & { distance: number })[];
  #where(holds: (i: number) => boolean, distance?: (i: number) => number): Place[] {
    const places: Place[] = [];
    for (let n = 0, i = 0; n < this.size; n++, i += WORDS)
      if (holds(i)) places.push({ at: this.#at[n]!, length: this.#words[i + LENGTH]! & ~HASHED, ...(distance ? { distance: distance(i) } : {}) });
    return places;
  }
}
