// Dense float64 rows and their inner products, which is where all measures spend their time.

/** Vectors of one length, one after the other. */
export interface Rows {
  count: number;
  /** Values in a row. */
  width: number;
  /** Row-major, count * width values. */
  data: Float64Array;
}

/**
 * Long work in slices: yields the share done, 0 to 1, now and then, so that a caller can draw progress, let events
 * through or stop. `finish` runs it through.
 */
export type Work<T> = Generator<number, T>;

export function finish<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Work that is the part from `from` to `to` of a larger one. */
export function* part<T>(work: Work<T>, from: number, to: number): Work<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    yield from + (to - from) * value;
  }
}

export const rows = (count: number, width: number, data: Float64Array = new Float64Array(count * width)): Rows => {
  if (data.length !== count * width) throw new RangeError(`${count} rows of ${width} hold ${count * width} values, not ${data.length}`);
  return { count, width, data };
};

/** Some rows, copied. */
export function pick({ width, data }: Rows, indices: ArrayLike<number>): Rows {
  const some = rows(indices.length, width);
  for (let i = 0; i < indices.length; i++) some.data.set(data.subarray(indices[i]! * width, (indices[i]! + 1) * width), i * width);
  return some;
}

/** A run of rows, not copied. */
export const run = ({ width, data }: Rows, start: number, count: number): Rows =>
  rows(count, width, data.subarray(start * width, (start + count) * width));

/** Of every row the inner product with itself. */
export function squares({ count, width, data }: Rows): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = i * width; k < (i + 1) * width; k++) sum += data[k]! * data[k]!;
    return sum;
  });
}

/**
 * All inner products of two sets of rows: out[i, j] = a_i . b_j, [a.count, b.count], row-major.
 * Eight sums at a time stay in registers; every sum runs over the width in order, so that a product does not depend on
 * where in the sets its rows stand.
 */
export function products(a: Rows, b: Rows, out: Float64Array = new Float64Array(a.count * b.count)): Float64Array {
  const { width, data: x } = a;
  const { data: y, count } = b;
  if (b.width !== width) throw new RangeError(`products: rows of ${width} and of ${b.width} values`);
  const [evenRows, evenColumns] = [a.count - (a.count % 2), count - (count % 4)];
  for (let i = 0; i < evenRows; i += 2) {
    const p = i * width;
    for (let j = 0; j < evenColumns; j += 4) {
      const q = j * width;
      // Plain declarations: destructuring here would make arrays of every four products.
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      for (let k = 0; k < width; k++) {
        const u = x[p + k]!, v = x[p + width + k]!;
        const b0 = y[q + k]!, b1 = y[q + width + k]!, b2 = y[q + 2 * width + k]!, b3 = y[q + 3 * width + k]!;
        s0 += u * b0;
        s1 += u * b1;
        s2 += u * b2;
        s3 += u * b3;
        t0 += v * b0;
        t1 += v * b1;
        t2 += v * b2;
        t3 += v * b3;
      }
      const o = i * count + j;
      [out[o], out[o + 1], out[o + 2], out[o + 3]] = [s0, s1, s2, s3];
      [out[o + count], out[o + count + 1], out[o + count + 2], out[o + count + 3]] = [t0, t1, t2, t3];
    }
  }
  for (let i = 0; i < a.count; i++)
    for (let j = i < evenRows ? evenColumns : 0; j < count; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += x[i * width + k]! * y[j * width + k]!;
      out[i * count + j] = sum;
    }
  return out;
}
