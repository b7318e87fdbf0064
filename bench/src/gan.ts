// Training speed: whole adversarial updates of the reference networks here and in PyTorch, alternating on one machine.
// What is timed here is the trainer's own step, with the drawing of latents, feeding and the averaged generator, which
// PyTorch's side does not have.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { opener, targetOf } from '@zeuxis/graph/node';
import { GanTrainer, partsOf, startGan } from '@zeuxis/nets';
import { median, python, ratioTable } from './measure.js';
import { PEERS, type Peer, peerGan } from './peers.js';

const SCRIPT = fileURLToPath(new URL('../../../shared/peers/torch_gan_step.py', import.meta.url));
const SCHEDULE = { rate: 2e-4, gamma: 1, beta2: 0.99, decay: 0.999 };

export interface Row {
  net: Peer;
  penalty: boolean;
  images_per_s: number;
  torch_images_per_s: number;
  ratio: number;
}

export interface BenchOptions {
  threads: number;
  batch: number;
  /** How often both sides take their turn. */
  rounds: number;
  /** Steps a turn. */
  steps: number;
  /** Of training a network, where that is what is measured. */
  minutes: number;
}

/** A trainer of a peer network, warmed up. */
export async function openPeer(peer: Peer, penalty: boolean, { threads, batch }: BenchOptions, profile?: string): Promise<GanTrainer> {
  const gan = peerGan(peer);
  // A profile is of one session.
  const parts = profile ? 1 : partsOf(batch, threads);
  // The penalty in every step, or in the first alone, which warms up.
  const options = { seed: 0, batch, penaltyEvery: penalty ? 1 : 1e9, augment: false, mirror: false, parts };
  return GanTrainer.open(gan, options, startGan(gan, 0), opener(parts, { threads, ...(profile ? { profile } : {}) }), await targetOf());
}

/** Seconds of each step. */
export async function timeSteps(trainer: GanTrainer, steps: number): Promise<number[]> {
  const { batch } = trainer.options;
  const pictures = Uint8Array.from({ length: batch * 3 * 64 * 64 }, (_, i) => (i * 2654435761) >>> 24);
  const times: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await trainer.step({ pictures, labels: [] }, SCHEDULE);
    times.push((performance.now() - start) / 1000);
  }
  return times;
}

export async function gan(options: BenchOptions): Promise<Row[]> {
  if (!existsSync(SCRIPT)) throw new Error(`the PyTorch side is not at ${SCRIPT}`);
  const rows: Row[] = [];
  for (const net of PEERS) {
    const theirs: Record<string, number[]> = { true: [], false: [] };
    const ours: Record<string, number[]> = { true: [], false: [] };
    for (let round = 0; round < options.rounds; round++) {
      const lines = await python([SCRIPT, '--net', net, '--threads', options.threads, '--batch', options.batch, '--reps', options.steps]);
      for (const line of lines) theirs[String(line.penalty)]!.push(line.images_per_s as number);
      for (const penalty of [false, true]) {
        const trainer = await openPeer(net, penalty, options);
        await timeSteps(trainer, 2);
        ours[String(penalty)]!.push(options.batch / median(await timeSteps(trainer, options.steps)));
        await trainer.close();
      }
    }
    for (const penalty of [false, true]) {
      const [mine, other] = [median(ours[String(penalty)]!), median(theirs[String(penalty)]!)];
      rows.push({ net, penalty, images_per_s: round(mine), torch_images_per_s: round(other), ratio: round(mine / other) });
    }
  }
  return rows;
}

const round = (x: number) => Math.round(x * 100) / 100;
export const table = (rows: Row[]): string =>
  ratioTable(rows.map((r) => [`${r.net}${r.penalty ? ' + R1 + R2' : ''}`, r.images_per_s, r.torch_images_per_s, r.ratio]));
