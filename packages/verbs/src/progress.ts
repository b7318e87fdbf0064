// One progress: every long job emits these events, and the command's bar, the server's stream and the page draw them.

import { setImmediate } from 'node:timers/promises';
import type { Work } from '@zeuxis/nets';

export interface Progress {
  /** What is being done, in a word or two: 'decode', 'compile', 'train', 'generate'. */
  stage: string;
  done: number;
  total: number;
  /** What is counted: 'pictures', 'steps'. */
  unit: string;
  /** Units a second over the last few seconds; absent before it is known. */
  rate?: number;
  secondsLeft?: number;
  /** Figures to show beside the bar: losses and the like. */
  values?: Record<string, number>;
  /** A line worth keeping: a picture left out, a checkpoint written. */
  note?: string;
}

/** What every verb takes. */
export interface VerbOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** 'cpu' (default), 'webgpu', 'cuda', 'dml', 'coreml': whatever `devices()` of @zeuxis/graph/node names here. */
  device?: string;
  /** Threads for one operator; all cores by default. */
  threads?: number;
}

/** Tells of a file's tiles as they are done, with rate and time left. */
export function tileProgress(stage: string, total: number, onProgress: (progress: Progress) => void = () => {}): () => void {
  const start = performance.now();
  let done = 0;
  return () => {
    done++;
    const rate = (done / (performance.now() - start)) * 1000;
    onProgress({ stage, done, total, unit: 'tiles', rate, secondsLeft: (total - done) / rate });
  };
}

/** Progress events of a stage that counts pictures. */
export function pictureProgress(stage: string, total: number, { onProgress = () => {} }: VerbOptions): (done: number) => void {
  const start = performance.now();
  return (done) => {
    const rate = (done / (performance.now() - start)) * 1000;
    onProgress({ stage, done, total, unit: 'pictures', rate, secondsLeft: (total - done) / rate });
  };
}

/** Runs long arithmetic a slice at a time, so that an abort is heard in between. */
export async function drive<T>(work: Work<T>, stage: string, { signal, onProgress = () => {} }: { signal?: AbortSignal | undefined; onProgress?: (progress: Progress) => void }): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    onProgress({ stage, done: Math.round(100 * value), total: 100, unit: '%' });
    await setImmediate();
    signal?.throwIfAborted();
  }
}
