// The inner loops of looking for a watermark: of provenance/src/watermark/look.ts (means over windows), weighed.ts (a picture split into cosines of windows of
// 8 px, each four px from the last, and put together again), fold.ts and search.ts.
//
// Fields are float32, by their addresses; what is written must have room for 16 more values behind it. A row of windows has `stride` values: a zero,
// those of its windows, and zeros or nothing that counts.

export { narrow, widen } from './shared/bytes';

const SIDE: i32 = 8;
const APART: i32 = 4;
const COSINES: i32 = 5;

// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function at(field: usize, index: i32): usize {
  return field + (<usize>index << 2);
}

/** Four sums of vectors, of `count` rows that lie `apart` bytes from one another, times four shares. */
// @ts-expect-error
@inline
function sums(from: usize, apart: usize, count: i32, a1: v128, b1: v128, c1: v128, d1: v128, out: usize): void {
  let a = v128.load(from);
  let b = v128.load(from, 16);
  let c = v128.load(from, 32);
  let d = v128.load(from, 48);
  for (let k = 1; k < count; k++) {
    from += apart;
    a = f32x4.add(a, v128.load(from));
    b = f32x4.add(b, v128.load(from, 16));
    c = f32x4.add(c, v128.load(from, 32));
    d = f32x4.add(d, v128.load(from, 48));
  }
  v128.store(out, f32x4.mul(a, a1));
  v128.store(out, f32x4.mul(b, b1), 16);
  v128.store(out, f32x4.mul(c, c1), 32);
  v128.store(out, f32x4.mul(d, d1), 48);
}

/** Means over windows of 2 reach + 1 px, of what lies in the picture. @param line room for 2 (width + reach + 16) values. @param across room for a field. */
export function boxMean(values: usize, width: i32, height: i32, reach: i32, line: usize, across: usize, out: usize): void {
  memory.fill(line, 0, <usize>(width + 2 * reach + 16) << 2);
  const shares = at(line, width + 2 * reach + 16);
  for (let x = 0; x < width; x++) store<f32>(at(shares, x), 1 / <f32>(min(width, x + reach + 1) - max(0, x - reach)));
  // What a row writes beyond its end the next one writes over.
  for (let y = 0; y < height; y++) {
    memory.copy(at(line, reach), at(values, y * width), <usize>width << 2);
    for (let x = 0; x < width; x += 16) {
      const share = at(shares, x);
      sums(at(line, x), 4, 2 * reach + 1, v128.load(share), v128.load(share, 16), v128.load(share, 32), v128.load(share, 48), at(across, y * width + x));
    }
  }
  for (let y = 0; y < height; y++) {
    const first = max(0, y - reach);
    const count = min(height - 1, y + reach) - first + 1;
    const share = f32x4.splat(1 / <f32>count);
    for (let x = 0; x < width; x += 16) sums(at(across, first * width + x), <usize>width << 2, count, share, share, share, share, at(out, y * width + x));
  }
}

/** Sums of all tiles of a picture, [tile, tile]; `tile` is a multiple of four. */
export function fold(values: usize, width: i32, height: i32, tile: i32, out: usize): void {
  memory.fill(out, 0, <usize>(tile * tile) << 2);
  for (let y = 0; y < height; y++)
    for (let left = 0; left < width; left += tile) {
      const from = at(values, y * width + left);
      const to = at(out, (y % tile) * tile);
      const count = min(tile, width - left);
      let x = 0;
      for (; x <= count - 4; x += 4) v128.store(at(to, x), f32x4.add(v128.load(at(to, x)), v128.load(at(from, x))));
      for (; x < count; x++) store<f32>(at(to, x), load<f32>(at(to, x)) + load<f32>(at(from, x)));
    }
}

/** The first field becomes its difference from the second. */
export function subtract(values: usize, other: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) v128.store(at(values, i), f32x4.sub(v128.load(at(values, i)), v128.load(at(other, i))));
}

