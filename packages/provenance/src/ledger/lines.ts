// The lines of a file that may be of any length, and hold lines of any length.

import type { FileHandle } from 'node:fs/promises';

export interface Line {
  /** Byte at which it begins. */
  at: number;
  /** Without its end. */
  length: number;
  /** Undefined where it is longer than asked for. */
  bytes: Uint8Array | undefined;
  /** Whether its end is there; the last one's may be still to come. */
  ended: boolean;
}

const CHUNK = 2 ** 18;
const NEWLINE = 10;

/** Lines from a byte on, as many at a time as were read at once; empty ones are left out. */
export async function* linesOf(file: FileHandle, from: number, longest: number): AsyncGenerator<Line[]> {
  /** Of the line that has begun: where, its length and, unless it is too long, its parts. */
  let [at, length, parts]: [number, number, Uint8Array[]] = [from, 0, []];
  for (let position = from; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    const lines: Line[] = [];
    for (let start = 0; start < bytesRead; ) {
      const found = chunk.indexOf(NEWLINE, start);
      const end = found === -1 ? bytesRead : found;
      length += end - start;
      if (length > longest) parts = [];
      else if (end > start) parts.push(chunk.subarray(start, end));
      if (found === -1) break;
      if (length > 0) lines.push({ at, length, bytes: whole(length, longest, parts), ended: true });
      [at, length, parts] = [at + length + 1, 0, []];
      start = end + 1;
    }
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [{ at, length, bytes: whole(length, longest, parts), ended: false }];
}

const whole = (length: number, longest: number, parts: Uint8Array[]): Uint8Array | undefined => (length > longest ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts));
