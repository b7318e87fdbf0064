// Thousands of damaged files: none may crash what reads it, make it hang or take its memory. Each is made from a number, so that what was found can be
// done again: npm run bench -- mutations --seed S --only N.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KINDS, type Kind, makeSeeds } from './mutants.js';
import type { Outcome } from './mutations-child.js';

/** Of one mutant, and of the process that reads one after another: it is not started anew, as the command is not between two files. */
const [LIMIT_MS, LIMIT_BYTES] = [10_000, 500e6];

export interface MutationRow {
  kind: Kind;
  mutants: number;
  answered: number;
  refused: number;
  /** Signatures that still hold, over the same pixels: the change was where nothing is signed. */
  trusted: number;
  slowestMs: number;
  peakMb: number;
  defects: { number: number; file: string; what: string; again: string }[];
}

export interface MutationOptions {
  count: number;
  seed: string;
  /** The one mutant to be tried. */
  only?: number | undefined;
}

/** Exit of the process, or that it had to be ended. */
type Lost = { lost: string };

class Reader {
  #child: ChildProcess | undefined;
  #said = '';

  constructor(readonly args: string[]) {}

  /** What comes of a mutant. The time begins when the process is ready. */
  async read(number: number): Promise<Outcome | Lost> {
    this.#child ??= await this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      const done = (outcome: Outcome | Lost) => {
        clearTimeout(limit);
        child.removeAllListeners('message').removeAllListeners('exit');
        if ('lost' in outcome) this.#child = undefined;
        resolve(outcome);
      };
      const limit = setTimeout(() => {
        child.kill('SIGKILL');
        done({ lost: `no answer within ${LIMIT_MS / 1000} s` });
      }, LIMIT_MS);
      child.once('message', (outcome) => done(outcome as Outcome));
      child.once('exit', (code, signal) => done({ lost: `the process ended (${signal ?? code}): ${this.#said.slice(-400)}` }));
      child.send(number);
    });
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL('./mutations-child.js', import.meta.url)), this.args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr!.on('data', (text) => {
      this.#said = `${this.#said}${text}`.slice(-2000);
    });
    await new Promise((resolve) => child.once('message', resolve).once('exit', resolve));
    return child;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

export async function mutations({ count, seed, only }: MutationOptions): Promise<MutationRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-mutations-'));
  const reader = new Reader([folder, seed]);
  const rows = new Map(KINDS.map((kind): [Kind, MutationRow] => [kind, { kind, mutants: 0, answered: 0, refused: 0, trusted: 0, slowestMs: 0, peakMb: 0, defects: [] }]));
  try {
    await makeSeeds(folder);
    const numbers = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
    for (const number of numbers) {
      const row = rows.get(KINDS[number % KINDS.length]!)!;
      const outcome = await reader.read(number);
      row.mutants++;
      const defect = (what: string, file = '') => row.defects.push({ number, file, what, again: `npm run bench -- mutations --seed ${seed} --only ${number}` });
      if ('lost' in outcome) {
        defect(outcome.lost);
        continue;
      }
      row.slowestMs = Math.max(row.slowestMs, outcome.milliseconds);
      row.peakMb = Math.max(row.peakMb, Math.round(outcome.peak / 1e6));
      if (outcome.trusted) row.trusted++;
      if (outcome.outcome === 'defect') defect(outcome.defect!, outcome.file);
      else if (outcome.peak > LIMIT_BYTES) {
        defect(`${Math.round(outcome.peak / 1e6)} MB`, outcome.file);
        // What comes next is not to be blamed for it.
        reader.end();
      } else row[outcome.outcome]++;
      if (number % 500 === 499) process.stderr.write(`${number + 1} of ${count}\n`);
    }
  } finally {
    reader.end();
    await rm(folder, { recursive: true, force: true });
  }
  return [...rows.values()].filter(({ mutants }) => mutants > 0);
}

export function mutationsTable(rows: readonly MutationRow[]): string {
  const cells = (row: (string | number)[]) => row.map((cell, i) => (i === 0 ? String(cell).padEnd(8) : String(cell).padStart(12))).join('');
  return [
    cells(['', 'mutants', 'answered', 'refused', 'defects', 'still whole', 'slowest ms', 'peak MB']),
    ...rows.map((row) => cells([row.kind, row.mutants, row.answered, row.refused, row.defects.length, row.trusted, row.slowestMs, row.peakMb])),
    ...rows.flatMap(({ defects }) => defects.map(({ what, file, again }) => `${file}: ${what}\n  ${again}`)),
  ].join('\n');
}