/** Four vectors of four as columns in place of rows. */
// @ts-expect-error
@inline
function evens(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}
// @ts-expect-error
@inline
function odds(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

/**
 * What stands of each cosine in each window of each row, a field [height, stride] a cosine.
 * @param basis [COSINES, SIDE], of which a second half mirrors the first, with the other sign where the number is odd. @param line room for 4 (stride + 16) values.
 */
export function alongRows(values: usize, width: i32, height: i32, basis: usize, windows: i32, stride: i32, line: usize, out: usize): void {
  const field = height * stride;
  // Every fourth value from the first, the second and so on: those of all windows side by side.
  const plane = stride + 16;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x <= windows; x += 4) {
      const from = at(values, y * width + APART * x);
      const a = v128.load(from);
      const b = v128.load(from, 16);
      const c = v128.load(from, 32);
      const d = v128.load(from, 48);
      const ab = evens(a, b);
      const cd = evens(c, d);
      const AB = odds(a, b);
      const CD = odds(c, d);
      v128.store(at(line, x), evens(ab, cd));
      v128.store(at(line, plane + x), evens(AB, CD));
      v128.store(at(line, 2 * plane + x), odds(ab, cd));
      v128.store(at(line, 3 * plane + x), odds(AB, CD));
    }
    for (let k = 0; k < COSINES; k++) {
      const b0 = v128.load_splat<f32>(at(basis, SIDE * k));
      const b1 = v128.load_splat<f32>(at(basis, SIDE * k + 1));
      const b2 = v128.load_splat<f32>(at(basis, SIDE * k + 2));
      const b3 = v128.load_splat<f32>(at(basis, SIDE * k + 3));
      const sign = f32x4.splat(k % 2 == 0 ? 1 : -1);
      const row = at(out, k * field + y * stride);
      store<f32>(row, 0);
      for (let x = 0; x < windows; x += 4) {
        let sum = f32x4.mul(b0, f32x4.add(v128.load(at(line, x)), f32x4.mul(sign, v128.load(at(line, 3 * plane + x + 1)))));
        sum = f32x4.add(sum, f32x4.mul(b1, f32x4.add(v128.load(at(line, plane + x)), f32x4.mul(sign, v128.load(at(line, 2 * plane + x + 1))))));
        sum = f32x4.add(sum, f32x4.mul(b2, f32x4.add(v128.load(at(line, 2 * plane + x)), f32x4.mul(sign, v128.load(at(line, plane + x + 1))))));
        sum = f32x4.add(sum, f32x4.mul(b3, f32x4.add(v128.load(at(line, 3 * plane + x)), f32x4.mul(sign, v128.load(at(line, x + 1))))));
        v128.store(at(row, x + 1), sum);
      }
    }
  }
}

/** The same downwards for one cosine, [down + 2, stride]: a row of zeros before and after. */
export function downColumns(rows: usize, windows: i32, stride: i32, down: i32, basis: usize, cosine: i32, out: usize): void {
  const b0 = v128.load_splat<f32>(at(basis, SIDE * cosine));
  const b1 = v128.load_splat<f32>(at(basis, SIDE * cosine + 1));
  const b2 = v128.load_splat<f32>(at(basis, SIDE * cosine + 2));
  const b3 = v128.load_splat<f32>(at(basis, SIDE * cosine + 3));
  const sign = f32x4.splat(cosine % 2 == 0 ? 1 : -1);
  memory.fill(out, 0, <usize>stride << 2);
  memory.fill(at(out, (down + 1) * stride), 0, <usize>stride << 2);
  for (let y = 0; y < down; y++)
    for (let x = 1; x <= windows; x += 4) {
      const from = y * APART * stride + x;
      let sum = f32x4.mul(b0, f32x4.add(v128.load(at(rows, from)), f32x4.mul(sign, v128.load(at(rows, from + 7 * stride)))));
      sum = f32x4.add(sum, f32x4.mul(b1, f32x4.add(v128.load(at(rows, from + stride)), f32x4.mul(sign, v128.load(at(rows, from + 6 * stride))))));
      sum = f32x4.add(sum, f32x4.mul(b2, f32x4.add(v128.load(at(rows, from + 2 * stride)), f32x4.mul(sign, v128.load(at(rows, from + 5 * stride))))));
      sum = f32x4.add(sum, f32x4.mul(b3, f32x4.add(v128.load(at(rows, from + 3 * stride)), f32x4.mul(sign, v128.load(at(rows, from + 4 * stride))))));
      v128.store(at(out, (y + 1) * stride + x), sum);
    }
}

/**
 * Each value over the variance of it and its eight neighbours, in place; those beyond the border are taken to be like the border.
 * @param least variance that is taken for granted. @param line room for stride values. @param squares room for the plane.
 */
