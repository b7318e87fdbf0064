// Draws docs/style-<model>.webp: photographs painted by styles, 512 px of the middle of each, four a sheet; with `--mix` docs/style-mix.webp
// too, the first photograph by the first two styles and by both mixed, and docs/style-strength.webp, by the first in four strengths; with `--together NAME` docs/style-NAME.webp alone, the first
// photograph by each.
//
//   node scripts/style-figure.mjs <folder of photographs> <model>... [--mix] [--together NAME]
//
// The photographs of docs/style.md: `node scripts/style-photographs.mjs runs/style-photographs`.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeReportGrid, readPlane, tileSheet, writeWhole } from '@zeuxis/pictures';
import { style } from '@zeuxis/verbs';

const SIDE = 512;
const { positionals, values } = parseArgs({ allowPositionals: true, options: { mix: { type: 'boolean', default: false }, together: { type: 'string' } } });
const [photographs, ...models] = positionals;
const folder = await mkdtemp(join(tmpdir(), 'zeuxis-figure-'));

/** The middle of a picture, planar. */
async function middle(path) {
  const { width, height, channels, data } = await readPlane(path);
  const [left, top] = [width, height].map((side) => (side - SIDE) >> 1);
  const out = new Uint8Array(3 * SIDE * SIDE);
  for (let c = 0; c < 3; c++) for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) out[(c * SIDE + y) * SIDE + x] = data[((top + y) * width + left + x) * channels + c];
  return out;
}

async function sheet(name, paths, columns) {
  const all = new Uint8Array(paths.length * 3 * SIDE * SIDE);
  for (const [i, path] of paths.entries()) all.set(await middle(path), i * 3 * SIDE * SIDE);
  const path = fileURLToPath(new URL(`../docs/style-${name}.webp`, import.meta.url));
  await writeWhole(path, await encodeReportGrid(tileSheet(all, paths.length, SIDE, SIDE, { columns })));
  console.error(path);
}

async function painted(inputs, options, out) {
  const { files, failures } = await style({ inputs, out, identityFolder: join(folder, 'identity'), ...options });
  if (failures.length > 0) throw new Error(failures[0].message);
  return files.map(({ path }) => path);
}

try {
  const one = [join(photographs, (await readdir(photographs)).sort()[0])];
  if (values.together) {
    const paths = [];
    for (const [i, model] of models.entries()) paths.push(...(await painted(one, { model }, join(folder, `${i}`))));
    await sheet(values.together, paths, 2);
  } else for (const model of models) await sheet(model.split('/').at(-1), await painted([photographs], { model }, join(folder, model)), 2);
  if (values.mix) {
    const [a, b] = models;
    const paths = [];
    for (const [i, options] of [{ model: a }, { model: [a, b], mix: 0.3 }, { model: [a, b], mix: 0.6 }, { model: b }].entries()) paths.push(...(await painted(one, options, join(folder, `mix ${i}`))));
    await sheet('mix', paths, 2);
    const strong = [];
    for (const strength of [0.25, 0.5, 0.75, 1]) strong.push(...(await painted(one, { model: a, strength }, join(folder, `strength ${strength}`))));
    await sheet('strength', strong, 2);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
