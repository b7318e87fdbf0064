// A picture in a frame of its mirrored edges, and reduced: what painting asks of it, part by part.

import { boxReduced, FRAME, GRAIN, type Luminance, luminance, type Planar } from '@zeuxis/nets';
import { cropPlanar, ROWS, type Source } from '../edit/tiles.js';

/** Without so many of its outermost lines. */
const inset = ({ width, height, read }: Source, by: number): Source => ({ width: width - 2 * by, height: height - 2 * by, read: (x, y, w, h, out) => read(x + by, y + by, w, h, out) });

/** A picture in a frame of its mirrored edges, to whole grains: what the network does worse at edges it does out of sight. */
export function framed(source: Source, frame: number): Source {
  const [columns, rows] = [mirroredLines(source.width, frame), mirroredLines(source.height, frame)];
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
      const band = new Float32Array(3 * width * Math.min(h, ROWS));
      for (let first = 0; first < h; first += ROWS) {
        const down = rows.subarray(y + first, y + Math.min(h, first + ROWS));
        const [top, bottom] = bounds(down);
        const height = bottom - top + 1;
        const values = band.subarray(0, 3 * width * height);
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

/** Means of `factor` by `factor` pixels, [3, h, w], band by band: the whole may be too large for memory. */
function reduced(source: Source, w: number, h: number, factor: number): Float32Array {
  const out = new Float32Array(3 * w * h);
  const width = w * factor;
  const read = new Float32Array(3 * width * Math.min(h, ROWS) * factor);
  for (let top = 0; top < h; top += ROWS) {
    const rows = Math.min(ROWS, h - top);
    const band = { width, height: rows * factor, data: read.subarray(0, 3 * width * rows * factor) };
    source.read(0, top * factor, band.width, band.height, band.data);
    const { data } = boxReduced(band, factor);
    for (let c = 0; c < 3; c++) out.set(data.subarray(c * w * rows, (c + 1) * w * rows), (c * h + top) * w);
  }
  return out;
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
    const all = shrunk(whole, factor);
    const edge = (margin - frame) / factor;
    const part = { x: edge, y: edge, width: toGrains(all.width - 2 * edge), height: toGrains(all.height - 2 * edge) };
    return { luminance: luminance(boxReduced(all, GRAIN / factor)), small: { ...part, data: cropPlanar(all.data, 3, all.width, all.height, part) }, factor };
  }
  const seen = frame > margin ? framed(source, frame) : inset(whole, margin - frame);
  const [width, height] = [toGrains(seen.width / factor), toGrains(seen.height / factor)];
  return { luminance: luminance(shrunk(whole, GRAIN)), small: { width, height, data: reduced(seen, width, height, factor) }, factor };
}

const toGrains = (side: number): number => Math.floor(side / GRAIN) * GRAIN;

/** A picture whose sides are multiples of `factor`, reduced by it. */
function shrunk(source: Source, factor: number): Planar {
  const [width, height] = [source.width / factor, source.height / factor];
  return { width, height, data: reduced(source, width, height, factor) };
}
