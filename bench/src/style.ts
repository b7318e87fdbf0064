// Painting: seconds a megapixel in the network alone, with the GFLOP/s reached, time and memory of whole photographs through the verb, and
// how near each shipped style comes to its painting, on ten photographs that none was trained on.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floats } from '@zeuxis/graph';
import { openSession, targetOf } from '@zeuxis/graph/node';
import { defineStyle, GRAIN, NOISE, Random, styleWeights, tiledStyle } from '@zeuxis/nets';
import { evaluateStyle, findStyle, type StyleEvaluation } from '@zeuxis/verbs';
import type { BenchOptions } from './gan.js';
import { LARGE_PAGES, type VerbTime, verbOn } from './large.js';
import { median } from './measure.js';

export interface StyleRow {
  name: string;
  seconds?: number;
  gflops_per_s?: number;
  /** From the beginning until the picture is painted; what is left is its marking and signing. */
  painted_s?: number;
  peak_gb?: number;
  /** Of a shipped style, beside the photographs untouched and with the painting's colours alone. */
  quality?: StyleEvaluation['mean'];
}

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const STYLES = ['starry-night', 'scream', 'great-wave', 'shipwreck'];
/** Every so many of BSDS500's pictures, from this one on. */
const [EACH, FIRST] = [40, 6];

/** Pixels of a layer's output for one of the picture. */
const share = (name: string): number => (name.startsWith('down2') || name.startsWith('up2') ? 1 / 4 : /^(down4|mix|block)/.test(name) ? 1 / 16 : 1);

/** Floating point operations of the convolutions, two a product, for a pixel. */
const flops = (): number =>
  defineStyle().table.filter(({ name }) => name.endsWith('.weight')).reduce((sum, { name, shape }) => sum + 2 * shape.reduce((product, n) => product * n, 1) * share(name), 0);

const SIDE = 1000;
/** How often a file of a megapixel is painted, of which the median is told; files of a batch. */
const [TURNS, BATCH] = [5, 9];
/** Whose time and memory are measured: all styles are one network. */
const SHOWN = 'starry-night';

async function network({ threads, rounds, steps }: BenchOptions): Promise<StyleRow> {
  const painter = defineStyle();
  const random = new Random(0);
  const { bytes } = await findStyle(SHOWN);
  const feeds = {
    photograph: floats(Float32Array.from({ length: 3 * SIDE * SIDE }, () => random.uniform()), [1, 3, SIDE, SIDE]),
    noise: floats(random.normals((NOISE * SIDE * SIDE) / GRAIN ** 2), [1, NOISE, SIDE / GRAIN, SIDE / GRAIN]),
  };
  const target = await targetOf();
  const style = tiledStyle(painter, styleWeights(painter, bytes)!, 1, target);
  const session = await openSession(style.model, { threads, sleep: true, asWritten: Boolean(target.channelBlock) });
  const { made } = await session.run({ ...feeds, ...style.measuring(SIDE ** 2) });
  const painting = { ...feeds, ...style.paintingBy(made!.data as Float32Array) };
  const times: number[] = [];
  for (let i = 0; i < rounds * steps + 1; i++) {
    const start = performance.now();
    await session.run(painting);
    if (i > 0) times.push((performance.now() - start) / 1000);
  }
  await session.close();
  const seconds = median(times);
  return { name: 'the network, 1 megapixel', seconds: three(seconds), gflops_per_s: Math.round((flops() * SIDE ** 2) / seconds / 1e9) };
}

/** Distances and structure of the shipped styles. */
async function quality(options: BenchOptions): Promise<StyleRow[]> {
  if (!existsSync(DATA)) throw new Error(`the pictures to measure on are not at ${DATA}`);
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-bench-'));
  try {
    const files = (await readdir(join(DATA, 'research/bsds'))).filter((name) => name.endsWith('.jpg')).sort();
    for (const [i, name] of files.entries()) if (i % EACH === FIRST) await symlink(join(DATA, 'research/bsds', name), join(folder, name));
    const rows: StyleRow[] = [];
    for (const name of STYLES) {
      const { mean } = await evaluateStyle(await findStyle(name), folder, { threads: options.threads });
      rows.push({ name, quality: mean });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const three = (value: number) => Number(value.toPrecision(3));

/** A photograph as a file to a signed file; each further one of a batch does without what the first one waits for. */
async function files({ threads }: BenchOptions): Promise<StyleRow[]> {
  const model = { model: SHOWN, threads };
  const turns: Record<'plain' | 'large', VerbTime[]> = { plain: [], large: [] };
  for (let i = 0; i < TURNS; i++) {
    turns.plain.push(await verbOn('style', model, 1250, 800));
    turns.large.push(await verbOn('style', model, 1250, 800, 1, LARGE_PAGES));
  }
  const middle = (some: VerbTime[], figure: keyof VerbTime) => median(some.map((turn) => turn[figure]));
  const of = (some: VerbTime[]): VerbTime => ({ seconds: middle(some, 'seconds'), tiled: middle(some, 'tiled'), peakGb: middle(some, 'peakGb') });
  const row = (name: string, { seconds, tiled, peakGb }: VerbTime): StyleRow => ({ name, seconds: three(seconds), painted_s: three(tiled), peak_gb: Number(peakGb.toFixed(2)) });
  const batch = await verbOn('style', model, 1250, 800, BATCH);
  return [
    row('a file, 1 megapixel', of(turns.plain)),
    row('  with large pages', of(turns.large)),
    { name: `each further one of ${BATCH}`, seconds: three((batch.seconds - of(turns.plain).seconds) / (BATCH - 1)), peak_gb: Number(batch.peakGb.toFixed(2)) },
    row('a file, 24 megapixels', await verbOn('style', model, 6000, 4000)),
  ];
}

export const styleBench = async (options: BenchOptions): Promise<StyleRow[]> => [await network(options), ...(await files(options)), ...(await quality(options))];

const FIGURES = ['patches', 'colour', 'ssim', 'edges', 'flicker'] as const;

export const styleTable = (rows: StyleRow[]): string =>
  [
    `${''.padEnd(28)}${'seconds'.padStart(10)}${'painted'.padStart(10)}${'GFLOP/s'.padStart(10)}${'peak GB'.padStart(10)}`,
    ...rows.filter(({ quality }) => !quality).map(({ name, seconds, painted_s, gflops_per_s, peak_gb }) => `${name.padEnd(28)}${String(seconds).padStart(10)}${String(painted_s ?? '').padStart(10)}${String(gflops_per_s ?? '').padStart(10)}${String(peak_gb ?? '').padStart(10)}`),
    '',
    `${''.padEnd(28)}${FIGURES.map((name) => name.padStart(10)).join('')}`,
    ...rows.flatMap(({ name, quality }) =>
      quality ? (['painted', 'untouched', 'transferred'] as const).map((of) => `${(of === 'painted' ? name : `  ${of}`).padEnd(28)}${FIGURES.map((figure) => quality[of][figure].toFixed(3).padStart(10)).join('')}`) : [],
    ),
  ].join('\n');
