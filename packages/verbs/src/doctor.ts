// What this machine offers, and what is missing.

import { execFile } from 'node:child_process';
import { mkdir, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { devices } from '@zeuxis/graph/node';
import { configFolder, openIdentity, reportKeys } from '@zeuxis/provenance';
import { shippedNames } from './models.js';
import { cacheFolder } from './places.js';

export interface Finding {
  name: string;
  state: 'good' | 'note' | 'missing';
  detail: string;
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Looks the machine over; nothing is changed but for the cache folder, which is made. */
export async function doctor(): Promise<Finding[]> {
  const findings: Finding[] = [];
  const say = (name: string, state: Finding['state'], detail: string) => findings.push({ name, state, detail });
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  say('Node', major > 20 || (major === 20 && minor >= 19) ? 'good' : 'missing', `${process.versions.node}; 20.19 or later is needed`);
  say('processor', 'good', `${availableParallelism()} threads, ${cpus()[0]?.model.trim() ?? 'unknown'}`);
  say('memory', totalmem() > 3 * 2 ** 30 ? 'good' : 'note', `${gigabytes(totalmem())}, ${gigabytes(freemem())} free`);
  const pages = await largePages();
  if (pages) say('large pages', ...pages);
  for (const device of await devices()) say(`device ${device}`, ...(await tryDevice(device)));
  const models = await shippedNames();
  say('models', models.length > 0 ? 'good' : 'missing', models.length > 0 ? `${models.join(', ')} (shipped)` : 'none shipped');
  const folder = configFolder();
  // Opened as a picture's signing would, but where that would make a key.
  const signing = async (): Promise<[Finding['state'], string]> => {
    const { kind, key } = await reportKeys(folder);
    if (kind === 'none') return ['note', `the first picture makes a key and a certificate in ${folder}`];
    await openIdentity(folder);
    return ['good', `${kind === 'local' ? "this machine's own key" : 'a certificate that was brought along, its key'} in ${key}`];
  };
  say('signing', ...(await signing().catch((error: Error): [Finding['state'], string] => ['missing', error.message])));
  const cache = cacheFolder();
  try {
    await mkdir(cache, { recursive: true });
    const { bavail, bsize } = await statfs(cache);
    say('cache', bavail * bsize > 2 ** 30 ? 'good' : 'note', `${cache}, ${gigabytes(bavail * bsize)} free`);
  } catch (error) {
    say('cache', 'missing', `${cache} cannot be made (${(error as NodeJS.ErrnoException).code}); set ZEUXIS_CACHE to a folder of yours`);
  }
  return findings;
}

/**
 * On Linux memory may come in pages of 2 MiB. Where programs have to ask for them, glibc does so when it is told to before they start
 * (sourceware.org/glibc/manual, "Memory Allocation Tunables"); undefined where that is not how it is.
 */
async function largePages(): Promise<[Finding['state'], string] | undefined> {
  const modes = await readFile('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8').catch(() => '');
  if (modes.includes('[always]')) return ['good', 'given to every program'];
  if (!modes.includes('[madvise]')) return undefined;
  if (process.env.GLIBC_TUNABLES?.includes('glibc.malloc.hugetlb=1')) return ['good', 'asked for by GLIBC_TUNABLES'];
  return ['note', 'given to programs that ask: with GLIBC_TUNABLES=glibc.malloc.hugetlb=1 in the environment pictures are made sooner, in some virtual machines by an eighth'];
}

/**
 * Whether a provider that is listed can in fact compute. Tried in a process of its own: drivers print to the terminal,
 * and a bad one can take its process down.
 */
function tryDevice(device: string): Promise<[Finding['state'], string]> {
  const script = `
    const { openSession } = await import(${JSON.stringify(import.meta.resolve('@zeuxis/graph/node'))});
    const { compile, floats, input, mul } = await import(${JSON.stringify(import.meta.resolve('@zeuxis/graph'))});
    const x = input('x', [4]);
    const session = await openSession(compile({ y: mul(x, x) }), { device: ${JSON.stringify(device)} });
    const { y } = await session.run({ x: floats([1, 2, 3, 4], [4]) });
    console.log('answer', y.data[3]);
    process.exit(0);`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 }, (error, out) => {
      if (out.includes('answer 16')) resolve(['good', 'computes']);
      else if (out.includes('answer')) resolve(['missing', 'computes wrong numbers; do not use it']);
      else resolve(['note', `offered, but does not start${error?.killed ? ' within 20 s' : ': its driver or libraries are missing'}`]);
    });
  });
}