export function overVariance(plane: usize, windows: i32, stride: i32, down: i32, least: f32, line: usize, squares: usize): void {
  const ninth = f32x4.splat(1.0 / 9.0);
  for (let i = stride; i < (down + 1) * stride; i += 4) {
    const value = v128.load(at(plane, i));
    v128.store(at(squares, i), f32x4.mul(ninth, f32x4.mul(value, value)));
  }
  for (let y = 1; y <= down; y++) {
    const above = max(1, y - 1) * stride;
    const below = min(down, y + 1) * stride;
    for (let x = 1; x <= windows; x += 4)
      v128.store(at(line, x), f32x4.add(f32x4.add(v128.load(at(squares, above + x)), v128.load(at(squares, y * stride + x))), v128.load(at(squares, below + x))));
    store<f32>(line, load<f32>(at(line, 1)));
    store<f32>(at(line, windows + 1), load<f32>(at(line, windows)));
    for (let x = 1; x <= windows; x += 4) {
      const variance = f32x4.add(f32x4.add(f32x4.add(v128.load(at(line, x - 1)), v128.load(at(line, x))), v128.load(at(line, x + 1))), f32x4.splat(least));
      const place = at(plane, y * stride + x);
      v128.store(place, f32x4.div(v128.load(place), variance));
    }
  }
}

/** For each row of the picture what two windows, the one that begins here or above and the one before, say on it. @param planes of all cosines, one after another. */
export function backUp(planes: usize, windows: i32, stride: i32, down: i32, basis: usize, out: usize): void {
  const field = (down + 2) * stride;
  for (let y = 0; y < (down + 1) * APART; y++) {
    const i = y % APART;
    const before = (y / APART) * stride;
    for (let x = 1; x <= windows; x += 4) {
      let sum = f32x4.splat(0);
      for (let k = 0; k < COSINES; k++) {
        const place = k * field + before + x;
        sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(at(basis, SIDE * k + i)), v128.load(at(planes, place + stride))));
        sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(at(basis, SIDE * k + i + APART)), v128.load(at(planes, place))));
      }
      v128.store(at(out, y * stride + x), sum);
    }
    store<f32>(at(out, y * stride), 0);
    v128.store(at(out, y * stride + windows + 1), f32x4.splat(0));
  }
}

/** The same along the rows, into the picture, of which `rows` are spoken of. @param line room for 4 (stride + 16) values. */
export function backAlong(sums: usize, width: i32, height: i32, basis: usize, windows: i32, stride: i32, rows: i32, line: usize, out: usize): void {
  const field = rows * stride;
  const end = min(width, APART * (windows + 1));
  memory.fill(out, 0, <usize>(width * height) << 2);
  for (let y = 0; y < min(rows, height); y++) {
    for (let x = 0; x <= windows; x += 4) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (let k = 0; k < COSINES; k++) {
        const before = v128.load(at(sums, k * field + y * stride + x));
        const here = v128.load(at(sums, k * field + y * stride + x + 1));
        const bell = at(basis, SIDE * k);
        a = f32x4.add(a, f32x4.add(f32x4.mul(v128.load_splat<f32>(bell), here), f32x4.mul(v128.load_splat<f32>(bell, 16), before)));
        b = f32x4.add(b, f32x4.add(f32x4.mul(v128.load_splat<f32>(bell, 4), here), f32x4.mul(v128.load_splat<f32>(bell, 20), before)));
        c = f32x4.add(c, f32x4.add(f32x4.mul(v128.load_splat<f32>(bell, 8), here), f32x4.mul(v128.load_splat<f32>(bell, 24), before)));
        d = f32x4.add(d, f32x4.add(f32x4.mul(v128.load_splat<f32>(bell, 12), here), f32x4.mul(v128.load_splat<f32>(bell, 28), before)));
      }
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      const to = at(line, APART * x);
      v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
      v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 16);
      v128.store(to, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5), 32);
      v128.store(to, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7), 48);
    }
    memory.copy(at(out, y * width), line, <usize>end << 2);
  }
}

/**
 * The sum of frequencies at each place of a tile, its real part: row by row, those of one u first.
 * @param parts [u, v, re, im] each, whole frequencies in cycles a tile, those of one u side by side. @param turns cosines of `tile` turns, a power of two, then their
 * sines. @param waves room for two rows each u. @param out [tile, tile].
 */
