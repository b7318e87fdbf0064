// The loop that every kind of training runs in, and what it leaves in the run folder: model.onnx, checkpoint, metrics.jsonl,
// report.html and grids/.

import { appendFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DivergedError } from '@zeuxis/nets';
import { UserError, writeFault, writeWhole } from '@zeuxis/pictures';
import type { Progress, VerbOptions } from '../progress.js';
import { type Curve, type Metric, type ReportPage, readMetrics, writeReport } from './report.js';

const SNAPSHOT_SECONDS = 300;
const METRIC_SECONDS = 2;

/** How long a run is, all its parts together. */
export type RunLength = { images: number } | { minutes: number };

/** Where a run keeps its things. */
export const runPaths = (out: string) => ({
  model: join(out, 'model.onnx'),
  checkpoint: join(out, 'checkpoint'),
  metrics: join(out, 'metrics.jsonl'),
  report: join(out, 'report.html'),
  grids: join(out, 'grids'),
});

/** What a run says of itself when it is over. */
export interface RunResult<Card> {
  model: string;
  report: string;
  /** Whether the run came to its end; false after an abort. */
  finished: boolean;
  images: number;
  seconds: number;
  picturesPerSecond: number;
  /** Share of the steps' wall time spent inside ONNX Runtime. */
  insideRuntime: number;
  card: Card;
}

export interface LoopOptions extends Pick<VerbOptions, 'signal' | 'onProgress'> {
  out: string;
  length: RunLength;
  /** Snapshots along the way, evenly spread. */
  snapshots: number;
  /** Seconds of training before this process. */
  secondsBefore: number;
  /** What of the metrics the progress shows, by the names it shows them under. */
  shown: Record<string, string>;
  curves: readonly Curve[];
}

/** One kind of training, as the loop sees it. */
export interface Training<Report, Card> {
  /** Pictures shown so far. */
  readonly images: number;
  /** What they are called. */
  readonly unit: string;
  /** Milliseconds spent inside the runtime. */
  readonly insideRuntime: number;
  /** @throws DivergedError where the loss is no number. @param progress share of the run that is done. */
  step(progress: number): Promise<Report>;
  /** Means over the steps since the last metric. */
  metrics(reports: readonly Report[], progress: number): Record<string, number>;
  /** Writes the checkpoint, first, and then the model and a grid. @throws DivergedError where a weight is no number. */
  write(paths: ReturnType<typeof runPaths>, seconds: number): Promise<Card>;
  /** What stands at the top of the report. */
  describe(seconds: number): Omit<ReportPage, 'curves'>;
  /** What to turn where it diverges. */
  readonly remedy: string;
}

export class Loop<Report, Card> {
  private readonly paths: ReturnType<typeof runPaths>;
  private readonly start = performance.now();
  private lines: string[] = [];

  constructor(
    private readonly training: Training<Report, Card>,
    private readonly options: LoopOptions,
  ) {
    this.paths = runPaths(options.out);
  }

  private get seconds(): number {
    return this.options.secondsBefore + (performance.now() - this.start) / 1000;
  }

  /** Share of the run that is done. With `minutes` it is read off the clock, so that such a run cannot repeat itself exactly. */
  private get progress(): number {
    const { length } = this.options;
    return 'images' in length ? this.training.images / length.images : this.seconds / (length.minutes * 60);
  }

