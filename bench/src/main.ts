// npm run bench -- <name> [--json] [--threads 2] [--batch 32] [--rounds 3] [--steps 7] [--minutes 6]
//   npm run bench -- ledger [--records 300000]
//   npm run bench -- mutations [--count 10000] [--seed 0] [--only NUMBER]
//   npm run bench -- watermark [--parts speed,512,256,keys,crops] [--pictures 64] [--crops 100000 [--counts FILE, to go on from]]
//   npm run bench -- learned-watermark [--minutes 6] [--state FILE] [--pictures 64]

import { parseArgs } from 'node:util';
import { alike, alikeTable } from './alike.js';
import { architectures, architecturesTable } from './architectures.js';
import { gan, table } from './gan.js';
import { generation, generationTable } from './generation.js';
import { learnedTable, learnedWatermark } from './learned-watermark.js';
import { ledgerBench, ledgerTable } from './ledger.js';
import { lowerings, loweringsTable } from './lowerings.js';
import { medical, medicalTable } from './medical.js';
import { mutations, mutationsTable } from './mutations.js';
import { profile, profileTable } from './profile.js';
import { styleBench, styleTable } from './style.js';
import { upscaleBench, upscaleTable } from './upscale.js';
import { PARTS, type Part, watermarkBench, watermarkTable } from './watermark.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '7' },
    minutes: { type: 'string', default: '6' },
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    only: { type: 'string' },
    records: { type: 'string', default: '300000' },
    crops: { type: 'string', default: '100000' },
    counts: { type: 'string' },
    parts: { type: 'string', default: PARTS.join() },
    pictures: { type: 'string', default: '64' },
    state: { type: 'string' },
  },
});
const { threads, batch, rounds, steps, minutes } = values;
const options = { threads: Number(threads), batch: Number(batch), rounds: Number(rounds), steps: Number(steps), minutes: Number(minutes) };
const prepared =
  <Row>(run: (given: typeof options) => Promise<Row[]>, table: (rows: Row[]) => string) =>
  async (): Promise<[unknown, string]> => {
    const rows = await run(options);
    return [rows, table(rows)];
  };
const partOf = (name: string): Part => {
  const part = PARTS.find((known) => known === name);
  if (!part) throw new Error(`a part of the watermark's bench is one of ${PARTS.join(', ')}, not '${name}'`);
  return part;
};
const BENCHES: Record<string, () => Promise<[unknown, string]>> = {
  alike: prepared(alike, alikeTable),
  architectures: prepared(architectures, architecturesTable),
  gan: prepared(gan, table),
  generation: prepared(generation, generationTable),
  profile: prepared(profile, profileTable),
  'learned-watermark': async () => {
    const rows = await learnedWatermark({ ...options, pictures: Number(values.pictures), state: values.state });
    return [rows, learnedTable(rows)];
  },
  ledger: async () => {
    const rows = await ledgerBench(Number(values.records));
    return [rows, ledgerTable(rows)];
  },
  lowerings: prepared(lowerings, loweringsTable),
  medical: prepared(medical, medicalTable),
  mutations: async () => {
    const rows = await mutations({ count: Number(values.count), seed: values.seed, only: values.only === undefined ? undefined : Number(values.only) });
    return [rows, mutationsTable(rows)];
  },
  style: prepared(styleBench, styleTable),
  upscale: prepared(upscaleBench, upscaleTable),
  watermark: async () => {
    const rows = await watermarkBench({ ...options, crops: Number(values.crops), counts: values.counts, parts: values.parts.split(',').map(partOf), pictures: Number(values.pictures) });
    return [rows, watermarkTable(rows)];
  },
};
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error(`name a benchmark: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
try {
  const [rows, text] = await bench();
  console.log(values.json ? JSON.stringify(rows) : `${text}\n\n${JSON.stringify(rows)}`);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(1);
}
