// A style's training in motion, one step of both players at a time; chance comes from the seed and the step's number, as everywhere.

import { bytes, floats, type Session, scalar, type Target, vector } from '@zeuxis/graph';
import { DivergedError } from '../diverged.js';
import { boxReduced, luminance } from '../metrics/style.js';
import { Random } from '../random.js';
import { type Open, openAll, type PartsOption } from '../step.js';
import type { Banks } from './distribution.js';
import { strokesAlong } from './flow.js';
import { paintingDiscriminator } from './loss.js';
import { TypicalMoments } from './model.js';
import { defineStyle, GRAIN, NOISE } from './network.js';
import { judgedSide, painterStep, paintingJudgeStep, type StyleCrops } from './step.js';

export interface StyleTrainerOptions extends StyleCrops, PartsOption {
  seed: number | string;
  /** Weight of the photograph's structure. */
  contentWeight: number;
  /** Weight of the discriminator's game, which teaches the run of the brush. */
  strokes: number;
  /** Weight of the distribution of colours, once it is at its full (`paletteShare`). */
  palette: number;
  /** Weight of the distribution of patches. */
  patches: number;
  /** Weight of flat places staying flat in the large. */
  calm: number;
  /** Whether it began with another style's weights, which have typical moments already. Off by default. */
  warm?: boolean;
}

export const STYLE_VECTORS = ['weights', 'moment', 'average', 'discriminator', 'discriminatorMoment'] as const;
export type StyleVector = (typeof STYLE_VECTORS)[number];

export interface StyleState {
  steps: number;
  images: number;
  vectors: Record<StyleVector, Float32Array>;
}

export interface StyleReport {
  /** The players' losses, nats. */
  discriminatorLoss: number;
  generatorLoss: number;
  /** How little of the photograph's structure and light is left, from 0 on. */
  content: number;
  /** How far the colours are spread otherwise than is asked for, of full strength than the painting's, black to white being 1. */
  palette: number;
  /** How much oftener than not the painting's patch of a pair is ranked above the made one, -1 to 1. */
  lead: number;
}

/** uint8 [batch, 3, side, side] each. */
export interface StyleBatch {
  photographs: Uint8Array;
  painting: Uint8Array;
}

/** Learning rates at the start; both fall to a twentieth on a cosine. */
const RATES = { generator: 2e-3, discriminator: 1e-3 };
/** A discriminator has one painting to learn from: with a gamma of a fifth it knows that by heart, and what the painter does about it costs the photograph. */
const [BETA2, GAMMA, PENALTY_EVERY] = [0.99, 0.1, 4];
const VARIATION = 6;
/** Steps over which typical moments are remembered. */
const TYPICAL_STEPS = 100;
/** Share of the steps done after which the average has forgotten half, up to so many steps. */
const [HALF_LIFE_SHARE, HALF_LIFE] = [0.03, 300];

const fall = (progress: number): number => 0.05 + 0.475 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
/** The painter's learning rate. */
export const styleRate = (progress: number): number => RATES.generator * fall(progress);

/**
 * What of the palette's weight counts. All of it from nothing would let go of the photograph before there is a picture (camouflage); a third all through leaves pictures
 * greyer than the painting, since structure and the judge do not ask for colour.
 */
const PALETTE = { first: 1 / 3, from: 0.15, full: 0.65 };
export function paletteShare(progress: number): number {
  const { first, from, full } = PALETTE;
  const way = Math.min(1, Math.max(0, (progress - from) / (full - from)));
  return first + (1 - first) * way ** 2 * (3 - 2 * way);
}

/** Of so many crops one is painted with any strength, the others with all, which a style is judged by and which asks for the most. */
const EASED_EVERY = 4;

/** Strokes for crops, uint8 [n, 3, side, side]. */
export function strokesOf(photographs: Uint8Array, side: number, random: Random): Float32Array {
  const [plane, small] = [3 * side * side, (side / GRAIN) ** 2];
  const out = new Float32Array((photographs.length / plane) * NOISE * small);
  for (let n = 0; n < photographs.length / plane; n++) {
    const data = Float32Array.from(photographs.subarray(n * plane, (n + 1) * plane), (value) => value / 255);
    out.set(strokesAlong(luminance(boxReduced({ width: side, height: side, data }, GRAIN)), random.normals((NOISE + 2) * small)), n * NOISE * small);
  }
  return out;
}

/** @param from weights of another style to begin with; drawn by default. */
export function startStyle(side: number, seed: number | string, from?: Float32Array): StyleState {
  const weights = from?.slice() ?? defineStyle().initialise(new Random(`${seed}/painter`));
  const discriminator = paintingDiscriminator(judgedSide(side)).initialise(new Random(`${seed}/discriminator`));
  const zeros = (like: Float32Array) => new Float32Array(like.length);
  return { steps: 0, images: 0, vectors: { weights, moment: zeros(weights), average: weights.slice(), discriminator, discriminatorMoment: zeros(discriminator) } };
}

