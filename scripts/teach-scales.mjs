// Brings a style of before strengths were learned by every layer, and before pictures were normalised among typical ones, to both. All convolutions stay as they are; moments are
// measured on the photographs that it learned from, and the scales and shifts of channels are taught anew, at every strength, by all losses but the game.
//
//   node scripts/teach-scales.mjs <model> <painting> <photographs> <out.onnx> [--crops 400] [--patches 1] [--threads 2]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bytes, compile, concat, constant, floats, input, readConstants, readOnnx, scalar, vector } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { banksOf, defineStyle, GRAIN, judgedSide, knownSides, NOISE, Random, scalesStep, strokesOf, styleModel, styleRate, TypicalMoments } from '@zeuxis/nets';
import { openCanvases, writeWhole } from '@zeuxis/pictures';

const USAGE = 'node scripts/teach-scales.mjs <model> <painting> <photographs> <out.onnx> [--crops 400] [--patches 1] [--threads 2]';
const { positionals, values } = parseArgs({ allowPositionals: true, options: { crops: { type: 'string', default: '400' }, patches: { type: 'string' }, threads: { type: 'string', default: '2' } } });
const [model, painting, photographs, out] = positionals;
if (!out) throw new Error(USAGE);
const [crops, threads] = [Number(values.crops), Number(values.threads)];
const file = readFileSync(model);
const { metadata } = readOnnx(file);
const card = JSON.parse(metadata['zeuxis.card']);
const { crop: side } = card;
const patches = Number(values.patches ?? card.patches ?? 1);
const painter = defineStyle();
const known = readConstants(file);
const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1);

/** What the file has, by name; what it has not, as before training. Of a convolution that saw more channels, the last were a constant's, which normalisation takes away. */
let weights = painter.initialise(new Random('unused'));
for (const { name, shape, offset } of painter.table) {
  const old = known.get(name);
  if (!old) {
    if (name.endsWith('.weight')) throw new Error(`'${model}' has no ${name}`);
    continue;
  }
  const [outputs, size] = [shape[0], sizeOf(shape) / shape[0]];
  for (let o = 0; o < outputs; o++) weights.set(old.subarray((o * old.length) / outputs, (o * old.length) / outputs + size), offset + o * size);
}

const paintings = await openCanvases(painting, { shorter: [card.painted], least: 128, most: 64 });
const canvases = await openCanvases(photographs, { shorter: [side, Math.round((side * 8) / 7)], least: 96, side, most: 300, not: new Set(paintings.hashes) });
/** The n-th crop of a course, strokes for it, and chance that is left. */
function crop(course, n) {
  const random = new Random(`${course}/${n}`);
  const picture = random.below(canvases.count);
  const { width, height } = canvases.sizes[picture];
  const values = new Uint8Array(3 * side * side);
  canvases.crop({ picture, x: random.below(width - side + 1), y: random.below(height - side + 1), mirrored: random.below(2) === 1 }, side, 0, values);
  return { feeds: { photographs: bytes(values, [1, 3, side, side]), noise: floats(strokesOf(values, side, random), [1, NOISE, side / GRAIN, side / GRAIN]) }, random };
}

// Each layer's moments follow from those of the layers before it: after so many rounds they hardly move. The last sees more crops.
const [ROUNDS, SEEN] = [10, 12];
const { normal, own } = knownSides();
painter.build(painter.bind(input('weights', [painter.size])).weights, input('photograph', [1, 3, side, side]), input('noise', [1, NOISE, side / GRAIN, side / GRAIN]), constant([1], [1, 1, 1, 1]), normal);
const measuring = await openSession(compile({ measured: concat(own, 1) }), { device: 'cpu', threads });
for (let round = 0; round < ROUNDS; round++) {
  const last = round === ROUNDS - 1;
  const before = weights.slice();
  const typical = new TypicalMoments(painter);
  for (let n = 0; n < SEEN * (last ? 4 : 1); n++) {
    const { photographs: { data }, noise } = crop('typical', n).feeds;
    const { measured } = await measuring.run({ photograph: floats(Float32Array.from(data, (value) => value / 255), [1, 3, side, side]), noise, weights: vector(before) });
    typical.remember(weights, measured.data, 1 / (n + 1));
  }
  console.error(`moments, round ${round + 1}: moved by ${Math.sqrt(weights.reduce((sum, value, i) => sum + (value - before[i]) ** 2, 0)).toPrecision(3)}`);
}
await measuring.close();

const plane = (index, set) => ({ ...set.sizes[index], data: Float32Array.from(set.planes(index), (value) => value / 255) });
const banks = banksOf(paintings.sizes.map((_, i) => plane(i, paintings)), paintings.count, judgedSide(side), `${card.seed}`, patches > 0);
const session = await openSession(compile(scalesStep(painter, { batch: 1, side }, banks).whole()), { device: 'cpu', threads });
let [moment, average] = [new Float32Array(weights.length), weights.slice()];
const [BETA2, RATE_SCALE, HALF_LIFE] = [0.99, 5, 60];
const start = Date.now();
for (let n = 0; n < crops; n++) {
  const { feeds, random } = crop('scales', n);
  const { nextWeights, nextMoment, nextAverage, content, palette } = await session.run({
    ...feeds,
    strength: floats([n % 2 === 0 ? 1 : random.uniform()], [1, 1, 1, 1]),
    weights: vector(weights),
    moment: vector(moment),
    average: vector(average),
    decay: scalar(0.5 ** (1 / Math.max(1, Math.min(HALF_LIFE, n / 10)))),
    beta2: scalar(BETA2),
    correction: scalar(1 / (1 - BETA2 ** (n + 1))),
    rate: scalar(RATE_SCALE * styleRate(n / crops)),
    contentWeight: scalar(card.contentWeight),
    paletteWeight: scalar(card.palette),
    patchesWeight: scalar(patches),
    calmWeight: scalar(card.calm ?? 0),
    variationWeight: scalar(6),
  });
  [weights, moment, average] = [nextWeights.data, nextMoment.data, nextAverage.data];
  if (!Number.isFinite(palette.data[0])) throw new Error(`the loss is no longer a number in step ${n + 1}`);
  if (n % 50 === 49) console.error(`${n + 1} of ${crops} crops in ${Math.round((Date.now() - start) / 1000)} s, content ${content.data[0].toPrecision(3)}, palette ${palette.data[0].toPrecision(3)}`);
}
await session.close();
await writeWhole(out, styleModel(painter, average, { ...metadata, 'zeuxis.card': JSON.stringify({ ...card, patches, scalesCrops: crops }) }));
