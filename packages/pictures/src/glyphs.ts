// The letters of the visible mark, drawn here: a slim machine has no fonts. Outlines as SVG paths, capitals 1 high from the top down to the
// baseline, stems a fifth of that, and flat ends, which stay sharp at eight pixels. Counters run against their outlines.

export interface Glyph {
  width: number;
  path: string;
  /** Room to the left and to the right: straight stems want more of it than slants and rounds. */
  bearing: readonly [number, number];
}

export const GLYPHS: Readonly<Record<string, Glyph>> = {
  A: { width: 0.89, bearing: [0.03, 0.03], path: 'M0 1L.345 0H.545L.89 1H.685L.6125 .79H.2775L.205 1ZM.445 .304L.333 .63H.557Z' },
  D: { width: 0.82, bearing: [0.11, 0.06], path: 'M0 0H.33A.49 .5 0 0 1 .33 1H0ZM.2 .19V.81H.33A.29 .31 0 0 0 .33 .19Z' },
  I: { width: 0.2, bearing: [0.11, 0.11], path: 'M0 0H.2V1H0Z' },
  K: { width: 0.84, bearing: [0.11, 0.04], path: 'M0 0H.2V1H0ZM.56 0H.81L.2 .7V.41ZM.292 .46L.43 .31 .84 1H.6Z' },
  M: { width: 0.96, bearing: [0.11, 0.11], path: 'M0 1V0H.22L.48 .55 .74 0H.96V1H.76V.4L.545 .85H.415L.2 .4V1Z' },
  N: { width: 0.8, bearing: [0.11, 0.11], path: 'M0 1V0H.21L.6 .62V0H.8V1H.59L.2 .38V1Z' },
  T: { width: 0.76, bearing: [0.04, 0.04], path: 'M0 0H.76V.19H.48V1H.28V.19H0Z' },
  U: { width: 0.78, bearing: [0.1, 0.1], path: 'M0 0V.61A.39 .39 0 0 0 .78 .61V0H.58V.61A.19 .19 0 0 1 .2 .61V0Z' },
  // Greek and Cyrillic have code points of their own, though the first two look like the Latin ones.
  Τ: { width: 0.76, bearing: [0.04, 0.04], path: 'M0 0H.76V.19H.48V1H.28V.19H0Z' },
  Ν: { width: 0.8, bearing: [0.11, 0.11], path: 'M0 1V0H.21L.6 .62V0H.8V1H.59L.2 .38V1Z' },
  И: { width: 0.8, bearing: [0.11, 0.11], path: 'M0 1H.21L.6 .38V1H.8V0H.59L.2 .62V0H0Z' },
};

/** A pencil, its tip at the lower left: what stands before it was changed, not made. */
export const PENCIL: Glyph = { width: 1, bearing: [0.26, 0], path: 'M0 1L.084 .704 .566 .222 .778 .434 .296 .916ZM.644 .144L.792 0 1 .208 .856 .356Z' };

export interface Line {
  /** In heights of a capital, from the first glyph's left edge to the last one's right. */
  width: number;
  glyphs: readonly { path: string; left: number }[];
}

/** Glyphs side by side. */
export function lineUp(glyphs: readonly Glyph[]): Line {
  let left = 0;
  const placed = glyphs.map(({ width, path, bearing }, i) => {
    const before = i === 0 ? 0 : glyphs[i - 1]!.bearing[1] + bearing[0];
    const start = left + before;
    left = start + width;
    return { path, left: start };
  });
  return { width: left, glyphs: placed };
}
