// fft.js 4.0 comes without types.
declare module 'fft.js' {
  export default class FFT {
    /** @param size a power of two. */
    constructor(size: number);
    /** Complex to complex, interleaved, 2 size values each. */
    transform(out: Float64Array, data: Float64Array): void;
    /** Of real values, `size` of them; the first half of the spectrum and its middle are written. */
    realTransform(out: Float64Array, data: Float64Array): void;
  }
}
