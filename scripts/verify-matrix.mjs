// What `zeuxis verify` says of a published picture in each format, as it is and after what happens to pictures; and of the official test files:
//
//   node scripts/verify-matrix.mjs
//
// Prints two tables in Markdown.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@zeuxis/nets';
import { examine, openIdentity, publishEdited } from '@zeuxis/provenance';
import sharp from 'sharp';

const home = await mkdtemp(join(tmpdir(), 'zeuxis-matrix-'));
const [width, height] = [640, 512];
const random = new Random('matrix');
const blots = Array.from({ length: 40 }, () => ({ x: random.uniform() * width, y: random.uniform() * height, r: 8 + random.uniform() * 60, v: random.uniform() * 120 - 60 }));
const drawn = () => {
  const grain = new Random('grain');
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return Math.max(5, Math.min(250, blots.reduce((sum, b) => sum + b.v * Math.exp(-((x - b.x) ** 2 + (y - b.y) ** 2) / b.r ** 2), 120) + grain.below(15) - 7 + 12 * c));
  });
};
try {
  const identityFolder = join(home, 'identity');
  const identity = await openIdentity(identityFolder);
  const source = join(home, 'source.png');
  await sharp(drawn(), { raw: { width, height, channels: 3 } }).png().toFile(source);
  const model = { name: 'grapes', sha256: 'ab'.repeat(32) };
  const after = {
    'as published': async (bytes) => bytes,
    'one byte changed': async (bytes) => {
      const copy = Buffer.from(bytes);
      // Near the end of what is neither manifest nor trailer.
      copy[Math.floor(copy.length * 0.6)] ^= 1;
      return copy;
    },
    'written anew, metadata kept': async (bytes, format) => sharp(bytes).keepXmp().toFormat(format).toBuffer(),
    'written anew as JPEG 75': async (bytes) => sharp(bytes).flatten().jpeg({ quality: 75 }).toBuffer(),
    'a screenshot (1.3 times, JPEG 75)': async (bytes) => sharp(bytes).resize(Math.round(width * 1.3)).jpeg({ quality: 75 }).toBuffer(),
    'made small (64 px)': async (bytes) => sharp(bytes).resize(64).png().toBuffer(),
  };
  const formats = ['png', 'jpeg', 'webp', 'tiff', 'avif'];
  const rows = Object.fromEntries(Object.keys(after).map((name) => [name, []]));
  for (const format of formats) {
    const path = join(home, `published.${format}`);
    const edit = { action: 'c2pa.filtered', description: 'painted', parent: { path: source, bytes: await readFile(source) }, generation: { model } };
    await publishEdited(async () => ({ width, height, channels: 3, alpha: false, depth: 8, format, data: drawn() }), path, edit, { identity, version: '0', format });
    for (const [name, change] of Object.entries(after)) {
      const changed = join(home, `changed.${format}`);
      await writeFile(changed, await change(await readFile(path), format));
      const { verdict, trusted, record } = await examine(changed, { identityFolder });
      rows[name].push(`${verdict}${verdict === 'signed' ? (trusted ? ', trusted' : ', not trusted') : record ? ', record' : ''}`);
    }
  }
  console.log(`| | ${formats.join(' | ')} |\n| --- |${formats.map(() => ' --- |').join('')}`);
  for (const [name, verdicts] of Object.entries(rows)) console.log(`| ${name} | ${verdicts.join(' | ')} |`);
  const folder = fileURLToPath(new URL('../../shared/data/c2pa/', import.meta.url));
  if (existsSync(folder)) {
    console.log('\n| official test file | verdict | what failed |\n| --- | --- | --- |');
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.jpg')).sort()) {
      const { verdict, problems } = await examine(join(folder, file), { identityFolder });
      console.log(`| \`${file}\` | ${verdict} | ${problems.join(', ')} |`);
    }
  }
} finally {
  await rm(home, { recursive: true, force: true });
}
