// A label in the picture that says to everybody who looks that a model made or changed it. After the EU's Code of Practice on Transparency of
// AI-Generated Content (10 June 2026, section 2, measures 1.1 and 1.2): an acronym in capitals as the main element, embedded, plain to see,
// with what was generated told from what was modified. The Code's own icons write AI in English, and a language's own letters where its laws
// ask for them: `language: 'en'` gives that. This is an equivalent label, not one of those icons.

import sharp from 'sharp';
import type { Pixels } from './encode.js';
import { UserError } from './errors.js';
import { GLYPHS, lineUp, PENCIL } from './glyphs.js';
import { ACRONYMS, type MarkLanguage } from './mark-language.js';
import { LUMA } from './plane.js';
import type { Raster } from './raster.js';

/** In px. */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface MarkOptions {
  language: MarkLanguage;
  /** Whether a model made the whole picture, or changed one that was there; 'generated' by default. */
  kind?: 'generated' | 'edited';
  /** What the mark must not cover: faces, text. */
  avoid?: readonly Region[];
  /** Where it stands, in place of where it covers least: an animation's mark must not jump about. */
  at?: Place;
}

/** What was drawn, for the manifest. */
export interface VisibleMark {
  box: Region;
  text: string;
  language: MarkLanguage;
  kind: 'generated' | 'edited';
}

type Marked = Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'data'> | Pixels;

/** The shorter side of a picture that the least mark still leaves worth looking at. */
const SMALLEST = 64;
/** Of the shorter side, and at least so many px: below, letters are none. */
const [SHARE, LOWEST] = [0.04, 14];
/**
 * Of the ground behind the letters, black: on white it leaves white letters a contrast of 13 to 1 (WCAG 2.2, 1.4.3 asks for 4.5), and 4.56
 * even in a picture of linear light.
 */
const OPACITY = 0.82;
/** How light the rim is, without which the label has no shape on a dark picture. */
const RIM = 0.45;

/**
 * Draws the mark into the pixels, where it covers least: where there is least detail in it and around it, at a corner before the edges and at
 * the lower right before others where they are about as good; inside the picture only if the regions to be avoided leave no place at the edges.
 * Same picture, same place. It is a twenty-fifth of the shorter side high, at least 14 px. What it covers becomes opaque.
 * @throws UserError for a picture below 64 px a side, and where the regions leave no place at all.
 */
export async function markVisibly(picture: Marked, { language, kind = 'generated', avoid = [], at }: MarkOptions): Promise<VisibleMark> {
  const { width, height } = picture;
  const shorter = Math.min(width, height);
  if (shorter < SMALLEST) throw new UserError(`${width}x${height} is too small for a visible mark, which needs ${SMALLEST} px a side; leave it out, or enlarge the picture first`);
  const text = ACRONYMS[language];
  const label = await drawLabel(text, kind, Math.max(LOWEST, Math.round(shorter * SHARE)));
  const { left, top } = at ?? place(picture, label, avoid);
  lay(picture, label, left, top);
  return { box: { left, top, width: label.width, height: label.height }, text, language, kind };
}

interface Label {
  width: number;
  height: number;
  /** Interleaved, 3 a pixel: how light it is, how much of it the label covers, and nothing; 0 to 255. */
  data: Uint8Array;
}

