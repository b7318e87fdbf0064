// The README's example is run as it stands.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it('runs, and leaves what it says', async () => {
  const example = /```js\n(.*?)```/s.exec(await readFile(join(root, 'README.md'), 'utf8'))![1]!;
  const home = await mkdtemp(join(tmpdir(), 'zeuxis-readme-'));
  try {
    await mkdir(join(home, 'pictures'));
    for (let i = 0; i < 40; i++)
      await sharp({ create: { width: 40, height: 40, channels: 3, background: `hsl(${i * 9}, 70%, 50%)` } }).png().toFile(join(home, 'pictures', `${i}.png`));
    await writeFile(join(home, 'example.mjs'), example.replace('images: 2000', 'images: 320'));
    await mkdir(join(home, 'node_modules'));
    await symlink(join(root, 'packages/cli'), join(home, 'node_modules/zeuxis'));
    const env = { ...process.env, ZEUXIS_HOME: join(home, 'config'), ZEUXIS_CACHE: join(home, 'cache') };
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: home, env });
    expect(stdout).toMatch(/320 pictures shown to run\/model\.onnx/);
    expect(stdout).toMatch(/signed made by a model/);
    expect(await readdir(join(home, 'made'))).toHaveLength(4);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
