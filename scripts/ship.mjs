// Measures a trained run and puts its model, with its figures in the card, into pretrained/:
//
//   node scripts/ship.mjs <run folder> <name> <pictures>
//
// The figures are made from 2,000 pictures at full truncation, seed 0, with the feature network whose hash stands beside them.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceMetadata } from '@zeuxis/graph';
import { writeWhole } from '@zeuxis/pictures';
import { evaluate, readModel } from '@zeuxis/verbs';

const [run, name, pictures] = process.argv.slice(2);
if (!pictures) throw new Error('node scripts/ship.mjs <run folder> <name> <pictures>');
const { generated, floor, features } = await evaluate({ model: run, pictures, threads: 2 });
const { bytes, card } = await readModel(join(run, 'model.onnx'));
const figures = ({ frechet, kernel, precision, recall, density, coverage }) =>
  Object.fromEntries(
    Object.entries({ frechet, kernel: kernel.mean, precision, recall, density, coverage }).map(([key, value]) => [key, Number(value.toPrecision(4))]),
  );
const measures = {
  ...figures(generated),
  frechetOfRealHalves: figures(floor).frechet,
  generated: generated.generatedCount,
  real: generated.realCount,
  features: `${features.name}, SHA-256 ${features.sha256}`,
};
const path = fileURLToPath(new URL(`../pretrained/${name}.onnx`, import.meta.url));
await writeWhole(path, replaceMetadata(bytes, { 'zeuxis.card': JSON.stringify({ ...card, name, measures }) }));
console.log(path, measures);
