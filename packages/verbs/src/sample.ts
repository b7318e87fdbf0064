// From a generator's file to pixels. What leaves the house goes on through `publish`.

import { floats, type Session } from '@zeuxis/graph';
import { LATENT, Random } from '@zeuxis/nets';

/**
 * Pictures a run of the session. Always the same, the last run filled up: kernels round differently for other sizes, and
 * one seed must give one picture however many are asked for.
 */
const BATCH = 8;

export interface SampleOptions {
  seed: number | string;
  /** Class index of each picture; ignored where there are no classes. */
  labels: ArrayLike<number>;
  /** Number of classes of the model. */
  classes: number;
  /** Side in px. */
  size: number;
  /** Place of each picture in the seed's series; from 0 on by default. */
  indices?: ArrayLike<number>;
  /** Scales the latents, 0 to 1: less variety, fewer failures. */
  truncation?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Draws pictures one batch after the other: uint8, planar RGB, [n, 3, size, size], n at most 8.
 * A picture depends on the seed, its place and its label alone.
 */
export async function* sample(session: Session, options: SampleOptions): AsyncGenerator<{ first: number; count: number; pictures: Uint8Array }> {
  const { seed, labels, classes, size, indices, truncation = 1, signal } = options;
  for (let start = 0; start < labels.length; start += BATCH) {
    signal?.throwIfAborted();
    const count = Math.min(BATCH, labels.length - start);
    const [z, oneHot] = [new Float32Array(BATCH * LATENT), new Float32Array(BATCH * classes)];
    for (let i = 0; i < count; i++) {
      const latent = new Random(`${seed}/picture/${indices?.[start + i] ?? start + i}`).normals(LATENT);
      z.set(latent.map((value) => value * truncation), i * LATENT);
      if (classes > 0) oneHot[i * classes + labels[start + i]!] = 1;
    }
    const out = await session.run({ z: floats(z, [BATCH, LATENT]), labels: floats(oneHot, [BATCH, classes]) });
    const pixels = out.pictures!.data as Uint8Array;
    yield { first: start, count, pictures: pixels.slice(0, count * 3 * size * size) };
  }
}
