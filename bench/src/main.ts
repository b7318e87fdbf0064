// npm run bench -- <name> [--json] [--threads 2] [--batch 32] [--rounds 3] [--steps 7]

import { parseArgs } from 'node:util';
import { gan, table } from './gan.js';
import { generation, generationTable } from './generation.js';
import { lowerings, loweringsTable } from './lowerings.js';
import { profile, profileTable } from './profile.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '7' },
  },
});
const { threads, batch, rounds, steps } = values;
const options = { threads: Number(threads), batch: Number(batch), rounds: Number(rounds), steps: Number(steps) };
const BENCHES: Record<string, () => Promise<[unknown, string]>> = {
  gan: async () => {
    const rows = await gan(options);
    return [rows, table(rows)];
  },
  generation: async () => {
    const rows = await generation(options);
    return [rows, generationTable(rows)];
  },
  lowerings: async () => {
    const rows = await lowerings(options);
    return [rows, loweringsTable(rows)];
  },
  profile: async () => {
    const rows = await profile(options);
    return [rows, profileTable(rows)];
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
