// The painter and its losses against PyTorch (scripts/reference/style.py): what it paints, the losses and all their gradients; and the
// model file against the network that is trained.

import { readFileSync } from 'node:fs';
import { compile, type Feeds, floats, input, sizeOf, type Target, type Value } from '@zeuxis/graph';
import { describe, expect, it } from 'vitest';
import { openSession, targetOf } from '../../../graph/src/node.js';
import { errorAgainst, fill, type Summary } from '../../../graph/src/reference-cases.js';
import { Random } from '../random.js';
import { type Bank, banksOf, distributionLoss } from './distribution.js';
import { smearedAlong, strokesAlong, whiteRows } from './flow.js';
import { contentLoss, contrastOf, patchShares, totalVariation, unrest } from './loss.js';
import { styleModel, styleWeights, TypicalMoments } from './model.js';
import { knownSides } from './moments.js';
import { coverOf, defineStyle, NOISE } from './network.js';
import { tiledStyle } from './tiled.js';

const LOSSES = ['content', 'variation', 'distribution', 'unrest'] as const;
type Loss = (typeof LOSSES)[number];
interface Whole extends Record<Loss, number> {
  smeared: Summary;
  made: Summary;
  gradients: Record<Loss, Record<string, Summary>>;
}
const { painter: expected } = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8')) as { painter: Whole };
const [BATCH, SIDE] = [2, 64];
const data = (value: Value | undefined) => value!.data as Float32Array;
/** Float32's rounding through sixteen normalised convolutions; measured at most 2e-5. PyTorch computed in float64. */
const TOLERANCE = 2e-4;

const painter = defineStyle();
const weights = Float32Array.from(painter.table.flatMap(({ name, shape, deviation, mean }) => [...fill(name, sizeOf(shape)).map((v) => v * (deviation || 0.1) + mean)]));
const photographs = Float32Array.from(fill('photographs', BATCH * 3 * SIDE ** 2), (v) => Math.floor((v / Math.sqrt(3) + 1) * 128) / 255);
const strengths = floats([0.25, 1], [BATCH, 1, 1, 1]);
/** At a sixteenth, every pixel: 4 a side, whose patches of 2 are 3 by 3. */
const bank: Bank = {
  reduction: 16,
  stride: 1,
  kernel: 2,
  filters: fill('filters', 4 * 3 * 4).map((v) => v / 3),
  quantiles: Float32Array.from([0, 1, 2, 3].flatMap((f) => [...fill('quantiles', 36).subarray(f * 9, (f + 1) * 9).sort()])),
};
const noise = fill('noise', BATCH * NOISE * (SIDE / 4) ** 2);

it('paints and learns as in PyTorch', async () => {
  const x = input('x', [BATCH, 3, SIDE, SIDE]);
  const bound = painter.bind(input('weights', [painter.size]));
  const strength = input('strength', [BATCH, 1, 1, 1]);
  const made = painter.build(bound.weights, x, input('noise', [BATCH, NOISE, SIDE / 4, SIDE / 4]), strength, knownSides(x).normal);
  const contrast = contrastOf(x);
  const losses = { content: contentLoss(made, x), variation: totalVariation(made), distribution: distributionLoss(made, x, [bank], strength, contrast), unrest: unrest(made, x) };
  const outputs = { made, ...losses, ...Object.fromEntries(LOSSES.map((loss) => [`to ${loss}`, bound.gradient(losses[loss])])) };
  for (const target of [{}, await targetOf('cpu')]) {
    const session = await openSession(compile(outputs, target), { threads: 1 });
    const out = await session
      .run({ x: floats(photographs, x.shape), weights: floats(weights, [painter.size]), noise: floats(noise, [BATCH, NOISE, SIDE / 4, SIDE / 4]), strength: strengths })
      .finally(() => session.close());
    expect(errorAgainst(data(out.made), expected.made)).toBeLessThan(TOLERANCE);
    for (const loss of LOSSES) {
      expect(Math.abs(data(out[loss])[0]! / expected[loss] - 1), loss).toBeLessThan(1e-4);
      expect(painter.table.map(({ name }) => name).sort()).toEqual(Object.keys(expected.gradients[loss]).sort());
      for (const { name, shape, offset } of painter.table) {
        const part = data(out[`to ${loss}`]).subarray(offset, offset + sizeOf(shape));
        expect(errorAgainst(part, expected.gradients[loss][name]!), `${loss} by ${name}`).toBeLessThan(10 * TOLERANCE);
      }
    }
  }
});