  async train(): Promise<RunResult<Card>> {
    const { training, options } = this;
    await this.dropLaterMetrics();
    if (training.images === 0) await this.snapshot();
    const [startImages, startTime] = [training.images, performance.now()];
    const spacing = 1 / options.snapshots;
    let [lastSnapshot, nextShare] = [performance.now(), this.progress + spacing];
    let [lastMetric, imagesThen] = [performance.now(), training.images];
    let reports: Report[] = [];
    while (this.progress < 1 && !options.signal?.aborted) {
      reports.push(await training.step(Math.min(1, this.progress)).catch((error) => this.diverged(error)));
      const now = performance.now();
      if (now - lastMetric > METRIC_SECONDS * 1000 || this.progress >= 1) {
        this.record(reports, (training.images - imagesThen) / ((now - lastMetric) / 1000));
        reports = [];
        [lastMetric, imagesThen] = [now, training.images];
      }
      if (this.progress < 1 && (this.progress >= nextShare || now - lastSnapshot > SNAPSHOT_SECONDS * 1000)) {
        await this.snapshot();
        while (nextShare <= this.progress) nextShare += spacing;
        lastSnapshot = performance.now();
      }
    }
    const elapsed = performance.now() - startTime;
    const card = await this.snapshot();
    return {
      model: this.paths.model,
      report: this.paths.report,
      finished: this.progress >= 1,
      images: training.images,
      seconds: this.seconds,
      picturesPerSecond: elapsed > 0 ? ((training.images - startImages) / elapsed) * 1000 : 0,
      insideRuntime: elapsed > 0 ? training.insideRuntime / elapsed : 0,
      card,
    };
  }

  private diverged(error: unknown): never {
    if (!(error instanceof DivergedError)) throw error;
    throw new UserError(`training diverged: ${error.message}. The last good checkpoint in '${this.options.out}' is kept; ${this.training.remedy}`);
  }

  /** One line of metrics. */
  private record(reports: readonly Report[], picturesPerSecond: number): void {
    const { training } = this;
    const { length, shown } = this.options;
    const round = (value: number) => Number(value.toPrecision(5));
    const measured = { ...training.metrics(reports, Math.min(1, this.progress)), picturesPerSecond };
    const metric: Metric = { images: training.images, seconds: round(this.seconds) };
    for (const [name, value] of Object.entries(measured)) metric[name] = round(value);
    this.lines.push(`${JSON.stringify(metric)}\n`);
    const secondsLeft = 'images' in length ? (length.images - training.images) / picturesPerSecond : length.minutes * 60 - this.seconds;
    const values = Object.fromEntries(Object.entries(shown).map(([label, name]) => [label, metric[name] ?? 0]));
    this.emit({ rate: picturesPerSecond, secondsLeft: Math.max(0, secondsLeft), values });
  }

  private emit(event: Omit<Progress, 'stage' | 'unit' | 'done' | 'total'> = {}): void {
    const done = this.training.images;
    const { length } = this.options;
    // A run by the clock can only estimate how many pictures it will have shown.
    const total = 'images' in length ? length.images : Math.round(done / Math.max(1e-6, Math.min(1, this.progress)));
    this.options.onProgress?.({ stage: 'train', unit: this.training.unit, done, total, ...event });
  }

  /** After a crash the metrics may be ahead of the checkpoint. */
  private async dropLaterMetrics(): Promise<void> {
    const kept = (await readMetrics(this.options.out)).filter(({ images }) => images <= this.training.images);
    await writeWhole(this.paths.metrics, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(''));
  }

  /** Writes what the run has come to. */
  private async snapshot(): Promise<Card> {
    const { training, paths, options } = this;
    const card = await training.write(paths, this.seconds).catch((error) => this.diverged(error));
    await appendFile(paths.metrics, this.lines.splice(0).join('')).catch((error) => {
      throw writeFault(error, paths.metrics);
    });
    await writeReport(options.out, { ...training.describe(this.seconds), curves: options.curves });
    if (training.images > 0) this.emit();
    return card;
  }
}

/** @throws DivergedError naming the vector that holds a value which is no number. */
export function requireFinite(vectors: Readonly<Record<string, Float32Array>>): void {
  for (const [name, vector] of Object.entries(vectors))
    if (!vector.every(Number.isFinite)) throw new DivergedError(`'${name}' holds values that are no numbers`);
}

/** The name of a folder, without where it lies. */
export const folderName = (path: string): string => basename(resolve(path));
