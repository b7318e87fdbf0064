// Looking pictures up in a large ledger: how long the first takes, which reads all of it, and each after that, and how much memory.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { generate } from '@zeuxis/verbs';

export interface LedgerRow {
  records: number;
  /** Of the file, in GB (1e9 bytes). */
  gb: number;
  /** Seconds until the first is found, in a process that has read nothing yet. */
  first_s: number;
  /** Milliseconds of one after that, by its number and by what it looks like: the median of a hundred. */
  later_ms: number;
  near_ms: number;
  /** Resident at most, in GB. */
  peak_gb: number;
}

/** Records that are written at one go. */
const AT_ONCE = 1000;
const TURNS = 100;

/** Digits that follow from a number. */
const digits = (name: string, count: number): string => createHash('sha256').update(name).digest('hex').slice(0, count);

/** @param records as one of a generated picture, each with numbers of its own. */
export async function ledgerBench(records: number): Promise<LedgerRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-ledger-'));
  try {
    await generate({ model: 'avatars', count: 1, seed: 'ledger', out: join(folder, 'out'), identityFolder: folder });
    const path = join(folder, 'ledger', 'published.jsonl');
    const sample = JSON.parse((await readFile(path, 'utf8')).trim()) as Record<string, unknown>;
    delete sample.crc;
    const file = await open(path, 'w');
    for (let from = 0; from < records; from += AT_ONCE) {
      let lines = '';
      for (let i = from; i < Math.min(records, from + AT_ONCE); i++) {
        const text = JSON.stringify({ ...sample, id: digits(`id ${i}`, 16), sha256: digits(`file ${i}`, 64), hash: digits(`hash ${i}`, 16) });
        lines += `\n${text.slice(0, -1)},"crc":"${crc32(text).toString(16).padStart(8, '0')}"}\n`;
      }
      await file.write(lines);
    }
    const { size } = await file.stat();
    await file.close();
    const ids = Array.from({ length: TURNS }, (_, i) => Math.floor(((i + 0.5) * records) / TURNS));
    const script = `const { openLedger } = await import(${JSON.stringify(import.meta.resolve('@zeuxis/provenance'))});
      const ledger = openLedger(${JSON.stringify(folder)});
      const took = async (look) => { const start = performance.now(); if (!(await look())) throw new Error('a record was not found'); return performance.now() - start; };
      const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
      const first = await took(() => ledger.byId(${JSON.stringify(digits(`id ${records - 1}`, 16))}));
      const later = [], near = [];
      for (const id of ${JSON.stringify(ids.map((i) => digits(`id ${i}`, 16)))}) later.push(await took(() => ledger.byId(id)));
      for (const hash of ${JSON.stringify(ids.map((i) => digits(`hash ${i}`, 16)))}) near.push(await took(async () => (await ledger.near(hash)).length));
      console.log(JSON.stringify([first / 1000, median(later), median(near), process.resourceUsage().maxRSS * 1024 / 1e9]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const [first_s, later_ms, near_ms, peak_gb] = JSON.parse(stdout) as [number, number, number, number];
    return [{ records, gb: size / 1e9, first_s, later_ms, near_ms, peak_gb }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function ledgerTable(rows: readonly LedgerRow[]): string {
  return rows
    .flatMap((row) => Object.entries(row).map(([name, value]) => `${name.padEnd(12)}${Number.isInteger(value) ? value : value.toPrecision(3)}`))
    .join('\n');
}
