// Sessions in threads of their own against sessions in this one.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { add, bytes, cast, compile, floats, input, mul } from './index.js';
import { openApart, opener, openSession } from './node.js';

const graph = compile({ y: mul(add(input('x', [2, 3]), cast(input('k', [2, 3], 'uint8'), 'float32')), 0.1), z: mul(input('x', [2, 3]), 3) });
const feeds = { x: floats([1, -2, 3, 0.25, 5, 6], [2, 3]), k: bytes(Uint8Array.of(0, 255, 7, 9, 1, 2), [2, 3]) };
const node = (code: string) => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: import.meta.dirname });

describe('a session in a thread of its own', () => {
  it('gives what one here gives, run after run, into arrays or new ones', async () => {
    const [here, apart] = await Promise.all([openSession(graph), openApart(graph, { threads: 1 })]);
    const into = { y: floats(new Float32Array(6), [2, 3]) };
    for (const x of [feeds.x, floats([9, 8, 7, 6, 5, 4], [2, 3])]) {
      const [expected, actual] = [await here.run({ ...feeds, x }), await apart.run({ ...feeds, x }, into)];
      expect(actual.y).toBe(into.y);
      expect(actual).toEqual(expected);
    }
    await Promise.all([here.close(), apart.close()]);
  });

  it('runs beside others', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => opener(3, { threads: 3 })(graph, true)));
    const results = await Promise.all(sessions.map((session, i) => session.run({ ...feeds, x: floats(Array(6).fill(i), [2, 3]) })));
    expect(results.map(({ z }) => z!.data[0])).toEqual([0, 3, 6]);
    await Promise.all(sessions.map((session) => session.close()));
  });

  it('says what is wrong, and goes on', async () => {
    await expect(openApart(graph, { device: 'abacus' })).rejects.toMatchObject({ name: 'DeviceError', message: expect.stringContaining('abacus') });
    const session = await openApart(graph);
    await expect(session.run({ x: feeds.x })).rejects.toThrow("the input 'k' was not given");
    expect((await session.run(feeds)).z!.data[0]).toBe(3);
    await session.close();
    await expect(session.run(feeds)).rejects.toThrow('has ended');
  });

  it('holds no process back that forgets to close it, and none up that waits for it', async () => {
    const module = new URL('../dist/', import.meta.url).href;
    const { stdout } = await node(`
      const { compile, floats, input, mul } = await import('${module}index.js');
      const { openApart } = await import('${module}node.js');
      const session = await openApart(compile({ y: mul(input('x', [1]), 2) }));
      console.log((await session.run({ x: floats([21], [1]) })).y.data[0]);
    `);
    expect(stdout.trim()).toBe('42');
  });
});
