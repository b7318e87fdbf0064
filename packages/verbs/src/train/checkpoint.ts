// A checkpoint: everything a run needs to go on as if it had never stopped, in one file.
//
//   "zeuxis checkpoint 2\n" | SHA-256 of all that follows | length of the header, uint32 little-endian | header, JSON
//   | vectors, float32 little-endian

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type GanState, VECTORS } from '@zeuxis/nets';
import { UserError, writeWhole } from '@zeuxis/pictures';
import type { RunSettings } from './settings.js';

const MAGIC = 'zeuxis checkpoint 2\n';
const HASH_BYTES = 32;

export interface Checkpoint {
  settings: RunSettings;
  state: GanState;
  /** Seconds of training so far. */
  seconds: number;
}

export async function writeCheckpoint(path: string, { settings, state, seconds }: Checkpoint): Promise<void> {
  const { vectors, ...counters } = state;
  const lengths = VECTORS.map((name) => vectors[name].length);
  const header = Buffer.from(JSON.stringify({ settings, counters, seconds, lengths }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.length);
  const parts = [size, header, ...VECTORS.map((name) => new Uint8Array(vectors[name].buffer, vectors[name].byteOffset, vectors[name].byteLength))];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  await writeWhole(path, MAGIC, hash.digest(), ...parts);
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
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC)
    throw new UserError(`'${path}' is no checkpoint of this version of zeuxis; start a new run`);
  try {
    const body = file.subarray(MAGIC.length + HASH_BYTES);
    if (!createHash('sha256').update(body).digest().equals(file.subarray(MAGIC.length, MAGIC.length + HASH_BYTES))) throw new Error('hash');
    const end = 4 + body.readUInt32LE(0);
    const { settings, counters, seconds, lengths } = JSON.parse(body.subarray(4, end).toString());
    // A copy, because a Float32Array wants its bytes aligned to four.
    const floats = new Float32Array(new Uint8Array(body.subarray(end)).buffer);
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
