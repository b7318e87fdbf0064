// Bytes as float32 and back: JavaScript converts them one by one.

/** Bytes that are converted at once. */
const LANES: i32 = 16;

/** Bytes as values. `out` must have room for 16 more; the bytes may be the last quarter of what is written. */
export function widen(bytes: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i += LANES) {
    const some = v128.load(bytes + <usize>i);
    const low = i16x8.extend_low_i8x16_u(some);
    const high = i16x8.extend_high_i8x16_u(some);
    const to = out + (<usize>i << 2);
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low)));
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high)), 48);
  }
}

/** Values as bytes, cut off, and those beyond 0 to 255 held there. `out` must have room for 16 more, and may be where the values are. */
export function narrow(values: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i += LANES) {
    const from = values + (<usize>i << 2);
    const low = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(v128.load(from)), i32x4.trunc_sat_f32x4_s(v128.load(from, 16)));
    const high = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(v128.load(from, 32)), i32x4.trunc_sat_f32x4_s(v128.load(from, 48)));
    v128.store(out + <usize>i, i8x16.narrow_i16x8_u(low, high));
  }
}
