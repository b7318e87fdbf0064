// Graphs in blocked layout against the same graphs in plain ONNX: every primitive's case, and chains of convolutions whose
// channels fill their blocks or do not.

import { beforeAll, describe, expect, it } from 'vitest';
import { difference } from './agreement.js';
import { add, addBias, compile, conv, convTranspose, countOperators, enlarge, flip, inner, input, leakyRelu, mean, mul, relu, sliceAxis, type Tensor, type Value } from './index.js';
import { openSession, targetOf } from './node.js';
import { type Case, caseGraph, cases } from './reference-cases.js';

/** x, and what two convolutions make of it. */
function residual(x: Tensor, w: Tensor, b: Tensor): Tensor {
  const y = relu(x);
  return add(y, addBias(conv(relu(addBias(conv(y, w, { padding: 1 }), b)), w, { padding: 1 }), b));
}

const chain: Case[] = [
  ['24 to 40 channels, biased and activated', [[2, 24, 9, 7], [40, 24, 3, 3], [40], [20, 40, 3, 3]], (x, v, b, w) => conv(leakyRelu(addBias(conv(x!, v!, { padding: 1 }), b!)), w!, { padding: 1 })],
  ['a rectified one in two steps', [[2, 16, 8, 8], [32, 16, 4, 4], [16, 32, 3, 3]], (x, v, w) => conv(relu(conv(x!, v!, { stride: 2, padding: 1 })), w!)],
  ['halved, with channels that fill their blocks and that do not', [[2, 32, 8, 6], [48, 32, 4, 4], [48], [20, 48, 4, 4]], (x, v, b, w) => conv(leakyRelu(addBias(conv(x!, v!, { stride: 2, padding: 1 }), b!)), w!, { stride: 1, padding: 2 })],
  ['halved to 20 channels', [[2, 16, 10, 12], [20, 16, 4, 4]], (x, w) => conv(x!, w!, { stride: 2, padding: 1 })],
  ['doubled, with channels that fill their blocks', [[2, 32, 3, 5], [32, 48, 4, 4], [48]], (y, w, b) => leakyRelu(addBias(convTranspose(y!, w!, { stride: 2, padding: 1 }), b!))],
  ['doubled, with channels that do not', [[2, 20, 4, 3], [20, 24, 4, 4], [24], [24, 16, 4, 4]], (y, v, b, w) => convTranspose(addBias(convTranspose(y!, v!, { stride: 2, padding: 1 }), b!), w!, { stride: 2, padding: 1 })],
  ['in groups', [[2, 32, 6, 6], [64, 16, 3, 3]], (x, w) => conv(x!, w!, { padding: 1, groups: 2 })],
  ['read twice', [[1, 16, 6, 6], [16, 16, 3, 3]], (x, w) => add(leakyRelu(conv(x!, w!, { padding: 1 })), conv(conv(x!, w!, { padding: 1 }), w!, { padding: 1 }))],
  ['three channels, as they lie', [[2, 3, 9, 7], [16, 3, 5, 5], [16]], (x, w, b) => leakyRelu(addBias(conv(x!, w!, { padding: 2 }), b!))],
  ['five and twelve channels, as they lie', [[2, 5, 7, 6], [20, 5, 3, 3], [1, 12, 6, 6], [32, 12, 4, 4]], (x, w, y, v) => add(mean(conv(x!, w!)), mean(relu(conv(y!, v!, { stride: 2, padding: 1 }))))],
  ['a residual block, enlarged', [[1, 16, 6, 6], [16, 16, 3, 3], [16]], (x, w, b) => conv(enlarge(residual(conv(x!, w!, { padding: 1 }), w!, b!)), w!)],
  ['the sum of two that are not of one size', [[1, 16, 3, 3], [16, 16, 3, 3], [1, 16, 8, 8]], (x, w, y) => relu(add(conv(x!, w!), conv(y!, w!)))],
  ['enlarged from outside of blocks', [[2, 20, 5, 6], [16, 20, 3, 3]], (x, w) => conv(enlarge(mul(x!, 2)), w!)],
  ['written plainly', [[1, 16, 6, 6], [16, 16, 3, 3]], (x, w) => conv(relu(conv(x!, w!, { padding: 1, plain: true })), w!)],
  ['without its outermost pixels', [[1, 16, 9, 8], [16, 16, 3, 3]], (x, w) => conv(inner(relu(conv(x!, w!, { padding: 1 })), 2), w!)],
  ['with its channels turned about', [[1, 16, 6, 6], [32, 16, 3, 3], [16, 32, 3, 3]], (x, w, v) => conv(flip(conv(x!, w!), [1]), v!)],
  ['a residual block whose convolutions leave the edges out, with channels that do not fill their blocks', [[2, 20, 9, 10], [20, 20, 3, 3]], (x, w) => { const y = conv(x!, w!); return conv(relu(add(inner(y, 2), conv(conv(y, w!), w!))), w!); }],
];
const all = [...cases, ...chain];
const graphs = all.map((definition, i) => caseGraph(definition, `${i}.`));
const outputs = Object.assign({}, ...graphs.map((graph) => graph.outputs));
const feeds = Object.assign({}, ...graphs.map((graph) => graph.feeds));
const run = async (graph: { bytes: Uint8Array }): Promise<Record<string, Value>> => {
  const session = await openSession(graph, { threads: 1 });
  return session.run(feeds).finally(() => session.close());
};

