// Contact sheets: pictures laid out in a grid.

import sharp from 'sharp';
import type { Pixels } from './encode.js';

/** Side below which pictures on a sheet are enlarged, by whole numbers and without smoothing: a thumbnail of a thumbnail shows nothing. */
const LEGIBLE = 96;

/** A grid of `n` planar pictures [n, 3, h, w], row by row on grey; as square as it can be by default. */
export function tileSheet(
  pictures: Uint8Array,
  n: number,
  h: number,
  w: number,
  { columns = Math.ceil(Math.sqrt(n)), gap = 2 }: { columns?: number; gap?: number } = {},
): Pixels {
  const rows = Math.ceil(n / columns);
  const scale = Math.ceil(LEGIBLE / Math.max(h, w));
  const [tall, wide] = [h * scale, w * scale];
  const [width, height] = [columns * (wide + gap) + gap, rows * (tall + gap) + gap];
  const data = new Uint8Array(width * height * 3).fill(0x80);
  for (let k = 0; k < n; k++) {
    const [top, left] = [gap + Math.floor(k / columns) * (tall + gap), gap + (k % columns) * (wide + gap)];
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < tall; y++) {
        const row = ((k * 3 + channel) * h + Math.floor(y / scale)) * w;
        for (let x = 0; x < wide; x++) data[((top + y) * width + left + x) * 3 + channel] = pictures[row + Math.floor(x / scale)]!;
      }
  }
  return { width, height, channels: 3, data };
}

const STRIP = 18;
/** Letters of 5 by 7 dots, a row a string: a slim machine has no fonts, and the mark must be readable there too. */
const LETTERS: Record<string, string> = {
  a: '..... ..... .###. ....# .#### #...# .####',
  b: '#.... #.... #.##. ##..# #...# ##..# #.##.',
  d: '....# ....# .##.# #..## #...# #..## .##.#',
  e: '..... ..... .###. #...# ##### #.... .###.',
  l: '.##.. ..#.. ..#.. ..#.. ..#.. ..#.. .###.',
  m: '..... ..... ##.#. #.#.# #.#.# #.#.# #.#.#',
  o: '..... ..... .###. #...# #...# #...# .###.',
  y: '..... ..... #...# #...# .#### ....# .###.',
};
const MARK = 'made by a model';

/** Writes the mark in white into the strip below a sheet. */
function writeMark({ width, data }: Pixels, top: number): void {
  [...MARK].forEach((letter, i) => {
    LETTERS[letter]?.split(' ').forEach((row, y) => {
      for (let x = 0; x < row.length; x++) {
        const column = 5 + i * 6 + x;
        if (row[x] === '#' && column < width) data.fill(255, ((top + 6 + y) * width + column) * 3, ((top + 6 + y) * width + column + 1) * 3);
      }
    });
  });
}

/** A sheet for a training report as WebP, with a strip below that says in words that no camera made it. */
export async function encodeReportGrid({ width, height, data }: Pixels): Promise<Buffer> {
  const marked: Pixels = { width, height: height + STRIP, channels: 3, data: new Uint8Array(width * (height + STRIP) * 3).fill(0x22) };
  marked.data.set(data);
  writeMark(marked, height);
  return sharp(marked.data, { raw: { width, height: marked.height, channels: 3 } }).webp({ quality: 85 }).toBuffer();
}
