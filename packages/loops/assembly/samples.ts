// The inner loops of verbs/src/edit/samples.ts, rows of interleaved samples as rows of planes and back, of nets/src/metrics/style.ts, means of boxes, of
// pictures/src/perceptual-hash.ts, sums of rows, and of verbs/src/edit/tiles.ts, whether a model makes numbers.
//
// Fields are float32, by their addresses.

export { narrow, widen } from './shared/bytes';

// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function at(field: usize, index: i32): usize {
  return field + (<usize>index << 2);
}

/** The first `count` samples of each `step`, as planes of `width`, low to high brought to 0 to 1. */
export function split(line: usize, width: i32, step: i32, count: i32, low: f32, high: f32, planes: usize): void {
  for (let c = 0; c < count; c++) {
    const plane = at(planes, c * width);
    for (let x = 0; x < width; x++) store<f32>(at(plane, x), (load<f32>(at(line, x * step + c)) - low) / (high - low));
  }
}

/** `split` of bytes, of 4 at most a pixel. */
export function splitBytes(bytes: usize, width: i32, step: i32, count: i32, low: f32, high: f32, planes: usize): void {
  const least = f32x4.splat(low);
  const span = f32x4.splat(high - low);
  for (let c = 0; c < count; c++) {
    const plane = at(planes, c * width);
    // The sample of each of four pixels as the lowest byte of a lane: the other three are from beyond, which is 0.
    let lanes = i32x4.splat(c);
    lanes = i32x4.replace_lane(lanes, 1, c + step);
    lanes = i32x4.replace_lane(lanes, 2, c + 2 * step);
    lanes = i32x4.replace_lane(lanes, 3, c + 3 * step);
    lanes = v128.or(lanes, i32x4.splat(0xffffff00));
    for (let x = 0; x < width; x += 4) {
      const values = f32x4.convert_i32x4_u(i8x16.swizzle(v128.load(bytes + <usize>(x * step)), lanes));
      v128.store(at(plane, x), f32x4.div(f32x4.sub(values, least), span));
    }
  }
}

/** Red, green and blue, the first three samples of each `step`, weighed to luma. */
export function weigh(line: usize, width: i32, step: i32, red: f32, green: f32, blue: f32, out: usize): void {
  for (let x = 0; x < width; x++) {
    const pixel = at(line, x * step);
    store<f32>(at(out, x), red * load<f32>(pixel) + green * load<f32>(pixel, 4) + blue * load<f32>(pixel, 8));
  }
}

/** Planes of `width` as the first `count` samples of each `step`: 0 to 1 brought to low to high, whole and within. */
export function join(planes: usize, width: i32, step: i32, count: i32, low: f32, high: f32, line: usize): void {
  for (let c = 0; c < count; c++) {
    const plane = at(planes, c * width);
    for (let x = 0; x < width; x++) store<f32>(at(line, x * step + c), min(high, max(low, nearest(low + load<f32>(at(plane, x)) * (high - low)))));
  }
}

// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function whole(planes: usize, index: i32, low: v128, high: v128): v128 {
  const values = f32x4.nearest(f32x4.add(low, f32x4.mul(v128.load(at(planes, index)), f32x4.sub(high, low))));
  return i32x4.trunc_sat_f32x4_s(f32x4.min(high, f32x4.max(low, values)));
}

/** `join` to bytes: 1 of 1 or 2 a pixel, or 3 of 3 or 4, where the last one is there already and stays. */
export function joinBytes(planes: usize, width: i32, step: i32, count: i32, low: f32, high: f32, bytes: usize): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  // Four pixels channel by channel are brought into pixel by pixel; what lies between and behind them is kept.
  let order = i8x16(0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4);
  let kept = i32x4(0, -1, -1, -1);
  if (step == 2) {
    order = i8x16(0, 4, 1, 4, 2, 4, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4);
    kept = i32x4(0xff00ff00, 0xff00ff00, -1, -1);
  } else if (step == 3) {
    order = i8x16(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 12, 12, 12, 12);
    kept = i32x4(0, 0, 0, -1);
  } else if (step == 4) {
    order = i8x16(0, 4, 8, 12, 1, 5, 9, 12, 2, 6, 10, 12, 3, 7, 11, 12);
    kept = i32x4.splat(0xff000000);
  }
  for (let x = 0; x < width; x += 4) {
    const first = whole(planes, x, least, most);
    const second = count > 1 ? whole(planes, width + x, least, most) : first;
    const third = count > 1 ? whole(planes, 2 * width + x, least, most) : first;
    const pixels = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(first, second), i16x8.narrow_i32x4_s(third, third));
    const to = bytes + <usize>(x * step);
    v128.store(to, v128.bitselect(v128.load(to), i8x16.swizzle(pixels, order), kept));
  }
}

/** Means of `factor` by `factor` values, of so many rows of a plane, one row of means: what is left over at the right is left out. */
export function box(rows: usize, width: i32, factor: i32, out: usize): void {
  const count = <f64>(factor * factor);
  for (let i = 0; i < width / factor; i++) {
    let sum: f64 = 0;
    for (let y = 0; y < factor; y++) for (let x = 0; x < factor; x++) sum += <f64>load<f32>(at(rows, y * width + i * factor + x));
    store<f32>(at(out, i), <f32>(sum / count));
  }
}

/** Adds `factor` times a row to sums, which have room for three more values, as it has. */
export function accumulate(sums: usize, row: usize, factor: f32, count: i32): void {
  const weight = f32x4.splat(factor);
  for (let i = 0; i < count; i += 4) v128.store(at(sums, i), f32x4.add(v128.load(at(sums, i)), f32x4.mul(weight, v128.load(at(row, i)))));
}

/** Whether all values are numbers: the exponent of what is none has all its eight bits. */
export function finite(values: usize, count: i32): bool {
  const exponent = i32x4.splat(0x7f800000);
  let none = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) none = v128.or(none, i32x4.eq(v128.and(v128.load(at(values, i)), exponent), exponent));
  for (; i < count; i++) if ((load<i32>(at(values, i)) & 0x7f800000) == 0x7f800000) return false;
  return !v128.any_true(none);
}
