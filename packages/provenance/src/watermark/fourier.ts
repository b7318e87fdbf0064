// Two-dimensional Fourier transforms of squares, by fft.js (radix 4).

import FFT from 'fft.js';

/** Complex values of a square, row by row: re, im, re, im, …, 2 side^2 of them. */
export type Spectrum = Float64Array;

/** Transforms of squares of one side, a power of two. Tables and scratch are made once. */
export class SquareFourier {
  private readonly fft: FFT;
  private readonly line: Float64Array;
  private readonly out: Float64Array;

  constructor(readonly side: number) {
    this.fft = new FFT(side);
    this.line = new Float64Array(2 * side);
    this.out = new Float64Array(2 * side);
  }

  /**
   * Sums of x e^(-2 pi i (u x + v y) / side), v the row's frequency, of side^2 real values x: half the work, for what they have is seen twice.
   * @param fastest of the frequencies across: those beyond it are not made, and mean nothing. All by default.
   */
  ofReal(values: Float64Array, fastest = this.side / 2): Spectrum {
    const { side, fft, out } = this;
    const spectrum = new Float64Array(2 * side * side);
    for (let y = 0; y < side; y++) {
      const row = values.subarray(y * side, (y + 1) * side);
      // Pictures that are smaller than the square leave rows empty.
      if (isEmpty(row)) continue;
      fft.realTransform(out, row);
      spectrum.set(out.subarray(0, side + 2), 2 * y * side);
    }
    for (let x = 0; x <= fastest; x++) this.column(spectrum, x);
    for (let y = 0; y < side; y++)
      for (let x = 1, to = 2 * (y * side + side - 1), at = 2 * (((side - y) % side) * side + 1); x < side / 2 && x <= fastest; x++, to -= 2, at += 2) {
        spectrum[to] = spectrum[at]!;
        spectrum[to + 1] = -spectrum[at + 1]!;
      }
    return spectrum;
  }

  private column(values: Spectrum, x: number): void {
    const { side, fft, line, out } = this;
    for (let y = 0, at = 2 * x; y < side; y++, at += 2 * side) {
      line[2 * y] = values[at]!;
      line[2 * y + 1] = values[at + 1]!;
    }
    fft.transform(out, line);
    for (let y = 0, at = 2 * x; y < side; y++, at += 2 * side) {
      values[at] = out[2 * y]!;
      values[at + 1] = out[2 * y + 1]!;
    }
  }
}

function isEmpty(row: Float64Array): boolean {
  for (let i = 0; i < row.length; i++) if (row[i] !== 0) return false;
  return true;
}

const made = new Map<number, SquareFourier>();

/** The transform of a side, made when it is first asked for. */
export function fourierOf(side: number): SquareFourier {
  const known = made.get(side) ?? new SquareFourier(side);
  made.set(side, known);
  return known;
}
