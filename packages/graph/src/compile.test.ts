// What compiling makes of a graph, read back from the file and run.

import { describe, expect, it } from 'vitest';
import { compile, compileEither } from './compile.js';
import { add, mul, square } from './elementwise.js';
import { gradient } from './gradient.js';
import { matmul } from './linear.js';
import { openSession } from './node.js';
import { countOperators, readConstants, readOnnx, replaceMetadata } from './onnx.js';
import { sum } from './reduce.js';
import { floats, type Session } from './session.js';
import { concat } from './structure.js';
import { constant, input } from './tensor.js';

const x = input('x', [2, 3]);
const feeds = { x: floats([1, 2, 3, 4, 5, 6], [2, 3]) };
const run = async (model: Parameters<typeof openSession>[0]) => {
  const session: Session = await openSession(model, { threads: 1 });
  const out = await session.run(feeds);
  await session.close();
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
};

describe('compile', () => {
  it('writes equal expressions once, also where they were written apart, and dead ones never', async () => {
    const dead = matmul(x, input('unused', [3, 3]));
    const twice = add(square(add(x, 1)), square(add(x, 1)));
    expect(dead.shape).toEqual([2, 3]);
    const compiled = compile({ y: twice });
    expect(countOperators(compiled.bytes)).toMatchObject({ Add: 2, Mul: 1 });
    expect(readOnnx(compiled.bytes)).toMatchObject({ inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }] });
    expect((await run(compiled)).y).toEqual([8, 18, 32, 50, 72, 98]);
  });

  it('does not take constants of the same size for one', async () => {
    const two = compile({ y: add(mul(x, constant([1, 2, 3])), mul(x, constant([1, 2, 4]))) });
    expect((await run(two)).y).toEqual([2, 8, 21, 8, 20, 42]);
    // The hash of these two is the same.
    const [a, b] = [[-6.25, 0], [-5.93, -1.65]].map((values) => constant(values, [2, 1]));
    const alike = await run(compile({ p: sum(add(mul(x, 0), a!), [1]), q: sum(add(mul(x, 0), b!), [1]) }));
    expect(alike.p![0]).toBeCloseTo(-18.75, 5);
    expect(alike.q).toEqual([expect.closeTo(-17.79, 5), expect.closeTo(-4.95, 5)]);
  });

  it('keeps the names of constants, of two that are called alike the first one\'s', async () => {
    const compiled = compile({ y: add(mul(x, constant([1, 2, 3], [3], 'kernel')), mul(x, constant([1, 2, 4], [3], 'kernel'))) });
    expect((await run(compiled)).y).toEqual([2, 8, 21, 8, 20, 42]);
    const constants = readConstants(compiled.bytes);
    expect([...constants.get('kernel')!]).toEqual([1, 2, 3]);
    expect([...constants.values()].map((values) => [...values])).toContainEqual([1, 2, 4]);
    expect(() => readConstants(Uint8Array.of(1, 2, 3))).toThrow('this is no ONNX file');
    expect(() => compile({ kernel: mul(x, constant([1, 2, 3], [3], 'kernel')) })).toThrow(/'kernel' is a constant's label/);
  });

  it('names outputs that are an input, a twin of another, or read by other nodes', async () => {
    const y = add(x, 1);
    const compiled = compile({ same: x, y, twin: add(x, 1), z: mul(y, 2) });
    expect(await run(compiled)).toEqual({ same: [1, 2, 3, 4, 5, 6], y: [2, 3, 4, 5, 6, 7], twin: [2, 3, 4, 5, 6, 7], z: [4, 6, 8, 10, 12, 14] });
    // Only the input and the twin are copied.
    expect(countOperators(compiled.bytes).Identity).toBe(2);
  });

  it('joins in groups where a device takes few inputs', async () => {
    const many = concat(Array.from({ length: 9 }, (_, i) => mul(x, i + 2)), 0);
    const compiled = compile({ y: sum(many) }, { maximumInputs: 4 });
    // Two groups of four and one left over, then the three.
    expect(countOperators(compiled.bytes).Concat).toBe(3);
    expect((await run(compiled)).y).toEqual([21 * 54]);
  });

  it('says which shapes do not fit, and which input has two', () => {
    expect(() => matmul(x, x)).toThrow('[2,3] by [2,3]');
    expect(() => add(x, input('z', [4]))).toThrow(/2,3.*4/);
    expect(() => compile({ y: add(sum(x), sum(input('x', [5]))) })).toThrow("two inputs are named 'x'");
    expect(() => compile({ y: add(x, input('_c0', [3])) })).toThrow("'_c0' begins with '_'");
  });

  it('differentiates as often as asked', async () => {
    let y = sum(mul(mul(square(x), x), x));
    for (let order = 0; order < 3; order++) y = sum(gradient(y, [x])[0]!);
    // The third derivative of x^4 is 24 x.
    expect((await run(compile({ y }))).y).toEqual([24 * 21]);
  });
});

