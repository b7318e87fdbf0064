// The inner loops of provenance/src/watermark/strength.ts and embed.ts: how much goes on in a picture from place to place, and a pattern added to it.
//
// Fields are float32, by their addresses, unless said otherwise. A row of a picture is interleaved, `bands` values a pixel, of which the first
// `channels`, 1 or 3, are grey or red, green and blue, and the last may be opacity.

export { narrow, widen } from './shared/bytes';

// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function at(field: usize, index: i32): usize {
  return field + (<usize>index << 2);
}

/** Doubles: the sum, the sum of squares and the number of a place's values. */
const EACH: usize = 24;

/**
 * Adds a row's luminance, every so many of its pixels, to the sums of the places that they lie in.
 * @param luma weights of red, green and blue. @param places of each pixel, whole numbers. @param sums EACH bytes a place.
 */
export function gather(row: usize, width: i32, bands: i32, channels: i32, step: i32, luma: usize, places: usize, sums: usize): void {
  const r = <f64>load<f32>(luma);
  const g = <f64>load<f32>(luma, 4);
  const b = <f64>load<f32>(luma, 8);
  let x = 0;
  while (x < width) {
    const place = load<f32>(at(places, x));
    let sum: f64 = 0;
    let squares: f64 = 0;
    let count: f64 = 0;
    for (; x < width && load<f32>(at(places, x)) == place; x += step) {
      const pixel = at(row, x * bands);
      const l = channels == 1 ? <f64>load<f32>(pixel) : r * <f64>load<f32>(pixel) + g * <f64>load<f32>(pixel, 4) + b * <f64>load<f32>(pixel, 8);
      sum += l;
      squares += l * l;
      count += 1;
    }
    const own = sums + <usize>(<i32>place) * EACH;
    store<f64>(own, load<f64>(own) + sum);
    store<f64>(own, load<f64>(own, 8) + squares, 8);
    store<f64>(own, load<f64>(own, 16) + count, 16);
  }
}

/** Deviations of so many places, over `unit`, by their sums, which begin anew; 0 where there is nothing. */
export function deviations(sums: usize, count: i32, unit: f64, out: usize): void {
  for (let i = 0; i < count; i++) {
    const own = sums + <usize>i * EACH;
    const n = load<f64>(own, 16);
    const mean = load<f64>(own) / n;
    store<f32>(at(out, i), n > 0 ? <f32>(Math.sqrt(max(0, load<f64>(own, 8) / n - mean * mean)) / unit) : 0);
  }
  memory.fill(sums, 0, <usize>count * EACH);
}

/** Rows of a grid as wide as a picture: between its samples, the last of which is followed by the first where the grid is a tile, and by itself where not. */
export function spread(grid: usize, across: i32, down: i32, tiles: bool, places: usize, rests: usize, width: i32, out: usize): void {
  for (let x = 0; x < width; x++) {
    const place = <i32>load<f32>(at(places, x));
    const rest = load<f32>(at(rests, x));
    let one = at(grid, place);
    let next = at(grid, place + 1 < across ? place + 1 : tiles ? 0 : place);
    let to = at(out, x);
    for (let row = 0; row < down; row++) {
      const value = load<f32>(one);
      store<f32>(to, value + rest * (load<f32>(next) - value));
      one = at(one, across);
      next = at(next, across);
      to = at(to, width);
    }
  }
}

// @ts-expect-error
@inline
function lerp(from: v128, to: v128, rest: v128): v128 {
  return f32x4.add(from, f32x4.mul(rest, f32x4.sub(to, from)));
}

// @ts-expect-error
@inline
function within(value: v128, high: v128, whole: bool): v128 {
  return f32x4.min(high, f32x4.max(f32x4.splat(0), whole ? f32x4.nearest(value) : value));
}

/**
 * Adds a pattern to a row, in place: between two rows of it, times what is between two rows of strengths, all as wide as the picture; nothing where the opacity is 0.
 * @param shares what each channel gets of it. @param high largest value; the least is 0. @param whole whether values are whole numbers.
 */
export function add(row: usize, width: i32, bands: i32, channels: i32, upper: usize, lower: usize, rest: f32, above: usize, below: usize, between: f32, shares: usize, high: f32, whole: bool): void {
  const most = f32x4.splat(high);
  const r = load<f32>(shares);
  const g = load<f32>(shares, 4);
  const b = load<f32>(shares, 8);
  // Of four pixels the twelve samples in order.
  const first = f32x4(r, g, b, r);
  const second = f32x4(g, b, r, g);
  const third = f32x4(b, r, g, b);
  for (let x = 0; x < width; x += 4) {
    const pattern = lerp(v128.load(at(upper, x)), v128.load(at(lower, x)), f32x4.splat(rest));
    const strength = lerp(v128.load(at(above, x)), v128.load(at(below, x)), f32x4.splat(between));
    // What lies beyond the row is of another one.
    const own = i32x4.gt_s(i32x4.splat(width - x), i32x4(0, 1, 2, 3));
    const change = v128.and(own, f32x4.mul(pattern, strength));
    const pixels = at(row, x * bands);
    if (bands == 1) v128.store(pixels, within(f32x4.add(v128.load(pixels), f32x4.mul(change, f32x4.splat(r))), most, whole));
    else if (bands == 3) {
      v128.store(pixels, within(f32x4.add(v128.load(pixels), f32x4.mul(first, v128.shuffle<f32>(change, change, 0, 0, 0, 1))), most, whole));
      v128.store(pixels, within(f32x4.add(v128.load(pixels, 16), f32x4.mul(second, v128.shuffle<f32>(change, change, 1, 1, 2, 2))), most, whole), 16);
      v128.store(pixels, within(f32x4.add(v128.load(pixels, 32), f32x4.mul(third, v128.shuffle<f32>(change, change, 2, 3, 3, 3))), most, whole), 32);
    } else {
      // Opacity is whole, and stays.
      addSeen(pixels, channels, f32x4.extract_lane(change, 0), r, g, b);
      addSeen(at(pixels, bands), channels, f32x4.extract_lane(change, 1), r, g, b);
      addSeen(at(pixels, 2 * bands), channels, f32x4.extract_lane(change, 2), r, g, b);
      addSeen(at(pixels, 3 * bands), channels, f32x4.extract_lane(change, 3), r, g, b);
      for (let i = 0; i < 4 * bands; i += 4) v128.store(at(pixels, i), within(v128.load(at(pixels, i)), most, whole));
    }
  }
}

// @ts-expect-error
@inline
function addSeen(pixel: usize, channels: i32, change: f32, r: f32, g: f32, b: f32): void {
  if (load<f32>(at(pixel, channels)) == 0) return;
  store<f32>(pixel, load<f32>(pixel) + r * change);
  if (channels == 1) return;
  store<f32>(pixel, load<f32>(pixel, 4) + g * change, 4);
  store<f32>(pixel, load<f32>(pixel, 8) + b * change, 8);
}
