// The learned watermark in training: crops of photographs and garments, a residual that starts loud and falls to 42 dB as bits are read, and then the
// attacks. What it came to is kept in a file, so that it can be trained on.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, type Feeds, floats, type Session, scalar, vector } from '@zeuxis/graph';
import { opener, targetOf } from '@zeuxis/graph/node';
import { DivergedError, openAll, partsOf, Random } from '@zeuxis/nets';
import { type Canvases, openCanvases, writeWhole } from '@zeuxis/pictures';
import { drawAttacks, KINDS } from './learned-attacks.js';
import { BITS, learned, learnedStep, SIDE } from './learned-network.js';
import { DATA } from './watermark-pictures.js';

/** Root mean square of the residual at 42 dB, white as 1. */
export const AMPLITUDE = 10 ** (-42 / 20);
const BATCH = 16;
const [RATE, BETA1, BETA2] = [2e-3, 0.9, 0.99];
/** Times the amplitude that it starts with; by how much it falls in a step in which enough bits are right; what is enough, of a running mean over some 20 steps. */
const [LOUDEST, FALL, ENOUGH, MEMORY] = [4, 0.98, 0.9, 0.95];
/** Shorter sides that photographs are reduced to: seen whole, about, and nearer. */
const SHORTER = [144, 256, 512];
const MOST_GARMENTS = 500;
const SAVE_SECONDS = 60;

const VECTORS = ['weights', 'first', 'second'] as const;

export interface LearnedState {
  steps: number;
  /** Crops shown. */
  images: number;
  /** Time it took, by the clock and by the processor, in minutes. */
  minutes: number;
  processorMinutes: number;
  /** Of the residual, times that of 42 dB. */
  loudness: number;
  /** Running mean of the share of bits that are right. */
  right: number;
  /** Step from which on pictures are attacked; -1 before. */
  attacked: number;
  vectors: Record<(typeof VECTORS)[number], Float32Array>;
}

export function startLearned(seed: string): LearnedState {
  const zeros = () => new Float32Array(learned.size);
  const vectors = { weights: learned.initialise(new Random(`${seed}/weights`)), first: zeros(), second: zeros() };
  return { steps: 0, images: 0, minutes: 0, processorMinutes: 0, loudness: LOUDEST, right: 0.5, attacked: -1, vectors };
}