describe('either of two graphs', () => {
  const [p, q] = [input('p', [1, 2, 1, 1]), input('q', [1, 1, 2, 1])];
  const weights = constant([3, 5], [1, 2, 1, 1], 'weights');
  const compiled = compileEither('first', 'made', [add(mul(p, weights), 1), mul(q, weights)]);

  it('is what a run is asked for', async () => {
    const session = await openSession(compiled, { threads: 1 });
    const made = async (first: number) => (await session.run({ p: floats([1, 2], [1, 2, 1, 1]), q: floats([10, 20], [1, 1, 2, 1]), first: floats([first], [1]) })).made!;
    expect(await made(1)).toMatchObject({ shape: [1, 2, 1, 1], data: Float32Array.of(4, 11) });
    expect(await made(0)).toMatchObject({ shape: [1, 2, 2, 1], data: Float32Array.of(30, 60, 50, 100) });
    expect(await made(1)).toMatchObject({ data: Float32Array.of(4, 11) });
    await session.close();
  });

  it('says which names mean two things', () => {
    const other = (name: string, shape: number[]) => () => compileEither('first', 'made', [add(p, 1), add(input(name, shape), 1)]);
    expect(other('p', [1, 1, 2, 2])).toThrow("two inputs are named 'p'");
    expect(other('first', [1, 2, 1, 1])).toThrow("two inputs are named 'first'");
    expect(() => compileEither('first', 'made', [add(input('weights', [1, 2, 1, 1]), 1), mul(q, weights)])).toThrow("'weights' is a constant's label");
  });

  it('has the constants of both once, and the inputs of both', () => {
    expect([...readConstants(compiled.bytes).values()].filter((values) => String(values) === '3,5')).toHaveLength(1);
    expect(readOnnx(compiled.bytes).inputs.map(({ name }) => name)).toEqual(['p', 'q', 'first']);
  });
});

describe('the ONNX file', () => {
  const { bytes } = compile({ y: add(x, 1) }, { metadata: { kept: 'this', card: 'old' } });

  it('carries metadata, which can be replaced without touching the rest', async () => {
    const other = replaceMetadata(bytes, { card: 'new, ünïcode' });
    expect(readOnnx(other).metadata).toEqual({ kept: 'this', card: 'new, ünïcode' });
    expect(await run(other)).toEqual({ y: [2, 3, 4, 5, 6, 7] });
    expect(replaceMetadata(other, { card: 'old' })).toEqual(bytes);
  });

  it('leaves the batch open where it is asked to', () => {
    expect(readOnnx(compile({ y: add(x, 1) }, { openBatch: true }).bytes)).toMatchObject({ inputs: [{ shape: ['n', 3] }], outputs: [{ shape: ['n', 3] }] });
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('this is a letter, not a model')],
    ['half of one', bytes.subarray(0, bytes.length / 2)],
  ])('is not %s', (_, other) => {
    expect(() => readOnnx(other)).toThrow('no ONNX file');
  });
});
