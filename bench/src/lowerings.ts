// The spellings of a convolution's weight gradient against each other, on the shapes of the reference networks: the figures
// from which `weightLowering` chooses. GFLOP/s by processor time, which other work on the machine disturbs least.

import { compile, floats, type Geometry, input, lowerConvWeight, Tensor, type WeightLowering, weightLowering } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { Random } from '@zeuxis/nets';
import type { BenchOptions } from './gan.js';

const LOWERINGS: Record<number, WeightLowering[]> = { 3: ['gemm', 'matmul', 'shifts'], 4: ['gemm', 'matmul', 'halves'] };
/** Kernel side, channels in and out, side of the picture. */
const SHAPES = [
  [3, 24, 24, 64],
  [3, 48, 48, 32],
  [3, 96, 96, 16],
  [3, 128, 128, 8],
  [3, 192, 192, 4],
  [4, 3, 48, 64],
  [4, 48, 96, 32],
  [4, 96, 192, 16],
  [4, 192, 256, 8],
] as const;

export interface LoweringRow {
  shape: string;
  gflops: Partial<Record<WeightLowering, number>>;
  chosen: WeightLowering;
}

async function measure(g: Geometry, lowering: WeightLowering, { threads, steps }: BenchOptions): Promise<number> {
  const [x, dy] = [input('x', g.picture), input('dy', g.output)];
  const primitive = {
    name: lowering,
    lower: (node: Tensor, emit: Parameters<typeof lowerConvWeight>[3]) =>
      lowerConvWeight(g, emit.of(node.input(0)), emit.of(node.input(1)), emit, lowering),
  };
  const session = await openSession(compile({ dw: new Tensor(primitive, [x, dy], g.kernel) }), { threads });
  const random = new Random(0);
  const feeds = { x: floats(random.normals(x.size), x.shape), dy: floats(random.normals(dy.size), dy.shape) };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2 * steps + 2; i++) {
    const before = process.cpuUsage();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(before);
    if (i >= 2) best = Math.min(best, user + system);
  }
  await session.close();
  return (2 * dy.size * g.kernel.slice(1).reduce((a, b) => a * b, 1)) / (best / threads) / 1000;
}

export async function lowerings(options: BenchOptions): Promise<LoweringRow[]> {
  const rows: LoweringRow[] = [];
  for (const [kernel, ci, co, side] of SHAPES) {
    const stride = kernel === 4 ? 2 : 1;
    const [n, out] = [2 * options.batch, side / stride];
    const g = { stride, padding: 1, groups: 1, picture: [n, ci, side, side], kernel: [co, ci, kernel, kernel], output: [n, co, out, out] };
    const gflops: LoweringRow['gflops'] = {};
    for (const lowering of LOWERINGS[kernel]!) gflops[lowering] = Math.round(await measure(g, lowering, options));
    rows.push({ shape: `k${kernel} s${stride} ${ci} -> ${co}, ${side}x${side}`, gflops, chosen: weightLowering(g) });
  }
  return rows;
}

export const loweringsTable = (rows: LoweringRow[]): string =>
  rows
    .map((r) => `${r.shape.padEnd(26)}${Object.entries(r.gflops).map(([name, x]) => `${name}${name === r.chosen ? '*' : ''} ${x}`.padEnd(14)).join('')}`)
    .join('\n');
