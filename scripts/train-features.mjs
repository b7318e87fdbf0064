// Trains the feature network of the measures and writes it, with its card, as a model file.
//
//   node scripts/train-features.mjs [--data ../shared/data] [--avatars DIR] [--out runs/features] [--minutes 25] [--threads 1]
//
// Classes are the labels of `garments`, the styles of the avatars (scripts/draw-avatars.mjs) and every single photograph
// and painting, of which crops are taken. A shipped network sees nothing but these.
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bytes, compile, floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { defineFeatures, drawViews, FEATURE_SIDE, FEATURES, featureJudge, featureModel, featureStep, Random, SOURCE_SIDE } from '@zeuxis/nets';
import { openDataset } from '@zeuxis/pictures';
import sharp from 'sharp';

const { values } = parseArgs({ options: Object.fromEntries(['data', 'avatars', 'out', 'minutes', 'threads'].map((name) => [name, { type: 'string' }])) });
const { data = '../shared/data', avatars = 'runs/avatars-pictures', out = 'runs/features' } = values;
const [minutes, threads] = [Number(values.minutes ?? 25), Number(values.threads ?? 1)];
const SEED = 'features 1';
const [BATCH, RATE, BETA2, WARM_UP] = [48, 2e-3, 0.99, 50];
const CROPS = 200;
/** Of garments and avatars, and of each photograph's and painting's width. */
const HELD_OUT = { share: 0.1, width: 0.2 };

/** Crops of every photograph and painting, a folder each: the first from the left part, the last HELD_OUT.width of them from the right. */
async function cutCrops(folder) {
  for (const set of ['photos', 'paintings'])
    for (const file of (await readdir(join(data, set))).filter((name) => name.endsWith('.jpg')).sort()) {
      const place = join(folder, set, file.replace('.jpg', ''));
      if (existsSync(join(place, 'done'))) continue;
      await mkdir(place, { recursive: true });
      const random = new Random(`${SEED}/${file}`);
      const { data: pixels, info } = await sharp(join(data, set, file)).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
      const border = Math.round(info.width * (1 - HELD_OUT.width));
      for (let i = 0; i < CROPS; i++) {
        const [from, to] = i < CROPS * (1 - HELD_OUT.width) ? [0, border] : [border, info.width];
        const most = Math.min(to - from, info.height);
        const side = Math.round(Math.min(most, SOURCE_SIDE + random.uniform() * (most - SOURCE_SIDE)));
        const region = { left: from + random.below(to - from - side + 1), top: random.below(info.height - side + 1), width: side, height: side };
        await sharp(pixels, { raw: info }).extract(region).resize(SOURCE_SIDE, SOURCE_SIDE).png().toFile(join(place, `${String(i).padStart(3, '0')}.png`));
      }
      await writeFile(join(place, 'done'), '');
    }
}

/** A set with its own classes, cut into pictures to train on and pictures to measure by. */
async function open(name, folder, rights, classes, share) {
  const set = await openDataset(folder, { size: SOURCE_SIDE, labels: 'folders', cache: join(out, 'cache') });
  const first = classes.length;
  classes.push(...set.labels);
  const order = [...new Random(`${SEED}/${name}`).permutation(set.count)];
  // Of the crops, the last of each folder are from another part of the picture.
  const perFolder = set.count / set.labels.length;
  const isHeld = name === 'garments' || name === 'avatars' ? (_, k) => k < set.count * HELD_OUT.share : (i) => i % perFolder >= perFolder * (1 - HELD_OUT.width);
  const { count, fingerprint, skipped, reserved } = set;
  return {
    set, name, share, first,
    trained: order.filter((i, k) => !isHeld(i, k)),
    held: order.filter(isHeld),
    record: { name, pictures: count, fingerprint, skipped: skipped.length, reserved: reserved.length, rights },
  };
}

await mkdir(out, { recursive: true });
await cutCrops(join(out, 'crops'));
const classes = [];
const by = (text) => ({ text, name: 'Zeuxis' });
const sets = [
  await open('garments', join(data, 'garments'), by('CC0 1.0, github.com/alexeygrigorev/clothing-dataset'), classes, 0.5),
  await open('avatars', avatars, by('CC0 1.0 or free for any use, as written beside them; drawn by DiceBear'), classes, 0.25),
  await open('crops of photos', join(out, 'crops/photos'), by('CC0 1.0, Unsplash and Pexels licences, github.com/elementary/wallpapers'), classes, 0.18),
  await open('crops of paintings', join(out, 'crops/paintings'), by('public domain'), classes, 0.07),
];
const network = defineFeatures(classes.length);
const random = new Random(SEED);
const scalar = (value) => floats([value], []);
let weights = floats(network.initialise(random), [network.size]);
let moment = floats(new Float32Array(network.size), [network.size]);
const step = await openSession(compile(featureStep(network, classes.length, BATCH)), { threads });
const judge = await openSession(compile(featureJudge(network, classes.length, BATCH)), { threads });
console.error(`${network.size} weights, ${classes.length} classes; ${sets.map(({ name, trained, held }) => `${name} ${trained.length}+${held.length}`).join(', ')}`);

