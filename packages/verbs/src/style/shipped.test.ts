// The styles that are shipped, on what is hard on them: an even sky, and strengths between none and all.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { style } from './style.js';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-shipped-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const [WIDTH, HEIGHT] = [320, 240];
const SKY = `<linearGradient id="sky" x2="0" y2="1"><stop offset="0" stop-color="#8fb4d9"/><stop offset="1" stop-color="#b3cbe2"/></linearGradient>`;
const drawn = (inside: string) => `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"><defs>${SKY}</defs><rect width="100%" height="100%" fill="url(#sky)"/>${inside}</svg>`;
const HOUSE = '<path d="M60 240 V120 L130 70 L200 120 V240 Z" fill="#a5563c"/><rect x="85" y="140" width="30" height="40" fill="#2d2a33"/><rect x="145" y="140" width="30" height="40" fill="#e8d9a0"/><path d="M0 215 H320 V240 H0 Z" fill="#3d6b35"/>';

async function painted(model: string, name: string, svg: string, strength: number): Promise<Uint8Array> {
  const input = join(home, `${name}.png`);
  await sharp(Buffer.from(svg)).removeAlpha().png().toFile(input);
  const { files } = await style({ inputs: [input], out: join(home, `${model} ${strength}`), model, strength, seed: 0, identityFolder: join(home, 'identity'), threads: 1, overwrite: true });
  return sharp(files[0]!.path).removeAlpha().raw().toBuffer();
}

/** Side of a place in px. */
const PLACE = 40;

/** How far places differ in colour, the largest deviation of red, green and blue, of 255. */
function unevenness(values: Uint8Array, among: (left: number, top: number) => boolean): number {
  const places: number[][] = [];
  for (let top = 0; top < HEIGHT; top += PLACE)
    for (let left = 0; left < WIDTH; left += PLACE) {
      if (!among(left, top)) continue;
      const sums = [0, 0, 0];
      for (let y = top; y < top + PLACE; y++) for (let x = left; x < left + PLACE; x++) for (let c = 0; c < 3; c++) sums[c]! += values[3 * (y * WIDTH + x) + c]!;
      places.push(sums.map((sum) => sum / PLACE ** 2));
    }
  const deviations = [0, 1, 2].map((c) => {
    const mean = places.reduce((sum, place) => sum + place[c]!, 0) / places.length;
    return Math.sqrt(places.reduce((sum, place) => sum + (place[c]! - mean) ** 2, 0) / places.length);
  });
  return Math.max(...deviations);
}

/** What of it is borne behind a house, and where there is nothing but sky, which grows lighter by a deviation of 11 itself. */
const EVEN = { 'starry-night': { behind: 42, alone: 48 }, scream: { behind: 58, alone: 40 }, 'great-wave': { behind: 9, alone: 8 }, shipwreck: { behind: 53, alone: 22 } };

describe.each(Object.entries(EVEN))('%s', (model, most) => {
  it('paints a sky without falling into one colour here and another there', async () => {
    const values = await painted(model, 'house', drawn(HOUSE), 1);
    // Above the roof, and beside the house.
    expect(unevenness(values, (left, top) => top < 200 && (top < PLACE || left >= 200))).toBeLessThan(most.behind);
  });

  it('paints a sky that is all there is as calmly', async () => {
    expect(unevenness(await painted(model, 'sky', drawn(''), 1), () => true)).toBeLessThan(most.alone);
  });

  it('at half its strength paints otherwise than it shows through', async () => {
    const svg = drawn(HOUSE);
    const [none, half, full] = [await painted(model, 'house', svg, 0), await painted(model, 'house', svg, 0.5), await painted(model, 'house', svg, 1)];
    const apart = Array.from({ length: 101 }, (_, i) => i / 100).map((share) => half.reduce((sum, value, i) => sum + Math.abs(value - (1 - share) * none[i]! - share * full[i]!), 0) / half.length);
    // Of 255, whatever the share; a cross-fade would be at 0.
    expect(Math.min(...apart)).toBeGreaterThan(5);
  });
});
