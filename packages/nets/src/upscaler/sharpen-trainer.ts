// Sharpening in motion, one step of both players at a time; chance comes from the seed and the step's number, as everywhere.

import { type Session, scalar, type Target, vector } from '@zeuxis/graph';
import { DivergedError } from '../diverged.js';
import { Random } from '../random.js';
import { type Open, openAll, type PartsOption } from '../step.js';
import type { Upscaler } from './network.js';
import { patchDiscriminator, patchDiscriminatorStep, sharpenStep } from './sharpen.js';
import type { CropShape } from './step.js';
import { type Crops, cropFeeds } from './trainer.js';

export interface SharpenOptions extends CropShape, PartsOption {
  seed: number | string;
  /** Weight of the game beside the errors of pixels. */
  adversarial: number;
}

/** The faithful weights, which stay; the sharpened ones and their average; the discriminator; Adam's moments of both. */
export const SHARPEN_VECTORS = ['faithful', 'weights', 'moment', 'average', 'discriminator', 'discriminatorMoment'] as const;
export type SharpenVector = (typeof SHARPEN_VECTORS)[number];

export interface SharpenState {
  steps: number;
  images: number;
  vectors: Record<SharpenVector, Float32Array>;
}

export interface SharpenReport {
  /** The players' losses, nats. */
  discriminatorLoss: number;
  generatorLoss: number;
  /** Mean absolute error, 0 to 1. */
  loss: number;
  /** How much oftener than not the true patch of a pair is ranked above the made one, -1 to 1. */
  lead: number;
}

/** Learning rates at the start; both fall to a tenth on a cosine. */
const RATES = { generator: 1e-4, discriminator: 3e-4 };
const [BETA2, GAMMA, PENALTY_EVERY] = [0.99, 0.02, 4];
/** Steps in which the discriminator alone plays, and after which the average has forgotten half. */
const [HEAD_START, HALF_LIFE] = [50, 200];

const fall = (progress: number): number => 0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
/** The upscaler's learning rate. */
export const sharpenRate = (progress: number): number => RATES.generator * fall(progress);

/** @param faithful weights of a trained upscaler. */
export function startSharpening({ shape }: Upscaler, faithful: Float32Array, seed: number | string): SharpenState {
  const discriminator = patchDiscriminator(shape.channels).initialise(new Random(`${seed}/discriminator`));
  const zeros = (like: Float32Array) => new Float32Array(like.length);
  return {
    steps: 0,
    images: 0,
    vectors: { faithful, weights: faithful.slice(), moment: zeros(faithful), average: faithful.slice(), discriminator, discriminatorMoment: zeros(discriminator) },
  };
}

export class SharpenTrainer {
  /** Milliseconds spent inside the runtime. */
  insideRuntime = 0;

  private constructor(
    readonly upscaler: Upscaler,
    readonly options: SharpenOptions,
    readonly state: SharpenState,
    private readonly sessions: Record<'penalised' | 'plain' | 'generator', Session>,
  ) {}

  /** @param open opens a compiled graph on the runtime at hand; @param target what graphs are compiled for there. */
  static async open(
    upscaler: Upscaler,
    options: SharpenOptions,
    state: SharpenState,
    open: Open,
    target: Target = {},
  ): Promise<SharpenTrainer> {
    const discriminator = patchDiscriminator(upscaler.shape.channels);
    const judging = (penalty: boolean) => patchDiscriminatorStep(upscaler, discriminator, { ...options, penalty });
    const graphs = { penalised: judging(true), plain: judging(false), generator: sharpenStep(upscaler, discriminator, options) };
    return new SharpenTrainer(upscaler, options, state, await openAll(graphs, open, target, options.parts));
  }

  /**
   * One step of both. @param progress share of the run that is done, 0 to 1. @param rateScale multiplies both learning rates.
   * @throws DivergedError where a loss is no finite number; the state is then that before the step.
   */
  async step(crops: Crops, progress: number, rateScale = 1): Promise<SharpenReport> {
    const { state, options, upscaler } = this;
    const { vectors } = state;
    const rate = fall(progress) * rateScale;
    const common = {
      ...cropFeeds(crops, upscaler.shape, options),
      weights: vector(vectors.weights),
      beta2: scalar(BETA2),
      correction: scalar(1 / (1 - BETA2 ** (state.steps + 1))),
      gamma: scalar(GAMMA * PENALTY_EVERY),
    };
    const start = performance.now();
    const judged = await this.sessions[state.steps % PENALTY_EVERY === 0 ? 'penalised' : 'plain'].run({
      ...common,
      discriminator: vector(vectors.discriminator),
      moment: vector(vectors.discriminatorMoment),
      rate: scalar(RATES.discriminator * rate),
    });
    const drawn = await this.sessions.generator.run({
      ...common,
      discriminator: judged.nextWeights!,
      moment: vector(vectors.moment),
      average: vector(vectors.average),
      decay: scalar(0.5 ** (1 / HALF_LIFE)),
      rate: scalar(RATES.generator * rate),
      adversarial: scalar(state.steps < HEAD_START ? 0 : options.adversarial),
    });
    this.insideRuntime += performance.now() - start;
    const [discriminatorLoss, lead, generatorLoss, loss] = [judged.loss, judged.lead, drawn.loss, drawn.error].map((value) => (value!.data as Float32Array)[0]!) as [
      number,
      number,
      number,
      number,
    ];
    if (![discriminatorLoss, generatorLoss, loss].every(Number.isFinite)) throw new DivergedError(`the loss is no longer a number in step ${state.steps + 1}`);
    const data = (value: { data: unknown } | undefined) => value!.data as Float32Array;
    Object.assign(vectors, {
      weights: data(drawn.nextWeights),
      moment: data(drawn.nextMoment),
      average: data(drawn.nextAverage),
      discriminator: data(judged.nextWeights),
      discriminatorMoment: data(judged.nextMoment),
    });
    state.steps++;
    state.images += options.batch;
    return { discriminatorLoss, generatorLoss, loss, lead };
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.sessions).map((session) => session.close()));
  }
}
