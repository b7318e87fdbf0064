// A checkpoint: everything a run needs to go on as if it had never stopped, in one file.
//
//   "zeuxis checkpoint 1\n" | length of the header, uint32 little-endian | header, JSON | vectors, float32 little-endian
//
// The header holds the SHA-256 of the vectors, so that a damaged file is known for one.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type GanShape, type GanState, type TrainerOptions, VECTORS } from '@zeuxis/nets';
import { UserError, writeWhole } from '@zeuxis/pictures';
import type { Rights } from '../card.js';

const MAGIC = 'zeuxis checkpoint 1\n';

/** What a run was begun with; it cannot change on the way. */
export interface RunSettings extends TrainerOptions {
  shape: GanShape;
  labels: string[];
  rights: Rights;
  /** Multiplies the schedule's learning rate and its penalty. */
  rateScale: number;
  gammaScale: number;
  fingerprint: string;
}

export interface Checkpoint {
  settings: RunSettings;
  state: GanState;
  /** Seconds of training so far. */
  seconds: number;
}

export async function writeCheckpoint(path: string, { settings, state, seconds }: Checkpoint): Promise<void> {
  const { vectors, ...counters } = state;
  const parts = VECTORS.map((name) => new Uint8Array(vectors[name].buffer, vectors[name].byteOffset, vectors[name].byteLength));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const lengths = VECTORS.map((name) => vectors[name].length);
  const header = Buffer.from(JSON.stringify({ settings, counters, seconds, lengths, sha256: hash.digest('hex') }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.length);
  await writeWhole(path, MAGIC, size, header, ...parts);
}

/** @throws UserError for a file that is missing, damaged or no checkpoint. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT'
        ? `there is no checkpoint '${path}' to go on from; start without --resume`
        : `the checkpoint '${path}' cannot be read (${error.code})`,
    );
  });
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw new UserError(`'${path}' is no zeuxis checkpoint`);
  try {
    const start = MAGIC.length + 4;
    const end = start + file.readUInt32LE(MAGIC.length);
    const { settings, counters, seconds, lengths, sha256 } = JSON.parse(file.subarray(start, end).toString());
    if (createHash('sha256').update(file.subarray(end)).digest('hex') !== sha256) throw new Error('hash');
    // A copy, because a Float32Array wants its bytes aligned to four.
    const floats = new Float32Array(new Uint8Array(file.subarray(end)).buffer);
    let offset = 0;
    const vectors = Object.fromEntries(
      VECTORS.map((name, i) => {
        const start = offset;
        offset += lengths[i];
        return [name, floats.slice(start, offset)];
      }),
    ) as GanState['vectors'];
    return { settings, state: { ...counters, vectors }, seconds };
  } catch {
    throw new UserError(`the checkpoint '${path}' is damaged; start anew, or from a copy of it`);
  }
}