describe('blocked layout', async () => {
  const target = await targetOf('cpu');
  // Not every CPU has such a layout.
  const skip = !target.channelBlock;
  const blocked = compile(outputs, target);
  let [expected, actual]: Record<string, Value>[] = [];
  beforeAll(async () => {
    if (!skip) [expected, actual] = [await run(compile(outputs)), await run(blocked)];
  });

  it.skipIf(skip)('is what the graph is written in', () => {
    expect(countOperators(blocked.bytes).ReorderInput).toBeGreaterThan(10);
  });
  it.skipIf(skip).each(all.map(([name], i) => [name, i] as const))('agrees in %s', (_name, i) => {
    for (const name of Object.keys(graphs[i]!.outputs))
      expect(difference(actual![name]!.data as Float32Array, expected![name]!.data as Float32Array), name).toBeLessThan(5e-5);
  });
  it.skipIf(skip)('is left once in a network, whose activations and sums are its convolutions\'', () => {
    const [x, w, b] = [input('x', [1, 16, 8, 8]), input('w', [16, 16, 3, 3]), input('b', [16])];
    const operators = countOperators(compile({ y: relu(conv(enlarge(residual(conv(x, w, { padding: 1 }), w, b)), w)) }, target).bytes);
    expect(operators).toMatchObject({ Conv: 4, ReorderInput: 1, ReorderOutput: 1, Upsample: 1 });
    for (const other of ['Relu', 'Add', 'Resize']) expect(operators[other], other).toBeUndefined();
  });
  it.skipIf(skip)('is not left for an inner part, and is for a part of the channels', () => {
    const [x, w] = [input('x', [1, 32, 8, 8]), input('w', [32, 32, 3, 3])];
    const through = (part: (y: Tensor) => Tensor, next: Tensor) => countOperators(compile({ y: conv(part(conv(x, w)), next) }, target).bytes);
    expect(through((y) => inner(y, 1), w)).toMatchObject({ Slice: 1, ReorderInput: 1, ReorderOutput: 1 });
    expect(through((y) => sliceAxis(y, 1, 0, 16), input('v', [32, 16, 3, 3]))).toMatchObject({ Slice: 1, ReorderInput: 2, ReorderOutput: 2 });
  });
  it.skipIf(skip)('is entered before an enlargement, and not at all where a convolution asks for none', () => {
    const [x, w] = [input('x', [1, 16, 8, 8]), input('w', [16, 16, 3, 3])];
    const operators = countOperators(compile({ y: conv(enlarge(mul(x, 2)), w) }, target).bytes);
    expect(operators).toMatchObject({ Conv: 1, ReorderInput: 1, ReorderOutput: 1, Upsample: 1 });
    expect(operators.Resize).toBeUndefined();
    const plain = countOperators(compile({ y: conv(x, w, { plain: true }) }, target).bytes);
    expect(plain).toMatchObject({ Conv: 1 });
    expect(plain.ReorderInput).toBeUndefined();
  });
  it('is used for plain graphs nowhere', () => {
    expect(countOperators(compile(outputs).bytes).ReorderInput).toBeUndefined();
  });
});
