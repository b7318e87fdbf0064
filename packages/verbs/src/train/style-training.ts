// A style's training as the loop sees it.

import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { defineStyle, PaintingProfile, Random, type StyleReport, type StyleTrainer, styleModel, styleRate } from '@zeuxis/nets';
import { bicubic, type Canvases, encodeReportGrid, tileSheet, writeWhole } from '@zeuxis/pictures';
import { sayRights } from '@zeuxis/provenance';
import { cardMetadata, paintingMetadata, type StyleCard, type TrainingSet } from '../card.js';
import { planar, planarsOf, sinkTo, sourceOf } from '../edit/samples.js';
import { Painter, STYLE_MARGIN } from '../style/painter.js';
import { VERSION } from '../version.js';
import { writeCheckpoint } from './checkpoint.js';
import { folderName, requireFinite, type runPaths, type Training } from './loop.js';
import { type Curve, line } from './report.js';
import { alsoLeftOut } from './sets.js';
import type { StyleSettings, TrainStyleOptions } from './style.js';

export const STYLE_CURVES: readonly Curve[] = [
  { title: "The players' losses", lines: [line('discriminator', 'discriminatorLoss'), line('generator', 'generatorLoss')] },
  { title: "How surely the painting's patch of a pair is told (1: always, 0: by chance)", lines: [line('lead')] },
  { title: "How little of the photographs' structure and light is left (0: all of it is)", lines: [line('content')] },
  { title: 'How far the colours are spread otherwise than is asked for (black to white is 1)', lines: [line('palette')] },
  { title: 'Learning rate', lines: [line('rate')] },
  { title: 'Crops a second', lines: [line('rate', 'picturesPerSecond')] },
];

/** Crops of canvases, all alike often, from any place. */
function drawCrops(canvases: Canvases, random: Random, side: number, out: Uint8Array): Uint8Array {
  for (let n = 0; n < out.length / (3 * side * side); n++) {
    const picture = random.below(canvases.count);
    const { width, height } = canvases.sizes[picture]!;
    canvases.crop({ picture, x: random.below(width - side + 1), y: random.below(height - side + 1), mirrored: random.below(2) === 1 }, side, n, out);
  }
  return out;
}

/** Of so many crops one is magnified, its sides so many times: a sky alone, a wall, a bit of cloth, which are photographs too. */
const [MAGNIFIED, MAGNIFICATION] = [8, 4];

/** Crops of photographs, most of them nearly whole. */
function drawPhotographs(canvases: Canvases, random: Random, side: number, out: Uint8Array): Uint8Array {
  drawCrops(canvases, random, side, out);
  const plane = side * side;
  const small = side / MAGNIFICATION;
  for (let n = 0; n < out.length / (3 * plane); n++) {
    if (random.below(MAGNIFIED) > 0) continue;
    const detail = drawCrops(canvases, random, small, new Uint8Array(3 * small * small));
    for (let c = 0; c < 3; c++) {
      const data = detail.subarray(c * small * small, (c + 1) * small * small);
      out.set(bicubic({ width: small, height: small, channels: 1, data }, MAGNIFICATION).data, (3 * n + c) * plane);
    }
  }
  return out;
}

/** Crops in a report's grid. */
const SHOWN = 6;

export interface StylePictures {
  paintings: Canvases;
  photographs: Canvases;
  /** Shorter side of the paintings as they are seen, px. */
  painted: number;
  /** What the card says of both. */
  trainingSet: TrainingSet;
  content: TrainingSet;
}

export class StyleTraining implements Training<StyleReport, StyleCard> {
  readonly unit = 'crops';
  private readonly photographs: Uint8Array;
  private readonly painting: Uint8Array;
  private readonly profile: PaintingProfile;

