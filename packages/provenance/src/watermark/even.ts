// A picture evened out, so that neither its strong places nor its strong frequencies outweigh the others: what is left of it hides the mark
// least. Windows of 8 px, half over one another, are split into cosines, and each of these is held against its own strength
// round about: a line or a hatching is strong in few of them, and so the others still tell (Cox, Miller and Bloom,
// Digital Watermarking, "whitening"; the weighting is that of a locally optimal detector of heavy-tailed noise, Kassam, 1988).

import { boxMean } from './look.js';

/** Side of a window in px, and how far apart they lie. */
const SIDE = 8;
const APART = SIDE / 2;
/** Half periods to a window, across and down: the fastest that are kept. What the pattern uses, 7 to 26 cycles in 128 px, has 0.9 to 3.3. */
const [COSINES, FASTEST] = [5, 4.6];
/** Deviation that is taken for granted of each, black to white being 255. */
const LEAST = 1;
/** Reach in px of the mean that is taken away first: slow shades are not the mark. */
const SHADE = 4;

/** The cosines under a window of a sine. */
const BASIS = Array.from({ length: COSINES }, (_, k) =>
  Float64Array.from({ length: SIDE }, (_, i) => {
    const at = (Math.PI * (i + 0.5)) / SIDE;
    return Math.sin(at) * Math.cos(k * at) * (k === 0 ? Math.SQRT1_2 : 1) * 0.5;
  }),
);

/** @param luminance 0 to 255. @returns values around 0, of a deviation of about 1 at most. */
export function evened(luminance: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  const [across, down] = [width, height].map((side) => Math.floor((side - SIDE) / APART) + 1) as [number, number];
  if (across < 1 || down < 1) return out;
  const rest = boxMean(boxMean(luminance, width, height, SHADE), width, height, SHADE);
  for (let i = 0; i < rest.length; i++) rest[i] = luminance[i]! - rest[i]!;
  const sums: Float32Array[] = [];
  for (let k = 0; k < COSINES; k++) {
    const rows = alongRows(rest, width, height, across, k);
    const planes: Float32Array[] = [];
    for (let j = 0; j < COSINES; j++) {
      const kept = k + j > 0 && Math.hypot(k, j) <= FASTEST;
      planes.push(kept ? level(downColumns(rows, across, down, j), across, down) : new Float32Array(across * (down + 2)));
    }
    sums.push(backUp(planes, across, down, height));
  }
  backAlong(sums, width, height, across, out);
  return out;
}

/** What stands of a cosine in each window of each row. */
function alongRows(values: Float32Array, width: number, height: number, across: number, k: number): Float32Array {
  const out = new Float32Array(across * height);
  const [b0, b1, b2, b3] = BASIS[k]! as unknown as [number, number, number, number];
  // The other half mirrors the first, with the other sign where the number is odd.
  const sign = k % 2 === 0 ? 1 : -1;
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0, at = y * width; x < across; x++, at += APART, to++)
      out[to] = b0 * (values[at]! + sign * values[at + 7]!) + b1 * (values[at + 1]! + sign * values[at + 6]!) + b2 * (values[at + 2]! + sign * values[at + 5]!) + b3 * (values[at + 3]! + sign * values[at + 4]!);
  return out;
}

/** The same downwards; a row of zeros before and after. */
function downColumns(rows: Float32Array, across: number, down: number, j: number): Float32Array {
  const out = new Float32Array(across * (down + 2));
  const [b0, b1, b2, b3] = BASIS[j]! as unknown as [number, number, number, number];
  const sign = j % 2 === 0 ? 1 : -1;
  for (let y = 0, to = across; y < down; y++)
    for (let x = 0, at = y * APART * across; x < across; x++, at++, to++)
      out[to] =
        b0 * (rows[at]! + sign * rows[at + 7 * across]!) +
        b1 * (rows[at + across]! + sign * rows[at + 6 * across]!) +
        b2 * (rows[at + 2 * across]! + sign * rows[at + 5 * across]!) +
        b3 * (rows[at + 3 * across]! + sign * rows[at + 4 * across]!);
  return out;
}

/** Each value over the deviation of it and its eight neighbours; those beyond the border are taken to be like the border. */
function level(plane: Float32Array, across: number, down: number): Float32Array {
  const squares = new Float32Array(plane.length);
  for (let i = 0; i < plane.length; i++) squares[i] = (plane[i]! * plane[i]!) / 9;
  const columns = new Float32Array(across + 2);
  for (let y = 1; y <= down; y++) {
    const [above, here, below] = [Math.max(1, y - 1) * across, y * across, Math.min(down, y + 1) * across];
    for (let x = 0; x < across; x++) columns[x + 1] = squares[above + x]! + squares[here + x]! + squares[below + x]!;
    columns[0] = columns[1]!;
    columns[across + 1] = columns[across]!;
    for (let x = 0; x < across; x++) plane[here + x] = plane[here + x]! / Math.sqrt(columns[x]! + columns[x + 1]! + columns[x + 2]! + LEAST * LEAST);
  }
  return plane;
}

/** For each row of the picture what two windows, the one that begins here or above and the one before, say on it. */
function backUp(planes: readonly Float32Array[], across: number, down: number, height: number): Float32Array {
  const out = new Float32Array(across * height);
  const [p0, p1, p2, p3, p4] = planes as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  for (let y = 0; y < (down + 1) * APART; y++) {
    const i = y % APART;
    const [a0, a1, a2, a3, a4] = BASIS.map((basis) => basis[i]!) as [number, number, number, number, number];
    const [b0, b1, b2, b3, b4] = BASIS.map((basis) => basis[i + APART]!) as [number, number, number, number, number];
    const before = Math.floor(y / APART) * across;
    for (let x = 0, to = y * across, b = before, a = before + across; x < across; x++, to++, a++, b++)
      out[to] = a0 * p0[a]! + a1 * p1[a]! + a2 * p2[a]! + a3 * p3[a]! + a4 * p4[a]! + b0 * p0[b]! + b1 * p1[b]! + b2 * p2[b]! + b3 * p3[b]! + b4 * p4[b]!;
  }
  return out;
}

/** The same along the rows, into the picture. */
function backAlong(sums: readonly Float32Array[], width: number, height: number, across: number, out: Float32Array): void {
  const [s0, s1, s2, s3, s4] = sums as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < SIDE; i++) {
    const [b0, b1, b2, b3, b4] = BASIS.map((basis) => basis[i]!) as [number, number, number, number, number];
    for (let y = 0, from = 0; y < height; y++)
      for (let x = 0, at = y * width + i; x < across; x++, at += APART, from++) out[at] = out[at]! + b0 * s0[from]! + b1 * s1[from]! + b2 * s2[from]! + b3 * s3[from]! + b4 * s4[from]!;
  }
}