async function drawLabel(text: string, kind: 'generated' | 'edited', height: number): Promise<Label> {
  // Top and baseline on whole pixels, for sharp edges.
  const capital = height - 2 * Math.round(height * 0.23);
  const line = lineUp([...[...text].map((letter) => GLYPHS[letter]!), ...(kind === 'edited' ? [PENCIL] : [])]);
  const width = Math.round(line.width * capital + 2 * height * 0.42);
  const rim = Math.max(1, height * 0.045);
  const [x, y] = [(width - line.width * capital) / 2, (height - capital) / 2];
  const radius = height * 0.34;
  const letters = line.glyphs.map(({ path, left }) => `<path transform="translate(${x + left * capital} ${y}) scale(${capital})" d="${path}"/>`);
  // Red is light and green is cover. On black, and letters over a ground of full green, so that neither needs to be told from an opacity.
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%"/>
<rect width="${width}" height="${height}" rx="${radius}" fill="#0f0"/>
<rect x="${rim / 2}" y="${rim / 2}" width="${width - rim}" height="${height - rim}" rx="${radius - rim / 2}" fill="none" stroke="#ff0" stroke-opacity="${RIM}" stroke-width="${rim}"/>
<g fill="#ff0">${letters.join('')}</g></svg>`;
  return { width, height, data: await sharp(Buffer.from(svg)).toColourspace('srgb').removeAlpha().raw().toBuffer() };
}

const layout = (picture: Marked) => {
  const colours = picture.channels === 1 ? 1 : 3;
  const alpha = picture.channels === 4 || ('alpha' in picture && picture.alpha);
  return { colours, alpha, bands: colours + (alpha ? 1 : 0), high: picture.data instanceof Uint16Array ? 65535 : 255 };
};

function lay(picture: Marked, { width, height, data: label }: Label, left: number, top: number): void {
  const { colours, alpha, bands, high } = layout(picture);
  const { data } = picture;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const cover = label[from + 1]! / 255;
      if (cover === 0) continue;
      const light = Math.min(cover, label[from]! / 255);
      const at = ((top + y) * picture.width + left + x) * bands;
      const before = alpha ? data[at + colours]! / high : 1;
      const after = before + cover * (1 - before);
      // What still shows of the picture: all beside the label, little through its ground, nothing through its letters.
      const shows = before * (1 - cover + (cover - light) * (1 - OPACITY));
      for (let c = 0; c < colours; c++) data[at + c] = Math.round((light * high + shows * data[at + c]!) / after);
      if (alpha) data[at + colours] = Math.round(after * high);
    }
}

interface Place {
  left: number;
  top: number;
}

function place(picture: Marked, { width, height }: Pick<Label, 'width' | 'height'>, avoid: readonly Region[]): Place {
  const margin = Math.max(4, Math.round(height * 0.4));
  const [right, bottom] = [picture.width - margin - width, picture.height - margin - height];
  const room = Math.max(3, Math.round(height / 8));
  const shunned = avoid.map(({ left, top, width, height }) => ({ left: left - room, top: top - room, right: left + width + room, bottom: top + height + room }));
  const free = ({ left, top }: Place) => shunned.every((r) => left >= r.right || left + width <= r.left || top >= r.bottom || top + height <= r.top);
  const nearest = (a: Place, b: Place) => right - a.left + bottom - a.top - (right - b.left + bottom - b.top) || a.top - b.top;
  /** Beside the steps of a grid those that touch a region: where there is any place at all, one of them is one. */
  const steps = (last: number, step: number, touching: number[]) => {
    const grid = Array.from({ length: Math.ceil((last - margin) / step) + 1 }, (_, i) => Math.max(margin, Math.round(last - i * step)));
    return [...new Set([...grid, ...touching.filter((at) => at >= margin && at <= last)])];
  };
  const xs = steps(right, width / 2, shunned.flatMap((r) => [Math.ceil(r.right), Math.floor(r.left) - width]));
  const ys = steps(bottom, height, shunned.flatMap((r) => [Math.ceil(r.bottom), Math.floor(r.top) - height]));
  const cross = (lefts: number[], tops: number[]): Place[] => lefts.flatMap((left) => tops.map((top) => ({ left, top }))).sort(nearest);
  const atEdges = () => [...cross([right, margin], [bottom, margin]), ...[...cross(xs, [bottom, margin]), ...cross([right, margin], ys)].sort(nearest)];
  const detail = detailOf(picture, width, height, margin);
  // The inside is not even listed where an edge has a place.
  for (const places of [atEdges, () => cross(xs, ys)]) {
    const open = places().filter(free);
    if (open.length === 0) continue;
    const found = open.map(detail);
    const asGood = found.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY) * 1.25 + SLIGHT;
    return open[found.findIndex((value) => value <= asGood)]!;
  }
  throw new UserError(`the regions to be avoided leave no place for a visible mark of ${width}x${height} in ${picture.width}x${picture.height}; mark smaller or fewer regions`);
}

/** Looks along the shorter side of a place: enough to see what is there, and as quick in a picture of 100 megapixels. */
const LOOKS = 24;

/** The mean step in luma, of 255, that the eye takes for none: noise, the grain of a sky. Less of it is not worth leaving a corner for. */
const SLIGHT = 2;

/** How much there is to see in a place and the margin around it: the mean step in luma, of 255, from one look to the next. */
function detailOf(picture: Marked, width: number, height: number, margin: number): (place: Place) => number {
  const { colours, alpha, bands, high } = layout(picture);
  const { data } = picture;
  const step = Math.max(1, Math.floor(height / LOOKS));
  const luma = (x: number, y: number): number => {
    const at = (y * picture.width + x) * bands;
    const grey = colours === 1 ? data[at]! : LUMA[0] * data[at]! + LUMA[1] * data[at + 1]! + LUMA[2] * data[at + 2]!;
    return (alpha ? (grey * data[at + colours]!) / high : grey) / high;
  };
  return ({ left, top }) => {
    let [sum, count] = [0, 0];
    for (let y = top - margin; y + step < top + height + margin; y += step)
      for (let x = left - margin; x + step < left + width + margin; x += step, count++) {
        const here = luma(x, y);
        sum += Math.abs(luma(x + step, y) - here) + Math.abs(luma(x, y + step) - here);
      }
    return (sum / count) * 255;
  };
}
