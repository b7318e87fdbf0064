// The inner loops of provenance/src/watermark/strength.ts and embed.ts: how much goes on in a picture from place to place, and a pattern added to it.
//
// Fields are float32, by their addresses, unless said otherwise. A row of a picture is interleaved, `bands` values a pixel, of which the first
// `channels`, 1 or 3, are grey or red, green and blue, and the last may be opacity.

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

/** A row between two rows of a grid, and one value behind it: the first again where the grid is a tile, or the last. */
export function between(upper: usize, lower: usize, across: i32, fraction: f32, tiles: bool, out: usize): void {
  for (let x = 0; x < across; x++) {
    const above = load<f32>(at(upper, x));
    store<f32>(at(out, x), above + fraction * (load<f32>(at(lower, x)) - above));
  }
  store<f32>(at(out, across), load<f32>(at(out, tiles ? 0 : across - 1)));
}

// @ts-expect-error
@inline
function valueAt(line: usize, places: usize, rests: usize, x: i32): f32 {
  const from = at(line, <i32>load<f32>(at(places, x)));
  return load<f32>(from) + load<f32>(at(rests, x)) * (load<f32>(from, 4) - load<f32>(from));
}

/**
 * Adds a pattern to a row, in place: a row of it times a row of strengths, both between their samples; nothing where the opacity is 0.
 * @param shares what each channel gets of it. @param high largest value; the least is 0. @param whole whether values are whole numbers.
 */
export function add(row: usize, width: i32, bands: i32, channels: i32, line: usize, linePlaces: usize, lineRests: usize, strengths: usize, blocks: usize, blockRests: usize, shares: usize, high: f32, whole: bool): void {
  for (let x = 0; x < width; x++) {
    const pixel = at(row, x * bands);
    if (bands > channels && load<f32>(at(pixel, channels)) == 0) continue;
    const change = valueAt(line, linePlaces, lineRests, x) * valueAt(strengths, blocks, blockRests, x);
    for (let c = 0; c < channels; c++) store<f32>(at(pixel, c), load<f32>(at(pixel, c)) + load<f32>(at(shares, c)) * change);
  }
  const most = f32x4.splat(high);
  for (let i = 0; i < width * bands; i += 4) {
    const value = v128.load(at(row, i));
    v128.store(at(row, i), f32x4.min(most, f32x4.max(f32x4.splat(0), whole ? f32x4.nearest(value) : value)));
  }
}