  constructor(
    private readonly options: TrainStyleOptions,
    private readonly settings: StyleSettings,
    private readonly pictures: StylePictures,
    private readonly trainer: StyleTrainer,
  ) {
    const size = settings.batch * 3 * settings.side ** 2;
    [this.photographs, this.painting] = [new Uint8Array(size), new Uint8Array(size)];
    this.profile = PaintingProfile.of(planarsOf(pictures.paintings), pictures.paintings.count);
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

  step(progress: number): Promise<StyleReport> {
    const { seed, side, rateScale } = this.settings;
    const random = new Random(`${seed}/crops/${this.trainer.state.steps}`);
    const photographs = drawPhotographs(this.pictures.photographs, random, side, this.photographs);
    const painting = drawCrops(this.pictures.paintings, random, side, this.painting);
    return this.trainer.step({ photographs, painting }, progress, rateScale);
  }

  metrics(reports: readonly StyleReport[], progress: number): Record<string, number> {
    const mean = (name: keyof StyleReport) => reports.reduce((sum, report) => sum + report[name], 0) / Math.max(1, reports.length);
    return {
      discriminatorLoss: mean('discriminatorLoss'),
      generatorLoss: mean('generatorLoss'),
      content: mean('content'),
      palette: mean('palette'),
      lead: mean('lead'),
      rate: styleRate(progress) * this.settings.rateScale,
    };
  }

  async write(paths: ReturnType<typeof runPaths>, seconds: number): Promise<StyleCard> {
    const { trainer, settings } = this;
    const { state } = trainer;
    requireFinite(state.vectors);
    await writeCheckpoint(paths.checkpoint, { task: 'style', settings, state, seconds });
    const card = this.card(seconds);
    const model = styleModel(defineStyle(), state.vectors.average, { ...cardMetadata(card), ...paintingMetadata(this.profile) });
    await writeWhole(paths.model, model);
    await this.grid(paths.grids);
    return card;
  }

  /** The same crops of photographs all through the run, painted, beside themselves and crops of the paintings. */
  private async grid(folder: string): Promise<void> {
    const { side } = this.settings;
    const plane = 3 * side * side;
    const random = new Random('grid');
    const [photographs, paintings] = [this.pictures.photographs, this.pictures.paintings].map((canvases) => drawCrops(canvases, random, side, new Uint8Array(SHOWN * plane))) as [Uint8Array, Uint8Array];
    const all = new Uint8Array(3 * SHOWN * plane);
    const painter = await Painter.from(this.trainer.state.vectors.average, { threads: this.options.threads ?? availableParallelism() });
    try {
      for (let i = 0; i < SHOWN; i++) {
        const crop = photographs.subarray(i * plane, (i + 1) * plane);
        const values = Float32Array.from(crop, (value) => value / 255);
        const painted = new Float32Array(plane);
        await painter.paint(sourceOf(planar(side, side, values), 3), sinkTo(planar(side, side, painted), 3), { seed: 'grid' });
        all.set(crop, 3 * i * plane);
        all.set(Uint8ClampedArray.from(painted, (value) => value * 255), (3 * i + 1) * plane);
        all.set(paintings.subarray(i * plane, (i + 1) * plane), (3 * i + 2) * plane);
      }
    } finally {
      await painter.close();
    }
    await writeWhole(join(folder, `${String(this.images).padStart(9, '0')}.webp`), await encodeReportGrid(tileSheet(all, 3 * SHOWN, side, side, { columns: 3 })));
  }

  describe(seconds: number) {
    const { settings, options, trainer } = this;
    const { paintings, photographs } = this.pictures;
    const facts = {
      Paintings: `${paintings.count} from '${basename(options.pictures)}', ${this.pictures.painted} px`,
      Photographs: `${photographs.count} from '${basename(options.content)}'${alsoLeftOut(photographs)}`,
      Shown: `${trainer.state.images} crops of ${settings.side} px in ${trainer.state.steps} steps of ${settings.batch}`,
      Time: `${(seconds / 60).toFixed(1)} minutes on ${options.device ?? 'cpu'}`,
      Seed: String(settings.seed),
      ...(settings.from ? { 'Began with': `the style '${settings.from.name}'` } : {}),
      Rights: sayRights(this.pictures.trainingSet),
      'Rights to the photographs': sayRights(this.pictures.content),
    };
    return { title: `${folderName(options.out)}: a style`, facts, columns: ['photograph', 'painted', 'a crop of the paintings'], row: 'crop', unit: this.unit };
  }

  private card(seconds: number): StyleCard {
    const { settings, options, trainer, pictures } = this;
    const { painted, trainingSet, content } = pictures;
    return {
      card: 1,
      task: 'style',
      name: folderName(options.out),
      trainingSet,
      content,
      ...(settings.from ? { from: settings.from } : {}),
      painted,
      contentWeight: settings.contentWeight,
      palette: settings.palette,
      strokes: settings.strokes,
      patches: settings.patches,
      calm: settings.calm,
      margin: STYLE_MARGIN,
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
