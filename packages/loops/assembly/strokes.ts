// The inner loops of src/style/flow.ts as WebAssembly (AssemblyScript, built by scripts/wasm.mjs): strokes are laid at every position of a
// picture along 48 others, in four channels, which are what a vector of 128 bits holds.
//
// All fields are float32 [height, width], by their addresses; what is written must have room for LANES more values behind it.

export { narrow, widen } from './shared/bytes';

/** Values that a blur works on at once. */
const LANES: i32 = 16;

/** Twice the angle of the slopes of luminance as its cosine and sine, times their square: opposite slopes are one direction, and do not cancel. */
export function tensor(luminance: usize, cosine: usize, sine: usize, width: i32, height: i32): void {
  for (let row = 0; row < height; row++) {
    const above = luminance + (max(0, row - 1) * width << 2);
    const here = luminance + (row * width << 2);
    const below = luminance + (min(height - 1, row + 1) * width << 2);
    for (let i = 0; i < width; i++) {
      const l = <usize>max(0, i - 1) << 2;
      const m = <usize>i << 2;
      const r = <usize>min(width - 1, i + 1) << 2;
      // Sobel's slopes, an eighth; which way up is no matter.
      const gx = (load<f32>(above + l) - load<f32>(above + r) + 2 * (load<f32>(here + l) - load<f32>(here + r)) + load<f32>(below + l) - load<f32>(below + r)) / 8;
      const gy = (load<f32>(above + l) + 2 * load<f32>(above + m) + load<f32>(above + r) - load<f32>(below + l) - 2 * load<f32>(below + m) - load<f32>(below + r)) / 8;
      const at = <usize>(row * width + i) << 2;
      store<f32>(cosine + at, gx * gx - gy * gy);
      store<f32>(sine + at, 2 * gx * gy);
    }
  }
}

/**
 * Blurs a field across and down, in place; edges go on beyond the picture.
 * @param kernel reach + 1 values, from the end of the bell to its middle. @param line room for width + 2 reach values. @param across room for a field.
 */
export function blur(x: usize, width: i32, height: i32, kernel: usize, reach: i32, line: usize, across: usize): void {
  const middle = load<f32>(kernel + (<usize>reach << 2));
  // What a row writes beyond its end the next one writes over.
  for (let row = 0; row < height; row++) {
    const from = x + (<usize>(row * width) << 2);
    const to = across + (<usize>(row * width) << 2);
    for (let i = 0; i < reach; i++) {
      store<f32>(line + (<usize>i << 2), load<f32>(from));
      store<f32>(line + (<usize>(reach + width + i) << 2), load<f32>(from + (<usize>(width - 1) << 2)));
    }
    memory.copy(line + (<usize>reach << 2), from, <usize>width << 2);
    for (let i = 0; i < width; i += LANES) {
      const left = line + (<usize>i << 2);
      const centre = left + (<usize>reach << 2);
      const weight = f32x4.splat(middle);
      let a = f32x4.mul(weight, v128.load(centre));
      let b = f32x4.mul(weight, v128.load(centre, 16));
      let c = f32x4.mul(weight, v128.load(centre, 32));
      let d = f32x4.mul(weight, v128.load(centre, 48));
      let p = left;
      let q = centre + (<usize>reach << 2);
      for (let k = 0; k < reach; k++, p += 4, q -= 4) {
        const weight = v128.load_splat<f32>(kernel + (<usize>k << 2));
        a = f32x4.add(a, f32x4.mul(weight, f32x4.add(v128.load(p), v128.load(q))));
        b = f32x4.add(b, f32x4.mul(weight, f32x4.add(v128.load(p, 16), v128.load(q, 16))));
        c = f32x4.add(c, f32x4.mul(weight, f32x4.add(v128.load(p, 32), v128.load(q, 32))));
        d = f32x4.add(d, f32x4.mul(weight, f32x4.add(v128.load(p, 48), v128.load(q, 48))));
      }
      const at = to + (<usize>i << 2);
      v128.store(at, a);
      v128.store(at, b, 16);
      v128.store(at, c, 32);
      v128.store(at, d, 48);
    }
  }
  for (let row = 0; row < height; row++)
    for (let i = 0; i < width; i += LANES) {
      const column = across + (<usize>i << 2);
      const centre = column + (<usize>(row * width) << 2);
      const weight = f32x4.splat(middle);
      let a = f32x4.mul(weight, v128.load(centre));
      let b = f32x4.mul(weight, v128.load(centre, 16));
      let c = f32x4.mul(weight, v128.load(centre, 32));
      let d = f32x4.mul(weight, v128.load(centre, 48));
      for (let k = 0; k < reach; k++) {
        const p = column + (<usize>(max(0, row + k - reach) * width) << 2);
        const q = column + (<usize>(min(height - 1, row + reach - k) * width) << 2);
        const weight = v128.load_splat<f32>(kernel + (<usize>k << 2));
        a = f32x4.add(a, f32x4.mul(weight, f32x4.add(v128.load(p), v128.load(q))));
        b = f32x4.add(b, f32x4.mul(weight, f32x4.add(v128.load(p, 16), v128.load(q, 16))));
        c = f32x4.add(c, f32x4.mul(weight, f32x4.add(v128.load(p, 32), v128.load(q, 32))));
        d = f32x4.add(d, f32x4.mul(weight, f32x4.add(v128.load(p, 48), v128.load(q, 48))));
      }
      const at = x + (<usize>(row * width + i) << 2);
      v128.store(at, a);
      v128.store(at, b, 16);
      v128.store(at, c, 32);
      v128.store(at, d, 48);
    }
}

