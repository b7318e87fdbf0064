// Where a training step's time goes: ONNX Runtime's own profile of the reference networks' steps, by kind of work, and the share
// of the wall time that is spent inside the runtime. Profiling slows a step by some percent.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchOptions, openPeer, timeSteps } from './gan.js';
import { PEERS, type Peer } from './peers.js';

const KINDS: Record<string, RegExp> = {
  convolution: /^(Fused)?Conv(Transpose)?$/,
  'matrix product': /^(Fused)?(MatMul|Gemm)$/,
  copy: /^(Concat|Slice|Pad|Transpose|FusedTranspose|Expand|Reshape|Identity|Split|Gather|SpaceToDepth|DepthToSpace|ReorderInput|ReorderOutput|MemcpyToHost|MemcpyFromHost)$/,
  reduction: /^Reduce/,
};

export interface ProfileRow {
  net: Peer;
  penalty: boolean;
  /** Share of the step's wall time spent inside ONNX Runtime. */
  inside_runtime: number;
  /** Seconds to build the graphs, compile them and open their sessions. */
  open_s: number;
  /** The process's largest resident set so far, in GB: the cases run one after the other, and each needs more than the one before. */
  peak_gb: number;
  /** Shares of the operators' time. */
  shares: Record<string, number>;
  /** The most expensive operators, as shares. */
  operators: Record<string, number>;
}

interface TraceEvent {
  cat: string;
  name: string;
  dur: number;
  args?: { op_name?: string };
}

export async function profile(options: BenchOptions): Promise<ProfileRow[]> {
  const rows: ProfileRow[] = [];
  for (const net of PEERS)
    for (const penalty of [false, true]) {
      const start = performance.now();
      const plain = await openPeer(net, penalty, options);
      const open_s = (performance.now() - start) / 1000;
      await timeSteps(plain, 2);
      plain.insideRuntime = 0;
      const wall = (await timeSteps(plain, options.steps)).reduce((a, b) => a + b, 0);
      const inside = plain.insideRuntime / 1000 / wall;
      const peak_gb = process.resourceUsage().maxRSS / 1e6;
      await plain.close();
      const folder = await mkdtemp(join(tmpdir(), 'zeuxis-profile-'));
      try {
        const traced = await openPeer(net, penalty, options, join(folder, 'trace'));
        await timeSteps(traced, options.steps);
        await traced.close();
        const byOperator: Record<string, number> = {};
        for (const file of await readdir(folder))
          for (const event of JSON.parse(await readFile(join(folder, file), 'utf8')) as TraceEvent[])
            if (event.cat === 'Node' && event.name.endsWith('_kernel_time') && event.args?.op_name)
              byOperator[event.args.op_name] = (byOperator[event.args.op_name] ?? 0) + event.dur;
        rows.push({ net, penalty, inside_runtime: inside, open_s, peak_gb, ...summarise(byOperator) });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  return rows;
}

function summarise(byOperator: Record<string, number>) {
  const total = Object.values(byOperator).reduce((a, b) => a + b, 0);
  const shares: Record<string, number> = {};
  for (const [operator, time] of Object.entries(byOperator)) {
    const kind = Object.entries(KINDS).find(([, pattern]) => pattern.test(operator))?.[0] ?? 'elementwise';
    shares[kind] = (shares[kind] ?? 0) + time / total;
  }
  const ranked = Object.entries(byOperator).sort(([, a], [, b]) => b - a);
  return { shares, operators: Object.fromEntries(ranked.slice(0, 12).map(([name, time]) => [name, time / total])) };
}

const percent = (x: number) => `${(100 * x).toFixed(1)}%`;
const list = (shares: Record<string, number>) =>
  Object.entries(shares)
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(', ');
export const profileTable = (rows: ProfileRow[]): string =>
  rows
    .map((r) => `${r.net}${r.penalty ? ' + R1 + R2' : ''}: ${percent(r.inside_runtime)} inside ONNX Runtime, opened in ${r.open_s.toFixed(1)} s, at most ${r.peak_gb.toFixed(2)} GB\n  ${list(r.shares)}\n  ${list(r.operators)}`)
    .join('\n');