const base64 = (values: Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

export const saveLearned = (path: string, state: LearnedState): Promise<void> =>
  writeWhole(path, JSON.stringify({ ...state, vectors: Object.fromEntries(VECTORS.map((name) => [name, base64(state.vectors[name])])) }));

/** @throws Error where the file holds another network's weights. */
export async function loadLearned(path: string): Promise<LearnedState> {
  const { vectors, ...state } = JSON.parse(await readFile(path, 'utf8')) as LearnedState & { vectors: Record<string, string> };
  const read = (name: string) => new Float32Array(Uint8Array.from(Buffer.from(vectors[name] ?? '', 'base64')).buffer);
  const all = Object.fromEntries(VECTORS.map((name) => [name, read(name)])) as LearnedState['vectors'];
  if (all.weights.length !== learned.size) throw new Error(`${path} holds ${all.weights.length} weights, the network has ${learned.size}; name another file`);
  return { ...state, vectors: all };
}

/** Half of what is shown are photographs, half garments. */
async function openPools(): Promise<Canvases[][]> {
  const photographs = SHORTER.map((shorter) => openCanvases(join(DATA, 'photos'), { shorter: [shorter], least: SIDE, side: SIDE, most: 100 }));
  const garments = openCanvases(join(DATA, 'garments'), { shorter: [SIDE, 160], least: SIDE, side: SIDE, most: MOST_GARMENTS });
  return [await Promise.all(photographs), [await garments]];
}

function drawCrops(pools: Canvases[][], random: Random): Uint8Array {
  const out = new Uint8Array(BATCH * 3 * SIDE * SIDE);
  for (let n = 0; n < BATCH; n++) {
    const pool = pools[random.below(pools.length)]!;
    const canvases = pool[random.below(pool.length)]!;
    const picture = random.below(canvases.count);
    const { width, height } = canvases.sizes[picture]!;
    canvases.crop({ picture, x: random.below(width - SIDE + 1), y: random.below(height - SIDE + 1), mirrored: random.below(2) === 1 }, SIDE, n, out);
  }
  return out;
}

/** What a step is fed but for the pictures; all chance of a step is its number's. */
function stepFeeds(state: LearnedState, random: Random, progress: number): Feeds {
  const message = Float32Array.from({ length: BATCH * BITS }, () => 2 * random.below(2) - 1);
  return {
    ...Object.fromEntries(VECTORS.map((name) => [name, vector(state.vectors[name])])),
    ...drawAttacks(random, BATCH, SIDE, state.attacked < 0 ? ['none'] : KINDS),
    message: floats(message, [BATCH, BITS]),
    amplitude: scalar(AMPLITUDE * state.loudness),
    // Falls to a twentieth over the run's second half.
    rate: scalar(RATE * Math.min(1, 0.05 + 1.9 * (1 - progress))),
    beta1: scalar(BETA1),
    beta2: scalar(BETA2),
    correction1: scalar(1 / (1 - BETA1 ** (state.steps + 1))),
    correction: scalar(1 / (1 - BETA2 ** (state.steps + 1))),
  };
}

/** One step, in place. @throws DivergedError where the loss is no finite number; the state is then that before the step. */
async function step(session: Session, state: LearnedState, feeds: Feeds): Promise<void> {
  const out = await session.run(feeds);
  const [loss, right] = ['loss', 'right'].map((name) => (out[name]!.data as Float32Array)[0]!) as [number, number];
  if (!Number.isFinite(loss)) throw new DivergedError(`the loss is no longer a number in step ${state.steps + 1}`);
  for (const name of VECTORS) state.vectors[name] = out[`next${name[0]!.toUpperCase()}${name.slice(1)}`]!.data as Float32Array;
  state.steps++;
  state.images += BATCH;
  state.right = MEMORY * state.right + (1 - MEMORY) * right;
  if (state.right < ENOUGH || state.attacked >= 0) return;
  if (state.loudness > 1) state.loudness = Math.max(1, state.loudness * FALL);
  else state.attacked = state.steps;
}

export interface LearnedOptions {
  minutes: number;
  threads: number;
  /** Where the state is kept and, where there is one, taken up. */
  path?: string | undefined;
  onReport?: (state: LearnedState) => void;
}

/** Trains for so many minutes by the clock. */
export async function trainLearned({ minutes, threads, path, onReport }: LearnedOptions): Promise<LearnedState> {
  const state = path !== undefined && existsSync(path) ? await loadLearned(path) : startLearned('learned watermark');
  if (minutes === 0) return state;
  const pools = await openPools();
  const parts = partsOf(BATCH, threads);
  const { session } = await openAll({ session: learnedStep(BATCH) }, opener(parts, { threads }), await targetOf(), parts);
  const [before, processorBefore] = [state.minutes, state.processorMinutes];
  const [start, processor] = [performance.now(), process.cpuUsage()];
  let saved = start;
  const keep = async () => {
    const { user, system } = process.cpuUsage(processor);
    state.minutes = before + (performance.now() - start) / 60_000;
    state.processorMinutes = processorBefore + (user + system) / 60e6;
    onReport?.(state);
    if (path !== undefined) await saveLearned(path, state);
    saved = performance.now();
  };
  for (let progress = 0; progress < 1; progress = (performance.now() - start) / (minutes * 60_000)) {
    const random = new Random(`learned watermark/${state.steps}`);
    const picture = bytes(drawCrops(pools, random), [BATCH, 3, SIDE, SIDE]);
    await step(session, state, { picture, ...stepFeeds(state, random, progress) });
    if (performance.now() - saved > SAVE_SECONDS * 1000) await keep();
  }
  await keep();
  await session.close();
  return state;
}
