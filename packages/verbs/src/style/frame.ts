// A picture in a frame of its mirrored edges, and reduced: what painting asks of it, part by part.

import { boxReduced, FRAME, GRAIN, type Luminance, luminance, type Planar } from '@zeuxis/nets';
import { ROWS, reused, type Source } from '../edit/tiles.js';

/** Without so many of its outermost lines. */
const inset = ({ width, height, read }: Source, by: number): Source => ({ width: width - 2 * by, height: height - 2 * by, read: (x, y, w, h, out) => read(x + by, y + by, w, h, out) });

/** A picture in a frame of its mirrored edges, to whole grains: what the network does worse at edges it does out of sight. */
export function framed(source: Source, frame: number): Source {
  const [columns, rows] = [mirroredLines(source.width, frame), mirroredLines(source.height, frame)];
  const room = reused();
  return {
    width: columns.length,
    height: rows.length,
    read(x, y, w, h, out) {
      const across = columns.subarray(x, x + w);
      const [left, right] = bounds(across);
      const width = right - left + 1;
      // Between the mirrored edges lines go over as they are.
      const begin = Math.min(w, Math.max(0, frame - x));
      const end = Math.max(begin, Math.min(w, frame + source.width - x));
      for (let first = 0; first < h; first += ROWS) {
        const down = rows.subarray(y + first, y + Math.min(h, first + ROWS));
        const [top, bottom] = bounds(down);
        const height = bottom - top + 1;
        const values = room(3 * width * height);
        source.read(left, top, width, height, values);
        for (let c = 0; c < 3; c++)
          for (let row = 0; row < down.length; row++) {
            const from = (c * height + down[row]! - top) * width - left;
            const to = (c * h + first + row) * w;
            for (let column = 0; column < begin; column++) out[to + column] = values[from + across[column]!]!;
            if (end > begin) out.set(values.subarray(from + across[begin]!, from + across[begin]! + end - begin), to + begin);
            for (let column = end; column < w; column++) out[to + column] = values[from + across[column]!]!;
          }
      }
    },
  };
}

/** For every line of a framed side, where it is in the picture: beyond the edges mirrored, as often as it takes. */
function mirroredLines(side: number, frame: number): Int32Array {
  return Int32Array.from({ length: Math.ceil(side / GRAIN) * GRAIN + 2 * frame }, (_, at) => {
    const folded = (((at - frame) % (2 * side)) + 2 * side) % (2 * side);
    return folded < side ? folded : 2 * side - 1 - folded;
  });
}

/** Least and largest. */
function bounds(values: Int32Array): [number, number] {
  let [low, high] = [values[0]!, values[0]!];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Means of `factor` by `factor` pixels, w by h of them, by bands of rows from `top` on, which are not kept: the whole may be too large for memory. */
function inBands(source: Source, w: number, h: number, factor: number, take: (band: Planar, top: number) => void): void {
  const width = w * factor;
  const most = 3 * w * Math.min(h, ROWS);
  const [read, room] = [new Float32Array(most * factor ** 2), new Float32Array(most)];
  for (let top = 0; top < h; top += ROWS) {
    const height = Math.min(ROWS, h - top) * factor;
    const data = read.subarray(0, 3 * width * height);
    source.read(0, top * factor, width, height, data);
    take(boxReduced({ width, height, data }, factor, room), top);
  }
}

/** Means of `factor` by `factor` pixels, w by h of them. */
function shrunk(source: Source, width: number, height: number, factor: number): Planar {
  const small = planarOf(width, height);
  inBands(source, width, height, factor, (band, top) => placeRows(band, 0, top, small));
  return small;
}

/** Rows of a band of a wider picture, from its row `top` on, as far as they are within what begins `edge` px from its left and upper edges. */
function placeRows(band: Planar, edge: number, top: number, out: Planar): void {
  const [first, last] = [Math.max(top, edge), Math.min(top + band.height, edge + out.height)];
  for (let c = 0; c < 3; c++)
    for (let row = first; row < last; row++) {
      const from = (c * band.height + row - top) * band.width + edge;
      out.data.set(band.data.subarray(from, from + out.width), (c * out.height + row - edge) * out.width);
    }
}

/** Longer side in px to which a picture is reduced for its moments; smaller ones are measured as they are. */
const MEASURED = 768;

/** What is looked at of a picture before it is painted. */
export interface Looked {
  /** Of the picture in its frame, at a quarter of its sides. */
  luminance: Luminance;
  /** The picture reduced by `factor`, in a frame of FRAME px as crops had in training. */
  small: Planar;
  factor: number;
}

/** Looks at a picture. @param whole it in a frame of `margin` px, whole grains. */
export function lookAt(source: Source, whole: Source, margin: number): Looked {
  const factor = Math.ceil(Math.max(source.width, source.height) / MEASURED);
  const frame = FRAME * factor;
  // Once for both, where means of few pixels make those of a grain.
  if (GRAIN % factor === 0 && frame <= margin) {
    const [width, height] = [whole.width / factor, whole.height / factor];
    const edge = (margin - frame) / factor;
    const small = planarOf(toGrains(width - 2 * edge), toGrains(height - 2 * edge));
    const light = { width: whole.width / GRAIN, height: whole.height / GRAIN, data: new Float64Array((whole.width / GRAIN) * (whole.height / GRAIN)) };
    const room = new Float32Array(3 * light.width * ROWS);
    inBands(whole, width, height, factor, (band, top) => {
      placeRows(band, edge, top, small);
      light.data.set(luminance(boxReduced(band, GRAIN / factor, room)).data, ((top * factor) / GRAIN) * light.width);
    });
    return { luminance: light, small, factor };
  }
  const seen = frame > margin ? framed(source, frame) : inset(whole, margin - frame);
  const small = shrunk(seen, toGrains(seen.width / factor), toGrains(seen.height / factor), factor);
  return { luminance: luminance(shrunk(whole, whole.width / GRAIN, whole.height / GRAIN, GRAIN)), small, factor };
}

const toGrains = (side: number): number => Math.floor(side / GRAIN) * GRAIN;
const planarOf = (width: number, height: number): Planar => ({ width, height, data: new Float32Array(3 * width * height) });
