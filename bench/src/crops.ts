// How often a watermark is seen where there is none: crops of 256 px of photographs that bear no mark, each drawn by its number, in threads. What was
// counted is written into a file from time to time, so that a run that was cut short goes on there.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { BLOCK, type BlockAnswer } from './crops-worker.js';

export interface Crops {
  /** Crops in which a watermark was looked for. */
  tried: number;
  /** Those in which one was found, each as photograph and number. */
  alarms: string[];
}

export interface CropsOptions {
  /** Of how many crops, rounded up to whole blocks of one photograph. */
  crops: number;
  photographs: readonly string[];
  threads: number;
  /** Where the counts are kept. */
  counts?: string | undefined;
}

export async function unmarkedCrops({ crops, photographs, threads, counts }: CropsOptions): Promise<Crops> {
  const seen: Crops = counts === undefined ? { tried: 0, alarms: [] } : await readCounts(counts);
  const blocks = Math.ceil(crops / BLOCK);
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./crops-worker.js', import.meta.url), { workerData: photographs }));
  try {
    // All threads a block each, then the next: so what is counted is always all up to a number.
    for (let block = Math.floor(seen.tried / BLOCK); block < blocks; block += threads) {
      const answers = await Promise.all(workers.slice(0, blocks - block).map((worker, i) => asked(worker, block + i)));
      seen.tried += BLOCK * answers.length;
      seen.alarms.push(...answers.flatMap(({ alarms }) => alarms));
      if (counts !== undefined) {
        await writeFile(`${counts}.part`, `${JSON.stringify(seen)}\n`);
        await rename(`${counts}.part`, counts);
      }
      process.stderr.write(`\r${seen.tried} of ${blocks * BLOCK} crops, ${seen.alarms.length} false alarms `);
    }
  } finally {
    process.stderr.write('\n');
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return seen;
}

function asked(worker: Worker, block: number): Promise<BlockAnswer> {
  return new Promise((resolve, reject) => {
    worker.once('message', (answer) => {
      worker.removeListener('error', reject);
      resolve(answer as BlockAnswer);
    });
    worker.once('error', reject);
    worker.postMessage(block);
  });
}

async function readCounts(path: string): Promise<Crops> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? { tried: 0, alarms: [] } : (JSON.parse(text) as Crops);
}
