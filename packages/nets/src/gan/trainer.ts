// The adversarial game in motion: two networks, their optimisers and the generator's average, moved one step at a time.
// It knows neither files nor the runtime: the caller brings the pictures and opens the graphs.
//
// All chance in step k comes from the seed and k alone, so a state taken between two steps is nothing but the vectors
// and a few counters, and a run that goes on from it is the run that was never stopped.

import { bytes, type Feeds, floats, type Session, scalar, type Target, type Value, vector } from '@zeuxis/graph';
import { DivergedError } from '../diverged.js';
import { Random } from '../random.js';
import { type Open, openAll, type PartsOption } from '../step.js';
import { adaptStrength, drawAugmentation, mirror, overfitting } from './augment.js';
import { type Gan, LATENT } from './networks.js';
import type { Schedule } from './schedule.js';
import { discriminatorStep, generatorStep, judgeStep } from './steps.js';

export interface TrainerOptions extends PartsOption {
  seed: number | string;
  /** Pictures a step. */
  batch: number;
  /** The gradient penalty enters every so many steps, with its weight multiplied by as much (Karras et al., 2020). */
  penaltyEvery: number;
  /** Whether both networks see pictures through random changes, as strong as over-fitting demands. */
  augment: boolean;
  /** Whether real pictures are mirrored by chance. */
  mirror: boolean;
}

/** Everything that moves. The vectors are flat float32; their lengths are the networks' sizes. */
export interface GanState {
  steps: number;
  /** Real pictures shown to the discriminator. */
  images: number;
  /** Product of all beta2 so far, for Adam's correction. */
  betaProduct: number;
  /** Strength of the augmentation, 0 to 0.8. */
  strength: number;
  vectors: Record<VectorName, Float32Array>;
}
export const VECTORS = ['generator', 'generatorMoment', 'average', 'discriminator', 'discriminatorMoment'] as const;
export type VectorName = (typeof VECTORS)[number];

export interface StepReport {
  /** The losses of both players, nats. */
  discriminatorLoss: number;
  generatorLoss: number;
  /** How much oftener than not the real picture of a pair is ranked above the fake, -1 to 1. */
  lead: number;
  /** Mean squared gradient norm at real and fake pictures; undefined in steps without the penalty. */
  penalty: number | undefined;
  strength: number;
}

/** A batch of pictures and their classes. */
export interface Batch {
  /** uint8 [batch, 3, size, size]; mirrored in place where the run mirrors. */
  pictures: Uint8Array;
  /** A class index a picture. */
  labels: ArrayLike<number>;
}

/** Steps from one look at held-back pictures to the next. */
export const JUDGE_EVERY = 16;

/** The state of a run that has not begun. */
export function startGan(gan: Gan, seed: number | string): GanState {
  const generator = gan.generator.initialise(new Random(`${seed}/generator`));
  const discriminator = gan.discriminator.initialise(new Random(`${seed}/discriminator`));
  return {
    steps: 0,
    images: 0,
    betaProduct: 1,
    strength: 0,
    vectors: {
      generator,
      generatorMoment: new Float32Array(generator.length),
      average: generator.slice(),
      discriminator,
      discriminatorMoment: new Float32Array(discriminator.length),
    },
  };
}

/**
 * How pictures are shared out: a twentieth, 4 to 256, is held back to tell over-fitting by where the run augments, and the
 * rest is trained on.
 */
export function holdBack(count: number, seed: number | string, augment: boolean): { trained: Uint32Array; held: Uint32Array } {
  const order = new Random(`${seed}/held`).permutation(count);
  const held = augment ? Math.min(256, Math.max(4, Math.round(count / 20))) : 0;
  return { trained: order.slice(held), held: order.slice(0, held) };
}

/** Positions of the next `batch` of `count` pictures after `images` have been seen: every epoch in an order of its own. */
export class Epochs {
  private epoch = -1;
  private order: Uint32Array = new Uint32Array();
  constructor(
    private readonly seed: number | string,
    private readonly count: number,
  ) {}

  next(images: number, batch: number): number[] {
    return Array.from({ length: batch }, (_, i) => {
      const epoch = Math.floor((images + i) / this.count);
      if (epoch !== this.epoch) {
        this.order = new Random(`${this.seed}/epoch/${epoch}`).permutation(this.count);
        this.epoch = epoch;
      }
      return this.order[(images + i) % this.count]!;
    });
  }
}

const first = (value: Value | undefined) => (value!.data as Float32Array)[0]!;

export class GanTrainer {
  private readonly spare: Record<VectorName, Float32Array>;
  /** Milliseconds spent inside the runtime. */
  insideRuntime = 0;

  private constructor(
    readonly gan: Gan,
    readonly options: TrainerOptions,
    readonly state: GanState,
    private readonly sessions: Record<'penalised' | 'plain' | 'generator', Session> & { judge: Session | undefined },
  ) {
    this.spare = Object.fromEntries(VECTORS.map((name) => [name, new Float32Array(state.vectors[name].length)])) as never;
  }

