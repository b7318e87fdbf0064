// A GAN's training as the loop sees it.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import { type Batch, Epochs, type GanTrainer, generatorModel, holdBack, LATENT, Random, type Schedule, type StepReport, schedule } from '@zeuxis/nets';
import { type Dataset, encodeReportGrid, tileSheet, writeWhole } from '@zeuxis/pictures';
import { sayRights } from '@zeuxis/provenance';
import { cardMetadata, type GanCard, type TrainingSet } from '../card.js';
import { sample } from '../sample.js';
import { VERSION } from '../version.js';
import { writeCheckpoint } from './checkpoint.js';
import type { TrainGanOptions } from './gan.js';
import { folderName, requireFinite, type runPaths, type Training } from './loop.js';
import { type Curve, line } from './report.js';
import { alsoLeftOut } from './sets.js';
import type { RunSettings } from './settings.js';

/** Labels in a grid: the widest that WebP holds at 256 px is 63, and more than these cannot be told apart. */
const MOST_COLUMNS = 24;

export const GAN_CURVES: readonly Curve[] = [
  { title: 'Loss', lines: [line('discriminator', 'discriminatorLoss'), line('generator', 'generatorLoss')] },
  { title: 'How surely the real picture of a pair is told (1: always, 0: by chance)', lines: [line('lead')] },
  { title: 'Gradient penalty (mean squared norm)', lines: [line('penalty')] },
  { title: 'Strength of augmentation', lines: [line('strength')] },
  { title: 'Pictures a second', lines: [line('rate', 'picturesPerSecond')] },
];

/** Reads batches of a data set into one buffer. */
function batchOf(data: Dataset, batch: number): (indices: number[]) => Batch {
  const pictures = new Uint8Array(batch * 3 * data.size * data.size);
  return (indices) => ({ pictures: data.read(indices, pictures), labels: indices.map((i) => data.labelOf[i]!) });
}

export class GanTraining implements Training<StepReport, GanCard> {
  private readonly epochs: Epochs;
  private readonly trained: Uint32Array;
  private readonly shown: ReturnType<typeof batchOf>;
  private readonly heldBatch: (step: number) => Batch;

  constructor(
    private readonly options: TrainGanOptions,
    private readonly settings: RunSettings,
    private readonly data: Dataset,
    private readonly trainer: GanTrainer,
    private readonly set: TrainingSet,
  ) {
    const { seed, batch } = settings;
    const { trained, held } = holdBack(data.count, seed, settings.augment);
    this.trained = trained;
    this.epochs = new Epochs(seed, trained.length);
    this.shown = batchOf(data, batch);
    const apart = batchOf(data, batch);
    this.heldBatch = (step) => {
      const random = new Random(`${seed}/held/${step}`);
      return apart(Array.from({ length: batch }, () => held[random.below(held.length)]!));
    };
  }

  readonly unit = 'pictures';

  get images(): number {
    return this.trainer.state.images;
  }

  get insideRuntime(): number {
    return this.trainer.insideRuntime;
  }

  get remedy(): string {
    return `start a new run with --rate-scale ${this.settings.rateScale / 2} or --gamma-scale ${this.settings.gammaScale * 4}`;
  }

  step(progress: number): Promise<StepReport> {
    const pictures = this.shown(this.epochs.next(this.images, this.settings.batch).map((i) => this.trained[i]!));
    return this.trainer.step(pictures, this.schedule(progress), this.heldBatch);
  }

  private schedule(progress: number): Schedule {
    const { rateScale, gammaScale, batch } = this.settings;
    const plan = schedule(progress, this.images, batch);
    return { ...plan, rate: plan.rate * rateScale, gamma: plan.gamma * gammaScale };
  }

  metrics(reports: readonly StepReport[], progress: number): Record<string, number> {
    const mean = (of: (report: StepReport) => number | undefined) => {
      const values = reports.map(of).filter((value) => value !== undefined);
      return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    };
    return {
      discriminatorLoss: mean((report) => report.discriminatorLoss),
      generatorLoss: mean((report) => report.generatorLoss),
      lead: mean((report) => report.lead),
      ...(reports.some(({ penalty }) => penalty !== undefined) ? { penalty: mean((report) => report.penalty) } : {}),
      strength: this.trainer.state.strength,
      rate: this.schedule(progress).rate,
    };
  }

  async write(paths: ReturnType<typeof runPaths>, seconds: number): Promise<GanCard> {
    const { trainer, settings } = this;
    const { state } = trainer;
    requireFinite(state.vectors);
    await writeCheckpoint(paths.checkpoint, { task: 'gan', settings, state, seconds });
    const card = this.card(seconds);
    const model = generatorModel(trainer.gan, state.vectors.average, cardMetadata(card));
    await writeWhole(paths.model, model);
    await this.grid(model, paths.grids);
    return card;
  }

  describe(seconds: number) {
    const { settings, trainer, options } = this;
    const { state } = trainer;
    const facts = {
      Pictures: `${this.data.count} from '${folderName(options.pictures)}', ${settings.labels.length || 'no'} labels${alsoLeftOut(this.data)}`,
      Shown: `${state.images} pictures in ${state.steps} steps of ${settings.batch}`,
      Time: `${(seconds / 60).toFixed(1)} minutes on ${options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      Rights: sayRights(this.set),
    };
    const title = `${folderName(options.out)}: ${settings.shape.preset} at ${settings.shape.size} px`;
    return { title, facts, columns: this.columns.map((label) => settings.labels[label] ?? ''), row: 'latent', unit: this.unit };
  }

  /** The labels that a grid's columns show: all, or evenly chosen where there are many. */
  private get columns(): number[] {
    const { classes } = this.settings.shape;
    const columns = Math.min(classes, MOST_COLUMNS);
    return Array.from({ length: columns }, (_, i) => Math.floor((i * classes) / columns));
  }

  /** A grid from latents that stay the same all through the run: a row a latent, a column a label. */
  private async grid(model: Uint8Array, folder: string): Promise<void> {
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
    const name = `${String(this.images).padStart(9, '0')}.webp`;
    await writeWhole(join(folder, name), await encodeReportGrid(tileSheet(all, labels.length, size, size, { columns })));
  }

  private card(seconds: number): GanCard {
    const { settings, options, trainer } = this;
    return {
      card: 1,
      task: 'gan',
      name: folderName(options.out),
      preset: settings.shape.preset,
      size: settings.shape.size,
      channels: 3,
      latent: LATENT,
      labels: settings.labels,
      trainingSet: this.set,
      seed: settings.seed,
      images: trainer.state.images,
      steps: trainer.state.steps,
      batch: settings.batch,
      hours: Number((seconds / 3600).toFixed(2)),
      licence: settings.licence,
      zeuxis: VERSION,
    };
  }
}