/** In plain ONNX, and as this machine's processor takes it at once. */
const TARGETS: [string, () => Promise<Target>][] = [
  ['plain', async () => ({})],
  ["the processor's own", () => targetOf('cpu')],
];

const largeFeeds = (side: number) => ({
  photograph: floats(fill('large', 3 * side ** 2).map((v) => Math.abs(v) / 2), [1, 3, side, side]),
  noise: floats(fill('large noise', NOISE * (side / 4) ** 2), [1, NOISE, side / 4, side / 4]),
});

/** Both networks of a tiled model. */
async function tiled(target: Target, strength: number, edge = 0) {
  const style = tiledStyle(painter, weights, strength, target, edge);
  const session = await openSession(style.model, { threads: 1, asWritten: Boolean(target.channelBlock) });
  const made = async (feeds: Feeds) => (await session.run(feeds)).made!;
  return {
    measured: (feeds: Feeds, pixels: number) => made({ ...feeds, ...style.measuring(pixels) }),
    painted: (feeds: Feeds, moments: Float32Array) => made({ ...feeds, ...style.paintingBy(moments) }),
    close: () => session.close(),
  };
}

it.each(TARGETS)('is the same network in a model file, by the moments of the picture and by given ones, in %s layout', async (_name, target) => {
  const file = styleModel(painter, weights, {});
  const thawed = styleWeights(painter, file);
  expect(thawed).toEqual(weights);
  expect(styleWeights(painter, compile({ y: input('x', [1]) }).bytes)).toBeUndefined();
  const feeds = {
    photograph: floats(photographs.subarray(0, 3 * SIDE ** 2), [1, 3, SIDE, SIDE]),
    noise: floats(noise.subarray(0, noise.length / 2), [1, NOISE, SIDE / 4, SIDE / 4]),
    strength: floats([0.25], [1]),
  };
  const run = async (model: Uint8Array, given: Feeds) => {
    const session = await openSession(model, { threads: 1 });
    return session.run(given).finally(() => session.close());
  };
  const own = await run(file, { ...feeds, share: floats([1 / SIDE ** 2], [1]) });
  // Normalisation sees each picture alone, so that the first of two is the one.
  const x = input('x', [1, 3, SIDE, SIDE]);
  const alone = compile({ made: painter.build(painter.freeze(weights), x, input('noise', [1, NOISE, SIDE / 4, SIDE / 4]), input('strength', [1]), knownSides(x).normal) });
  const { made } = await run(alone.bytes, { x: feeds.photograph, noise: feeds.noise, strength: feeds.strength });
  const apart = (a: Value | undefined, b: Value | undefined) => data(a).reduce((most, v, i) => Math.max(most, Math.abs(v - data(b)[i]!)), 0);
  expect(apart(own.painted, made)).toBeLessThan(1e-4);

  // What is as far from the edges as the network sees.
  const [side, edge] = [144, 56];
  const large = largeFeeds(side);
  const inFile = await run(file, { ...large, strength: feeds.strength, share: floats([1 / side ** 2], [1]) });
  const innerOf = (values: Float32Array) => values.filter((_, i) => [i % side, Math.floor(i / side) % side].every((at) => at >= edge && at < side - edge));
  // Tiles are not laid over the photograph yet.
  const seen = innerOf(data(large.photograph));
  const inner = floats(innerOf(data(inFile.painted)).map((value, i) => seen[i]! + (value - seen[i]!) / coverOf(0.25)), [3, side - 2 * edge, side - 2 * edge]);
  const { painted, close } = await tiled(await target(), 0.25, edge);
  const given = await painted(large, data(inFile.measured));
  const doubled = await painted(large, data(inFile.measured).map((v) => 2 * v));
  await close();
  expect(given.shape).toEqual([1, ...inner.shape]);
  expect(apart(given, inner)).toBeLessThan(1e-4);
  expect(apart(doubled, inner)).toBeGreaterThan(0.01);
});

