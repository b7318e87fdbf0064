// A disk that is full, in earnest: a small tmpfs in a mount namespace of the test's own. Where the kernel does not allow
// one, the test says so by being skipped.

import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../bin/zeuxis.js', import.meta.url));
const UNSHARE = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
let home: string;

const possible = (() => {
  try {
    execFileSync('unshare', [...UNSHARE, 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Runs the command with a disk of `size` mounted on `disk`, then lists what it left there. */
const onDisk = (size: string, ...args: string[]): Promise<{ code: number; err: string; left: string[] }> =>
  new Promise((resolve) => {
    const script = `mount -t tmpfs -o size=${size} tmpfs disk && "$@"; code=$?; find disk -type f; exit $code`;
    const env = { ...process.env, ZEUXIS_HOME: join(home, 'config'), ZEUXIS_CACHE: join(home, 'cache') };
    execFile('unshare', [...UNSHARE, 'sh', '-c', script, 'sh', process.execPath, bin, ...args], { cwd: home, env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, err, left: out.split('\n').filter((line) => line.startsWith('disk')) }),
    );
  });
const train = (out: string, images: number) =>
  ['train', 'gan', 'pictures', '--out', out, '--size', '32', '--images', String(images), '--threads', '1', '--quiet', '--rights', 'drawn here, the test'];

beforeAll(async () => {
  if (!possible) return;
  home = await mkdtemp(join(tmpdir(), 'zeuxis-full-'));
  await Promise.all(['pictures', 'disk'].map((folder) => mkdir(join(home, folder))));
  for (let i = 0; i < 32; i++)
    await sharp({ create: { width: 32, height: 32, channels: 3, background: { r: i * 8, g: 90, b: 40 } } }).png().toFile(join(home, 'pictures', `${i}.png`));
  await new Promise((resolve) => execFile(process.execPath, [bin, ...train('run', 16)], { cwd: home, env: { ...process.env, ZEUXIS_CACHE: join(home, 'cache') } }, resolve));
});
afterAll(() => possible && rm(home, { recursive: true, force: true }));

describe.skipIf(!possible)('on a disk that fills up', () => {
  const line = /^error: the disk of '\S+' is full: '\S+' was not written; free some space and try again\n$/;

  it('generate says so in one line and leaves whole files alone', async () => {
    const { code, err, left } = await onDisk('64k', 'generate', 'run', '--count', '32', '--out', 'disk/made', '--quiet');
    expect(code).toBe(1);
    expect(err.replace(/^made a signing key.*\n/m, '')).toMatch(line);
    expect(left.every((file) => file.endsWith('.png'))).toBe(true);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(32);
  });

  it('train says so in one line and leaves nothing half-written', async () => {
    const { code, err, left } = await onDisk('256k', ...train('disk/run', 32));
    expect(code).toBe(1);
    expect(err).toMatch(line);
    expect(left.filter((file) => /\.part$|\.onnx$/.test(file))).toEqual([]);
  });
});
