// The ledger of what was published: a file of one record a line, to which lines are only ever added, and the manifests beside it.
// Whoever finds a picture without its credentials finds here what they said: by the number in its watermark, by its hash, or by
// what it looks like.
//
// It must outlive whatever happens to the process that writes it. A record is one write at the file's end (O_APPEND), which
// the system puts behind whatever other processes write there, and begins and ends with a newline: a line that was torn, by a kill or a full
// disk, harms no other. What a record names is on the disk before it, and it is itself before `append` returns.

import { createHash, randomBytes } from 'node:crypto';
import { chmod, type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hashDistance, partOf, removeStale, SIMILAR, UserError, writeFault } from '@zeuxis/pictures';
import { type Line, linesOf } from './ledger/lines.js';
import { decodeRecord, encodeRecord, faultOf, type LedgerRecord, LONGEST } from './ledger/record.js';
import { type Place, Table } from './ledger/table.js';

export type { LedgerRecord } from './ledger/record.js';

/** Lines of a ledger that are no record, or no longer one. */
export interface LedgerDamage {
  lines: number;
  /** Bytes of the file at which the first few of them begin. */
  at: number[];
}

/**
 * The ledger in a folder. Reading needs neither the folder nor the file to be there. What is damaged is skipped and
 * counted; a file that may not be read is a UserError.
 */
export interface Ledger {
  /**
   * Adds a record, and keeps its manifest. When it returns, both are on the disk.
   * @throws UserError where they cannot be written: what was there before still is, and is readable.
   */
  append(record: NewRecord, manifest?: Uint8Array): Promise<LedgerRecord>;
  /** Makes its folders, which `append` does where it was not done. */
  prepare(): Promise<void>;
  /** The record of an id, the last one where there are several. */
  byId(id: string): Promise<LedgerRecord | undefined>;
  /** Records whose id begins with these four hexadecimal digits, which are all that a watermark of 16 bits holds; the last one first. */
  byShortId(short: string): Promise<LedgerRecord[]>;
  bySha256(sha256: string): Promise<LedgerRecord | undefined>;
  /** Records of pictures that look like one of this perceptual hash, the nearest first. @param distance bits that differ, at most. @param most of them. */
  near(hash: string, distance?: number, most?: number): Promise<{ record: LedgerRecord; distance: number }[]>;
  /** All records in the order in which they were written, one by one from the file. */
  all(): AsyncGenerator<LedgerRecord>;
  /** The manifest store of a record, as it stood in the file; undefined where none is kept, or it is damaged. */
  manifest(record: Pick<LedgerRecord, 'manifest'>): Promise<Uint8Array | undefined>;
  damaged(): Promise<LedgerDamage>;
}

export type NewRecord = Omit<LedgerRecord, 'ledger' | 'manifest'>;

const FILE = 'published.jsonl';
const MANIFESTS = 'manifests';
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];
/** Damaged lines that are named. */
const NAMED = 10;
const MOST_NEAR = 50;

/** A number for a picture, by chance, by which its watermark names it: 16 hexadecimal digits. */
export const newId = (): string => randomBytes(8).toString('hex');

/** The short form of an id, which a watermark of 16 bits holds. */
export const shortId = (id: string): string => id.slice(0, 4);

/** The ledger in the folder `ledger` of a configuration folder. Nothing is read or made yet. */
export function openLedger(configuration: string): Ledger {
  return new FileLedger(join(configuration, 'ledger'));
}

const ledgers = new Map<string, Ledger>();

/** The same, one for all in this process: what was read of a file is not read again. */
export function ledgerOf(configuration: string): Ledger {
  const known = ledgers.get(configuration) ?? openLedger(configuration);
  ledgers.set(configuration, known);
  return known;
}

