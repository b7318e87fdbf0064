// Measures a trained run and puts its model, with its figures in the card, into pretrained/:
//
//   node scripts/ship.mjs <run folder> <name> <pictures>     a generator, against the pictures that it was trained on
//   node scripts/ship.mjs <run folder> <name>                an upscaler, on Set5 and Set14 (colours)
//   node scripts/ship.mjs <run folder> <name> <photographs>     a style, on photographs that it was not trained on
//   node scripts/ship.mjs <run folder> <name> --at 0.8       a sharpened one, whose --detail 1 is to be 0.8 of the way it went
//
// A generator's figures are made from 2,000 pictures at full truncation, seed 0, with the feature network whose hash stands beside
// them; an upscaler's are PSNR in dB as `zeuxis evaluate` prints it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readOnnx, replaceMetadata } from '@zeuxis/graph';
import { writeWhole } from '@zeuxis/pictures';
import { evaluate, evaluateStyle, evaluateUpscaler, findStyle, findUpscaler, readModel } from '@zeuxis/verbs';

const USAGE = 'node scripts/ship.mjs <run folder> <name> [<pictures>] [--at 1]';
const { positionals, values } = parseArgs({ allowPositionals: true, options: { at: { type: 'string', default: '1' } } });
const [run, name, pictures] = positionals;
const at = Number(values.at);
if (!name) throw new Error(USAGE);
const { bytes, card } = await readModel(join(run, 'model.onnx'));

async function ofGenerator() {
  if (!pictures) throw new Error(USAGE);
  const { generated, floor, features } = await evaluate({ model: run, pictures, threads: 2 });
  const figures = ({ frechet, kernel, precision, recall, density, coverage }) =>
    Object.fromEntries(
      Object.entries({ frechet, kernel: kernel.mean, precision, recall, density, coverage }).map(([key, value]) => [key, Number(value.toPrecision(4))]),
    );
  return {
    ...figures(generated),
    frechetOfRealHalves: figures(floor).frechet,
    generated: generated.generatedCount,
    real: generated.realCount,
    features: `${features.name}, SHA-256 ${features.sha256}`,
  };
}

async function ofUpscaler() {
  // Its pictures are in colour, which a network of grey ones would be measured on alone.
  if (card.channels === 1) return undefined;
  const model = await findUpscaler(run);
  const measured = {};
  for (const set of ['set5', 'set14']) {
    const { mean } = await evaluateUpscaler(model, fileURLToPath(new URL(`../../shared/data/bench/${set}/x${card.scale}`, import.meta.url)));
    measured[`${set} PSNR`] = Number(mean.model.psnr.toFixed(2));
    measured[`${set} bicubic`] = Number(mean.bicubic.psnr.toFixed(2));
  }
  return measured;
}

async function ofStyle() {
  if (!pictures) throw new Error(USAGE);
  const { mean, pictures: measured } = await evaluateStyle(await findStyle(run), pictures, {});
  const each = (of) => Object.fromEntries(Object.entries(mean[of]).map(([name, value]) => [`${name}${of === 'painted' ? '' : ` ${of}`}`, Number(value.toPrecision(3))]));
  const { 'ssim untouched': _, 'edges untouched': __, ...untouched } = each('untouched');
  return { ...each('painted'), ...untouched, ...each('transferred'), photographs: measured.count };
}

/** The sharpened weights, so far on their way from the faithful ones. */
function sharpened() {
  const { metadata } = readOnnx(bytes);
  const weights = (key) => new Float32Array(Uint8Array.from(Buffer.from(metadata[key], 'base64')).buffer);
  const [from, to] = [weights('zeuxis.faithful'), weights('zeuxis.sharpened')];
  return { 'zeuxis.sharpened': Buffer.from(from.map((value, i) => value + at * (to[i] - value)).buffer).toString('base64') };
}

const measures = await { gan: ofGenerator, upscaler: ofUpscaler, style: ofStyle }[card.task]();
const path = fileURLToPath(new URL(`../pretrained/${name}.onnx`, import.meta.url));
const told = { ...card, name, ...(card.sharpened && at !== 1 ? { sharpened: { ...card.sharpened, at } } : {}), ...(measures ? { measures } : {}) };
await writeWhole(path, replaceMetadata(bytes, { 'zeuxis.card': JSON.stringify(told), ...(card.sharpened && at !== 1 ? sharpened() : {}) }));
console.log(path, measures);