export class StyleTrainer {
  /** Milliseconds spent inside the runtime. */
  insideRuntime = 0;

  private constructor(
    readonly options: StyleTrainerOptions,
    readonly state: StyleState,
    private readonly typical: TypicalMoments,
    private readonly sessions: Record<'penalised' | 'plain' | 'painter', Session>,
  ) {}

  /**
   * @param banks of the paintings, for pictures of the side that is judged.
   * @param open opens a compiled graph on the runtime at hand; @param target what graphs are compiled for there.
   */
  static async open(options: StyleTrainerOptions, state: StyleState, banks: Banks, open: Open, target: Target = {}): Promise<StyleTrainer> {
    const [painter, discriminator] = [defineStyle(), paintingDiscriminator(judgedSide(options.side))];
    const judging = (penalty: boolean) => paintingJudgeStep(painter, discriminator, options, penalty);
    const steps = { penalised: judging(true), plain: judging(false), painter: painterStep(painter, discriminator, options, banks) };
    return new StyleTrainer(options, state, new TypicalMoments(painter), await openAll(steps, open, target, options.parts));
  }

  /**
   * One step of both. @param progress share of the run that is done, 0 to 1. @param rateScale multiplies both learning rates.
   * @throws DivergedError where a loss is no finite number; the state is then that before the step.
   */
  async step({ photographs, painting }: StyleBatch, progress: number, rateScale = 1): Promise<StyleReport> {
    const { state, options } = this;
    const { batch, side, seed, contentWeight, strokes, palette, patches, calm, warm } = options;
    const { vectors } = state;
    const random = new Random(`${seed}/step/${state.steps}`);
    const rate = fall(progress) * rateScale;
    const halfLife = Math.min(HALF_LIFE, state.steps * HALF_LIFE_SHARE);
    const shape = [batch, 3, side, side];
    const common = {
      photographs: bytes(photographs, shape),
      painting: bytes(painting, shape),
      noise: floats(strokesOf(photographs, side, random), [batch, NOISE, side / GRAIN, side / GRAIN]),
      strength: floats(Array.from({ length: batch }, (_, n) => ((state.steps * batch + n) % EASED_EVERY > 0 ? 1 : random.uniform())), [batch, 1, 1, 1]),
      weights: vector(vectors.weights),
      beta2: scalar(BETA2),
      correction: scalar(1 / (1 - BETA2 ** (state.steps + 1))),
      gamma: scalar(GAMMA * PENALTY_EVERY),
      contentWeight: scalar(contentWeight),
      strokesWeight: scalar(strokes),
      paletteWeight: scalar(palette * paletteShare(progress)),
      patchesWeight: scalar(patches),
      calmWeight: scalar(calm),
      variationWeight: scalar(VARIATION),
    };
    const start = performance.now();
    const judged = await this.sessions[state.steps % PENALTY_EVERY === 0 ? 'penalised' : 'plain'].run({
      ...common,
      discriminator: vector(vectors.discriminator),
      moment: vector(vectors.discriminatorMoment),
      rate: scalar(RATES.discriminator * rate),
    });
    const painted = await this.sessions.painter.run({
      ...common,
      discriminator: judged.nextWeights!,
      moment: vector(vectors.moment),
      average: vector(vectors.average),
      decay: scalar(halfLife < 1 ? 0 : 0.5 ** (1 / halfLife)),
      rate: scalar(RATES.generator * rate),
    });
    this.insideRuntime += performance.now() - start;
    const data = (value: { data: unknown } | undefined) => value!.data as Float32Array;
    const first = (value: Parameters<typeof data>[0]) => data(value)[0]!;
    const report = {
      discriminatorLoss: first(judged.loss),
      generatorLoss: first(painted.loss),
      content: first(painted.content),
      palette: first(painted.palette),
      lead: first(judged.lead),
    };
    if (!Object.values(report).every(Number.isFinite)) throw new DivergedError(`the loss is no longer a number in step ${state.steps + 1}`);
    Object.assign(vectors, {
      weights: data(painted.nextWeights),
      moment: data(painted.nextMoment),
      average: data(painted.nextAverage),
      discriminator: data(judged.nextWeights),
      discriminatorMoment: data(judged.nextMoment),
    });
    for (const each of [vectors.weights, vectors.average]) this.typical.remember(each, data(painted.measured), 1 / Math.min(TYPICAL_STEPS, state.steps + (warm ? TYPICAL_STEPS : 1)));
    state.steps++;
    state.images += batch;
    return report;
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.sessions).map((session) => session.close()));
  }
}
