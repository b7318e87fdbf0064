// An upscaler's training as the loop sees it: for faithfulness, and then, for those who ask, sharpened against a discriminator.

import { openSession } from '@zeuxis/graph/node';
import { type SharpenReport, type SharpenTrainer, sharpenRate, type UpscalerReport, type UpscalerTrainer, upscalerModel, upscalerRate } from '@zeuxis/nets';
import { type Pairs, writeWhole } from '@zeuxis/pictures';
import { sayRights } from '@zeuxis/provenance';
import { cardMetadata, type TrainingSet, type UpscalerCard, weightsMetadata } from '../card.js';
import { VERSION } from '../version.js';
import { writeCheckpoint } from './checkpoint.js';
import { CropGrid, CropSource } from './crops.js';
import { folderName, requireFinite, type runPaths, type Training } from './loop.js';
import { type Curve, line } from './report.js';
import { alsoLeftOut } from './sets.js';
import type { TrainUpscalerOptions, UpscalerSettings } from './upscaler.js';

const COMMON_CURVES: readonly Curve[] = [
  { title: 'Learning rate', lines: [line('rate')] },
  { title: 'Crops a second', lines: [line('rate', 'picturesPerSecond')] },
];
export const UPSCALER_CURVES: readonly Curve[] = [
  { title: 'Mean absolute error (black 0, white 1)', lines: [line('loss')] },
  { title: 'PSNR of the crops trained on, dB', lines: [line('psnr')] },
  ...COMMON_CURVES,
];
export const SHARPEN_CURVES: readonly Curve[] = [
  { title: "The players' losses", lines: [line('discriminator', 'discriminatorLoss'), line('generator', 'generatorLoss')] },
  { title: 'How surely the true patch of a pair is told (1: always, 0: by chance)', lines: [line('lead')] },
  { title: 'Mean absolute error (black 0, white 1)', lines: [line('loss')] },
  ...COMMON_CURVES,
];

const meanOf = <Report>(reports: readonly Report[], of: (report: Report) => number): number =>
  reports.reduce((sum, report) => sum + of(report), 0) / Math.max(1, reports.length);

/** What both trainings share: crops, the grid, the report's facts and the card. */
abstract class CropTraining<Report> implements Training<Report, UpscalerCard> {
  protected readonly source: CropSource;
  protected readonly grid: CropGrid;

  constructor(
    protected readonly options: TrainUpscalerOptions,
    protected readonly settings: UpscalerSettings,
    private readonly pairs: Pairs,
    protected readonly trainer: UpscalerTrainer | SharpenTrainer,
    private readonly set: TrainingSet,
  ) {
    const { side, batch, shape } = settings;
    this.source = new CropSource(pairs, side, batch, shape);
    this.grid = new CropGrid(pairs, side, shape, options.threads);
  }

  abstract step(progress: number): Promise<Report>;
  abstract metrics(reports: readonly Report[], progress: number): Record<string, number>;
  /** Names of the models that a grid shows. */
  protected abstract readonly shown: string[];
  /** The model file and what else a grid shows, the file last. */
  protected abstract models(card: UpscalerCard): Uint8Array[] | Promise<Uint8Array[]>;

  readonly unit = 'crops';

  get images(): number {
    return this.trainer.state.images;
  }

  get insideRuntime(): number {
    return this.trainer.insideRuntime;
  }

  get remedy(): string {
    return `start a new run with --rate-scale ${this.settings.rateScale / 2}`;
  }

  protected draw() {
    return this.source.draw(`${this.settings.seed}/crops/${this.trainer.state.steps}`);
  }

  async write(paths: ReturnType<typeof runPaths>, seconds: number): Promise<UpscalerCard> {
    const { settings } = this;
    const { state } = this.trainer;
    requireFinite(state.vectors);
    await writeCheckpoint(paths.checkpoint, { task: 'upscaler', settings, state, seconds });
    const card = this.card(seconds);
    const models = await this.models(card);
    await writeWhole(paths.model, models.at(-1)!);
    await this.grid.write(paths.grids, this.images, models);
    return card;
  }