/** The first of two fields becomes its sum with `factor` times the second. */
export function accumulate(field: usize, other: usize, factor: f32, count: i32): void {
  for (let at: usize = 0; at < <usize>count << 2; at += 16) v128.store(field + at, f32x4.add(v128.load(field + at), f32x4.mul(f32x4.splat(factor), v128.load(other + at))));
}

/** A field becomes `factor` times itself, and nothing of it is more than `most`, either way. */
export function scale(field: usize, factor: f32, most: f32, count: i32): void {
  const high = f32x4.splat(most);
  const low = f32x4.splat(-most);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = field + (<usize>i << 2);
    v128.store(at, f32x4.min(high, f32x4.max(low, f32x4.mul(f32x4.splat(factor), v128.load(at)))));
  }
  for (; i < count; i++) {
    const at = field + (<usize>i << 2);
    store<f32>(at, min(most, max(-most, factor * load<f32>(at))));
  }
}

/** Unit vectors across slopes whose doubled angles are given, x and y side by side; by which of two opposite ways does not matter. */
export function across(cosine: usize, sine: usize, flow: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const c = <f64>load<f32>(cosine + (<usize>i << 2));
    const s = <f64>load<f32>(sine + (<usize>i << 2));
    const length = Math.sqrt(c * c + s * s);
    // The opposite of twice the slope's angle is twice the angle of what runs along; half angles without a circular function, which no two machines compute alike.
    const even = length > 0 ? c / length : 1;
    store<f32>(flow + (<usize>i << 3), <f32>Math.sqrt(max(0, 1 - even) / 2));
    store<f32>(flow + (<usize>i << 3), <f32>copysign(Math.sqrt(max(0, 1 + even) / 2), -s), 4);
  }
}

/** A field as one of four channels side by side. */
export function weave(x: usize, out: usize, channel: i32, count: i32): void {
  const first = out + (<usize>channel << 2);
  for (let i = 0; i < count; i++) store<f32>(first + (<usize>i << 4), load<f32>(x + (<usize>i << 2)));
}

/** Added to a whole number of at most 2^22, it leaves that in the low bits; to any other, the nearest. */
const WHOLE: f32 = 12582912;

// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function whole(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, f32x4.splat(WHOLE)), i32x4.splat(reinterpret<i32>(WHOLE)));
}

/** A walk both ways stands at [x, y, x, y] from where it began. Each step is by the flow at the nearest place, on, and not back. */
// @ts-expect-error
@inline
function turned(at: v128, step: v128, flow: usize, start: i32, width: i32): v128 {
  const near = whole(at);
  const p = start + i32x4.extract_lane(near, 1) * width + i32x4.extract_lane(near, 0);
  const q = start + i32x4.extract_lane(near, 3) * width + i32x4.extract_lane(near, 2);
  const way = v128.load64_lane(flow + (<usize>q << 3), v128.load64_zero(flow + (<usize>p << 3)), 1);
  const product = f32x4.mul(way, step);
  const along = f32x4.add(product, v128.shuffle<f32>(product, product, 1, 0, 3, 2));
  return v128.xor(way, v128.and(f32x4.splat(-0.0), f32x4.lt(along, f32x4.splat(0))));
}

