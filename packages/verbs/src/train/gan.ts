// `train gan`: a folder of pictures in, a generator's model file out, with everything needed to watch and resume it.
//
// A run folder holds model.onnx, checkpoint, metrics.jsonl, report.html and grids/.

import { appendFile, mkdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import {
  type Batch,
  DivergedError,
  defineGan,
  Epochs,
  GanTrainer,
  generatorModel,
  holdBack,
  LATENT,
  type Preset,
  Random,
  type Schedule,
  type StepReport,
  schedule,
  startGan,
} from '@zeuxis/nets';
import { type Dataset, encodeReportGrid, openDataset, tileSheet, UserError, writeFault, writeWhole } from '@zeuxis/pictures';
import { cardMetadata, type GanCard, type Rights } from '../card.js';
import { cacheFolder } from '../places.js';
import type { Progress, VerbOptions } from '../progress.js';
import { sample } from '../sample.js';
import { VERSION } from '../version.js';
import { type Checkpoint, type RunSettings, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { type Metric, readMetrics, writeReport } from './report.js';

export interface TrainGanOptions extends VerbOptions {
  /** Folder of JPEG, PNG, WebP, AVIF or TIFF; its first folders are the labels. */
  pictures: string;
  /** Run folder, made where it is missing. */
  out: string;
  /** Side in px: 32, 64 (default), 128 or 256. */
  size?: number;
  /** 'fast' by default. */
  preset?: Preset;
  /** Real pictures to show to the discriminator. One of `images` and `minutes`; 30 minutes by default. */
  images?: number;
  minutes?: number;
  /** 'folders' (default where there are any) or 'none'. */
  labels?: 'folders' | 'none';
  /** The right to train, for pictures that carry no statement of their own. A new run needs it; a resumed one knows it. */
  rights?: Rights;
  /** Pictures a step, 16 by default. */
  batch?: number;
  /** 0 by default. */
  seed?: number | string;
  /** Mirror pictures by chance: right for garments, wrong where left and right differ. Off by default. */
  mirror?: boolean;
  /** Augment as strongly as over-fitting demands. On by default. */
  augment?: boolean;
  /** Steps from one gradient penalty to the next, 4 by default; 1 is every step. */
  penaltyEvery?: number;
  /** Multiplies the learning rate of the schedule, 1 by default: less is slower and safer. */
  rateScale?: number;
  /** Multiplies the weight of the gradient penalty, 1 by default: more is safer, and blurs. */
  gammaScale?: number;
  /** Licence of the weights, for the card. 'unstated' by default. */
  licence?: string;
  /** Go on from the run folder's checkpoint. Settings of the network are then the checkpoint's. */
  resume?: boolean;
  /** Grids, checkpoints and models written along the way, evenly spread; 16 by default. One is written every 5 minutes at least. */
  snapshots?: number;
  /** Folder for the packed pictures; the user's cache by default. */
  cache?: string;
}

export interface TrainGanResult {
  model: string;
  report: string;
  /** Whether the run came to its end; false after an abort. */
  finished: boolean;
  images: number;
  seconds: number;
  picturesPerSecond: number;
  /** Share of the steps' wall time spent inside ONNX Runtime. */
  insideRuntime: number;
  card: GanCard;
}

const SNAPSHOT_SECONDS = 300;
const METRIC_SECONDS = 2;

/**
 * Trains a generator on a folder of pictures.
 * An abort through `signal` ends the run after the step at hand, with a checkpoint; the result says `finished: false`.
 * @throws UserError for pictures, options or a run folder that cannot serve, a full disk, and a run that diverges.
 */
export async function trainGan(options: TrainGanOptions): Promise<TrainGanResult> {
  const { out, onProgress = () => {}, signal, device = 'cpu', threads = availableParallelism() } = options;
  const paths = runPaths(out);
  const before = await stateOf(options, paths);
  const size = before?.settings.shape.size ?? options.size ?? 64;
  const preset = before?.settings.shape.preset ?? options.preset ?? 'fast';
  // Fails before the pictures are read where there is no such network.
  asUserError(() => defineGan({ preset, size, classes: 0 }));
  const rights = before?.settings.rights ?? options.rights;
  if (!rights) throw new UserError('state the right to train on these pictures: --rights "LICENCE OR SENTENCE, NAME"');
  const labels = before ? (before.settings.labels.length > 0 ? 'folders' : 'none') : options.labels;
  const data = await openDataset(options.pictures, {
    size,
    cache: options.cache ?? cacheFolder(),
    ...(labels ? { labels } : {}),
    ...(signal ? { signal } : {}),
    onProgress: ({ done, total }) => onProgress({ stage: 'decode', done, total, unit: 'pictures' }),
  });
  try {
    for (const { file, reason } of [...data.skipped, ...data.reserved])
      onProgress({ stage: 'decode', done: data.count, total: data.count, unit: 'pictures', note: `left out ${file}: ${reason}` });
    const settings = before?.settings ?? settingsOf(options, data, { preset, size, rights });
    if (settings.fingerprint !== data.fingerprint)
      throw new UserError(`the pictures in '${options.pictures}' are not those of the checkpoint in '${out}'; start a new run in another folder`);
    const gan = defineGan(settings.shape);
    const state = before?.state ?? startGan(gan, settings.seed);
    if (state.vectors.generator.length !== gan.generator.size || state.vectors.discriminator.length !== gan.discriminator.size)
      throw new UserError(`the checkpoint in '${out}' is of another network than '${preset}' at ${size} px in this version; start a new run`);
    onProgress({ stage: 'compile', done: 0, total: 1, unit: 'networks' });
    await makeFolder(paths.grids);
    const trainer = await GanTrainer.open(
      gan,
      settings,
      state,
      (graph) => openSession(graph, { device, threads }),
      device === 'webgpu' ? 6 : undefined,
    );
    try {
      return await new Run(options, settings, data, trainer, before?.seconds ?? 0).train();
    } finally {
      await trainer.close();
    }
  } finally {
    data.close();
  }
}

const runPaths = (out: string) => ({
  model: join(out, 'model.onnx'),
  checkpoint: join(out, 'checkpoint'),
  metrics: join(out, 'metrics.jsonl'),
  report: join(out, 'report.html'),
  grids: join(out, 'grids'),
});

function asUserError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RangeError ? new UserError(error.message) : error;
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw writeFault(error, path);
  });
}