it.each(TARGETS)('measures a picture alone as the model file does, but for the edges of the last two layers, in %s layout', async (_name, target) => {
  const side = 128;
  const feeds = largeFeeds(side);
  const share = 1 / side ** 2;
  const session = await openSession(styleModel(painter, weights, {}), { threads: 1 });
  const whole = data((await session.run({ ...feeds, share: floats([share], [1]), strength: floats([0.5], [1]) }).finally(() => session.close())).measured);
  const { measured, close } = await tiled(await target(), 0.5);
  const alone = data(await measured(feeds, side ** 2).finally(close));
  expect(new TypicalMoments(painter).count).toBe(whole.length);
  expect(alone.length).toBe(whole.length);
  const last = 2 * (16 + 3);
  const largest = (from: number, to: number) => whole.subarray(from, to).reduce((most, value, i) => Math.max(most, Math.abs(value - alone[from + i]!) / (1 + Math.abs(value))), 0);
  expect(largest(0, whole.length - last)).toBeLessThan(1e-4);
  // Four pixels of 128 on each side.
  expect(largest(whole.length - last, whole.length)).toBeLessThan(0.1);
});

it('remembers pictures one by one as if they were one', () => {
  const typical = new TypicalMoments(painter);
  const [random, kept] = [new Random('typical'), weights.slice()];
  const momentsOf = (values: Float32Array) => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    return { mean, square: values.reduce((sum, v) => sum + v * v, 0) / values.length };
  };
  const pictures = Array.from({ length: 3 }, (_, n) => random.normals(50).map((v) => v * (n + 1) + 3 * n));
  for (const [n, picture] of pictures.entries()) {
    const measured = new Float32Array(typical.count);
    // Of the first layer's first channel.
    ({ mean: measured[0], square: measured[16] } = momentsOf(picture));
    typical.remember(kept, measured, 1 / (n + 1));
  }
  const first = (name: string) => kept[painter.table.find((weight) => weight.name === name)!.offset]!;
  const { mean, square } = momentsOf(Float32Array.from(pictures.flatMap((picture) => [...picture])));
  expect(first('in.typical.mean')).toBeCloseTo(mean, 4);
  expect(first('in.typical.variance')).toBeCloseTo(square - mean ** 2, 4);
});

describe('what a painting is', () => {
  const side = 160;
  const distance = async (painting: (i: number) => number, picture: (i: number) => number) => {
    const banks = banksOf([{ width: 200, height: 170, data: Float32Array.from({ length: 3 * 200 * 170 }, (_, i) => painting(i)) }], 1, side, 0, true);
    const [x, strength] = [input('x', [1, 3, side, side]), input('strength', [1, 1, 1, 1])];
    const contrast = { large: strength, spread: strength };
    const session = await openSession(compile({ palette: distributionLoss(x, x, banks.palette, strength, contrast), patches: distributionLoss(x, x, banks.patches, strength, contrast) }), { threads: 1 });
    const out = await session.run({ x: floats(Float32Array.from({ length: 3 * side ** 2 }, (_, i) => picture(i)), x.shape), strength: floats([1], [1, 1, 1, 1]) }).finally(() => session.close());
    return { palette: data(out.palette)[0]!, patches: data(out.patches)[0]! };
  };

  it('of two greys differs by their difference times the mean length of its projections', async () => {
    const [same, other] = [await distance(() => 0.5, () => 0.5), await distance(() => 0.5, () => 0.7)];
    expect(same.palette).toBeLessThan(1e-5);
    // On a sphere in three dimensions |cos| has the mean 1/2.
    expect(other.palette / (0.1 * Math.sqrt(3))).toBeGreaterThan(0.8);
    expect(other.palette / (0.1 * Math.sqrt(3))).toBeLessThan(1.2);
  });

  it('sees how strong a grain is, and not how it was drawn', async () => {
    const [a, b] = [new Random('a').normals(3 * 200 * 170), new Random('b').normals(3 * side ** 2)];
    const of = (strength: number) => distance((i) => 0.1 * a[i]!, (i) => 0.1 * strength * b[i]!);
    const [same, half] = [await of(1), await of(0.5)];
    expect(same.patches).toBeLessThan(0.1);
    // Of two normals with deviations 1 and 1/2: half the mean of |x|.
    expect(half.patches / (0.5 * Math.sqrt(2 / Math.PI))).toBeCloseTo(1, 1);
  });

  it('leaves those banks empty that nothing weighs', () => {
    expect(banksOf([{ width: 200, height: 170, data: new Float32Array(3 * 200 * 170) }], 1, side, 0, false).patches).toEqual([]);
  });
});

