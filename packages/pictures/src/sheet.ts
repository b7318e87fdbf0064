// Contact sheets: pictures laid out in a grid.

import sharp from 'sharp';
import type { Pixels } from './encode.js';

/** A grid of `n` planar pictures [n, 3, h, w], row by row on white; as square as it can be by default. */
export function tileSheet(
  pictures: Uint8Array,
  n: number,
  h: number,
  w: number,
  { columns = Math.ceil(Math.sqrt(n)), gap = 2 }: { columns?: number; gap?: number } = {},
): Pixels {
  const rows = Math.ceil(n / columns);
  const [width, height] = [columns * (w + gap) + gap, rows * (h + gap) + gap];
  const data = new Uint8Array(width * height * 3).fill(255);
  for (let k = 0; k < n; k++) {
    const [top, left] = [gap + Math.floor(k / columns) * (h + gap), gap + (k % columns) * (w + gap)];
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++)
          data[((top + y) * width + left + x) * 3 + channel] = pictures[((k * 3 + channel) * h + y) * w + x]!;
  }
  return { width, height, channels: 3, data };
}

const STRIP = 18;

/** A sheet for a training report as WebP, with a strip below that says in words that no camera made it. */
export async function encodeReportGrid(sheet: Pixels, mark = 'made by a model'): Promise<Buffer> {
  const { width, height, channels, data } = sheet;
  const strip = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${STRIP}"><rect width="100%" height="100%" fill="#222"/><text x="5" y="13" font-family="sans-serif" font-size="11" fill="#fff">${mark}</text></svg>`;
  return sharp(data, { raw: { width, height, channels } })
    .extend({ bottom: STRIP, background: '#222' })
    .composite([{ input: Buffer.from(strip), top: height, left: 0 }])
    .webp({ quality: 85 })
    .toBuffer();
}
