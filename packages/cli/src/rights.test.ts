// The rights record from the command: what it prints, and with what it ends.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { run } from './main.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-rights-'));
  await mkdir(join(home, 'pictures'));
  for (let i = 0; i < 3; i++) await sharp({ create: { width: 20 + i, height: 20, channels: 3, background: 'red' } }).png().toFile(join(home, 'pictures', `${i}.png`));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function zeuxis(...args: string[]) {
  const [out, err] = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
  try {
    const code = await run(args);
    return { code, out: out!.mock.calls.join(''), err: err!.mock.calls.join('') };
  } finally {
    out!.mockRestore();
    err!.mockRestore();
  }
}

it('is built, filled in, checked, and found out when a picture changes', async () => {
  const pictures = join(home, 'pictures');
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1, err: expect.stringMatching(/has no rights.csv/) });
  expect(await zeuxis('rights', pictures, '--quiet')).toMatchObject({ code: 0, out: expect.stringMatching(/no right {5}3 \(0.png, 1.png, 2.png\)/) });
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1 });
  await zeuxis('rights', pictures, '--creator', 'Ada', '--licence', 'CC BY 4.0', '--quiet');
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 0, out: expect.stringMatching(/no right {5}0\n/) });
  expect(await readFile(join(pictures, 'rights.csv'), 'utf8')).toMatch(/0\.png,[0-9a-f]{64},.*Ada.*CC-BY-4\.0/);
  await sharp({ create: { width: 30, height: 30, channels: 3, background: 'blue' } }).png().toFile(join(pictures, '1.png'));
  expect(await zeuxis('rights', pictures, '--check')).toMatchObject({ code: 1, out: expect.stringMatching(/changed {6}1 \(1.png\)/) });
  await writeFile(join(pictures, 'rights.csv'), 'no record at all');
  expect(await zeuxis('rights', pictures, '--quiet')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: .*rights.csv/) });
});
