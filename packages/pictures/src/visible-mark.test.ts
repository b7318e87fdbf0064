// The visible mark on pictures drawn here: readable on any ground, where least is, never where it must not be, in every depth.

import { describe, expect, it } from 'vitest';
import { ACRONYMS, languageOf, markVisibly, type Raster, type Region, UserError } from './index.js';

type Picture = Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'>;

/** Each pixel's samples from `at`, of 255; as 16 bits, of 65535. */
function draw(width: number, height: number, at: (x: number, y: number) => number[], depth: 8 | 16 = 8): Picture {
  const bands = at(0, 0).length;
  const data = depth === 16 ? new Uint16Array(width * height * bands) : new Uint8Array(width * height * bands);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(at(x, y).map((v) => (depth === 16 ? v * 257 : v)), (y * width + x) * bands);
  return { width, height, channels: bands > 2 ? 3 : 1, alpha: bands % 2 === 0, data };
}
const busy = (x: number, y: number) => ((x * 7 + y * 13) % 5) * 50;
const overlap = (a: Region, b: Region) => a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
const inside = ({ left, top, width, height }: Region, picture: Picture) => left >= 0 && top >= 0 && left + width <= picture.width && top + height <= picture.height;
/** All changed pixels as [x, y]. */
function changed(before: Picture, after: Picture): [number, number][] {
  const bands = before.channels + Number(before.alpha);
  const pixels = new Set<number>();
  before.data.forEach((v, i) => {
    if (v !== after.data[i]) pixels.add(Math.floor(i / bands));
  });
  return [...pixels].map((i) => [i % before.width, Math.floor(i / before.width)]);
}
/** WCAG 2.2: of two greys, 0 to 255 in sRGB. */
function contrast(a: number, b: number): number {
  const linear = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const [low, high] = [linear(a), linear(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe('what it looks like', () => {
  it.each([0, 90, 128, 255])('is readable on a ground of %i', async (ground) => {
    const picture = draw(500, 400, () => [ground, ground, ground]);
    const { box } = await markVisibly(picture, { language: 'de' });
    const values: number[] = [];
    for (let y = box.top + 4; y < box.top + box.height - 4; y++) for (let x = box.left + 4; x < box.left + box.width - 4; x++) values.push(picture.data[(y * 500 + x) * 3]!);
    const dark = values.reduce((a, b) => Math.min(a, b));
    expect(contrast(dark, values.reduce((a, b) => Math.max(a, b)))).toBeGreaterThan(4.5);
    // Neither a blank plate nor a filled one.
    const letters = values.filter((v) => v > 200).length / values.length;
    expect(letters).toBeGreaterThan(0.15);
    expect(letters).toBeLessThan(0.6);
  });

  it('writes each language in letters of its own, and what was edited another way', async () => {
    const shape = async (language: keyof typeof ACRONYMS, kind: 'generated' | 'edited') => {
      const picture = draw(600, 600, () => [80]);
      const { box, text } = await markVisibly(picture, { language, kind });
      const rows = Array.from({ length: box.height }, (_, y) => picture.data.slice((box.top + y) * 600 + box.left, (box.top + y) * 600 + box.left + box.width).join());
      return { text, drawn: rows.join(';'), width: box.width };
    };
    const drawn = new Map<string, string>();
    for (const language of Object.keys(ACRONYMS) as (keyof typeof ACRONYMS)[]) {
      const [made, edited] = [await shape(language, 'generated'), await shape(language, 'edited')];
      expect(made.text).toBe(edited.text);
      expect(edited.width).toBeGreaterThan(made.width);
      expect(drawn.get(made.text) ?? made.drawn).toBe(made.drawn);
      drawn.set(made.text, made.drawn);
    }
    expect([...drawn.keys()].sort()).toEqual(['AI', 'DI', 'IA', 'KI', 'MI', 'TI', 'UI', '\u03a4\u039d', '\u0418\u0418']);
    expect(new Set(drawn.values()).size).toBe(drawn.size);
  });

  it('is a twenty-fifth of the shorter side high, 14 px at least', async () => {
    const heights = await Promise.all([[64, 64], [2000, 256], [1000, 3000]].map(async ([w, h]) => (await markVisibly(draw(w!, h!, () => [9]), { language: 'en' })).box.height));
    expect(heights).toEqual([14, 14, 40]);
    await expect(markVisibly(draw(63, 500, () => [9]), { language: 'en' })).rejects.toThrow(/63x500 is too small/);
  });
});

describe('where it goes', () => {
  it('takes the lower right of a plain picture, and the same place each time', async () => {
    const { box } = await markVisibly(draw(300, 200, () => [120]), { language: 'en' });
    expect(box.left + box.width).toBe(300 - 6);
    expect(box.top + box.height).toBe(200 - 6);
    const places = await Promise.all([1, 2].map(() => markVisibly(draw(333, 222, (x, y) => [busy(x, y)]), { language: 'fr' })));
    expect(places[0]).toEqual(places[1]);
  });

  it.each([
    ['upper left', (x: number, y: number) => x < 90 && y < 60],
    ['lower left', (x: number, y: number) => x < 90 && y > 140],
    ['upper edge', (x: number, y: number) => x > 100 && x < 200 && y < 60],
  ] as const)('finds the one quiet place, the %s', async (_, quiet) => {
    const picture = draw(300, 200, (x, y) => (quiet(x, y) ? [60, 60, 60] : [busy(x, y), busy(y, x), busy(x, x + y)]));
    const { left, top, width, height } = (await markVisibly(picture, { language: 'en' })).box;
    for (const [x, y] of [[left, top], [left + width - 1, top + height - 1]] as const) expect(quiet(x, y)).toBe(true);
  });

  it('keeps clear of regions, and changes nothing outside its box', async () => {
    const avoid = [{ left: 150, top: 120, width: 150, height: 80 }, { left: 0, top: 0, width: 60.5, height: 200 }];
    const [before, picture] = [0, 1].map(() => draw(300, 200, (x, y) => [busy(x, y), x % 256, y])) as [Picture, Picture];
    const { box } = await markVisibly(picture, { language: 'en', avoid });
    expect(inside(box, picture)).toBe(true);
    for (const region of avoid) expect(overlap({ left: region.left - 3, top: region.top - 3, width: region.width + 6, height: region.height + 6 }, box)).toBe(false);
    const pixels = changed(before, picture);
    expect(pixels.length).toBeGreaterThan(box.width * box.height * 0.8);
    expect(pixels.every(([x, y]) => overlap({ left: x, top: y, width: 1, height: 1 }, box))).toBe(true);
  });

  it('goes inside where the edges are taken, into the only gap there is', async () => {
    // A gap of 40x26 that lies on no grid: the mark and 3 px around it just fit.
    const gap = { left: 117, top: 83, width: 40, height: 26 };
    const avoid = [
      { left: 0, top: 0, width: 300, height: gap.top },
      { left: 0, top: gap.top + gap.height, width: 300, height: 300 },
      { left: 0, top: 0, width: gap.left, height: 300 },
      { left: gap.left + gap.width, top: 0, width: 300, height: 300 },
    ];
    const picture = draw(300, 200, () => [120]);
    const { box } = await markVisibly(picture, { language: 'en', avoid });
    expect(overlap(box, gap) && avoid.every((region) => !overlap(region, box))).toBe(true);
    const refused = markVisibly(picture, { language: 'en', avoid: [...avoid, gap] });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/leave no place for a visible mark/);
  });
});

describe('samples', () => {
  it('are marked alike in 8 and 16 bits, grey and RGB', async () => {
    const pictures = [draw(200, 150, () => [200]), draw(200, 150, () => [200], 16), draw(200, 150, () => [200, 200, 200]), draw(200, 150, () => [200, 200, 200], 16)];
    const [grey, ...others] = await Promise.all(
      pictures.map(async (picture) => {
        await markVisibly(picture, { language: 'en' });
        return Array.from({ length: 200 * 150 }, (_, i) => picture.data[i * picture.channels]! / (picture.data instanceof Uint16Array ? 257 : 1));
      }),
    );
    for (const other of others) expect(other.reduce((most, v, i) => Math.max(most, Math.abs(v - grey![i]!)), 0)).toBeLessThan(0.51);
  });

  it('become opaque under it, and what a clear pixel hid does not show', async () => {
    const [bright, dark] = [draw(200, 150, () => [255, 0, 0, 0]), draw(200, 150, () => [0, 0, 0, 0])];
    const { box } = await markVisibly(bright, { language: 'en' });
    await markVisibly(dark, { language: 'en' });
    const middle = ((box.top + 4) * 200 + box.left + Math.floor(box.width / 2)) * 4;
    expect(bright.data[middle + 3]).toBe(255);
    expect([...bright.data.slice(middle, middle + 4)]).toEqual([...dark.data.slice(middle, middle + 4)]);
    expect(bright.data[3]).toBe(0);
    // The other shape of pixels, with alpha told by the channels.
    const pixels = { width: 200, height: 150, channels: 4 as const, data: Uint8Array.from(draw(200, 150, () => [255, 0, 0, 0]).data) };
    expect((await markVisibly(pixels, { language: 'en' })).box).toEqual(box);
    expect(pixels.data).toEqual(bright.data);
  });
});

describe('the language', () => {
  it.each([
    [{ LC_ALL: 'de_AT.UTF-8', LANG: 'fr_FR' }, undefined, 'de'],
    [{ LC_ALL: '', LC_MESSAGES: 'el', LANG: 'fr_FR' }, undefined, 'el'],
    [{ LANG: 'pt_BR.UTF-8' }, undefined, 'pt'],
    [{ LANG: 'ca_ES@valencia' }, undefined, 'en'],
    [{ LC_ALL: 'C.UTF-8', LANG: 'de_DE' }, undefined, 'en'],
    [{ LC_ALL: 'de_DE' }, 'bg', 'bg'],
    [{ LC_ALL: 'de_DE' }, 'FR-ca', 'fr'],
    [{ LC_ALL: 'de_DE' }, 'ja', 'en'],
    [{ LANG: 'constructor' }, undefined, 'en'],
  ])('of %j, asked for %s, is %s', (environment, asked, language) => {
    expect(languageOf(environment, asked)).toBe(language);
  });

  it('is the machine\'s where the environment says nothing', () => {
    const own = new Intl.DateTimeFormat().resolvedOptions().locale.slice(0, 2);
    expect(languageOf({})).toBe(Object.hasOwn(ACRONYMS, own) ? own : 'en');
  });

  it('has letters for all 24 of the EU', () => {
    expect(Object.keys(ACRONYMS)).toHaveLength(24);
    for (const text of Object.values(ACRONYMS)) expect([...text]).toHaveLength(2);
  });
});
