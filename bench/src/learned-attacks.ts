// What happens to marked pictures, as functions that can be differentiated, so that an encoder and a decoder learn to outlive it (HiDDeN, Zhu
// et al., 2018). What is moved, blurred or resized is moved by one matrix for a picture's rows and one for its columns; all numbers are drawn
// outside the graph and fed, for each picture one kind of attack.

import { add, cast, clamp, constant, conv, convTranspose, div, exp, type Feeds, floats, input, log, type Matrix, matmul, matrix, mul, reshape, sliceAxis, sub, type Tensor } from '@zeuxis/graph';
import type { Random } from '@zeuxis/nets';

// Tables of ITU-T T.81 (JPEG), annex K.1, row by row.
// biome-ignore format: a table
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
// biome-ignore format: a table
const CHROMINANCE = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
  ...Array<number>(32).fill(99),
];
const BLOCK = 8;
const CELLS = BLOCK * BLOCK;

/** RGB to YCbCr of JFIF, and back. */
const YCC = [0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312];
const RGB = [1, 0, 1.402, 1, -0.344136, -0.714136, 1, 1.772, 0];
const colours = (x: Tensor, values: number[]): Tensor => conv(x, constant(Float32Array.from(values), [3, 3, 1, 1]));

/** The 64 orthonormal waves of a block, [64, 1, 8, 8]. */
function waves(): Tensor {
  const wave = (frequency: number, at: number) => Math.sqrt((frequency ? 2 : 1) / BLOCK) * Math.cos(((2 * at + 1) * frequency * Math.PI) / (2 * BLOCK));
  const one = (k: number, i: number) => wave(Math.floor(k / BLOCK), Math.floor(i / BLOCK)) * wave(k % BLOCK, i % BLOCK);
  return constant(matrix(CELLS, CELLS, one).data, [CELLS, 1, BLOCK, BLOCK]);
}

/** The nearest whole number with the slope 3 d^2 at the distance d from it, instead of none (Shin and Song, 2017); |x| below 4096. */
function softRound(x: Tensor): Tensor {
  // A cast cuts off towards 0, and lets no gradient back.
  const whole = sub(cast(cast(add(x, 4096.5), 'int64'), 'float32'), 4096);
  const away = sub(x, whole);
  return add(whole, mul(away, mul(away, away)));
}

/** What JPEG leaves of x [n, 3, s, s], 0 to 1, without halving its colours; `tables` [3 n, 64, 1, 1] are divisors. */
function jpeg(x: Tensor, tables: Tensor): Tensor {
  const [n, , side] = x.shape as [number, number, number];
  const planes = reshape(colours(sub(mul(x, 255), 128), YCC), [3 * n, 1, side, side]);
  const basis = waves();
  const kept = mul(softRound(div(conv(planes, basis, { stride: BLOCK }), tables)), tables);
  const back = reshape(convTranspose(kept, basis, { stride: BLOCK }), [n, 3, side, side]);
  return mul(add(colours(back, RGB), 128), 1 / 255);
}

/** A function that attacks n pictures [n, 3, s, s], 0 to 1, by what is fed. */
export function attack(n: number, side: number): (x: Tensor) => Tensor {
  const [rows, columns] = [input('rows', [n, side, side]), input('columns', [n, side, side])];
  const [tone, noise] = [input('tone', [n, 4]), input('noise', [n, 3, side, side])];
  const tables = input('tables', [3 * n, CELLS, 1, 1]);
  const part = (i: number) => reshape(sliceAxis(tone, 1, i, 1), [n, 1, 1, 1]);
  const [gamma, gain, offset, coded] = [0, 1, 2, 3].map(part) as [Tensor, Tensor, Tensor, Tensor];
  return (x) => {
    const placed = matmul(matmul(reshape(rows, [n, 1, side, side]), x), reshape(columns, [n, 1, side, side]));
    const bent = exp(mul(gamma, log(clamp(placed, 1e-3, 1))));
    const seen = clamp(add(add(mul(bent, gain), offset), noise), 0, 1);
    return add(seen, mul(coded, sub(jpeg(seen, tables), seen)));
  };
}

