// The cache of packed pictures when the disk, its rights or a killed process get in the way.

import { spawnSync } from 'node:child_process';
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDataset, removeStale, UserError } from './index.js';

/** The call that fails, and how; 'lost' says done and does nothing. */
const fault = vi.hoisted(() => ({ call: '', code: '' }));
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<Record<string, (...args: unknown[]) => unknown>>();
  const failing = (call: string) => async (...args: unknown[]) => {
    if (fault.call !== call) return actual[call]!(...args);
    if (fault.code !== 'lost') throw Object.assign(new Error(fault.code), { code: fault.code });
  };
  return { ...actual, ...Object.fromEntries(['mkdir', 'open', 'statfs', 'rename'].map((call) => [call, failing(call)])) };
});

const EACH = 3 * 32 * 32;
let [home, pictures, cache] = ['', '', ''];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-cache-'));
  [pictures, cache] = [join(home, 'pictures'), join(home, 'cache')];
  await mkdir(pictures);
  // The first is slow to decode, so that workers finish out of order.
  for (let i = 0; i < 34; i++) {
    const side = i === 0 ? 2000 : 40;
    await sharp({ create: { width: side, height: side, channels: 3, background: { r: 7 * i, g: 0, b: 0 } } })
      .png()
      .toFile(join(pictures, `${String(i).padStart(2, '0')}.png`));
  }
});
afterEach(async () => {
  fault.call = '';
  vi.restoreAllMocks();
  await rm(home, { recursive: true, force: true });
});

const opened = (folder = cache) => openDataset(pictures, { size: 32, cache: folder });
/** Opens, and checks that each picture is its own. */
async function sound(): Promise<void> {
  const data = await opened();
  const all = data.read(Array.from({ length: data.count }, (_, i) => i));
  expect(Array.from({ length: data.count }, (_, i) => all[i * EACH])).toEqual(Array.from({ length: 34 }, (_, i) => 7 * i));
  data.close();
}

/** What all file handles write through, to be spied on. */
async function handles(): Promise<FileHandle> {
  const file = await open(join(home, 'probe'), 'w');
  await file.close();
  return Object.getPrototypeOf(file);
}

describe('the cache', () => {
  it('takes the room of one copy, whichever picture is done first', async () => {
    const write = vi.spyOn(await handles(), 'write');
    await sound();
    expect(write.mock.calls.map(([, , length]) => Number(length)).reduce((a, b) => a + b)).toBe(34 * EACH);
  });

  it('goes on after a write that took only some of its bytes', async () => {
    const prototype = await handles();
    const whole = prototype.write as (...args: unknown[]) => unknown;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: FileHandle, ...[bytes, from, length, position]: unknown[]) {
      return whole.call(this, bytes, from, Math.min(Number(length), 1000), position) as never;
    });
    await sound();
  });

  it('says that the disk is full when nothing more is taken', async () => {
    vi.spyOn(await handles(), 'write').mockResolvedValue({ bytesWritten: 0, buffer: '' });
    await expect(opened()).rejects.toThrow(/the disk of '.*cache' is full/);
    expect(await readdir(cache)).toEqual([]);
  });

  it.each([
    ['mkdir', 'EACCES'],
    ['mkdir', 'EROFS'],
    ['statfs', 'EACCES'],
    ['open', 'ENOSPC'],
    ['open', 'EROFS'],
    ['rename', 'EACCES'],
    ['rename', 'lost'],
  ])('says what is wrong when %s fails with %s', async (call, code) => {
    Object.assign(fault, { call, code });
    await expect(opened()).rejects.toBeInstanceOf(UserError);
  });

  it('says so where a file lies in the place of its folder or above it', async () => {
    await writeFile(cache, '');
    await expect(opened()).rejects.toThrow(/'.*cache' is a file where a folder is needed/);
    await expect(opened(join(cache, 'deeper'))).rejects.toBeInstanceOf(UserError);
  });

  it.each([
    ['json', 'null'],
    ['json', '{"labels":[],"labelOf":[0,0],"skipped":[],"reserved":[]}'],
    ['json', `{"slotOf":[${Array(34).fill(99)}],"skipped":[],"reserved":[]}`],
    ['json', ''],
    ['pixels', ''],
  ])('is made again where its .%s holds %j', async (ending, text) => {
    (await opened()).close();
    const name = (await readdir(cache)).find((file) => file.endsWith(ending))!;
    await writeFile(join(cache, name), text);
    await sound();
  });

  it('says so when it is cut short while in use', async () => {
    const data = await opened();
    await truncate(join(cache, (await readdir(cache)).find((file) => file.endsWith('pixels'))!), 5 * EACH);
    expect(() => data.read([33])).toThrow(UserError);
    expect(() => data.read([34])).toThrow('no picture 34');
    data.close();
  });

  it('is rid of what killed processes left, and of nothing else', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const kept = ['a.part', 'a.b.part', `a.${pid}.part01.rar`, `b.${process.pid}.part`];
    await mkdir(join(cache, `folder.${pid}.part`), { recursive: true });
    for (const name of [...kept, `a.${pid}.part`, `a.pixels.${pid}.part.sorted`]) await writeFile(join(cache, name), 'x');
    await opened().then((data) => data.close());
    const left = (await readdir(cache)).filter((name) => !/^\w{24}\.(json|pixels)$/.test(name));
    expect(left.sort()).toEqual([...kept, `folder.${pid}.part`].sort());
    // Where all is packed already, too.
    await writeFile(join(cache, `c.${pid}.part`), 'x');
    await opened().then((data) => data.close());
    expect(await readdir(cache)).not.toContain(`c.${pid}.part`);
    await removeStale(join(home, 'nowhere'));
  });
});
