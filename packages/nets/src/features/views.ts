// Random views of pictures for training features: crops, mirrors and small changes of colour. A crop scaled to the
// network's side is separable, so it is one matrix for the rows and one for the columns, drawn outside the graph and fed.
//
// Neither blur nor noise is among the changes, and colours change little: features must not learn to overlook what
// generators get wrong.

import { add, type Feeds, floats, input, matmul, meanKeep, mul, reshape, sliceAxis, sub, type Tensor } from '@zeuxis/graph';
import type { Random } from '../random.js';
import { FEATURE_SIDE } from './network.js';

/** Side of the pictures from which views are cut, in px. */
export const SOURCE_SIDE = 128;
/** Smallest share of the area that a view keeps. */
const LEAST_AREA = 0.35;

/** A function from `views` pictures [n, 3, 128, 128] to views [n, 3, 64, 64], by what is fed as `rows`, `columns` and `tone`. */
export function view(views: number): (x: Tensor) => Tensor {
  const rows = input('rows', [views, FEATURE_SIDE, SOURCE_SIDE]);
  const columns = input('columns', [views, SOURCE_SIDE, FEATURE_SIDE]);
  const tone = input('tone', [views, 3]);
  const part = (i: number) => reshape(sliceAxis(tone, 1, i, 1), [views, 1, 1, 1]);
  return (x) => {
    const shorter = matmul(reshape(rows, [views, 1, FEATURE_SIDE, SOURCE_SIDE]), x);
    const small = matmul(shorter, reshape(columns, [views, 1, SOURCE_SIDE, FEATURE_SIDE]));
    // Brightness is added, saturation and contrast stretch about the mean of colours and of the picture.
    const light = add(small, part(0));
    const grey = meanKeep(light, [1]);
    const coloured = add(grey, mul(sub(light, grey), part(1)));
    const level = meanKeep(coloured, [1, 2, 3]);
    return add(level, mul(sub(coloured, level), part(2)));
  };
}

/**
 * Weights of one axis: pixel i of the view is a triangle-weighted mean of the source about its centre, as wide as a
 * view's pixel (bilinear with antialiasing, as libvips and Pillow reduce).
 */
function axis(start: number, length: number, mirrored: boolean, write: (to: number, from: number, weight: number) => void): void {
  const scale = length / FEATURE_SIDE;
  const reach = Math.max(1, scale);
  for (let i = 0; i < FEATURE_SIDE; i++) {
    const centre = start + (i + 0.5) * scale - 0.5;
    const taps: [number, number][] = [];
    for (let j = Math.ceil(centre - reach); j <= centre + reach; j++) {
      const weight = 1 - Math.abs(j - centre) / reach;
      if (weight > 0) taps.push([Math.min(SOURCE_SIDE - 1, Math.max(0, j)), weight]);
    }
    const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [j, weight] of taps) write(mirrored ? FEATURE_SIDE - 1 - i : i, j, weight / total);
  }
}

/** Draws what `view` is fed; without a `random`, whole pictures as they are. */
export function drawViews(views: number, random?: Random): Feeds {
  const rows = new Float32Array(views * FEATURE_SIDE * SOURCE_SIDE);
  const columns = new Float32Array(rows.length);
  const tone = new Float32Array(views * 3);
  for (let k = 0; k < views; k++) {
    const at = k * FEATURE_SIDE * SOURCE_SIDE;
    const u = Array.from({ length: 8 }, () => random?.uniform() ?? 0);
    const side = random ? SOURCE_SIDE * Math.sqrt(LEAST_AREA + (1 - LEAST_AREA) * u[0]!) : SOURCE_SIDE;
    const stretch = random ? 1.2 ** (2 * u[1]! - 1) : 1;
    const [height, width] = [Math.min(SOURCE_SIDE, side * stretch), Math.min(SOURCE_SIDE, side / stretch)];
    axis(u[2]! * (SOURCE_SIDE - height), height, false, (to, from, weight) => {
      rows[at + to * SOURCE_SIDE + from]! += weight;
    });
    axis(u[3]! * (SOURCE_SIDE - width), width, u[4]! > 0.5, (to, from, weight) => {
      columns[at + from * FEATURE_SIDE + to]! += weight;
    });
    tone.set(random ? [0.4 * u[5]! - 0.2, 0.7 + 0.6 * u[6]!, 0.8 + 0.4 * u[7]!] : [0, 1, 1], k * 3);
  }
  return {
    rows: floats(rows, [views, FEATURE_SIDE, SOURCE_SIDE]),
    columns: floats(columns, [views, SOURCE_SIDE, FEATURE_SIDE]),
    tone: floats(tone, [views, 3]),
  };
}
