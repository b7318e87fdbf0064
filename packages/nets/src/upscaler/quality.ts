// How near an enlarged picture is to the truth: PSNR and SSIM on the luma of BT.601, borders cut, as papers on
// superresolution measure since Timofte et al. (2013). SSIM is Wang et al. (2004): Gaussian windows of 11 pixels, sigma 1.5,
// only those that lie whole within the picture.

/** Luma, 16 to 235, not rounded, of interleaved RGB or grey samples from 0 to 255. */
export function luma(data: ArrayLike<number>, pixels: number, channels: number): Float64Array {
  const y = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    const [r, g, b] = channels >= 3 ? [data[at]!, data[at + 1]!, data[at + 2]!] : [data[at]!, data[at]!, data[at]!];
    y[i] = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
  }
  return y;
}

/** Values of a picture of one channel. */
export interface Grey {
  width: number;
  height: number;
  data: Float64Array;
}

export function cropBorder({ width, height, data }: Grey, border: number): Grey {
  const [w, h] = [width - 2 * border, height - 2 * border];
  if (w < 1 || h < 1) throw new RangeError(`a picture of ${width}x${height} has nothing left without ${border} pixels at each border`);
  const out = new Float64Array(w * h);
  for (let row = 0; row < h; row++) out.set(data.subarray((row + border) * width + border, (row + border) * width + border + w), row * w);
  return { width: w, height: h, data: out };
}

/** Peak signal-to-noise ratio in dB. @param peak the largest value there can be, 255 by default. */
export function psnr(a: Grey, b: Grey, peak = 255): number {
  let squares = 0;
  for (let i = 0; i < a.data.length; i++) squares += (a.data[i]! - b.data[i]!) ** 2;
  return 10 * Math.log10((peak ** 2 * a.data.length) / squares);
}

const WINDOW = 11;
const GAUSSIAN = (() => {
  const values = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
})();

/** Local means where the whole window fits. */
function blur({ width, height, data }: Grey): Float64Array {
  const [w, h] = [width - WINDOW + 1, height - WINDOW + 1];
  const rows = new Float64Array(h * width);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < width; x++) for (let k = 0; k < WINDOW; k++) rows[y * width + x]! += GAUSSIAN[k]! * data[(y + k) * width + x]!;
  const out = new Float64Array(h * w);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) for (let k = 0; k < WINDOW; k++) out[y * w + x]! += GAUSSIAN[k]! * rows[y * width + x + k]!;
  return out;
}

/** Structural similarity, at most 1; NaN for pictures smaller than the window of 11 pixels. */
export function ssim(a: Grey, b: Grey, peak = 255): number {
  if (Math.min(a.width, a.height) < WINDOW) return Number.NaN;
  const [c1, c2] = [(0.01 * peak) ** 2, (0.03 * peak) ** 2];
  const product = (p: Grey, q: Grey) => blur({ ...p, data: p.data.map((value, i) => value * q.data[i]!) });
  const [ma, mb, aa, bb, ab] = [blur(a), blur(b), product(a, a), product(b, b), product(a, b)];
  let total = 0;
  for (let i = 0; i < ma.length; i++) {
    const [m, n] = [ma[i]!, mb[i]!];
    total += ((2 * m * n + c1) * (2 * (ab[i]! - m * n) + c2)) / ((m * m + n * n + c1) * (aa[i]! - m * m + (bb[i]! - n * n) + c2));
  }
  return total / ma.length;
}