/** Rows that sample `from` values at `to` places over [start, start + length): linear, and with antialiasing where that reduces. */
function sampling(to: number, from: number, start = 0, length = from): Matrix {
  const step = length / to;
  const reach = Math.max(1, step);
  return normalised(to, from, (i, j) => Math.max(0, 1 - Math.abs(start + (i + 0.5) * step - 0.5 - j) / reach));
}

const gaussian = (side: number, sigma: number): Matrix => normalised(side, side, (i, j) => Math.exp(-((i - j) ** 2) / (2 * sigma ** 2)));

function normalised(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const m = matrix(rows, columns, entry);
  for (let i = 0; i < rows; i++) {
    const row = m.data.subarray(i * columns, (i + 1) * columns);
    const total = row.reduce((sum, value) => sum + value, 0);
    for (let j = 0; j < columns; j++) row[j]! /= total;
  }
  return m;
}

/** The product of two, of which the first is mostly zeros. */
function after(a: Matrix, b: Matrix): Matrix {
  const product = matrix(a.rows, b.columns, () => 0);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) {
      const weight = a.data[i * a.columns + k]!;
      if (weight !== 0) for (let j = 0; j < b.columns; j++) product.data[i * b.columns + j]! += weight * b.data[k * b.columns + j]!;
    }
  return product;
}

export const KINDS = ['none', 'noise', 'blur', 'brightness', 'contrast', 'gamma', 'jpeg', 'resize', 'crop'] as const;
export type Kind = (typeof KINDS)[number];

/** Draws what `attack` is fed, for each picture one of the kinds. */
export function drawAttacks(random: Random, n: number, side: number, kinds: readonly Kind[]): Feeds {
  const square = side * side;
  const [rows, columns] = [new Float32Array(n * square), new Float32Array(n * square)];
  const [tone, noise, tables] = [new Float32Array(n * 4), new Float32Array(n * 3 * square), new Float32Array(3 * n * CELLS).fill(1)];
  const still = sampling(side, side);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  for (let k = 0; k < n; k++) {
    const kind = kinds[random.below(kinds.length)]!;
    let [vertical, horizontal] = [still, still];
    let [gamma, gain, offset, coded] = [1, 1, 0, 0];
    if (kind === 'noise') noise.set(random.normals(3 * square).map((value) => (value * 4) / 255), k * 3 * square);
    if (kind === 'blur') vertical = horizontal = gaussian(side, between(0.3, 1));
    if (kind === 'brightness') gain = between(0.8, 1.2);
    if (kind === 'contrast') [gain, offset] = contrasted(between(0.8, 1.2));
    if (kind === 'gamma') gamma = between(0.8, 1.2);
    if (kind === 'jpeg') {
      coded = 1;
      tables.set(tablesOf(Math.round(between(50, 90))), k * 3 * CELLS);
    }
    if (kind === 'resize') {
      const middle = Math.round(side * between(0.5, 2));
      vertical = horizontal = after(sampling(side, middle), sampling(middle, side));
    }
    if (kind === 'crop') {
      const length = side * between(Math.SQRT1_2, 1);
      [vertical, horizontal] = [0, 1].map(() => sampling(side, side, between(0, side - length), length)) as [Matrix, Matrix];
    }
    rows.set(vertical.data, k * square);
    for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) columns[k * square + j * side + i] = horizontal.data[i * side + j]!;
    tone.set([gamma, gain, offset, coded], k * 4);
  }
  return {
    rows: floats(rows, [n, side, side]),
    columns: floats(columns, [n, side, side]),
    tone: floats(tone, [n, 4]),
    noise: floats(noise, [n, 3, side, side]),
    tables: floats(tables, [3 * n, CELLS, 1, 1]),
  };
}

/** Stretched about the middle, as the measured attack is. */
const contrasted = (gain: number): [number, number] => [gain, 0.5 * (1 - gain)];

/** The divisors of a quality from 50 on, as libjpeg scales them, of three planes. */
function tablesOf(quality: number): number[] {
  const scaled = (value: number) => Math.max(1, Math.floor((value * (200 - 2 * quality) + 50) / 100));
  return [...LUMINANCE, ...CHROMINANCE, ...CHROMINANCE].map(scaled);
}