export function plane(parts: usize, count: i32, tile: i32, turns: usize, waves: usize, out: usize): void {
  const mask = tile - 1;
  const sines = at(turns, tile);
  let wave = waves;
  for (let n = 0; n < count; n++) {
    const u = <i32>load<f32>(at(parts, 4 * n));
    if (n > 0 && u === <i32>load<f32>(at(parts, 4 * n - 4))) continue;
    for (let x = 0; x < tile; x++) {
      store<f32>(at(wave, x), load<f32>(at(turns, (u * x) & mask)));
      store<f32>(at(wave, tile + x), load<f32>(at(sines, (u * x) & mask)));
    }
    wave = at(wave, 2 * tile);
  }
  memory.fill(out, 0, <usize>(tile * tile) << 2);
  for (let y = 0; y < tile; y++) {
    const row = at(out, y * tile);
    let cosine = waves;
    for (let n = 0; n < count; ) {
      const u = load<f32>(at(parts, 4 * n));
      let a: f32 = 0;
      let b: f32 = 0;
      for (; n < count && load<f32>(at(parts, 4 * n)) === u; n++) {
        const part = at(parts, 4 * n);
        const turn = (<i32>load<f32>(part, 4) * y) & mask;
        const c = load<f32>(at(turns, turn));
        const s = load<f32>(at(sines, turn));
        a += load<f32>(part, 8) * c - load<f32>(part, 12) * s;
        b += load<f32>(part, 12) * c + load<f32>(part, 8) * s;
      }
      const even = f32x4.splat(a);
      const odd = f32x4.splat(b);
      const sine = at(cosine, tile);
      for (let x = 0; x < tile; x += 4) v128.store(at(row, x), f32x4.add(v128.load(at(row, x)), f32x4.sub(f32x4.mul(even, v128.load(at(cosine, x))), f32x4.mul(odd, v128.load(at(sine, x))))));
      cosine = at(sine, tile);
    }
  }
}

/**
 * For every scale and turn, [scales, angles], what stands in a spectrum at the places that some frequencies come to; `angles` is a multiple of four.
 * @param spectrum [side, side], side a power of two. @param frequencies [u, v] each. @param turns cosines, then sines of the angles.
 */
export function scores(spectrum: usize, side: i32, frequencies: usize, count: i32, scales: usize, scaleCount: i32, turns: usize, angles: i32, out: usize): void {
  const mask = i32x4.splat(side - 1);
  // Rounded; none of them lies outside, for the fastest is under half the side even at the smallest scale.
  const shift = f32x4.splat(<f32>side + 0.5);
  memory.fill(out, 0, <usize>(scaleCount * angles) << 2);
  // A frequency at a time: what it may have become lies close together, and the cache holds it.
  for (let k = 0; k < count; k++)
    for (let i = 0; i < scaleCount; i++) {
      const scale = load<f32>(at(scales, i));
      const u = f32x4.splat(load<f32>(at(frequencies, 2 * k)) / scale);
      const v = f32x4.splat(load<f32>(at(frequencies, 2 * k + 1)) / scale);
      for (let j = 0; j < angles; j += 4) {
        const c = v128.load(at(turns, j));
        const s = v128.load(at(turns, angles + j));
        const x = v128.and(mask, i32x4.trunc_sat_f32x4_s(f32x4.add(shift, f32x4.sub(f32x4.mul(c, u), f32x4.mul(s, v)))));
        const y = v128.and(mask, i32x4.trunc_sat_f32x4_s(f32x4.add(shift, f32x4.add(f32x4.mul(s, u), f32x4.mul(c, v)))));
        const place = i32x4.add(i32x4.mul(y, i32x4.splat(side)), x);
        const found = f32x4(
          load<f32>(at(spectrum, i32x4.extract_lane(place, 0))),
          load<f32>(at(spectrum, i32x4.extract_lane(place, 1))),
          load<f32>(at(spectrum, i32x4.extract_lane(place, 2))),
          load<f32>(at(spectrum, i32x4.extract_lane(place, 3))),
        );
        const own = at(out, i * angles + j);
        v128.store(own, f32x4.add(v128.load(own), found));
      }
    }
}
