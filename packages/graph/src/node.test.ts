// Sessions on Node, seen from outside the process.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const dist = new URL('../dist/', import.meta.url).href;

it('tells nobody of a model, and leaves nothing in the home or the temporary folder', async () => {
  const home = await mkdtemp(join(tmpdir(), 'zeuxis-silent-'));
  const script = `
    import { add, compile, floats, input } from '${dist}index.js';
    import { openSession } from '${dist}node.js';
    const model = compile({ y: add(input('x', [1]), 1) }, { metadata: { 'zeuxis.card': 'whose pictures these were' } });
    const session = await openSession(model, { threads: 1 });
    console.log((await session.run({ x: floats([1], [1]) })).y.data[0]);
    await session.close();`;
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env: { ...env, HOME: home, TMPDIR: home } });
  expect(stdout).toBe('2\n');
  expect(await readdir(home, { recursive: true })).toEqual([]);
  await rm(home, { recursive: true });
});