it('lets every scale count as it should, whatever its number of patches', () => {
  const shares = patchShares(160);
  const patches = [39 ** 2, 19 ** 2, 9 ** 2, 4 ** 2];
  expect(shares.length).toBe(patches.reduce((a, b) => a + b));
  let from = 0;
  for (const [i, count] of patches.entries()) {
    const sum = shares.subarray(from, from + count).reduce((a, b) => a + b);
    expect(sum / shares.length).toBeCloseTo([0.05, 0.25, 0.35, 0.35][i]!, 3);
    from += count;
  }
});

describe('strokes', () => {
  const [width, height] = [56, 40];
  const rings = Float64Array.from({ length: width * height }, (_, i) => Math.sin(Math.hypot((i % width) - 20, Math.floor(i / width) - 10) / 4) / 4 + 0.5);

  it('run along the forms as in PyTorch', () => {
    // Where a walk is at the border of two pixels, float32 and float64 go on by different ones.
    expect(errorAgainst(smearedAlong({ width, height, data: rings }, fill('white', 6 * width * height)), expected.smeared)).toBeLessThan(2e-2);
  });

  it('of bars run along them, and are as strong as the painter learned', () => {
    const side = 96;
    const bars = { width: side, height: side, data: Float64Array.from({ length: side * side }, (_, i) => 0.5 + 0.3 * Math.sin((i % side) / 3)) };
    const strokes = strokesAlong(bars, whiteRows(side, side, 1));
    for (let c = 0; c < NOISE; c++) {
      const channel = strokes.subarray(c * side * side, (c + 1) * side * side);
      const correlation = (step: number) => {
        let [ab, aa] = [0, 0];
        for (let i = 0; i < side * (side - 8); i++) [ab, aa] = [ab + channel[i]! * channel[i + step]!, aa + channel[i]! ** 2];
        return ab / aa;
      };
      expect(correlation(4 * side), `down, channel ${c}`).toBeGreaterThan(0.5);
      expect(correlation(4), `across, channel ${c}`).toBeLessThan(0.35);
      const deviation = Math.sqrt(channel.reduce((sum, v) => sum + v * v, 0) / channel.length);
      expect(deviation).toBeGreaterThan(1.5);
      expect(deviation).toBeLessThan(2.5);
      expect(Math.max(...channel)).toBeLessThanOrEqual(4.4001);
    }
  });

  it('of an even picture are as strong as is said, each brush', () => {
    const side = 160;
    const strokes = strokesAlong({ width: side, height: side, data: new Float64Array(side * side) }, whiteRows(side, side, 'even'));
    for (let c = 0; c < NOISE; c++) {
      const channel = strokes.subarray(c * side * side, (c + 1) * side * side);
      const deviation = Math.sqrt(channel.reduce((sum, v) => sum + v * v, 0) / channel.length);
      expect(Math.abs(deviation / 2 - 1), `channel ${c}`).toBeLessThan(0.12);
    }
  });

  it('are the same for a row however far the picture goes on below', () => {
    const [low, high] = [whiteRows(16, 8, 3), whiteRows(16, 12, 3)];
    for (let c = 0; c < NOISE + 2; c++) expect(high.subarray(c * 12 * 16, c * 12 * 16 + 8 * 16)).toEqual(low.subarray(c * 8 * 16, (c + 1) * 8 * 16));
  });
});
