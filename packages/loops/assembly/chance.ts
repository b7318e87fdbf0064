// The inner loops of nets/src/random.ts: words of xoshiro128** (Blackman and Vigna, 2018), and numbers of the standard normal distribution.
//
// Circular functions and the logarithm by their series, far enough for float32: what a processor's own library gives differs from one to another.

export { narrow, widen } from './shared/bytes';

const LN2: f64 = 0.6931471805599453;
const TAU: f64 = 6.283185307179586;
const SQRT2: f64 = 1.4142135623730951;
const BELOW: f64 = 4294967296;

/** Natural logarithm of 1 - w / 2^32, by twice the area tangent of (f - 1) / (f + 1), f from the root of a half to that of 2. */
// @ts-expect-error: decorators of functions are AssemblyScript's own
@inline
function logarithm(w: u32): f64 {
  const bits = reinterpret<i64>(BELOW - <f64>w);
  let exponent = <i32>(bits >> 52) - 1023;
  let f = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (f > SQRT2) {
    f /= 2;
    exponent++;
  }
  const s = (f - 1) / (f + 1);
  const q = s * s;
  const series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11 + q * (1.0 / 13 + q * (1.0 / 15)))))));
  return <f64>(exponent - 32) * LN2 + 2 * s * series;
}

/** Draws `count` words of 32 bits by the four words of `state`, which go on. */
export function draw(state: usize, field: usize, count: i32): void {
  let s0 = load<u32>(state);
  let s1 = load<u32>(state, 4);
  let s2 = load<u32>(state, 8);
  let s3 = load<u32>(state, 12);
  for (let i = 0; i < count; i++, field += 4) {
    store<u32>(field, rotl<u32>(s1 * 5, 7) * 9);
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotl<u32>(s3, 11);
  }
  store<u32>(state, s0);
  store<u32>(state, s1, 4);
  store<u32>(state, s2, 8);
  store<u32>(state, s3, 12);
}

/** Pairs of normal numbers by Box and Muller, in place of `count` words of 32 bits, any of which is as likely; an even count. */
export function normals(field: usize, count: i32): void {
  for (let i = 0; i < count; i += 2, field += 8) {
    const radius = Math.sqrt(-2 * logarithm(load<u32>(field)));
    // A turn as quarters, and an eighth at most.
    const w = load<u32>(field, 4);
    const quarter = (w + 0x20000000) >> 30;
    const angle = <f64>(<i32>(w - (quarter << 30))) * (TAU / BELOW);
    const q = angle * angle;
    const sine = angle * (1 - q * (1.0 / 6 - q * (1.0 / 120 - q * (1.0 / 5040 - q * (1.0 / 362880 - q * (1.0 / 39916800 - q * (1.0 / 6227020800)))))));
    const cosine = 1 - q * (1.0 / 2 - q * (1.0 / 24 - q * (1.0 / 720 - q * (1.0 / 40320 - q * (1.0 / 3628800 - q * (1.0 / 479001600))))));
    const odd = (quarter & 1) == 1;
    const x = odd ? -sine : cosine;
    const y = odd ? cosine : sine;
    const sign: f64 = quarter & 2 ? -1 : 1;
    store<f32>(field, <f32>(radius * sign * x));
    store<f32>(field, <f32>(radius * sign * y), 4);
  }
}