  describe(seconds: number) {
    const { settings, options, pairs } = this;
    const { state } = this.trainer;
    const { scale, preset, channels } = settings.shape;
    const facts = {
      Pictures: `${pairs.count} from '${folderName(options.pictures)}'${alsoLeftOut(pairs)}`,
      Shown: `${state.images} crops of ${settings.side * scale} px in ${state.steps} steps of ${settings.batch}`,
      Time: `${(seconds / 60).toFixed(1)} minutes on ${options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      Rights: sayRights(this.set),
    };
    const title = `${folderName(options.out)}: ${preset}, ${scale} times${channels === 1 ? ', grey' : ''}`;
    return { title, facts, columns: CropGrid.columns(...this.shown), row: 'crop', unit: this.unit };
  }

  protected card(seconds: number): UpscalerCard {
    const { settings, options, trainer } = this;
    const { preset, scale, channels } = settings.shape;
    return {
      card: 1,
      task: 'upscaler',
      name: folderName(options.out),
      preset,
      scale,
      channels,
      margin: trainer.upscaler.margin,
      degradation: settings.degradation,
      trainingSet: this.set,
      seed: settings.seed,
      images: trainer.state.images,
      steps: trainer.state.steps,
      batch: settings.batch,
      crop: settings.side,
      hours: Number((seconds / 3600).toFixed(2)),
      licence: settings.licence,
      zeuxis: VERSION,
    };
  }
}

export class UpscalerTraining extends CropTraining<UpscalerReport> {
  protected declare readonly trainer: UpscalerTrainer;
  protected readonly shown = ['this network'];

  step(progress: number): Promise<UpscalerReport> {
    return this.trainer.step(this.draw(), progress, this.settings.rateScale);
  }

  metrics(reports: readonly UpscalerReport[], progress: number): Record<string, number> {
    return {
      loss: meanOf(reports, ({ loss }) => loss),
      psnr: meanOf(reports, ({ psnr }) => psnr),
      rate: upscalerRate(progress, this.trainer.state.steps) * this.settings.rateScale,
    };
  }

  protected async models(card: UpscalerCard): Promise<Uint8Array[]> {
    const { upscaler, state } = this.trainer;
    return [upscalerModel(upscaler, await upscaler.training.fold(state.vectors.average, openSession), cardMetadata(card))];
  }
}

export class SharpenTraining extends CropTraining<SharpenReport> {
  protected declare readonly trainer: SharpenTrainer;
  protected readonly shown = ['sharpened', 'faithful'];

  step(progress: number): Promise<SharpenReport> {
    return this.trainer.step(this.draw(), progress, this.settings.rateScale);
  }

  metrics(reports: readonly SharpenReport[], progress: number): Record<string, number> {
    return {
      discriminatorLoss: meanOf(reports, (report) => report.discriminatorLoss),
      generatorLoss: meanOf(reports, (report) => report.generatorLoss),
      lead: meanOf(reports, ({ lead }) => lead),
      loss: meanOf(reports, ({ loss }) => loss),
      rate: sharpenRate(progress) * this.settings.rateScale,
    };
  }

  /** The file's graph is the faithful network; the weights of both ride in its metadata, for what lies between. */
  protected models(card: UpscalerCard): Uint8Array[] {
    const { upscaler, state } = this.trainer;
    const { faithful, average } = state.vectors;
    return [
      upscalerModel(upscaler, average, {}),
      upscalerModel(upscaler, faithful, { ...cardMetadata(card), ...weightsMetadata({ faithful, sharpened: average }) }),
    ];
  }

  /** The faithful run's card, with what sharpening added. */
  protected override card(seconds: number): UpscalerCard {
    const { faithful } = this.settings;
    const { trainingSet, seed, images, steps, hours, name, licence, zeuxis } = super.card(seconds);
    return { ...faithful!, name, licence, zeuxis, sharpened: { trainingSet, seed, images, steps, hours } };
  }
}
