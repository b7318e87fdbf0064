// A checkpoint: everything a run needs to go on as if it had never stopped, in one file.
//
//   "zeuxis checkpoint 3\n" | SHA-256 of all that follows | length of the header, uint32 little-endian | header, JSON
//   | vectors, float32 little-endian

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UserError, writeWhole } from '@zeuxis/pictures';

const MAGIC = 'zeuxis checkpoint 3\n';
const HASH_BYTES = 32;

/** What moves in a training: counters, and vectors by their names. */
export interface TrainingState {
  images: number;
  vectors: Record<string, Float32Array>;
}

export interface Checkpoint<Settings, State extends TrainingState> {
  /** What is trained. */
  task: string;
  settings: Settings;
  state: State;
  /** Seconds of training so far. */
  seconds: number;
}

export async function writeCheckpoint(path: string, { task, settings, state, seconds }: Checkpoint<unknown, TrainingState>): Promise<void> {
  const { vectors, ...counters } = state;
  const all = Object.values(vectors);
  const lengths = Object.entries(vectors).map(([name, { length }]) => [name, length]);
  const header = Buffer.from(JSON.stringify({ task, settings, counters, seconds, lengths }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.length);
  const parts = [size, header, ...all.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  await writeWhole(path, [MAGIC, hash.digest(), ...parts]);
}

/** @throws UserError for a file that is missing, damaged, no checkpoint, or one of another task. */
export async function readCheckpoint<Settings, State extends TrainingState>(path: string, task: string): Promise<Checkpoint<Settings, State>> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT'
        ? `there is no checkpoint '${path}' to go on from; start without --resume`
        : `the checkpoint '${path}' cannot be read (${error.code})`,
    );
  });
  if (file.subarray(0, MAGIC.length).toString('latin1') !== MAGIC)
    throw new UserError(`'${path}' is no checkpoint of this version of zeuxis; start a new run`);
  let read: Checkpoint<Settings, State>;
  try {
    const body = file.subarray(MAGIC.length + HASH_BYTES);
    if (!createHash('sha256').update(body).digest().equals(file.subarray(MAGIC.length, MAGIC.length + HASH_BYTES))) throw new Error('hash');
    const end = 4 + body.readUInt32LE(0);
    const { lengths, counters, ...rest } = JSON.parse(body.subarray(4, end).toString());
    // A copy, because a Float32Array wants its bytes aligned to four.
    const floats = new Float32Array(new Uint8Array(body.subarray(end)).buffer);
    let offset = 0;
    const vectors = Object.fromEntries(
      (lengths as [string, number][]).map(([name, length]) => {
        const start = offset;
        offset += length;
        return [name, floats.slice(start, offset)];
      }),
    );
    read = { ...rest, state: { ...counters, vectors } };
  } catch {
    throw new UserError(`the checkpoint '${path}' is damaged; start anew, or from a copy of it`);
  }
  if (read.task !== task) throw new UserError(`the checkpoint '${path}' is of \`train ${read.task}\`, not of \`train ${task}\``);
  return read;
}
