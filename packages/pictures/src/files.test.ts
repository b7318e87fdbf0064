// Reading and writing whole files: names as long as they may be, what lies in the way, and faults in words.

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWhole, UserError, writeFault, writeWhole } from './index.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-files-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('readWhole', () => {
  it('reads what `readFile` does, long, empty and from a pipe', async () => {
    const long = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251));
    for (const [name, bytes] of [['long', long], ['empty', Buffer.alloc(0)]] as const) {
      await writeFile(join(home, name), bytes);
      expect((await readWhole(join(home, name))).equals(bytes), name).toBe(true);
    }
    await expect(readWhole(join(home, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readWhole(home)).rejects.toMatchObject({ code: 'EISDIR' });
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [join(home, 'pipe')]);
    const [read] = await Promise.all([readWhole(join(home, 'pipe')), writeFile(join(home, 'pipe'), long)]);
    expect(read.equals(long)).toBe(true);
  });
});

describe('writeWhole', () => {
  it('writes names of up to 255 bytes, and twice at once', async () => {
    for (const length of [253, 255]) {
      const path = join(home, 'n'.repeat(length));
      await Promise.all(['one', 'two'].map((text) => writeWhole(path, text)));
      expect(await readFile(path, 'utf8')).toMatch(/^(one|two)$/);
    }
    expect(await readdir(home)).toHaveLength(2);
  });

  it('brings a file into place when what was to be done before it is done, and never if that fails', async () => {
    const path = join(home, 'a');
    let done = () => {};
    const writing = writeWhole(path, 'x', undefined, new Promise<void>((resolve) => { done = resolve; }));
    while ((await readdir(home)).length === 0) await new Promise(setImmediate);
    expect(await readdir(home)).not.toContain('a');
    done();
    await writing;
    expect(await readdir(home)).toEqual(['a']);
    await expect(writeWhole(path, 'y', undefined, Promise.reject(new UserError('not so')))).rejects.toThrow(/^not so$/);
    expect(await readFile(path, 'utf8')).toBe('x');
    expect(await readdir(home)).toEqual(['a']);
  });

  it.each([
    ['a longer name', (folder: string) => join(folder, 'n'.repeat(256)), /its name is too long; choose a shorter one$/],
    ['a folder', (folder: string) => folder, /is a folder where a file is to be written/],
    ['a folder that is missing', (folder: string) => join(folder, 'no', 'a'), /there is no folder '.*no'$/],
  ])('refuses %s in one line and leaves nothing', async (_, pathIn, message) => {
    const folder = join(home, 'in');
    await mkdir(folder);
    const error = await writeWhole(pathIn(folder), 'x').catch((fault) => fault);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(message);
    expect(await readdir(folder)).toEqual([]);
    expect(await readdir(home)).toEqual([basename(folder)]);
  });
});

describe('writeFault', () => {
  const fault = (path: string) => writeFault(Object.assign(new Error(), { code: 'ENOENT', syscall: 'mkdir', path }), join(home, 'a', 'b')) as UserError;
  it('does not call a folder missing that is there, as mkdir does on a read-only file system', () => {
    expect(fault(join(home, 'a')).message).toBe(`the folder '${join(home, 'a')}' cannot be made: '${home}' may not be written; choose another folder`);
    expect(fault(join(home, 'a', 'b')).message).toMatch(/there is no folder/);
  });
});
