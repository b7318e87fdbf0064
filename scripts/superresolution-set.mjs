// Makes the pictures that the shipped photo upscalers are trained on, from what may ship (../shared/data/README.md):
//
//   node scripts/superresolution-set.mjs <folder>
//
// photos       the photographs whole, at a half and at a quarter: coarse things become fine ones
// garments     every third, at three quarters, which hides most of what JPEG left in them
// drawn        avatars, and shapes, stripes and rings drawn here: edges sharper than a camera's
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@zeuxis/nets';
import sharp from 'sharp';
import { drawAvatars } from './draw-avatars.mjs';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('node scripts/superresolution-set.mjs <folder>');
const data = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const SIDE = 256;

/** A picture of shapes on a ground, as SVG. */
function shapes(random) {
  const u = (low, high) => low + random.uniform() * (high - low);
  const colour = () => `hsl(${u(0, 360).toFixed()},${u(0, 90).toFixed()}%,${u(5, 95).toFixed()}%)`;
  const point = () => `${u(-20, SIDE + 20).toFixed(1)},${u(-20, SIDE + 20).toFixed(1)}`;
  const kinds = [
    () => `<polygon points="${Array.from({ length: 3 + random.below(4) }, point).join(' ')}" fill="${colour()}"/>`,
    () => `<path d="M${point()} C${point()} ${point()} ${point()}" fill="none" stroke="${colour()}" stroke-width="${u(0.6, 9).toFixed(1)}"/>`,
    () => `<circle cx="${u(0, SIDE)}" cy="${u(0, SIDE)}" r="${u(2, 60)}" fill="${colour()}" stroke="${colour()}" stroke-width="${u(0, 4).toFixed(1)}"/>`,
    // Stripes and a lattice: what aliases.
    () => {
      const step = u(4, 24);
      const lines = Array.from({ length: 60 }, (_, i) => `<line x1="${(i - 30) * step}" y1="-400" x2="${(i - 30) * step}" y2="400" stroke="${i % 2 ? '#000' : '#fff'}" stroke-width="${(step * u(0.2, 0.6)).toFixed(1)}"/>`);
      return `<g transform="translate(${u(40, 216)} ${u(40, 216)}) rotate(${u(0, 180)}) scale(${u(0.2, 0.9)})" stroke="${colour()}"><clipPath id="c${step}"><rect x="-120" y="-120" width="240" height="240"/></clipPath><g clip-path="url(#c${step})">${lines.join('')}</g></g>`;
    },
    () => {
      const [x, y, step] = [u(40, 216), u(40, 216), u(3, 12)];
      return Array.from({ length: 9 }, (_, i) => `<circle cx="${x}" cy="${y}" r="${(9 - i) * step}" fill="${i % 2 ? '#111' : '#eee'}"/>`).join('');
    },
    // Strokes like letters'.
    () => {
      const [x, y, size] = [u(0, 200), u(10, 250), u(5, 18)];
      return Array.from({ length: 10 }, (_, i) => {
        const p = () => `${(x + i * size + u(0, size * 0.8)).toFixed(1)} ${(y + u(-size, 0)).toFixed(1)}`;
        return `<path d="M${p()} L${p()} Q${p()} ${p()}" fill="none" stroke="${i % 5 ? '#151515' : colour()}" stroke-width="${(size / 7).toFixed(1)}"/>`;
      }).join('');
    },
  ];
  const ground = `<linearGradient id="g" x2="${u(0, 1)}" y2="1"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient><rect width="100%" height="100%" fill="url(#g)"/>`;
  const drawn = Array.from({ length: 8 + random.below(14) }, () => kinds[random.below(kinds.length)]());
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}">${ground}${drawn.join('')}</svg>`;
}

const place = async (name) => {
  await rm(join(folder, name), { recursive: true, force: true });
  await mkdir(join(folder, name), { recursive: true });
  return join(folder, name);
};

const photos = await place('photos');
for (const file of await readdir(join(data, 'photos'))) {
  if (!/\.jpe?g$/.test(file)) continue;
  const { width } = await sharp(join(data, 'photos', file)).metadata();
  for (const part of [1, 2, 4])
    await sharp(join(data, 'photos', file)).resize({ width: Math.round(width / part), kernel: 'lanczos3' }).png().toFile(join(photos, `${file}-${part}.png`));
}
const garments = await place('garments');
let n = 0;
for (const label of await readdir(join(data, 'garments'), { withFileTypes: true }))
  if (label.isDirectory())
    for (const file of (await readdir(join(data, 'garments', label.name))).sort())
      if (n++ % 3 === 0) await sharp(join(data, 'garments', label.name, file)).resize({ width: 192, height: 192, fit: 'outside', kernel: 'lanczos3' }).png().toFile(join(garments, `${label.name}-${file}.png`));
const drawn = await place('drawn');
const random = new Random('superresolution');
for (let i = 0; i < 250; i++) await sharp(Buffer.from(shapes(random))).png().toFile(join(drawn, `${i}.png`));
await drawAvatars(join(folder, 'avatars'), { perStyle: 40, size: SIDE });
console.error(`${n} garments seen; the set is in ${folder}`);