const each = 3 * SOURCE_SIDE * SOURCE_SIDE;
const shape = [BATCH, 3, SOURCE_SIDE, SOURCE_SIDE];

/** A set by chance: by its share, not by its size. */
function drawSet() {
  let u = random.uniform();
  for (const set of sets) {
    if (u < set.share) return set;
    u -= set.share;
  }
  return sets[0];
}

/** A batch of random pictures. */
function draw() {
  const real = new Uint8Array(BATCH * each);
  const labels = new Float32Array(BATCH * classes.length);
  for (let k = 0; k < BATCH; k++) {
    const { set, trained, first } = drawSet();
    const i = trained[random.below(trained.length)];
    set.read([i], real.subarray(k * each, (k + 1) * each));
    labels[k * classes.length + first + set.labelOf[i]] = 1;
  }
  return { real: bytes(real, shape), labels: floats(labels, [BATCH, classes.length]), ...drawViews(2 * BATCH, random) };
}

/** Share of held-out pictures whose own class, of all of them, has the largest logit. */
async function accuracy() {
  const plain = drawViews(BATCH);
  const result = {};
  for (const { set, name, held, first } of sets) {
    let right = 0;
    for (let start = 0; start < held.length; start += BATCH) {
      const indices = held.slice(start, start + BATCH);
      const real = new Uint8Array(BATCH * each);
      set.read(indices, real.subarray(0, indices.length * each));
      const { logits } = await judge.run({ real: bytes(real, shape), weights, ...plain });
      indices.forEach((i, k) => {
        const row = logits.data.subarray(k * classes.length, (k + 1) * classes.length);
        right += Number(row.indexOf(Math.max(...row)) === first + set.labelOf[i]);
      });
    }
    result[name] = { pictures: held.length, accuracy: Number((right / held.length).toFixed(4)) };
  }
  return result;
}

let [k, product, lossSum, matchSum, reported] = [0, 1, 0, 0, 0];
const start = performance.now();
const elapsed = () => (performance.now() - start) / 60_000;
const write = async () => {
  const heldOut = await accuracy();
  const card = {
    card: 1, task: 'features', name: 'features', version: 1, size: FEATURE_SIDE, channels: 3, features: FEATURES, range: '0..255',
    labels: classes, trainingSets: sets.map(({ record }) => record), heldOut, seed: SEED, images: k * BATCH, steps: k, batch: BATCH,
    hours: Number((elapsed() / 60).toFixed(2)), licence: 'CC0-1.0', zeuxis: '0.1.0',
  };
  await writeFile(join(out, 'weights.bin'), Buffer.from(weights.data.buffer, weights.data.byteOffset, weights.data.byteLength));
  await writeFile(join(out, 'features.onnx'), featureModel(network, weights.data, { 'zeuxis.card': JSON.stringify(card) }));
  return heldOut;
};
while (elapsed() < minutes) {
  const progress = elapsed() / minutes;
  // A cosine to nothing (Loshchilov and Hutter, 2017), by the clock.
  const rate = RATE * Math.min(1, (k + 1) / WARM_UP) * 0.5 * (1 + Math.cos(Math.PI * progress));
  product *= BETA2;
  const result = await step.run({ ...draw(), weights, moment, rate: scalar(rate), beta2: scalar(BETA2), correction: scalar(1 / (1 - product)) });
  [weights, moment] = [result.nextWeights, result.nextMoment];
  lossSum += result.loss.data[0];
  matchSum += result.match.data[0];
  if (!Number.isFinite(lossSum)) throw new Error(`diverged at step ${k}`);
  k++;
  if (k % 50 === 0) {
    console.error(`${elapsed().toFixed(1)} min, step ${k}: loss ${(lossSum / 50).toFixed(3)}, match ${(matchSum / 50).toFixed(3)}`);
    [lossSum, matchSum] = [0, 0];
  }
  if (elapsed() - reported > 5) {
    reported = elapsed();
    console.error(JSON.stringify(await write()));
  }
}
console.error(JSON.stringify(await write()));
await Promise.all([step.close(), judge.close()]);
