// Draws a labelled set of avatars with DiceBear: one folder a style, PNG, and LICENSES.md beside them.
// Only styles whose licence lets anyone train and sell on them: CC0, or free for any use.
//
//   node scripts/draw-avatars.mjs <folder> [--per-style 400] [--size 128] [--seed 1]
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { avataaars, lorelei, notionists, openPeeps, pixelArt } from '@dicebear/collection';
import { createAvatar } from '@dicebear/core';
import sharp from 'sharp';

const STYLES = { avataaars, lorelei, notionists, 'open-peeps': openPeeps, 'pixel-art': pixelArt };
const BACKGROUNDS = ['f4d6c6', 'c9e4de', 'c6def1', 'dbcdf0', 'f2c6de', 'faedcb', 'd6e2c3'];

/**
 * Draws `perStyle` avatars of each style into `folder/<style>/`, square PNGs of `size` px; equal seeds draw equal
 * pictures. A folder that already holds as many is left as it is. Returns the number of pictures.
 */
export async function drawAvatars(folder, { perStyle = 400, size = 128, seed = 1, onProgress = () => {} } = {}) {
  const styles = Object.entries(STYLES);
  let done = 0;
  for (const [name, style] of styles) {
    const place = join(folder, name);
    const there = await readdir(place).catch(() => []);
    if (there.length === perStyle) {
      done += perStyle;
      onProgress({ done, total: styles.length * perStyle });
      continue;
    }
    await rm(place, { recursive: true, force: true });
    const drawing = `${place}.part`;
    await rm(drawing, { recursive: true, force: true });
    await mkdir(drawing, { recursive: true });
    for (let i = 0; i < perStyle; i++) {
      const svg = createAvatar(style, { seed: `${seed}/${name}/${i}`, size, backgroundColor: BACKGROUNDS }).toString();
      await sharp(Buffer.from(svg)).png().toFile(join(drawing, `${String(i).padStart(5, '0')}.png`));
      onProgress({ done: ++done, total: styles.length * perStyle });
    }
    await rename(drawing, place);
  }
  await writeFile(join(folder, 'LICENSES.md'), licences(styles));
  return done;
}

/** What each style's makers say of it, as the packages state it. */
const licences = (styles) =>
  `# Where these pictures are from\n\nDrawn by DiceBear (https://www.dicebear.com, MIT) from seeds, in these styles:\n\n${styles
    .map(([name, { meta }]) => `- **${name}**: "${meta.title}" by ${meta.creator}, ${meta.source}; ${meta.license.name}, ${meta.license.url}`)
    .join('\n')}\n`;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'per-style': { type: 'string' }, size: { type: 'string' }, seed: { type: 'string' } },
  });
  if (positionals.length !== 1) {
    console.error('usage: node scripts/draw-avatars.mjs <folder> [--per-style 400] [--size 128] [--seed 1]');
    process.exit(2);
  }
  const number = (text, otherwise) => (text === undefined ? otherwise : Number(text));
  const count = await drawAvatars(positionals[0], {
    perStyle: number(values['per-style'], 400),
    size: number(values.size, 128),
    seed: values.seed ?? 1,
  });
  console.error(`${count} avatars in ${positionals[0]}`);
}
