// A feature network from a model file: the shipped one, or any ONNX network from pictures to features.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { type OnnxSummary, type OnnxValue, readOnnx, type Session, type Value } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { type Rows, rows } from '@zeuxis/nets';
import { resizePlanar, UserError } from '@zeuxis/pictures';
import type { Card } from './card.js';
import { SHIPPED } from './models.js';
import type { VerbOptions } from './progress.js';

/** Ranges that a network's metadata may name under this key; without it a float input takes -1 (black) to 1 (white). */
const RANGE_KEY = 'zeuxis.range';
const RANGES: Record<string, (value: number) => number> = {
  '-1..1': (value) => value / 127.5 - 1,
  '0..1': (value) => value / 255,
  '0..255': (value) => value,
};
/** Pictures a run, where the network leaves it open. */
const BATCH = 32;

/** What stands beside every figure that was made with a feature network. */
export interface FeatureIdentity {
  /** 'features 1' for the shipped network, the file's name for others. */
  name: string;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
}

/** Pictures from `first` on, `n` of them, planar RGB, uint8 [n, 3, size, size]. */
type Read = (first: number, n: number) => Promise<Uint8Array> | Uint8Array;

export interface Features extends FeatureIdentity {
  /** Features of `count` pictures of a side of `size` px, read one batch of the network after the other. */
  describe(count: number, size: number, read: Read, onProgress: (done: number) => void): Promise<Rows>;
  close(): Promise<void>;
}

/**
 * Opens the shipped feature network or, by a path, any ONNX network with one picture input [n, 3, height, width], uint8
 * or float32, and an output of rank 2 or, averaged over places, of rank 4. Where height and width are open, pictures
 * are given in their own size.
 * @throws UserError for a file that is missing, no ONNX, or of another shape.
 */
export async function openFeatures(path: string | undefined, { device = 'cpu', threads, signal }: VerbOptions): Promise<Features> {
  const file = path ?? join(SHIPPED, 'features.onnx');
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT' ? `there is no feature network '${file}'` : `the feature network '${file}' cannot be read (${error.code})`,
    );
  });
  let summary: OnnxSummary;
  try {
    summary = readOnnx(bytes);
  } catch {
    throw new UserError(`the feature network '${file}' is no ONNX file, or it is damaged`);
  }
  const input = pictureInput(summary, file);
  const named = summary.metadata[RANGE_KEY] ?? '-1..1';
  const range = RANGES[named];
  if (!range) throw new UserError(`the feature network '${file}' names the range '${named}'; known are ${Object.keys(RANGES).join(', ')}`);
  const session = await openSession(bytes, { device, threads: threads ?? availableParallelism() }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the feature network '${file}': ${error.message.split('\n')[0]}`);
  });
  return {
    name: nameOf(summary, file),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    close: () => session.close(),
    async describe(count, size, read, onProgress) {
      // Exporters leave an extent open by a name, by 0 or by -1.
      const extent = (axis: number, otherwise: number) => (Number(input.shape[axis]) > 0 ? Number(input.shape[axis]) : otherwise);
      const [batch, height, width] = [extent(0, BATCH), extent(2, size), extent(3, size)];
      const each = 3 * height * width;
      const buffer = input.type === 'uint8' ? new Uint8Array(batch * each) : new Float32Array(batch * each);
      let all: Rows | undefined;
      for (let first = 0; first < count; first += batch) {
        signal?.throwIfAborted();
        const n = Math.min(batch, count - first);
        // The last run is filled up with what the one before it held: kernels round differently for other sizes.
        const pictures = await resizePlanar(await read(first, n), size, width, height);
        buffer.set(input.type === 'uint8' ? pictures : Float32Array.from(pictures, range));
        const values = await pooled(session, input, { data: buffer, shape: [batch, 3, height, width], type: input.type }, file);
        const of = values.length / batch;
        all ??= rows(count, of);
        all.data.set(values.subarray(0, n * of), first * of);
        onProgress(first + n);
      }
      if (!all!.data.every(Number.isFinite)) throw new UserError(`the feature network '${file}' gives values that are no finite numbers`);
      return all!;
    },
  };
}

function pictureInput({ inputs, outputs }: OnnxSummary, file: string): OnnxValue {
  const say = ({ name, shape }: OnnxValue) => `${name} [${shape.join(', ')}]`;
  const [input, ...others] = inputs;
  if (!input || others.length > 0 || input.shape.length !== 4 || input.shape[1] !== 3 || !['uint8', 'float32'].includes(input.type))
    throw new UserError(
      `'${file}' takes ${inputs.map(say).join(' and ') || 'nothing'}; a feature network takes one picture input [n, 3, height, width]`,
    );
  // Outputs without a shape are judged by what they give.
  if (!outputs.some(({ shape }) => [0, 2, 4].includes(shape.length)))
    throw new UserError(
      `'${file}' gives ${outputs.map(say).join(' and ')}; a feature network gives [n, features] or [n, features, height, width]`,
    );
  return input;
}

/** Runs the network; the first output of rank 2, or of rank 4 averaged over places, as [n * features]. */
async function pooled(session: Session, input: OnnxValue, pictures: Value, file: string): Promise<Float32Array> {
  const results = await session.run({ [input.name]: pictures }).catch((error: Error) => {
    throw new UserError(`the feature network '${file}' does not run on pictures [${pictures.shape}]: ${error.message.split('\n')[0]}`);
  });
  const result = Object.values(results).find(
    ({ shape, data }) => (shape.length === 2 || shape.length === 4) && shape[0] === pictures.shape[0] && data instanceof Float32Array,
  );
  if (!result) throw new UserError(`'${file}' gives no float32 output [n, features] or [n, features, height, width]`);
  const values = result.data as Float32Array;
  if (result.shape.length === 2) return values;
  const places = result.shape[2]! * result.shape[3]!;
  const average = (start: number) => values.subarray(start, start + places).reduce((sum, value) => sum + value, 0) / places;
  return Float32Array.from({ length: values.length / places }, (_, i) => average(i * places));
}

function nameOf({ metadata }: OnnxSummary, file: string): string {
  const card = JSON.parse(metadata['zeuxis.card'] ?? '{}') as Partial<Card>;
  return card.task === 'features' ? `${card.name} ${card.version}` : basename(file);
}
