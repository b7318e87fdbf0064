// Every primitive against finite differences, first and second order, through ONNX Runtime's cpu.

import { describe, expect, it } from 'vitest';
import * as g from './index.js';
import { openSession } from './node.js';

/** Deterministic values away from the kinks at 0. */
const values = (size: number, salt: number) =>
  Float32Array.from({ length: size }, (_, i) => {
    const v = Math.sin((i + 1) * 12.9898 + salt * 78.233);
    return v + Math.sign(v) * 0.3;
  });

async function evaluate(outputs: Record<string, g.Tensor>, feeds: g.Feeds) {
  const session = await openSession(g.compile(outputs), { threads: 1 });
  return { run: (more: g.Feeds = {}) => session.run({ ...feeds, ...more }), close: () => session.close() };
}

type Case = [name: string, shapes: number[][], f: (...xs: g.Tensor[]) => g.Tensor];
const positive = (x: g.Tensor) => g.add(g.abs(x), 0.5);
const cases: Case[] = [
  ['add with broadcasting', [[2, 3], [3]], (a, b) => g.add(a, b)],
  [
    'sub',
    [
      [2, 3],
      [2, 1],
    ],
    (a, b) => g.sub(a, b),
  ],
  [
    'mul',
    [
      [2, 3],
      [1, 3],
    ],
    (a, b) => g.mul(a, b),
  ],
  ['div', [[2, 3], [3]], (a, b) => g.div(a, positive(b))],
  ['maximum and minimum', [[5], [5]], (a, b) => g.add(g.maximum(a, b), g.minimum(a, g.mul(b, 2)))],
  ['exp', [[4]], (x) => g.exp(x)],
  ['log', [[4]], (x) => g.log(positive(x))],
  ['sqrt', [[4]], (x) => g.sqrt(positive(x))],
  ['tanh', [[4]], (x) => g.tanh(x)],
  ['sigmoid', [[4]], (x) => g.sigmoid(x)],
  ['softplus', [[4]], (x) => g.softplus(x)],
  ['abs', [[4]], (x) => g.abs(x)],
  ['leakyRelu', [[6]], (x) => g.leakyRelu(x)],
  ['select', [[4], [4]], (a, b) => g.select(g.greater(a, 0), a, b)],
  ['sum over axes', [[2, 3, 2]], (x) => g.sum(x, [0, 2])],
  ['broadcast', [[3, 1]], (x) => g.broadcastTo(x, [2, 3, 2])],
  ['reshape and transpose', [[2, 6]], (x) => g.transpose(g.reshape(x, [3, 4]))],
  ['slice and pad', [[4, 4]], (x) => g.pad(g.slice(x, [1, 0], [2, 3]), [1, 0], [0, 2])],
  [
    'concat',
    [
      [2, 2],
      [1, 2],
    ],
    (a, b) => g.concat([a, b, a], 0),
  ],
  ['flip', [[3, 2]], (x) => g.flip(x, [0, 1])],
  [
    'matmul',
    [
      [2, 3, 2],
      [2, 4],
    ],
    (a, b) => g.matmul(a, b),
  ],
  ['enlarge', [[1, 2, 3, 2]], g.enlarge],
  ['resample', [[1, 2, 4, 4]], (x) => g.resample(x, g.bilinearUp(4), g.averageDown(4))],
  [
    'conv 3x3 as shifts',
    [
      [1, 2, 16, 16],
      [2, 2, 3, 3],
    ],
    (x, w) => g.conv(x, w, { padding: 1 }),
  ],
  [
    'conv 3x3 as gemm',
    [
      [2, 2, 4, 4],
      [3, 2, 3, 3],
    ],
    (x, w) => g.conv(x, w, { padding: 1 }),
  ],
  [
    'conv 1x1',
    [
      [2, 3, 3, 3],
      [2, 3, 1, 1],
    ],
    (x, w) => g.conv(x, w),
  ],
  [
    'conv 4x4 stride 2',
    [
      [2, 2, 6, 6],
      [3, 2, 4, 4],
    ],
    (x, w) => g.conv(x, w, { stride: 2, padding: 1 }),
  ],
  [
    'conv 3x3 stride 2 on odd sides',
    [
      [1, 2, 6, 6],
      [2, 2, 3, 3],
    ],
    (x, w) => g.conv(x, w, { stride: 2, padding: 1 }),
  ],
  [
    'conv in groups',
    [
      [2, 4, 4, 4],
      [4, 2, 3, 3],
    ],
    (x, w) => g.conv(x, w, { padding: 1, groups: 2 }),
  ],
  [
    'convTranspose',
    [
      [2, 3, 3, 3],
      [3, 2, 4, 4],
    ],
    (x, w) => g.convTranspose(x, w, { stride: 2, padding: 1 }),
  ],
];

describe('gradients against finite differences', () => {
  it.each(cases)('%s', async (_name, shapes, f) => {
    const xs = shapes.map((shape, i) => g.input(`x${i}`, shape));
    const feeds = Object.fromEntries(xs.map((x, i) => [`x${i}`, g.floats(values(x.size, i), x.shape)]));
    // A curved function of the result, so that the second order is not zero by construction.
    const y = f(...xs);
    const weighted = g.mul(y, g.constant(values(y.size, 9), y.shape));
    const loss = g.add(g.sum(weighted), g.mul(g.sum(g.square(y)), 0.25));
    const first = g.gradient(loss, xs);
    const norm = first.map((d) => g.sum(g.square(d))).reduce((a, b) => g.add(a, b));
    const second = g.gradient(norm, xs);

    const outputs: Record<string, g.Tensor> = { loss, norm };
    first.forEach((d, i) => {
      outputs[`first${i}`] = d;
    });
    second.forEach((d, i) => {
      outputs[`second${i}`] = d;
    });
    const session = await evaluate(outputs, feeds);
    const at = await session.run();
    for (const [of, prefix] of [
      ['loss', 'first'],
      ['norm', 'second'],
    ] as const) {
      for (const [i, x] of xs.entries()) {
        // Along one random direction: all entries at once.
        const direction = values(x.size, 5 + i);
        const step = 2e-3 / Math.sqrt(x.size);
        const moved = async (sign: number) => {
          const data = (feeds[`x${i}`]!.data as Float32Array).map((v, k) => v + sign * step * direction[k]!);
          return (await session.run({ [`x${i}`]: g.floats(data, x.shape) }))[of]!.data[0] as number;
        };
        const measured = ((await moved(1)) - (await moved(-1))) / (2 * step);
        const derivative = at[`${prefix}${i}`]!.data as Float32Array;
        const expected = derivative.reduce((s, d, k) => s + d * direction[k]!, 0);
        const scale = (Math.abs(at[of]!.data[0] as number) * 1e-7 * 20) / step;
        expect(Math.abs(measured - expected)).toBeLessThan(0.02 * Math.abs(expected) + scale + 1e-2);
      }
    }
    await session.close();
  });
});
