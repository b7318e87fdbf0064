// Generation speed: pictures a second through the reference generators, as a model file here and in PyTorch's
// evaluation mode. In a model file the weights are initializers and the pictures leave as uint8.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { generatorModel, Random } from '@zeuxis/nets';
import type { BenchOptions } from './gan.js';
import { median, python, ratioTable } from './measure.js';
import { inferenceNorm, PEERS, type Peer, peerGan } from './peers.js';

const FOLDER = fileURLToPath(new URL('../../../shared/peers', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../torch_forward.py', import.meta.url));
/** A forward pass is some fifty times shorter than a step, so it is repeated oftener. */
const REPEATS = 5;

export interface GenerationRow {
  net: Peer;
  images_per_s: number;
  torch_images_per_s: number;
  ratio: number;
}

async function ours(net: Peer, { threads, batch, steps }: BenchOptions): Promise<number> {
  const gan = peerGan(net, inferenceNorm);
  const random = new Random(0);
  const session = await openSession(generatorModel(gan, gan.generator.initialise(random), {}), { threads });
  const times: number[] = [];
  for (let i = 0; i < steps * REPEATS + 2; i++) {
    const z = floats(random.normals(batch * 64), [batch, 64]);
    const start = performance.now();
    await session.run({ z });
    times.push((performance.now() - start) / 1000);
  }
  await session.close();
  return batch / median(times.slice(2));
}

export async function generation(options: BenchOptions): Promise<GenerationRow[]> {
  if (!existsSync(FOLDER)) throw new Error(`the PyTorch side is not at ${FOLDER}`);
  const rows: GenerationRow[] = [];
  for (const net of PEERS) {
    const [mine, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < options.rounds; round++) {
      const [line] = await python([SCRIPT, FOLDER, net, options.threads, options.batch, options.steps * REPEATS]);
      theirs.push(line!.images_per_s as number);
      mine.push(await ours(net, options));
    }
    const [a, b] = [median(mine), median(theirs)];
    rows.push({ net, images_per_s: Math.round(a), torch_images_per_s: Math.round(b), ratio: Math.round((a / b) * 100) / 100 });
  }
  return rows;
}

export const generationTable = (rows: GenerationRow[]): string =>
  ratioTable(rows.map((r) => [r.net, r.images_per_s, r.torch_images_per_s, r.ratio]));
