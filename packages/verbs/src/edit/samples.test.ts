// Samples come out as they went in, wherever they lie, and what lies between them stays.

import { expect, it } from 'vitest';
import { interleaved, sinkTo, sourceOf } from './samples.js';

const [WIDTH, HEIGHT] = [37, 70];
function whole(type: typeof Uint8Array | typeof Uint16Array, count: number): Uint8Array | Uint16Array {
  const out = new type(count);
  for (let i = 0; i < count; i++) out[i] = (i * 7919 + 13) % (type === Uint8Array ? 256 : 65536);
  return out;
}
/** In one band of rows and in several, across the whole and not, and a single pixel. */
const PARTS = [[0, 0, WIDTH, HEIGHT], [0, 3, WIDTH, 40], [5, 1, 1, 1], [4, 30, 17, 40], [36, 0, 1, 70]] as const;

for (const type of [Uint8Array, Uint16Array])
  for (const [count, step, first] of [[1, 1, 0], [1, 2, 0], [1, 2, 1], [3, 3, 0], [3, 4, 0], [3, 4, 1]] as const)
    it(`reads and writes ${count} of ${step} samples from the ${first}th on, ${type.name}`, () => {
      const high = type === Uint8Array ? 255 : 65535;
      const given = whole(type, WIDTH * HEIGHT * step);
      for (const [x, y, w, h] of PARTS) {
        const at = (row: number, column: number, c: number) => first + ((y + row) * WIDTH + x + column) * step + c;
        const values = new Float32Array(count * w * h);
        sourceOf(interleaved(WIDTH, HEIGHT, given, step, first, count), count).read(x, y, w, h, values);
        const expected = Float32Array.from(values, (_, i) => given[at(Math.floor(i / w) % h, i % w, Math.floor(i / (w * h)))]! / high);
        expect(values).toEqual(expected);

        // Beyond white and black, and between two whole numbers.
        const made = values.map((value, i) => (i % 11 === 0 ? -0.2 : i % 13 === 0 ? 1.3 : value + 0.3 / high));
        const out = whole(type, WIDTH * HEIGHT * step).reverse();
        const wanted = out.slice();
        made.forEach((value, i) => {
          wanted[at(Math.floor(i / w) % h, i % w, Math.floor(i / (w * h)))] = Math.min(high, Math.max(0, Math.round(value * high)));
        });
        sinkTo(interleaved(WIDTH, HEIGHT, out, step, first, count), count)(made, x, y, w, h);
        expect(out).toEqual(wanted);
      }
    });
