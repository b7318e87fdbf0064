// Makes a folder of pairs to measure an upscaler on, NAME-hr.png and NAME-lr.png reduced by MATLAB's bicubic, from a folder of pictures:
//
//   node scripts/pairs.mjs <pictures> <folder> <scale>
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bicubic, findPictures, readPlane } from '@zeuxis/pictures';
import sharp from 'sharp';

const [pictures, folder, times] = process.argv.slice(2);
const scale = Number(times);
if (!(scale > 1)) throw new Error('node scripts/pairs.mjs <pictures> <folder> <scale>');
await mkdir(folder, { recursive: true });
for (const [n, file] of (await findPictures(pictures)).entries()) {
  const whole = await readPlane(join(pictures, file));
  const sides = { width: Math.floor(whole.width / scale) * scale, height: Math.floor(whole.height / scale) * scale };
  const raw = ({ width, height, channels, data }) => sharp(data, { raw: { width, height, channels } });
  const { data } = await raw(whole).extract({ left: 0, top: 0, ...sides }).raw().toBuffer({ resolveWithObject: true });
  const large = { ...sides, channels: whole.channels, data: new Uint8Array(data) };
  const name = join(folder, String(n + 1).padStart(3, '0'));
  await raw(large).png().toFile(`${name}-hr.png`);
  await raw(bicubic(large, 1 / scale)).png().toFile(`${name}-lr.png`);
}