  /** @param open opens a compiled graph on the runtime at hand; @param target what graphs are compiled for there. */
  static async open(
    gan: Gan,
    options: TrainerOptions,
    state: GanState,
    open: Open,
    target: Target = {},
  ): Promise<GanTrainer> {
    const { batch, augment } = options;
    const players = {
      penalised: discriminatorStep(gan, { batch, augment, penalty: true }),
      plain: options.penaltyEvery === 1 ? undefined : discriminatorStep(gan, { batch, augment, penalty: false }),
      generator: generatorStep(gan, { batch, augment }),
      judge: augment ? judgeStep(gan, { batch }) : undefined,
    };
    const { penalised, plain = penalised, generator, judge } = await openAll(players, open, target, options.parts);
    return new GanTrainer(gan, options, state, { penalised, plain, generator, judge });
  }

  /**
   * One step of both networks.
   * @param held gives pictures held back from training; asked for every JUDGE_EVERY steps where the run augments.
   * @throws DivergedError where a loss is no finite number; the state is then that before the step.
   */
  async step({ pictures, labels }: Batch, schedule: Schedule, held?: (step: number) => Batch): Promise<StepReport> {
    const { gan, options, state } = this;
    const { batch, penaltyEvery } = options;
    const { size } = gan.shape;
    const random = new Random(`${options.seed}/step/${state.steps}`);
    if (options.mirror) mirror(pictures, size, random);
    const betaProduct = state.betaProduct * schedule.beta2;
    const common: Feeds = {
      real: bytes(pictures, [batch, 3, size, size]),
      labels: this.oneHot(labels),
      rate: scalar(schedule.rate),
      beta2: scalar(schedule.beta2),
      correction: scalar(1 / (1 - betaProduct)),
      gamma: scalar(schedule.gamma * penaltyEvery),
      decay: scalar(schedule.decay),
    };
    const chance = (): Feeds => ({
      z: floats(random.normals(batch * LATENT), [batch, LATENT]),
      ...(options.augment ? drawAugmentation(random, 2 * batch, size, state.strength) : {}),
    });
    const penalised = state.steps % penaltyEvery === 0;
    const d = await this.move(penalised ? 'penalised' : 'plain', { ...common, ...chance(), ...this.weights() }, 'discriminator');
    const g = await this.move('generator', { ...common, ...chance(), ...this.weights(d.vectors) }, 'generator');

    const [discriminatorLoss, generatorLoss, lead] = [first(d.out.loss), first(g.out.loss), first(d.out.lead)];
    const penalty = penalised ? first(d.out.penalty) : undefined;
    if (![discriminatorLoss, generatorLoss, penalty ?? 0].every(Number.isFinite))
      throw new DivergedError(`the loss is no longer a number in step ${state.steps + 1}`);
    for (const [name, moved] of Object.entries({ ...d.vectors, ...g.vectors }) as [VectorName, Float32Array][]) {
      this.spare[name] = state.vectors[name];
      state.vectors[name] = moved;
    }
    state.betaProduct = betaProduct;
    state.steps++;
    state.images += batch;
    if (held && this.sessions.judge && state.steps % JUDGE_EVERY === 0) {
      const { pictures: apart, labels: apartLabels } = held(state.steps);
      const start = performance.now();
      const { seen, held: unseen, made } = await this.sessions.judge.run({
        ...common,
        ...this.weights(),
        heldReal: bytes(apart, [batch, 3, size, size]),
        heldLabels: this.oneHot(apartLabels),
        z: floats(random.normals(batch * LATENT), [batch, LATENT]),
      });
      this.insideRuntime += performance.now() - start;
      const overfit = overfitting({ seen: first(seen), held: first(unseen), made: first(made) });
      state.strength = adaptStrength(state.strength, overfit, JUDGE_EVERY * batch);
    }
    return { discriminatorLoss, generatorLoss, lead, penalty, strength: state.strength };
  }

  private oneHot(labels: ArrayLike<number>): Value {
    const [batch, classes] = [this.options.batch, this.gan.shape.classes];
    const values = new Float32Array(batch * classes);
    for (let i = 0; i < batch && classes > 0; i++) values[i * classes + labels[i]!] = 1;
    return floats(values, [batch, classes]);
  }

  /** Both networks' weights as feeds, those of `newer` where it has them. */
  private weights(newer: Partial<Record<VectorName, Float32Array>> = {}): Feeds {
    const of = (name: VectorName) => vector(newer[name] ?? this.state.vectors[name]);
    return Object.fromEntries(
      (['generator', 'discriminator', 'average'] as const).map((name) => [name, of(name)]),
    );
  }

  /** Runs one network's step into the spare vectors. */
  private async move(session: 'penalised' | 'plain' | 'generator', feeds: Feeds, player: 'generator' | 'discriminator') {
    const { vectors } = this.state;
    const into = { nextWeights: player, nextMoment: `${player}Moment`, ...(player === 'generator' ? { nextAverage: 'average' } : {}) };
    const target = (name: VectorName) => vector(this.spare[name]);
    const moment = vectors[`${player}Moment`];
    const start = performance.now();
    const out = await this.sessions[session].run(
      { ...feeds, moment: vector(moment) },
      Object.fromEntries(Object.entries(into).map(([output, name]) => [output, target(name as VectorName)])),
    );
    this.insideRuntime += performance.now() - start;
    const moved = Object.fromEntries(Object.values(into).map((name) => [name, this.spare[name as VectorName]]));
    return { out, vectors: moved as Partial<Record<VectorName, Float32Array>> };
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(Object.values(this.sessions))].map((session) => session?.close()));
  }
}