/** The checkpoint to go on from, or undefined for a new run. */
async function stateOf(options: TrainGanOptions, paths: ReturnType<typeof runPaths>): Promise<Checkpoint | undefined> {
  if (options.images !== undefined && options.minutes !== undefined)
    throw new UserError('give --images or --minutes, not both');
  for (const [name, value] of Object.entries({ images: options.images, minutes: options.minutes, batch: options.batch }))
    if (value !== undefined && !(value > 0)) throw new UserError(`--${name} must be more than 0, not ${value}`);
  if (!options.resume) {
    if (await stat(paths.checkpoint).catch(() => undefined))
      throw new UserError(`'${options.out}' already holds a run; add --resume to go on with it, or choose another folder`);
    return undefined;
  }
  const checkpoint = await readCheckpoint(paths.checkpoint);
  const { shape, batch, seed } = checkpoint.settings;
  for (const [name, asked, kept] of [
    ['size', options.size, shape.size],
    ['preset', options.preset, shape.preset],
    ['batch', options.batch, batch],
    ['seed', options.seed, seed],
  ])
    if (asked !== undefined && asked !== kept)
      throw new UserError(`the checkpoint in '${options.out}' was begun with --${name} ${kept}, not ${asked}; leave --${name} out, or start a new run`);
  return checkpoint;
}

const settingsOf = (
  options: TrainGanOptions,
  data: Dataset,
  { preset, size, rights }: { preset: Preset; size: number; rights: Rights },
): RunSettings => ({
  shape: { preset, size, classes: data.labels.length },
  rights,
  labels: data.labels,
  fingerprint: data.fingerprint,
  seed: options.seed ?? 0,
  batch: options.batch ?? 16,
  penaltyEvery: options.penaltyEvery ?? 4,
  augment: options.augment ?? true,
  mirror: options.mirror ?? false,
  rateScale: options.rateScale ?? 1,
  gammaScale: options.gammaScale ?? 1,
});

/** Reads batches of a data set into one buffer. */
function batchOf(data: Dataset, batch: number): (indices: number[]) => Batch {
  const pictures = new Uint8Array(batch * 3 * data.size * data.size);
  return (indices) => ({ pictures: data.read(indices, pictures), labels: indices.map((i) => data.labelOf[i]!) });
}

/** The loop, and what it leaves in the run folder. */
class Run {
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
    const { images, minutes = 30 } = this.options;
    return images !== undefined ? this.trainer.state.images / images : this.seconds / (minutes * 60);
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
    const spacing = 1 / (options.snapshots ?? 16);
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
    const { images, minutes = 30 } = this.options;
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
    const secondsLeft = images !== undefined ? (images - state.images) / rate : minutes * 60 - this.seconds;
    this.emit({
      rate,
      secondsLeft: Math.max(0, secondsLeft),
      values: { 'D loss': metric.discriminatorLoss, 'G loss': metric.generatorLoss },
    });
  }

  private emit(event: Omit<Progress, 'stage' | 'unit' | 'done' | 'total'> = {}): void {
    const done = this.trainer.state.images;
    // A run by the clock can only estimate how many pictures it will have shown.
    const total = this.options.images ?? Math.round(done / Math.max(1e-6, Math.min(1, this.progress)));
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
    await writeReport(this.options.out, `${card.name}: ${settings.shape.preset} at ${settings.shape.size} px`, {
      Pictures: `${this.data.count} from '${basename(resolve(this.options.pictures))}', ${this.data.labels.length || 'no'} labels`,
      Shown: `${state.images} pictures in ${state.steps} steps of ${settings.batch}`,
      Time: `${(this.seconds / 60).toFixed(1)} minutes on ${this.options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      Rights: `${settings.rights.text} (stated by ${settings.rights.name})`,
    });
    if (state.images > 0) this.emit();
    return card;
  }

  /** A grid from latents that stay the same all through the run: a row a latent, a column a label. */
  private async grid(model: Uint8Array): Promise<void> {
    const { size, classes } = this.settings.shape;
    const columns = classes > 0 ? classes : 8;
    const rows = size > 64 ? 4 : 6;
    const labels = Array.from({ length: columns * rows }, (_, i) => i % columns);
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
      licence: options.licence ?? 'unstated',
      zeuxis: VERSION,
    };
  }
}
