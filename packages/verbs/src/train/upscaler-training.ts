// An upscaler's training as the loop sees it.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { type Crops, Random, type UpscalerReport, type UpscalerTrainer, upscalerModel, upscalerRate } from '@zeuxis/nets';
import { bicubic, type Crop, encodeReportGrid, type Pairs, tileSheet, writeWhole } from '@zeuxis/pictures';
import { cardMetadata, type UpscalerCard } from '../card.js';
import { VERSION } from '../version.js';
import { writeCheckpoint } from './checkpoint.js';
import { folderName, requireFinite, type runPaths, type Training } from './loop.js';
import { type Curve, line } from './report.js';
import type { TrainUpscalerOptions, UpscalerSettings } from './upscaler.js';

export const UPSCALER_CURVES: readonly Curve[] = [
  { title: 'Mean absolute error (black 0, white 1)', lines: [line('loss')] },
  { title: 'PSNR of the crops trained on, dB', lines: [line('psnr')] },
  { title: 'Learning rate', lines: [line('rate')] },
  { title: 'Crops a second', lines: [line('rate', 'picturesPerSecond')] },
];
/** Crops in a report's grid, a row each, and their side in px of the small picture. */
const [ROWS, COLUMNS] = [6, ['bicubic', 'this network', 'the truth']];

/** Draws crops: pictures as often as they are large, places and turns evenly. */
class CropSource {
  private readonly ends: number[] = [];
  private readonly total: number;
  private readonly crops: Crops;

  constructor(
    private readonly pairs: Pairs,
    private readonly side: number,
    batch: number,
    channels: number,
    scale: number,
  ) {
    let sum = 0;
    for (const { width, height } of pairs.sizes) {
      sum += (width - side + 1) * (height - side + 1);
      this.ends.push(sum);
    }
    this.total = sum;
    const small = batch * channels * side * side;
    this.crops = { small: new Uint8Array(small), large: new Uint8Array(small * scale * scale) };
  }

  /** Crops of a step, in buffers that the next call fills again. */
  draw(seed: string, count: number, turned: boolean): Crops {
    const random = new Random(seed);
    for (let n = 0; n < count; n++) this.pairs.crop(this.place(random, turned), this.side, n, this.crops.small, this.crops.large);
    return this.crops;
  }

  private place(random: Random, turned: boolean): Crop {
    const value = random.uniform() * this.total;
    let [low, high] = [0, this.ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > value) high = middle;
      else low = middle + 1;
    }
    const { width, height } = this.pairs.sizes[low]!;
    const variant = random.below(this.pairs.variants);
    return { picture: low, variant, x: random.below(width - this.side + 1), y: random.below(height - this.side + 1), turn: turned ? random.below(8) : 0 };
  }
}

export class UpscalerTraining implements Training<UpscalerReport, UpscalerCard> {
  private readonly source: CropSource;
  private readonly shown: CropSource;

  constructor(
    private readonly options: TrainUpscalerOptions,
    private readonly settings: UpscalerSettings,
    private readonly pairs: Pairs,
    private readonly trainer: UpscalerTrainer,
  ) {
    const { side, batch, shape } = settings;
    this.source = new CropSource(pairs, side, batch, shape.channels, shape.scale);
    this.shown = new CropSource(pairs, side, ROWS, shape.channels, shape.scale);
  }

  get images(): number {
    return this.trainer.state.images;
  }

  get insideRuntime(): number {
    return this.trainer.insideRuntime;
  }

  get remedy(): string {
    return `start a new run with --rate-scale ${this.settings.rateScale / 2}`;
  }

  step(progress: number): Promise<UpscalerReport> {
    const { seed, batch, rateScale } = this.settings;
    return this.trainer.step(this.source.draw(`${seed}/crops/${this.trainer.state.steps}`, batch, true), progress, rateScale);
  }

