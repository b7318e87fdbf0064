// Large photographs through a verb of the command, in a process of its own: how long it takes, and how much memory.

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Random } from '@zeuxis/nets';
import { createKeys } from '@zeuxis/verbs';
import sharp from 'sharp';

const PHOTOGRAPH = fileURLToPath(new URL('../../../shared/data/photos/morskie-oko.jpg', import.meta.url));

/** A photograph of that size, with the grain that a camera leaves and an enlargement of a smaller one lacks. */
async function photograph(path: string, width: number, height: number): Promise<void> {
  const { data } = await sharp(PHOTOGRAPH).resize(width, height, { kernel: 'lanczos3' }).raw().toBuffer({ resolveWithObject: true });
  const random = new Random('grain');
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, Math.max(0, data[i]! + random.below(9) - 4));
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
}

export interface VerbTime {
  /** From the call to the last tile. */
  tiled: number;
  /** From the call to the last signed file. */
  seconds: number;
  /** The largest resident set of the process, in GB (1e9 bytes). */
  peakGb: number;
}

/** Lets glibc ask for large pages, of which a process has a hundredth as many brought to it: a page is dear in a virtual machine. */
export const LARGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/** A verb on so many copies of a photograph, for somebody who has a signing key. */
export async function verbOn(verb: 'upscale' | 'style', options: object, width: number, height: number, copies = 1, environment: NodeJS.ProcessEnv = {}): Promise<VerbTime> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-bench-'));
  try {
    const inputs = Array.from({ length: copies }, (_, i) => join(folder, `large-${i}.png`));
    await photograph(inputs[0]!, width, height);
    for (const path of inputs.slice(1)) await copyFile(inputs[0]!, path);
    const identityFolder = join(folder, 'identity');
    await createKeys(identityFolder);
    const given = { ...options, inputs, out: join(folder, 'out'), identityFolder };
    const script = `const { ${verb} } = await import(${JSON.stringify(import.meta.resolve('@zeuxis/verbs'))});
      const start = performance.now();
      let tiled = 0;
      const onProgress = ({ unit }) => { if (unit === 'tiles') tiled = performance.now() - start; };
      const { failures } = await ${verb}({ ...${JSON.stringify(given)}, onProgress });
      if (failures.length > 0) throw new Error(failures[0].message);
      console.log(JSON.stringify([tiled / 1000, (performance.now() - start) / 1000, process.resourceUsage().maxRSS * 1024 / 1e9]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env: { ...process.env, ...environment } });
    const [tiled, seconds, peakGb] = JSON.parse(stdout) as [number, number, number];
    return { tiled, seconds, peakGb };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
