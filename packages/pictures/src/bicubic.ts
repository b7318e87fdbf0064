// Bicubic scaling as MATLAB's imresize does it: the degradation that superresolution is trained and measured against, and the
// bicubic of its papers. Keys' kernel (a = -1/2; Keys, 1981), stretched where the picture is reduced, so that it antialiases;
// pixel centres kept; edges mirrored. libvips's bicubic neither antialiases nor keeps the centres. Lanczos in the same manner.

/** Samples of any type, interleaved: width * height * channels values. */
export interface Plane<T extends Samples = Samples> {
  width: number;
  height: number;
  channels: number;
  data: T;
}
export type Samples = Uint8Array | Uint16Array | Float32Array;

interface Kernel {
  /** Weight at a distance in samples of the coarser grid. */
  at(x: number): number;
  /** Distance from which on it is 0. */
  reach: number;
}

const CUBIC: Kernel = {
  reach: 2,
  at: (x) => {
    const a = Math.abs(x);
    if (a <= 1) return (1.5 * a - 2.5) * a * a + 1;
    return a < 2 ? ((-0.5 * a + 2.5) * a - 4) * a + 2 : 0;
  },
};
const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const LANCZOS: Kernel = { reach: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) };

interface Taps {
  /** Samples of the source for each of the target, `count` apiece. */
  indices: Int32Array;
  weights: Float64Array;
  count: number;
}

/** Which samples make each sample of the scaled line, and with which weights. */
function tapsOf(from: number, to: number, scale: number, { at, reach }: Kernel): Taps {
  const shrink = Math.min(1, scale);
  const width = (2 * reach) / shrink;
  const count = Math.ceil(width) + 2;
  const [indices, weights] = [new Int32Array(to * count), new Float64Array(to * count)];
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) / scale - 0.5;
    const left = Math.floor(centre - width / 2 + 1) - 1;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const weight = shrink * at(shrink * (centre - (left + k)));
      weights[i * count + k] = weight;
      total += weight;
      const mirrored = (((left + k) % (2 * from)) + 2 * from) % (2 * from);
      indices[i * count + k] = mirrored < from ? mirrored : 2 * from - 1 - mirrored;
    }
    for (let k = 0; k < count; k++) weights[i * count + k]! /= total;
  }
  return { indices, weights, count };
}

/** Samples of the same kind. Not by the constructor: a Buffer is a Uint8Array as well. */
function zeros<T extends Samples>(like: T, length: number): T {
  const kind = like instanceof Uint8Array ? Uint8Array : like instanceof Uint16Array ? Uint16Array : Float32Array;
  return new kind(length) as T;
}

/** Samples along one axis: `outer` lines of lines, each of whose samples are `inner` values apart. */
function along<T extends Samples>(data: T, outer: number, from: number, to: number, inner: number, scale: number, kernel: Kernel): T {
  const { indices, weights, count } = tapsOf(from, to, scale, kernel);
  const whole = !(data instanceof Float32Array);
  const largest = data instanceof Uint8Array ? 255 : 65535;
  const out = zeros(data, outer * to * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < to; i++)
      for (let c = 0; c < inner; c++) {
        let sum = 0;
        for (let k = i * count; k < (i + 1) * count; k++) sum += weights[k]! * data[(o * from + indices[k]!) * inner + c]!;
        out[(o * to + i) * inner + c] = whole ? Math.min(largest, Math.max(0, Math.round(sum))) : sum;
      }
  return out;
}

/**
 * A picture scaled by `scale`, the sides rounded up. Whole samples are rounded after each axis, rows first, as MATLAB rounds
 * them; floats are not.
 */
export const bicubic = <T extends Samples>(picture: Plane<T>, scale: number): Plane<T> => scaled(picture, scale, CUBIC);

/** The same by Lanczos's kernel of three lobes. */
export const lanczos = <T extends Samples>(picture: Plane<T>, scale: number): Plane<T> => scaled(picture, scale, LANCZOS);

function scaled<T extends Samples>({ width, height, channels, data }: Plane<T>, scale: number, kernel: Kernel): Plane<T> {
  const [w, h] = [Math.ceil(width * scale - 1e-9), Math.ceil(height * scale - 1e-9)];
  const rows = along(data, 1, height, h, width * channels, scale, kernel);
  return { width: w, height: h, channels, data: along(rows, h, width, w, channels, scale, kernel) };
}
