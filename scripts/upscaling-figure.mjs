// Draws docs/upscaling-<model>.webp: crops of drawings that no model was trained on, side by side as they went in (each pixel
// repeated), by bicubic, by the model, and the truth. Drawings, because no photograph lies in the repository.
//
//   node scripts/upscaling-figure.mjs <model>...
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { bicubic, encodeReportGrid, readPlane, tileSheet, writeWhole } from '@zeuxis/pictures';
import { findUpscaler } from '@zeuxis/verbs';
import { drawAvatars } from './draw-avatars.mjs';

const [SIDE, CROP] = [256, 128];
/** A style, and where its crop begins. */
const SHOWN = [
  ['avataaars', 70, 40],
  ['lorelei', 80, 50],
  ['notionists', 70, 30],
  ['open-peeps', 80, 20],
];

const folder = await mkdtemp(join(tmpdir(), 'zeuxis-figure-'));
try {
  await drawAvatars(folder, { perStyle: 1, size: SIDE, seed: 'unseen' });
  for (const name of process.argv.slice(2)) {
    const { bytes, card } = await findUpscaler(name);
    const { scale } = card;
    const session = await openSession(bytes);
    const columns = [];
    for (const [style, left, top] of SHOWN) {
      const truth = await readPlane(join(folder, style, '00000.png'));
      // As large as the scale divides.
      const side = Math.floor(SIDE / scale) * scale;
      const cut = { width: side, height: side, channels: 3, data: new Uint8Array(side * side * 3) };
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) for (let c = 0; c < 3; c++) cut.data[(y * side + x) * 3 + c] = truth.data[(y * SIDE + x) * truth.channels + Math.min(c, truth.channels - 1)];
      const small = bicubic(cut, 1 / scale);
      const planar = new Float32Array(3 * small.width * small.height);
      for (let i = 0; i < small.width * small.height; i++) for (let c = 0; c < 3; c++) planar[c * small.width * small.height + i] = small.data[i * 3 + c] / 255;
      const { large } = await session.run({ small: floats(planar, [1, 3, small.height, small.width]) });
      const crop = (value) => Uint8ClampedArray.from({ length: 3 * CROP * CROP }, (_, i) => value(left + (i % CROP), top + (Math.floor(i / CROP) % CROP), Math.floor(i / CROP ** 2)));
      const of = ({ width, data }, factor = 1) => crop((x, y, c) => data[(Math.floor(y / factor) * width + Math.floor(x / factor)) * 3 + c]);
      columns.push(of(small, scale), of(bicubic(small, scale)), crop((x, y, c) => large.data[(c * side + y) * side + x] * 255), of(cut));
    }
    await session.close();
    const all = new Uint8Array(columns.length * 3 * CROP * CROP);
    for (const [i, picture] of columns.entries()) all.set(picture, i * 3 * CROP * CROP);
    const path = fileURLToPath(new URL(`../docs/upscaling-${name}.webp`, import.meta.url));
    await writeWhole(path, await encodeReportGrid(tileSheet(all, columns.length, CROP, CROP, { columns: 4 })));
    console.error(path);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
