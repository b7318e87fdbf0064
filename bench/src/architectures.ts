// Bodies of an upscaler at equal time: x4, 48 channels, trained on T91 and BSDS500 (train and test), measured on Set5 and Set14. All
// are trained in turns of a few seconds, on one thread, by the product's own trainer, so that what else the machine does falls on
// all alike; each has as long as the others, not as many steps.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { startUpscaler, type UpscalerShape, UpscalerTrainer, upscalerModel } from '@zeuxis/nets';
import { openPairs } from '@zeuxis/pictures';
import { CropSource, evaluateUpscaler } from '@zeuxis/verbs';
import { BODIES, withBody } from './bodies.js';
import type { BenchOptions } from './gan.js';
import { median } from './measure.js';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../runs/cache', import.meta.url));
const SHAPE: UpscalerShape = { preset: 'best', scale: 4, channels: 3 };
/** As `train upscaler` has them. */
const [BATCH, SIDE] = [8, 32];
/** Seconds of a turn. */
const TURN = 5;
/** Sides of the picture that speed is measured on. */
const MEASURED = 256;

export interface ArchitectureRow {
  name: string;
  title: string;
  /** In the model file. */
  weights: number;
  steps: number;
  /** PSNR in dB on luma, with averaged weights. */
  set5: number;
  set14: number;
  /** The model alone, on all threads given. */
  megapixels_out_per_s: number;
}

async function opened(name: string) {
  const upscaler = withBody(BODIES[name]!, SHAPE);
  const options = { batch: BATCH, side: SIDE, seed: 1 };
  const trainer = await UpscalerTrainer.open(upscaler, options, startUpscaler(upscaler, options.seed), (graph) => openSession(graph, { threads: 1 }));
  return { name, upscaler, trainer, seconds: 0 };
}

export async function architectures({ threads, minutes }: BenchOptions): Promise<ArchitectureRow[]> {
  if (!existsSync(DATA)) throw new Error(`the pictures to train and measure on are not at ${DATA}`);
  const pairs = await openPairs(join(DATA, 'research'), { scale: SHAPE.scale, degradation: 'bicubic', channels: 3, side: SIDE, cache: CACHE });
  const source = new CropSource(pairs, SIDE, BATCH, SHAPE);
  const candidates = await Promise.all(Object.keys(BODIES).map(opened));
  for (let unfinished = candidates; unfinished.length > 0; unfinished = unfinished.filter(({ seconds }) => seconds < minutes * 60))
    for (const candidate of unfinished) {
      const until = candidate.seconds + TURN;
      while (candidate.seconds < until) {
        const start = performance.now();
        // The same crops for all, as far as each comes.
        await candidate.trainer.step(source.draw(`crops/${candidate.trainer.state.steps}`), candidate.seconds / (minutes * 60));
        candidate.seconds += (performance.now() - start) / 1000;
      }
    }
  pairs.close();
  const models = await Promise.all(
    candidates.map(async (candidate) => {
      const { upscaler, trainer } = candidate;
      return { ...candidate, bytes: upscalerModel(upscaler, await upscaler.training.fold(trainer.state.vectors.average, openSession), {}) };
    }),
  );
  const speeds = await speed(models.map(({ bytes }) => bytes), threads);
  const rows: ArchitectureRow[] = [];
  for (const [i, { name, upscaler, trainer, bytes }] of models.entries()) {
    const model = { name, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), card: { ...SHAPE, margin: upscaler.margin } };
    const quality = async (set: string) => {
      const { mean } = await evaluateUpscaler(model, join(DATA, 'bench', set, `x${SHAPE.scale}`), { threads });
      return Number(mean.model.psnr.toFixed(2));
    };
    rows.push({
      name,
      title: BODIES[name]!.title,
      weights: upscaler.network.size,
      steps: trainer.state.steps,
      set5: await quality('set5'),
      set14: await quality('set14'),
      megapixels_out_per_s: speeds[i]!,
    });
    await trainer.close();
  }
  return rows;
}

/** Megapixels out a second of each, in turns. */
async function speed(models: Uint8Array[], threads: number): Promise<number[]> {
  const sessions = await Promise.all(models.map((bytes) => openSession(bytes, { threads })));
  const small = floats(new Float32Array(3 * MEASURED ** 2).fill(0.5), [1, 3, MEASURED, MEASURED]);
  const times: number[][] = models.map(() => []);
  for (let round = 0; round < 8; round++)
    for (const [i, session] of sessions.entries()) {
      const start = performance.now();
      await session.run({ small });
      if (round > 0) times[i]!.push((performance.now() - start) / 1000);
    }
  await Promise.all(sessions.map((session) => session.close()));
  return times.map((each) => Number(((MEASURED * SHAPE.scale) ** 2 / 1e6 / median(each)).toFixed(1)));
}

export const architecturesTable = (rows: ArchitectureRow[]): string =>
  [
    `${'body'.padEnd(56)}${['weights', 'steps', 'Set5', 'Set14', 'MP out/s'].map((title) => title.padStart(10)).join('')}`,
    ...rows.map((r) => `${r.title.padEnd(56)}${[r.weights, r.steps, r.set5.toFixed(2), r.set14.toFixed(2), r.megapixels_out_per_s.toFixed(1)].map((cell) => String(cell).padStart(10)).join('')}`),
  ].join('\n');
