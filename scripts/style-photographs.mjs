// The four photographs that docs/style.md shows painted, at a shorter side of 512 px: a city, a landscape, an interior and a garment,
// from ../shared/data; and what styles are trained on, all photographs and four garments of every label, as links.
//
//   node scripts/style-photographs.mjs <folder>       makes <folder>/shown and <folder>/content
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const [out] = process.argv.slice(2);
if (!out) throw new Error('node scripts/style-photographs.mjs <folder>');
const SHOWN = {
  '1-city': 'photos/viktor-forgacs.jpg',
  '2-landscape': 'photos/snow-capped-mountain.jpg',
  '3-interior': 'photos/mr-lee.jpg',
  '4-garment': 'garments/shirt/a04c4d5b-cfca-4f3f-8db7-a2c6f07bd6ec.jpg',
};
/** Garments taken of each label. */
const EACH = 4;

await mkdir(join(out, 'shown'), { recursive: true });
await mkdir(join(out, 'content'), { recursive: true });
for (const [name, file] of Object.entries(SHOWN)) await sharp(join(DATA, file)).resize(512, 512, { fit: 'outside', kernel: 'lanczos3' }).png().toFile(join(out, 'shown', `${name}.png`));
const link = (file) => symlink(join(DATA, file), join(out, 'content', file.replaceAll('/', '-'))).catch((error) => {
  if (error.code !== 'EEXIST') throw error;
});
for (const file of await readdir(join(DATA, 'photos'))) if (file.endsWith('.jpg')) await link(`photos/${file}`);
for (const label of await readdir(join(DATA, 'garments'), { withFileTypes: true })) {
  if (!label.isDirectory()) continue;
  const files = (await readdir(join(DATA, 'garments', label.name))).filter((file) => file.endsWith('.jpg')).sort();
  for (const file of files.slice(0, EACH)) await link(`garments/${label.name}/${file}`);
}