class FileLedger implements Ledger {
  readonly #folder: string;
  readonly #path: string;
  #prepared: Promise<void> | undefined;
  #table = new Table();
  #damage: LedgerDamage = { lines: 0, at: [] };
  /** Up to where the table goes: the start of the line that has not ended yet. Which file it is of. */
  #read = { to: 0, file: 0 };
  #reading: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, FILE);
  }

  async append(given: NewRecord, manifest?: Uint8Array): Promise<LedgerRecord> {
    const record: LedgerRecord = { ledger: 1, ...given, ...(manifest ? { manifest: hash(manifest) } : {}) };
    const fault = faultOf({ ...record });
    if (fault) throw new Error(`a record of the ledger with a wrong '${fault}'`);
    const line = Buffer.from(`\n${encodeRecord(record)}\n`);
    if (line.length - 2 > LONGEST) throw new UserError(`what is to be recorded of '${record.name}' takes ${line.length} bytes, more than the ${LONGEST} of a record; shorten its labels and settings`);
    try {
      await this.prepare();
      if (manifest) await keep(manifest, this.#folder, record.manifest!);
      await add(line, this.#path);
    } catch (error) {
      throw writeFault(error, this.#path);
    }
    return record;
  }

  prepare(): Promise<void> {
    this.#prepared ??= prepare(this.#folder).catch((error: unknown) => {
      // The next one tries again.
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async byId(id: string): Promise<LedgerRecord | undefined> {
    const found = await this.#records(/^[0-9a-f]{16}$/.test(id), (table) => table.ids(id));
    return found.findLast((record) => record.id === id);
  }

  async byShortId(short: string): Promise<LedgerRecord[]> {
    const found = await this.#records(/^[0-9a-f]{4}$/.test(short), (table) => table.beginnings(short));
    return found.filter((record) => shortId(record.id) === short).reverse();
  }

  async bySha256(sha256: string): Promise<LedgerRecord | undefined> {
    const found = await this.#records(/^[0-9a-f]{64}$/.test(sha256), (table) => table.sums(sha256));
    return found.findLast((record) => record.sha256 === sha256);
  }

  async near(hash: string, distance: number = SIMILAR, most = MOST_NEAR): Promise<{ record: LedgerRecord; distance: number }[]> {
    if (!/^[0-9a-f]{16}$/.test(hash)) return [];
    const table = await this.#upToDate();
    const places = table.near(hash, distance).slice(0, most);
    const records = await this.#at(places);
    return records.flatMap((record, i) => (record?.hash !== undefined && hashDistance(record.hash, hash) === places[i]!.distance ? [{ record, distance: places[i]!.distance }] : []));
  }

  async *all(): AsyncGenerator<LedgerRecord> {
    const file = await this.#open();
    if (!file) return;
    try {
      for await (const lines of linesOf(file, 0, LONGEST))
        for (const { bytes } of lines) {
          const record = bytes && decodeRecord(bytes);
          if (record) yield record;
        }
    } finally {
      await file.close();
    }
  }

  async manifest({ manifest }: Pick<LedgerRecord, 'manifest'>): Promise<Uint8Array | undefined> {
    if (manifest === undefined || !/^[0-9a-f]{64}$/.test(manifest)) return undefined;
    const path = join(this.#folder, MANIFESTS, `${manifest}.c2pa`);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new UserError(`the manifest '${path}' cannot be read (${error.code}); check its permissions`);
    });
    return bytes && hash(bytes) === manifest ? bytes : undefined;
  }

  async damaged(): Promise<LedgerDamage> {
    let torn: Line | undefined;
    await this.#upToDate((tail) => {
      torn = tail;
    });
    const { lines, at } = this.#damage;
    return torn ? { lines: lines + 1, at: [...at, torn.at].slice(0, NAMED) } : { lines, at: [...at] };
  }

  async #records(wellFormed: boolean, find: (table: Table) => Place[]): Promise<LedgerRecord[]> {
    if (!wellFormed) return [];
    return (await this.#at(find(await this.#upToDate()))).filter((record) => record !== undefined);
  }

  /** The records at these places; undefined where there is none any more, as the file may have been replaced since. */
  async #at(places: readonly Place[]): Promise<(LedgerRecord | undefined)[]> {
    const file = places.length > 0 ? await this.#open() : undefined;
    if (!file) return places.map(() => undefined);
    try {
      const records: (LedgerRecord | undefined)[] = [];
      for (const { at, length } of places) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
        records.push(decodeRecord(buffer.subarray(0, bytesRead)));
      }
      return records;
    } finally {
      await file.close();
    }
  }

  /** The table of what the file holds now. @param torn is told of a last line that has no end and is no record. */
  #upToDate(torn?: (line: Line) => void): Promise<Table> {
    // One after another: two at once would enter the same lines twice.
    const done = this.#reading.catch(() => {}).then(() => this.#extend(torn));
    this.#reading = done;
    return done;
  }

  async #extend(torn?: (line: Line) => void): Promise<Table> {
    const file = await this.#open();
    if (!file) {
      this.#forget(0);
      return this.#table;
    }
    try {
      const { size, ino } = await file.stat();
      if (ino !== this.#read.file || size < this.#read.to) this.#forget(ino);
      for await (const lines of linesOf(file, this.#read.to, LONGEST))
        for (const line of lines) {
          const record = line.bytes && decodeRecord(line.bytes);
          // Another process may be writing it at this moment: it is read again when there is more.
          if (!line.ended && !record) {
            torn?.(line);
            break;
          }
          if (record) this.#table.add(line, record);
          else if (this.#damage.lines++ < NAMED) this.#damage.at.push(line.at);
          this.#read.to = line.at + line.length + (line.ended ? 1 : 0);
        }
      return this.#table;
    } finally {
      await file.close();
    }
  }

  #forget(file: number): void {
    this.#table = new Table();
    this.#damage = { lines: 0, at: [] };
    this.#read = { to: 0, file };
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      // Of a pipe opening would wait for a writer.
      if (!(await stat(this.#path)).isFile()) throw new UserError(`the ledger '${this.#path}' is no file; move it away, and a new one is made`);
      return await open(this.#path, 'r');
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      if (name === 'UserError') throw error;
      throw new UserError(`the ledger '${this.#path}' cannot be read (${code}); check its permissions`);
    }
  }
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Makes the folders, for nobody else to read, and clears away what a process that was killed left. */
async function prepare(folder: string): Promise<void> {
  await mkdir(join(folder, MANIFESTS), { recursive: true, mode: FOLDER_MODE });
  await chmod(folder, FOLDER_MODE);
  await removeStale(folder);
  await syncFolder(folder);
  // Of what stood there before, others may have forbidden the reading.
  for (const above of [dirname(folder), dirname(dirname(folder))]) await syncFolder(above).catch(() => {});
}

/** Brings a folder's names to the disk. Windows keeps them itself, and opens no folder. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a manifest into place; while it is not whole it lies in the ledger's own folder, where few files are to be looked through for stale ones. */
async function keep(manifest: Uint8Array, folder: string, sha256: string): Promise<void> {
  const path = join(folder, MANIFESTS, `${sha256}.c2pa`);
  const temporary = partOf(join(folder, basename(path)));
  try {
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(manifest);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function add(line: Uint8Array, path: string): Promise<void> {
  const file = await open(path, 'a', FILE_MODE);
  try {
    if ((await file.stat()).size === 0) {
      await file.chmod(FILE_MODE);
      await syncFolder(dirname(path));
    }
    const { bytesWritten } = await file.write(line);
    // What did get in is a torn line. The rest is not written after it: another's record may stand there by now.
    if (bytesWritten < line.length) throw Object.assign(new Error('written in part'), { code: 'ENOSPC' });
    await file.sync();
  } finally {
    await file.close();
  }
}
