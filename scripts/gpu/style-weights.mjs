// Puts what a GPU made of a style into the model of a run, which `zeuxis train style ... --images 1` began with the same painting, photographs and
// options: the card is that run's, but for how long was trained.
//
//   node scripts/gpu/style-weights.mjs <run folder> <folder that train_style.py wrote>
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOnnx } from '@zeuxis/graph';
import { defineStyle, styleModel } from '@zeuxis/nets';
import { writeWhole } from '@zeuxis/pictures';
import { readModel } from '@zeuxis/verbs';

const [run, trained] = process.argv.slice(2);
if (!trained) throw new Error('node scripts/gpu/style-weights.mjs <run folder> <folder that train_style.py wrote>');
const { steps, seconds, names } = JSON.parse(readFileSync(join(trained, 'trained.json'), 'utf8'));
const bytes = readFileSync(join(trained, 'weights.f32'));
const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));

const painter = defineStyle();
const weights = new Float32Array(painter.size);
for (const { name, shape, offset } of painter.table) {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const [at, count] = names[name] ?? [0, 0];
  if (count !== size) throw new Error(`'${trained}' has ${count} values for ${name}, not ${size}: it is of another network than this version's`);
  weights.set(values.subarray(at, at + count), offset);
}
const path = join(run, 'model.onnx');
const { card: began, bytes: model } = await readModel(path);
const card = { ...began, steps, images: steps, hours: Number((seconds / 3600).toFixed(2)) };
await writeWhole(path, styleModel(painter, weights, { ...readOnnx(model).metadata, 'zeuxis.card': JSON.stringify(card) }));
console.log(`${path}: ${steps} crops in ${seconds} seconds`);
