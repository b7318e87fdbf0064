// An upscaler's training in motion, one step at a time. It knows neither files nor the runtime: the caller brings crops and
// opens the graph. As with the GAN's, all chance comes from the seed and the step's number.

import { bytes, type Feeds, type Session, scalar, type Target, vector } from '@zeuxis/graph';
import { DivergedError } from '../diverged.js';
import { Random } from '../random.js';
import { type Open, openAll, type PartsOption } from '../step.js';
import type { Upscaler, UpscalerShape } from './network.js';
import { type CropShape, upscalerStep } from './step.js';

export interface UpscalerTrainerOptions extends CropShape, PartsOption {
  seed: number | string;
}

/** The vectors that move, of the network as it is trained. */
export const UPSCALER_VECTORS = ['weights', 'first', 'second', 'average'] as const;
export type UpscalerVector = (typeof UPSCALER_VECTORS)[number];

export interface UpscalerState {
  steps: number;
  /** Crops shown. */
  images: number;
  vectors: Record<UpscalerVector, Float32Array>;
}

export interface UpscalerReport {
  /** Mean absolute error, 0 to 1. */
  loss: number;
  /** Of the batch, in dB on RGB. */
  psnr: number;
}

const BETAS = { first: 0.9, second: 0.99 };
/** Learning rate: rises over the first steps, or over the first share of a short run, then falls to a two-hundredth on a cosine (Loshchilov and Hutter, 2017). */
const RATE = 1e-3;
const [WARM_STEPS, WARM_SHARE] = [200, 0.05];
/** Steps after which the average has forgotten half, at most, and as a share of those done. */
const HALF_LIFE = 600;
const HALF_LIFE_SHARE = 0.03;

export const upscalerRate = (progress: number, steps: number): number =>
  RATE * Math.min(1, Math.max((steps + 1) / WARM_STEPS, progress / WARM_SHARE)) * (0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))) + 0.005);

export function startUpscaler({ training }: Upscaler, seed: number | string): UpscalerState {
  const weights = training.network.initialise(new Random(`${seed}/upscaler`));
  const zeros = () => new Float32Array(weights.length);
  return { steps: 0, images: 0, vectors: { weights, first: zeros(), second: zeros(), average: weights.slice() } };
}

export interface Crops {
  /** uint8 [batch, channels, side, side] */
  small: Uint8Array;
  /** uint8 [batch, channels, scale side, scale side] */
  large: Uint8Array;
}

/** Crops as both trainings of an upscaler are fed them. */
export function cropFeeds({ small, large }: Crops, { channels, scale }: UpscalerShape, { batch, side }: CropShape): Feeds {
  return { small: bytes(small, [batch, channels, side, side]), large: bytes(large, [batch, channels, side * scale, side * scale]) };
}

export class UpscalerTrainer {
  private readonly spare: Record<UpscalerVector, Float32Array>;
  /** Milliseconds spent inside the runtime. */
  insideRuntime = 0;

  private constructor(
    readonly upscaler: Upscaler,
    readonly options: UpscalerTrainerOptions,
    readonly state: UpscalerState,
    private readonly session: Session,
  ) {
    this.spare = Object.fromEntries(UPSCALER_VECTORS.map((name) => [name, new Float32Array(state.vectors[name].length)])) as never;
  }

  /** @param open opens a compiled graph on the runtime at hand; @param target what graphs are compiled for there. */
  static async open(
    upscaler: Upscaler,
    options: UpscalerTrainerOptions,
    state: UpscalerState,
    open: Open,
    target: Target = {},
  ): Promise<UpscalerTrainer> {
    const { step } = await openAll({ step: upscalerStep(upscaler, options) }, open, target, options.parts);
    return new UpscalerTrainer(upscaler, options, state, step);
  }

  /**
   * One step. @param progress share of the run that is done, 0 to 1. @param rateScale multiplies the learning rate.
   * @throws DivergedError where the loss is no finite number; the state is then that before the step.
   */
  async step(crops: Crops, progress: number, rateScale = 1): Promise<UpscalerReport> {
    const { state, options } = this;
    const halfLife = Math.min(HALF_LIFE, state.steps * HALF_LIFE_SHARE);
    const start = performance.now();
    const out = await this.session.run(
      {
        ...cropFeeds(crops, this.upscaler.shape, options),
        ...Object.fromEntries(UPSCALER_VECTORS.map((name) => [name, vector(state.vectors[name])])),
        rate: scalar(upscalerRate(progress, state.steps) * rateScale),
        beta1: scalar(BETAS.first),
        beta2: scalar(BETAS.second),
        correction1: scalar(1 / (1 - BETAS.first ** (state.steps + 1))),
        correction: scalar(1 / (1 - BETAS.second ** (state.steps + 1))),
        decay: scalar(halfLife < 1 ? 0 : 0.5 ** (1 / halfLife)),
      },
      Object.fromEntries(UPSCALER_VECTORS.map((name) => [`next${name[0]!.toUpperCase()}${name.slice(1)}`, vector(this.spare[name])])),
    );
    this.insideRuntime += performance.now() - start;
    const [loss, squared] = [out.loss, out.squared].map((value) => (value!.data as Float32Array)[0]!) as [number, number];
    if (!Number.isFinite(loss)) throw new DivergedError(`the loss is no longer a number in step ${state.steps + 1}`);
    for (const name of UPSCALER_VECTORS) [state.vectors[name], this.spare[name]] = [this.spare[name], state.vectors[name]];
    state.steps++;
    state.images += options.batch;
    return { loss, psnr: -10 * Math.log10(squared) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
