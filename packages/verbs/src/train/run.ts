// The loop of a run, and what it leaves in the run folder: model.onnx, checkpoint, metrics.jsonl, report.html and grids/.

import { appendFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import {
  type Batch,
  DivergedError,
  Epochs,
  type GanTrainer,
  generatorModel,
  holdBack,
  LATENT,
  Random,
  type Schedule,
  type StepReport,
  schedule,
} from '@zeuxis/nets';
import { type Dataset, encodeReportGrid, tileSheet, UserError, writeFault, writeWhole } from '@zeuxis/pictures';
import { cardMetadata, type GanCard } from '../card.js';
import type { Progress } from '../progress.js';
import { sample } from '../sample.js';
import { VERSION } from '../version.js';
import { writeCheckpoint } from './checkpoint.js';
import type { TrainGanOptions, TrainGanResult } from './gan.js';
import { type Metric, readMetrics, writeReport } from './report.js';
import type { RunSettings } from './settings.js';

const SNAPSHOT_SECONDS = 300;
const METRIC_SECONDS = 2;
/** Labels in a grid: the widest that WebP holds at 256 px is 63, and more than these cannot be told apart. */
const MOST_COLUMNS = 24;

/** Where a run keeps its things. */
export const runPaths = (out: string) => ({
  model: join(out, 'model.onnx'),
  checkpoint: join(out, 'checkpoint'),
  metrics: join(out, 'metrics.jsonl'),
  report: join(out, 'report.html'),
  grids: join(out, 'grids'),
});

/** Reads batches of a data set into one buffer. */
function batchOf(data: Dataset, batch: number): (indices: number[]) => Batch {
  const pictures = new Uint8Array(batch * 3 * data.size * data.size);
  return (indices) => ({ pictures: data.read(indices, pictures), labels: indices.map((i) => data.labelOf[i]!) });
}

/** The loop, and what it leaves in the run folder. */
export class Run {
  private readonly paths: ReturnType<typeof runPaths>;
  private readonly start = performance.now();
  private lines: string[] = [];

  constructor(
    private readonly options: TrainGanOptions,
    private readonly settings: RunSettings,
    private readonly data: Dataset,
    private readonly trainer: GanTrainer,
    /** Seconds of training before this process. */
    private readonly secondsBefore: number,
  ) {
    this.paths = runPaths(options.out);
  }

  private get seconds(): number {
    return this.secondsBefore + (performance.now() - this.start) / 1000;
  }

  /** Share of the run that is done. With `minutes` it is read off the clock, so that such a run cannot repeat itself exactly. */
  private get progress(): number {
    const { length } = this.settings;
    return 'images' in length ? this.trainer.state.images / length.images : this.seconds / (length.minutes * 60);
  }

  async train(): Promise<TrainGanResult> {
    const { trainer, data, settings, options } = this;
    const { state } = trainer;
    const { batch } = settings;
    await this.dropLaterMetrics();
    if (state.images === 0) await this.snapshot();
    const { trained, held } = holdBack(data.count, settings.seed, settings.augment);
    const epochs = new Epochs(settings.seed, trained.length);
    const [shown, apart] = [batchOf(data, batch), batchOf(data, batch)];
    const heldBatch = (step: number) => {
      const random = new Random(`${settings.seed}/held/${step}`);
      return apart(Array.from({ length: batch }, () => held[random.below(held.length)]!));
    };
    const [startImages, startTime] = [state.images, performance.now()];
    const spacing = 1 / settings.snapshots;
    let [lastSnapshot, nextShare] = [performance.now(), this.progress + spacing];
    let [lastMetric, imagesThen] = [performance.now(), state.images];
    let reports: StepReport[] = [];
    while (this.progress < 1 && !options.signal?.aborted) {
      const pictures = shown(epochs.next(state.images, batch).map((i) => trained[i]!));
      reports.push(await trainer.step(pictures, this.schedule(), heldBatch).catch((error) => this.diverged(error)));
      const now = performance.now();
      if (now - lastMetric > METRIC_SECONDS * 1000 || this.progress >= 1) {
        const rate = (state.images - imagesThen) / ((now - lastMetric) / 1000);
        this.record(reports, rate);
        reports = [];
        [lastMetric, imagesThen] = [now, state.images];
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
      images: state.images,
      seconds: this.seconds,
      picturesPerSecond: elapsed > 0 ? ((state.images - startImages) / elapsed) * 1000 : 0,
      insideRuntime: elapsed > 0 ? trainer.insideRuntime / elapsed : 0,
      card,
    };
  }

  private schedule(): Schedule {
    const { rateScale, gammaScale, batch } = this.settings;
    const plan = schedule(Math.min(1, this.progress), this.trainer.state.images, batch);
    return { ...plan, rate: plan.rate * rateScale, gamma: plan.gamma * gammaScale };
  }

  private diverged(error: unknown): never {
    if (!(error instanceof DivergedError)) throw error;
    throw new UserError(
      `training diverged: ${error.message}. The last good checkpoint in '${this.options.out}' is kept; start a new run with --rate-scale ${this.settings.rateScale / 2} or --gamma-scale ${this.settings.gammaScale * 4}`,
    );
  }

  /** One line of metrics: means over the steps since the last. */
  private record(reports: StepReport[], rate: number): void {
    const { state } = this.trainer;
    const { length } = this.settings;
    const round = (value: number) => Number(value.toPrecision(5));
    const mean = (of: (report: StepReport) => number | undefined) => {
      const values = reports.map(of).filter((value) => value !== undefined);
      return round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
    };
    const metric: Metric = {
      images: state.images,
      seconds: round(this.seconds),
      discriminatorLoss: mean((report) => report.discriminatorLoss),
      generatorLoss: mean((report) => report.generatorLoss),
      lead: mean((report) => report.lead),
      ...(reports.some(({ penalty }) => penalty !== undefined) ? { penalty: mean((report) => report.penalty) } : {}),
      strength: round(state.strength),
      rate: round(this.schedule().rate),
      picturesPerSecond: round(rate),
    };
    this.lines.push(`${JSON.stringify(metric)}\n`);
    const secondsLeft = 'images' in length ? (length.images - state.images) / rate : length.minutes * 60 - this.seconds;
    this.emit({
      rate,
      secondsLeft: Math.max(0, secondsLeft),
      values: { 'D loss': metric.discriminatorLoss, 'G loss': metric.generatorLoss },
    });
  }

  private emit(event: Omit<Progress, 'stage' | 'unit' | 'done' | 'total'> = {}): void {
    const done = this.trainer.state.images;
    const { length } = this.settings;
    // A run by the clock can only estimate how many pictures it will have shown.
    const total = 'images' in length ? length.images : Math.round(done / Math.max(1e-6, Math.min(1, this.progress)));
    this.options.onProgress?.({ stage: 'train', unit: 'pictures', done, total, ...event });
  }

  /** After a crash the metrics may be ahead of the checkpoint. */
  private async dropLaterMetrics(): Promise<void> {
    const kept = (await readMetrics(this.options.out)).filter(({ images }) => images <= this.trainer.state.images);
    await writeWhole(this.paths.metrics, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(''));
  }

  /** Writes what the run has come to: checkpoint first, then what can be made from it again. */
  private async snapshot(): Promise<GanCard> {
    const { trainer, settings, paths } = this;
    const { state } = trainer;
    for (const [name, vector] of Object.entries(state.vectors))
      if (!vector.every(Number.isFinite)) this.diverged(new DivergedError(`'${name}' holds values that are no numbers`));
    await writeCheckpoint(paths.checkpoint, { settings, state, seconds: this.seconds });
    await appendFile(paths.metrics, this.lines.splice(0).join('')).catch((error) => {
      throw writeFault(error, paths.metrics);
    });
    const card = this.card();
    const model = generatorModel(trainer.gan, state.vectors.average, cardMetadata(card));
    await writeWhole(paths.model, model);
    await this.grid(model);
    const { count, skipped, reserved } = this.data;
    const leftOut = skipped.length + reserved.length;
    const facts = {
      Pictures: `${count} from '${basename(resolve(this.options.pictures))}', ${settings.labels.length || 'no'} labels${leftOut > 0 ? `; ${leftOut} left out` : ''}`,
      Shown: `${state.images} pictures in ${state.steps} steps of ${settings.batch}`,
      Time: `${(this.seconds / 60).toFixed(1)} minutes on ${this.options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      Rights: `${settings.rights.text} (stated by ${settings.rights.name})`,
    };
    const title = `${card.name}: ${settings.shape.preset} at ${settings.shape.size} px`;
    await writeReport(this.options.out, { title, facts, columns: this.columns.map((label) => settings.labels[label] ?? '') });
    if (state.images > 0) this.emit();
    return card;
  }

  /** The labels that a grid's columns show: all, or evenly chosen where there are many. */
  private get columns(): number[] {
    const { classes } = this.settings.shape;
    const columns = Math.min(classes, MOST_COLUMNS);
    return Array.from({ length: columns }, (_, i) => Math.floor((i * classes) / columns));
  }

  /** A grid from latents that stay the same all through the run: a row a latent, a column a label. */
  private async grid(model: Uint8Array): Promise<void> {
    const { size, classes } = this.settings.shape;
    const shown = this.columns;
    const columns = shown.length || 8;
    const rows = size > 64 ? 4 : 6;
    const labels = Array.from({ length: columns * rows }, (_, i) => shown[i % columns] ?? 0);
    const session = await openSession(model, { threads: this.options.threads ?? availableParallelism() });
    const all = new Uint8Array(labels.length * 3 * size * size);
    try {
      for await (const { first, pictures } of sample(session, { seed: 'grid', labels, classes, size }))
        all.set(pictures, first * 3 * size * size);
    } finally {
      await session.close();
    }
    const name = `${String(this.trainer.state.images).padStart(9, '0')}.webp`;
    await writeWhole(join(this.paths.grids, name), await encodeReportGrid(tileSheet(all, labels.length, size, size, { columns })));
  }

  private card(): GanCard {
    const { data, settings, options, trainer } = this;
    const folder = (path: string) => basename(resolve(path));
    return {
      card: 1,
      task: 'gan',
      name: folder(options.out),
      preset: settings.shape.preset,
      size: settings.shape.size,
      channels: 3,
      latent: LATENT,
      labels: settings.labels,
      trainingSet: {
        name: folder(options.pictures),
        pictures: data.count,
        fingerprint: data.fingerprint,
        skipped: data.skipped.length,
        reserved: data.reserved.length,
        rights: settings.rights,
      },
      seed: settings.seed,
      images: trainer.state.images,
      steps: trainer.state.steps,
      batch: settings.batch,
      hours: Number((this.seconds / 3600).toFixed(2)),
      licence: settings.licence,
      zeuxis: VERSION,
    };
  }
}
