// Painting: seconds a megapixel in the network alone, with the GFLOP/s reached, and time and memory of whole photographs through the verb.
// The weights make no difference to either: where no model is given they are those of a run that has not begun.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { defineStyle, GRAIN, momentsOf, NOISE, Random, styleModel } from '@zeuxis/nets';
import { VERSION } from '@zeuxis/verbs';
import type { BenchOptions } from './gan.js';
import { verbOn } from './large.js';
import { median } from './measure.js';

export interface StyleRow {
  name: string;
  seconds: number;
  gflops_per_s?: number;
  peak_gb?: number;
}

/** Pixels of a layer's output for one of the picture. */
const share = (name: string): number => (name.startsWith('down2') || name.startsWith('up2') ? 1 / 4 : /^(down4|mix|block)/.test(name) ? 1 / 16 : 1);

/** Floating point operations of the convolutions, two a product, for a pixel. */
const flops = (): number =>
  defineStyle().table.filter(({ name }) => name.endsWith('.weight')).reduce((sum, { name, shape }) => sum + 2 * shape.reduce((product, n) => product * n, 1) * share(name), 0);

const SIDE = 1000;

async function network({ threads, rounds, steps }: BenchOptions): Promise<StyleRow> {
  const painter = defineStyle();
  const random = new Random(0);
  const session = await openSession(styleModel(painter, painter.initialise(random), {}), { threads });
  const feeds = {
    photograph: floats(Float32Array.from({ length: 3 * SIDE * SIDE }, () => random.uniform()), [1, 3, SIDE, SIDE]),
    noise: floats(random.normals((NOISE * SIDE * SIDE) / GRAIN ** 2), [1, NOISE, SIDE / GRAIN, SIDE / GRAIN]),
    strength: floats([1], [1]),
    share: floats([1 / SIDE ** 2], [1]),
    given: floats([1], [1]),
    moments: floats(new Float32Array(momentsOf(painter)).fill(1), [1, momentsOf(painter), 1, 1]),
  };
  const times: number[] = [];
  for (let i = 0; i < rounds * steps + 1; i++) {
    const start = performance.now();
    await session.run(feeds);
    if (i > 0) times.push((performance.now() - start) / 1000);
  }
  await session.close();
  const seconds = median(times);
  return { name: 'the network, 1 megapixel', seconds: Number(seconds.toPrecision(3)), gflops_per_s: Math.round((flops() * SIDE ** 2) / seconds / 1e9) };
}

export async function styleBench(options: BenchOptions): Promise<StyleRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-bench-'));
  try {
    const painter = defineStyle();
    const set = { name: 'none', pictures: 1, fingerprint: '0'.repeat(64), skipped: 0, reserved: 0, rights: { text: 'none needed', name: 'the benchmark' } };
    const card = { card: 1, task: 'style', name: 'bench', trainingSet: set, content: set, painted: 480, contentWeight: 1, margin: 56, seed: 0, images: 0, steps: 0, batch: 1, crop: 160, hours: 0, licence: 'CC0-1.0', zeuxis: VERSION };
    const model = join(folder, 'bench.onnx');
    await writeFile(model, styleModel(painter, painter.initialise(new Random(0)), { 'zeuxis.card': JSON.stringify(card) }));
    const rows = [await network(options)];
    for (const [name, width, height] of [['a file, 1 megapixel', 1250, 800], ['a file, 24 megapixels', 6000, 4000]] as const) {
      const { seconds, peakGb } = await verbOn('style', { model, threads: options.threads }, width, height);
      rows.push({ name, seconds: Number(seconds.toPrecision(3)), peak_gb: Number(peakGb.toFixed(2)) });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const styleTable = (rows: StyleRow[]): string =>
  [
    `${''.padEnd(28)}${'seconds'.padStart(10)}${'GFLOP/s'.padStart(10)}${'peak GB'.padStart(10)}`,
    ...rows.map(({ name, seconds, gflops_per_s, peak_gb }) => `${name.padEnd(28)}${String(seconds).padStart(10)}${String(gflops_per_s ?? '').padStart(10)}${String(peak_gb ?? '').padStart(10)}`),
  ].join('\n');