/** Between the four places around a point, which is that far to the right and down. */
// @ts-expect-error
@inline
function between(at: usize, below: usize, right: v128, down: v128): v128 {
  const a = v128.load(at);
  const b = v128.load(at + below);
  const above = f32x4.add(a, f32x4.mul(right, f32x4.sub(v128.load(at, 16), a)));
  const under = f32x4.add(b, f32x4.mul(right, f32x4.sub(v128.load(at + below, 16), b)));
  return f32x4.add(above, f32x4.mul(down, f32x4.sub(under, above)));
}

/** Sum of the four channels at both ends of a walk. @param last of the places that have others to the right and below. */
// @ts-expect-error
@inline
function ends(at: v128, last: v128, source: usize, start: i32, width: i32): v128 {
  const corner = f32x4.min(f32x4.floor(at), last);
  const fraction = f32x4.sub(at, corner);
  const place = whole(corner);
  const below = <usize>width << 4;
  const forth = source + (<usize>(start + i32x4.extract_lane(place, 1) * width + i32x4.extract_lane(place, 0)) << 4);
  const back = source + (<usize>(start + i32x4.extract_lane(place, 3) * width + i32x4.extract_lane(place, 2)) << 4);
  return f32x4.add(
    between(forth, below, v128.shuffle<f32>(fraction, fraction, 0, 0, 0, 0), v128.shuffle<f32>(fraction, fraction, 1, 1, 1, 1)),
    between(back, below, v128.shuffle<f32>(fraction, fraction, 2, 2, 2, 2), v128.shuffle<f32>(fraction, fraction, 3, 3, 3, 3)),
  );
}

/** [x, y, x, y] */
// @ts-expect-error
@inline
function twice(x: i32, y: i32): v128 {
  return f32x4(<f32>x, <f32>y, <f32>x, <f32>y);
}

/**
 * Four channels side by side summed along the flow from every place both ways, of the rows `from` up to `to`, into four fields one after another.
 * @param weights of the four channels at every step, from the place itself on, [reach + 1, 4].
 */
export function smear(source: usize, flow: usize, weights: usize, reach: i32, width: i32, height: i32, from: i32, to: i32, out: usize): void {
  const field = <usize>((to - from) * width) << 2;
  // The one way, and the other.
  const opposite = v128.and(f32x4.splat(-0.0), i32x4(0, 0, -1, -1));
  const one = f32x4.splat(1);
  for (let row = from; row < to; row++)
    // Two places at once: every step waits for the one before it, and the processor has time for another walk meanwhile.
    for (let column = 0; column < width; column += 2) {
      const next = min(column + 1, width - 1);
      const start = row * width + column;
      const start2 = row * width + next;
      const least = twice(-column, -row);
      const least2 = twice(-next, -row);
      const most = twice(width - 1 - column, height - 1 - row);
      const most2 = twice(width - 1 - next, height - 1 - row);
      const last = f32x4.sub(most, one);
      const last2 = f32x4.sub(most2, one);
      let at = f32x4.splat(0);
      let at2 = f32x4.splat(0);
      let step = v128.xor(v128.load64_splat(flow + (<usize>start << 3)), opposite);
      let step2 = v128.xor(v128.load64_splat(flow + (<usize>start2 << 3)), opposite);
      let sum = f32x4.mul(v128.load(weights), v128.load(source + (<usize>start << 4)));
      let sum2 = f32x4.mul(v128.load(weights), v128.load(source + (<usize>start2 << 4)));
      for (let n = 1; n <= reach; n++) {
        at = f32x4.min(most, f32x4.max(least, f32x4.add(at, step)));
        at2 = f32x4.min(most2, f32x4.max(least2, f32x4.add(at2, step2)));
        step = turned(at, step, flow, start, width);
        step2 = turned(at2, step2, flow, start2, width);
        const weight = v128.load(weights + (<usize>n << 4));
        sum = f32x4.add(sum, f32x4.mul(weight, ends(at, last, source, start, width)));
        sum2 = f32x4.add(sum2, f32x4.mul(weight, ends(at2, last2, source, start2, width)));
      }
      put(sum, out + (<usize>(start - from * width) << 2), field);
      put(sum2, out + (<usize>(start2 - from * width) << 2), field);
    }
}

/** Four channels into a place of four fields. */
// @ts-expect-error
@inline
function put(sum: v128, place: usize, field: usize): void {
  store<f32>(place, f32x4.extract_lane(sum, 0));
  store<f32>(place + field, f32x4.extract_lane(sum, 1));
  store<f32>(place + 2 * field, f32x4.extract_lane(sum, 2));
  store<f32>(place + 3 * field, f32x4.extract_lane(sum, 3));
}
