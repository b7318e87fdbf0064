// Large photographs through a verb of the command, in a process of its own: how long it takes, and how much memory.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Random } from '@zeuxis/nets';
import sharp from 'sharp';

const PHOTOGRAPH = fileURLToPath(new URL('../../../shared/data/photos/morskie-oko.jpg', import.meta.url));

/** A photograph of that size, with the grain that a camera leaves and an enlargement of a smaller one lacks. */
async function photograph(path: string, width: number, height: number): Promise<void> {
  const { data } = await sharp(PHOTOGRAPH).resize(width, height, { kernel: 'lanczos3' }).raw().toBuffer({ resolveWithObject: true });
  const random = new Random('grain');
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, Math.max(0, data[i]! + random.below(9) - 4));
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
}

/** Seconds from the first tile to the signed file, and the largest resident set of the process, in GB (1e9 bytes). */
export async function verbOn(verb: 'upscale' | 'style', options: object, width: number, height: number): Promise<{ seconds: number; peakGb: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-bench-'));
  try {
    const source = join(folder, 'large.png');
    await photograph(source, width, height);
    const given = { ...options, inputs: [source], out: join(folder, 'out'), identityFolder: join(folder, 'identity') };
    const script = `const { ${verb} } = await import(${JSON.stringify(import.meta.resolve('@zeuxis/verbs'))});
      const start = performance.now();
      const { failures } = await ${verb}(${JSON.stringify(given)});
      if (failures.length > 0) throw new Error(failures[0].message);
      console.log(JSON.stringify([(performance.now() - start) / 1000, process.resourceUsage().maxRSS * 1024 / 1e9]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const [seconds, peakGb] = JSON.parse(stdout) as [number, number];
    return { seconds, peakGb };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
