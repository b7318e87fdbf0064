// One progress: every long job emits these events, and the command's bar, the server's stream and the page draw them.

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