  metrics(reports: readonly UpscalerReport[], progress: number): Record<string, number> {
    const mean = (of: (report: UpscalerReport) => number) => reports.reduce((sum, report) => sum + of(report), 0) / Math.max(1, reports.length);
    return {
      loss: mean((report) => report.loss),
      psnr: mean((report) => report.psnr),
      rate: upscalerRate(progress, this.trainer.state.steps) * this.settings.rateScale,
    };
  }

  async write(paths: ReturnType<typeof runPaths>, seconds: number): Promise<UpscalerCard> {
    const { trainer, settings } = this;
    const { state } = trainer;
    requireFinite(state.vectors);
    await writeCheckpoint(paths.checkpoint, { task: 'upscaler', settings, state: { ...state, vectors: state.vectors }, seconds });
    const card = this.card(seconds);
    const model = upscalerModel(trainer.upscaler, state.vectors.average, cardMetadata(card));
    await writeWhole(paths.model, model);
    await this.grid(model, paths.grids);
    return card;
  }

  describe(seconds: number) {
    const { settings, trainer, options, pairs } = this;
    const { state } = trainer;
    const { scale, preset, channels } = settings.shape;
    const leftOut = pairs.skipped.length + pairs.reserved.length;
    const facts = {
      Pictures: `${pairs.count} from '${folderName(options.pictures)}'${leftOut > 0 ? `; ${leftOut} left out` : ''}`,
      Shown: `${state.images} crops of ${settings.side * scale} px in ${state.steps} steps of ${settings.batch}`,
      Time: `${(seconds / 60).toFixed(1)} minutes on ${options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      Rights: `${settings.rights.text} (stated by ${settings.rights.name})`,
    };
    return { title: `${folderName(options.out)}: ${preset}, ${scale} times${channels === 1 ? ', grey' : ''}`, facts, columns: COLUMNS };
  }

  /** Crops that stay the same all through the run: a row a crop, enlarged by bicubic and by the network, and the truth. */
  private async grid(model: Uint8Array, folder: string): Promise<void> {
    const { settings } = this;
    const { side } = settings;
    const { channels, scale } = settings.shape;
    const { small, large } = this.shown.draw('grid', ROWS, false);
    const session = await openSession(model, { threads: this.options.threads ?? availableParallelism() });
    let made: Float32Array;
    try {
      const out = await session.run({ small: floats(Float32Array.from(small, (value) => value / 255), [ROWS, channels, side, side]) });
      made = out.large!.data as Float32Array;
    } finally {
      await session.close();
    }
    const whole = side * scale;
    const plane = whole * whole;
    const all = new Uint8Array(ROWS * COLUMNS.length * 3 * plane);
    for (let row = 0; row < ROWS; row++)
      for (let c = 0; c < 3; c++) {
        const from = row * channels + Math.min(c, channels - 1);
        const enlarged = bicubic({ width: side, height: side, channels: 1, data: small.subarray(from * side * side, (from + 1) * side * side) }, scale).data;
        const network = Uint8ClampedArray.from(made.subarray(from * plane, (from + 1) * plane), (value) => value * 255);
        for (const [column, values] of [enlarged, network, large.subarray(from * plane, (from + 1) * plane)].entries())
          all.set(values, ((row * COLUMNS.length + column) * 3 + c) * plane);
      }
    const name = `${String(this.images).padStart(9, '0')}.webp`;
    await writeWhole(join(folder, name), await encodeReportGrid(tileSheet(all, ROWS * COLUMNS.length, whole, whole, { columns: COLUMNS.length })));
  }

  private card(seconds: number): UpscalerCard {
    const { pairs, settings, options, trainer } = this;
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
      trainingSet: {
        name: folderName(options.pictures),
        pictures: pairs.count,
        fingerprint: pairs.fingerprint,
        skipped: pairs.skipped.length,
        reserved: pairs.reserved.length,
        rights: settings.rights,
      },
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
