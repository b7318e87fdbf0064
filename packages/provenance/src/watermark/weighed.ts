// A picture weighed as a matched filter does it, to which all of the picture but the mark is noise: by how little of that there is. Windows of 8 px, half over
// one another, are split into cosines, and each of these is divided by its own variance round about: a line or a hatching is strong in few of
// them, and so the others still tell (Kay, Fundamentals of Statistical Signal Processing II, 1998, "generalized matched filter", for noise whose
// covariance is diagonal here; Cox, Miller and Bloom, Digital Watermarking, "whitening").

import { lookLoops } from '@zeuxis/loops';

/** Side of a window in px, and how far apart they lie. */
const SIDE = 8;
const APART = SIDE / 2;
/** Half periods to a window, across and down: the fastest that are kept. What the pattern uses, 7 to 26 cycles in 128 px, has 0.9 to 3.3. */
const [COSINES, FASTEST] = [5, 4.6];
/** Variance that is taken for granted of each, black to white being 255. */
const LEAST = 8;
/** Reach in px of the mean that is taken away first: slow shades are not the mark. */
const SHADE = 4;

/** The cosines under a window of a sine, [COSINES, SIDE]. */
const BASIS = Float32Array.from({ length: COSINES * SIDE }, (_, n) => {
  const [k, at] = [Math.floor(n / SIDE), (Math.PI * ((n % SIDE) + 0.5)) / SIDE];
  return Math.sin(at) * Math.cos(k * at) * (k === 0 ? Math.SQRT1_2 : 1) * 0.5;
});

/** @param luminance 0 to 255. @returns values around 0. */
export function weighed(luminance: Float32Array, width: number, height: number): Float32Array {
  const size = width * height;
  const [windows, down] = [width, height].map((side) => Math.floor((side - SIDE) / APART) + 1) as [number, number];
  if (windows < 1 || down < 1) return new Float32Array(size);
  const { run, room, write, read } = lookLoops();
  // A zero before the windows of a row, and four behind, which the vectors write.
  const stride = 4 * Math.ceil((windows + 6) / 4);
  const [field, plane, rows] = [height * stride, (down + 2) * stride, (down + 1) * APART];
  const [basis, values, mean, scratch, line, along, planes, squares, sums] = room(BASIS.length, size, size, size, 2 * (width + SHADE + 16) + 4 * (stride + 16), COSINES * field, COSINES * plane, plane, COSINES * rows * stride);
  const part = (first: number, length: number, n: number) => first + n * length * Float32Array.BYTES_PER_ELEMENT;
  const nothing = new Float32Array(plane);
  write(basis, BASIS);
  write(values, luminance);
  run.boxMean(values, width, height, SHADE, line, scratch, mean);
  run.boxMean(mean, width, height, SHADE, line, scratch, mean);
  run.subtract(values, mean, size);
  run.alongRows(values, width, height, basis, windows, stride, line, along);
  for (let k = 0; k < COSINES; k++) {
    for (let j = 0; j < COSINES; j++) {
      const own = part(planes, plane, j);
      if (k + j > 0 && Math.hypot(k, j) <= FASTEST) {
        run.downColumns(part(along, field, k), windows, stride, down, basis, j, own);
        run.overVariance(own, windows, stride, down, LEAST, line, squares);
      } else write(own, nothing);
    }
    run.backUp(planes, windows, stride, down, basis, part(sums, rows * stride, k));
  }
  run.backAlong(sums, width, height, basis, windows, stride, rows, line, values);
  return read(values, size);
}
