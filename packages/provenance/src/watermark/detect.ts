// Finding the watermark: first as it was written, then turned, scaled, cut and mirrored.

import sharp from 'sharp';
import { decodePayload, type PayloadBits } from './code.js';
import { type Spectrum, SquareFourier } from './fourier.js';
import { boxMean, evened, type Look, luminanceOf } from './look.js';
import { type Frequency, type Pattern, TILE } from './pattern.js';

/** How the pattern lies in a picture that is looked at: px of the picture to one of the pattern, and turned by so many radians. */
export interface Geometry {
  scale: number;
  angle: number;
}

export interface Detected {
  payload: bigint;
  bits: PayloadBits;
  geometry: Geometry;
  /** Mirrored or turned by quarters, one of eight; 0 is as written. */
  orientation: number;
}

/** Scales that are looked for, relative to that of the picture looked at: halved, doubled, and what lies between. */
const SCALES = [0.45, 2.2] as const;
const STEP = 1.004;
/** Degrees by which pictures are turned, at most, and from one try to the next. */
const [TURNED, TURN] = [6, 0.2];
/** Geometries that are tried. */
const CANDIDATES = 5;
/** Steps by which the best of them is brought nearer, in shares of the scale and in radians. */
const NEARER = [0.0016, 0.0008] as const;
/** Side of the transform in which the lattice is looked for. */
const SEEN = 512;

const fourier = new Map<number, SquareFourier>();
const fourierOf = (side: number): SquareFourier => {
  const known = fourier.get(side) ?? new SquareFourier(side);
  fourier.set(side, known);
  return known;
};

/** Pictures of this shorter side and less are also looked at enlarged twofold, larger ones halved: what was written at 256 px and enlarged, or halved, stands as it was written. */
const SMALL = 300;

/**
 * Reads the watermark of a picture file.
 * @param file PNG, JPEG, WebP, AVIF, TIFF or GIF, whole.
 */
export async function detect(file: Uint8Array, pattern: Pattern): Promise<Detected | undefined> {
  const picture = sharp(file, { limitInputPixels: false }).autoOrient();
  const { width, height, autoOrient } = await picture.metadata();
  const luminance = await luminanceOf(picture, autoOrient?.width ?? width, autoOrient?.height ?? height);
  return detectIn([luminance, await resized(luminance, Math.min(luminance.width, luminance.height) <= SMALL ? 2 : 0.5)].map(({ data, ...size }) => ({ ...size, data: evened(data, size.width, size.height) })), pattern);
}

async function resized({ width, height, data }: Look, by: number): Promise<Look> {
  const { data: bytes, info } = await sharp(Uint8Array.from(data), { raw: { width, height, channels: 1 } })
    .resize(Math.max(1, Math.round(width * by)), Math.max(1, Math.round(height * by)), { fit: 'fill', kernel: 'lanczos3' })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, scale: 1, data: Float32Array.from(bytes) };
}

/** @param looks at one picture: first as it may have been written, each as it is, then turned and scaled. */
export function detectIn(looks: readonly Look[], pattern: Pattern): Detected | undefined {
  for (const seen of looks) {
    const found = tried(seen, pattern, { scale: seen.scale, angle: 0 });
    if (found) return found;
  }
  for (const seen of looks) {
    const [best, ...others] = geometries(seen, pattern);
    for (const geometry of [best!, refined(seen, pattern, best!), ...others]) {
      const found = tried(seen, pattern, geometry);
      if (found) return found;
    }
  }
  return undefined;
}

/** The geometry near one under which most lies on the known frequencies after folding: sees the whole picture, and phases, which the spectrum of its middle does not. */
function refined(seen: Look, { sync }: Pattern, near: Geometry): Geometry {
  const energy = (geometry: Geometry): number => {
    // Every other row is enough.
    const spectrum = folded(seen, geometry, 2);
    return sync.reduce((sum, frequency) => sum + spectrum[indexOf(frequency)]! ** 2 + spectrum[indexOf(frequency) + 1]! ** 2, 0);
  };
  let best = { ...near, energy: energy(near) };
  for (const step of NEARER)
    for (const [ds, da] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const)
      // On, as long as it gets better.
      for (let n = 0; n < 4; n++) {
        const next = { scale: best.scale * (1 + step * ds), angle: best.angle + step * da };
        const found = energy(next);
        if (found <= best.energy) break;
        best = { ...next, energy: found };
      }
  return { scale: best.scale, angle: best.angle };
}

/** The whole numbers i for which 0 <= start + step i < end. */
function inside(start: number, step: number, end: number): [number, number] {
  const most = end - 1e-6;
  if (Math.abs(step) < 1e-9) return start >= 0 && start <= most ? [-Infinity, Infinity] : [1, 0];
  const [a, b] = [-start / step, (most - start) / step];
  return [Math.ceil(Math.min(a, b)), Math.floor(Math.max(a, b))];
}

/** Mean of a picture over all tiles, and its transform, 2 TILE^2 values. @param rows every so many of the pattern's are looked at; not where it lies straight. */
export function folded({ width, height, data }: Look, { scale, angle }: Geometry, rows = 1): Spectrum {
  const sums = new Float64Array(2 * TILE * TILE);
  const counts = new Float64Array(TILE * TILE);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (scale === 1 && angle === 0) {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = (y % TILE) * TILE + (x % TILE);
        sums[2 * at]! += data[y * width + x]!;
        counts[at]!++;
      }
  } else {
    // Around the middle, so that an error of the geometry grows least. Every place of the pattern that lies in the picture is sampled.
    const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
    const [dx, dy] = [scale * c, scale * s];
    const reach = Math.ceil(Math.hypot(mx, my) / scale);
    for (let j = -reach; j <= reach; j += rows) {
      const [startX, startY] = [mx - dy * j, my + dx * j];
      // Where along the row both stay inside.
      const [a, b] = [inside(startX, dx, width - 1), inside(startY, dy, height - 1)];
      const row = ((j + 64 * TILE) % TILE) * TILE;
      for (let i = Math.max(a[0], b[0], -reach), last = Math.min(a[1], b[1], reach); i <= last; i++) {
        const [x, y] = [startX + dx * i, startY + dy * i];
        const [x0, y0] = [x | 0, y | 0];
        const from = y0 * width + x0;
        const fx = x - x0;
        const above = data[from]! + fx * (data[from + 1]! - data[from]!);
        const below = data[from + width]! + fx * (data[from + width + 1]! - data[from + width]!);
        const at = row + ((i + 64 * TILE) % TILE);
        sums[2 * at]! += above + (y - y0) * (below - above);
        counts[at]!++;
      }
    }
  }
  for (let at = 0; at < counts.length; at++) sums[2 * at] = counts[at]! > 0 ? sums[2 * at]! / counts[at]! : 0;
  return fourierOf(TILE).transform(sums);
}

/** What mirroring and quarter turns make of a frequency of the pattern: where it lies in the picture. */
const ORIENTATIONS: readonly ((f: Frequency) => Frequency)[] = [
  ({ u, v }) => ({ u, v }),
  ({ u, v }) => ({ u: -u, v }),
  ({ u, v }) => ({ u: -u, v: -v }),
  ({ u, v }) => ({ u, v: -v }),
  ({ u, v }) => ({ u: -v, v: u }),
  ({ u, v }) => ({ u: v, v: -u }),
  ({ u, v }) => ({ u: v, v: u }),
  ({ u, v }) => ({ u: -v, v: -u }),
];

const indexOf = ({ u, v }: Frequency): number => 2 * (((v + TILE) % TILE) * TILE + ((u + TILE) % TILE));

/** How far apart the best place must stand from the others, in deviations, for a payload to be read there. */
const CLEAR = 4.2;

/** Reads what lies in a picture by a geometry, in each orientation. */
function tried(seen: Look, pattern: Pattern, geometry: Geometry): Detected | undefined {
  const spectrum = folded(seen, geometry);
  const noise = noiseOf(spectrum);
  for (const [orientation, turn] of ORIENTATIONS.entries()) {
    const place = placeOf(spectrum, noise, pattern, turn);
    if (place.peak < CLEAR) continue;
    const parts = partsOf(spectrum, noise, pattern, turn, place);
    for (const bits of [64, 16] as const) {
      const payload = decodePayload(softOf(parts, pattern, bits), bits);
      if (payload !== undefined) return { payload, bits, geometry, orientation };
    }
  }
  return undefined;
}

/** Mean squared magnitude by radius: what a frequency must be held against. */
export function noiseOf(spectrum: Spectrum): Float64Array {
  const sums = new Float64Array(TILE);
  const counts = new Float64Array(TILE);
  for (let y = 0; y < TILE; y++)
    for (let x = 0; x < TILE; x++) {
      const radius = Math.round(Math.hypot(x < TILE / 2 ? x : x - TILE, y < TILE / 2 ? y : y - TILE));
      const at = 2 * (y * TILE + x);
      sums[radius]! += spectrum[at]! ** 2 + spectrum[at + 1]! ** 2;
      counts[radius]!++;
    }
  return sums.map((sum, radius) => (counts[radius]! > 0 ? sum / counts[radius]! : 0) + 1e-12);
}

const radiusOf = ({ u, v }: Frequency): number => Math.round(Math.hypot(u, v));

interface Place {
  /** Offset of the pattern in px. */
  x: number;
  y: number;
  /** Height of the correlation there, in deviations of it elsewhere. */
  peak: number;
}

/** Where the pattern begins: the highest place of the correlation with the known frequencies. */
function placeOf(spectrum: Spectrum, noise: Float64Array, pattern: Pattern, turn: (f: Frequency) => Frequency): Place {
  const product = new Float64Array(2 * TILE * TILE);
  for (const { phase, ...frequency } of pattern.sync) {
    const at = indexOf(turn(frequency));
    const size = 1 / Math.sqrt(noise[radiusOf(frequency)]!);
    const [re, im] = [spectrum[at]! * size, spectrum[at + 1]! * size];
    const [c, s] = [Math.cos(phase), Math.sin(phase)];
    product[at] = re * c + im * s;
    product[at + 1] = im * c - re * s;
  }
  fourierOf(TILE).transform(product, true);
  let [best, energy] = [0, 0];
  for (let i = 0; i < TILE * TILE; i++) {
    if (product[2 * i]! > product[2 * best]!) best = i;
    energy += product[2 * i]! ** 2;
  }
  const [x, y] = [best % TILE, Math.floor(best / TILE)];
  const value = (i: number, j: number) => product[2 * (((j + TILE) % TILE) * TILE + ((i + TILE) % TILE))]!;
  const peak = value(x, y);
  // The top of a parabola through the neighbours.
  const top = (before: number, after: number) => {
    const bend = before - 2 * peak + after;
    return bend < 0 ? Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend))) : 0;
  };
  return { x: x + top(value(x - 1, y), value(x + 1, y)), y: y + top(value(x, y - 1), value(x, y + 1)), peak: peak / Math.sqrt(energy / (TILE * TILE)) };
}

/** Real and imaginary part of each carrying frequency, its phase turned back, against the noise: two values each. */
export function partsOf(spectrum: Spectrum, noise: Float64Array, { frequencies }: Pattern, turn = ORIENTATIONS[0]!, { x, y } = { x: 0, y: 0 }): Float64Array {
  const parts = new Float64Array(2 * frequencies.length);
  for (const [f, { phase, ...frequency }] of frequencies.entries()) {
    const seen = turn(frequency);
    const at = indexOf(seen);
    const angle = (2 * Math.PI * (seen.u * x + seen.v * y)) / TILE - phase;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const size = 1 / noise[radiusOf(frequency)]!;
    const [re, im] = [spectrum[at]! * size, spectrum[at + 1]! * size];
    parts[2 * f] = re * c - im * s;
    parts[2 * f + 1] = re * s + im * c;
  }
  return parts;
}

/** Soft values of the coded bits. */
export const softOf = (parts: Float64Array, { carriers }: Pattern, bits: PayloadBits): Float64Array =>
  Float64Array.from(carriers[bits], (repeated) => repeated.reduce((sum, { frequency, part }) => sum + parts[2 * frequency + part]!, 0));

/** How far each known frequency is as it was written, against the noise. */
export const syncOf = (spectrum: Spectrum, noise: Float64Array, { sync }: Pattern): Float64Array =>
  Float64Array.from(sync, ({ phase, ...frequency }) => {
    const at = indexOf(frequency);
    return (spectrum[at]! * Math.cos(phase) + spectrum[at + 1]! * Math.sin(phase)) / Math.sqrt(noise[radiusOf(frequency)]!);
  });

/** Candidates lie at least so far apart, in logarithms of the scale and in radians. */
const APART = 0.012;

/** Geometries under which the picture's spectrum has most on the known frequencies, best first. */
export function geometries(seen: Look, { sync }: Pattern): Geometry[] {
  const power = spectrumOf(seen);
  const around = widened(power);
  const us = Float64Array.from(sync, ({ u }) => (u * SEEN) / TILE);
  const vs = Float64Array.from(sync, ({ v }) => (v * SEEN) / TILE);
  const scales = Array.from({ length: Math.floor(Math.log(SCALES[1] / SCALES[0]) / Math.log(STEP)) + 1 }, (_, i) => SCALES[0] * STEP ** i);
  const angles = Array.from({ length: Math.round((2 * TURNED) / TURN) + 1 }, (_, i) => ((i * TURN - TURNED) * Math.PI) / 180);
  const scores = new Float64Array(scales.length * angles.length);
  for (const [i, scale] of scales.entries())
    for (const [j, angle] of angles.entries()) {
      const [c, s] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
      let sum = 0;
      for (let k = 0; k < us.length; k++) {
        const [x, y] = [Math.round(c * us[k]! - s * vs[k]!), Math.round(s * us[k]! + c * vs[k]!)];
        if (x >= -SEEN / 2 && x < SEEN / 2 && y >= -SEEN / 2 && y < SEEN / 2) sum += around[(y & (SEEN - 1)) * SEEN + (x & (SEEN - 1))]!;
      }
      scores[i * angles.length + j] = sum;
    }
  const kept: Geometry[] = [];
  while (kept.length < CANDIDATES) {
    let best = 0;
    for (let n = 1; n < scores.length; n++) if (scores[n]! > scores[best]!) best = n;
    const [scale, angle] = [scales[Math.floor(best / angles.length)]!, angles[best % angles.length]!];
    kept.push(sharpened({ scale, angle }, power, us, vs));
    for (const [i, other] of scales.entries())
      if (Math.abs(Math.log(other / scale)) <= APART) for (const [j, turned] of angles.entries()) if (Math.abs(turned - angle) <= APART) scores[i * angles.length + j] = -1;
  }
  return kept;
}

/** The best geometry near one, to a tenth of the steps. */
function sharpened(near: Geometry, power: Float32Array, us: Float64Array, vs: Float64Array): Geometry {
  let best = { ...near, score: -Infinity };
  for (let i = -8; i <= 8; i++)
    for (let j = -8; j <= 8; j++) {
      const [scale, angle] = [near.scale * (1 + 0.001 * i), near.angle + 0.001 * j];
      const [c, s] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
      let score = 0;
      for (let k = 0; k < us.length; k++) score += between(power, c * us[k]! - s * vs[k]!, s * us[k]! + c * vs[k]!);
      if (score > best.score) best = { scale, angle, score };
    }
  return { scale: best.scale, angle: best.angle };
}

function between(power: Float32Array, x: number, y: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const at = (i: number, j: number) => power[(j & (SEEN - 1)) * SEEN + (i & (SEEN - 1))]!;
  return (1 - fy) * ((1 - fx) * at(x0, y0) + fx * at(x0 + 1, y0)) + fy * ((1 - fx) * at(x0, y0 + 1) + fx * at(x0 + 1, y0 + 1));
}

/** Largest power that counts, in means of what is around: a texture's own lines must not outvote the lattice. */
const MOST_POWER = 12;
/** Reach of what is around, in frequencies. */
const AROUND = 8;

/** Power at each frequency of the middle of a picture, against the mean around it. */
function spectrumOf({ width, height, data }: Look): Float32Array {
  const values = new Float64Array(2 * SEEN * SEEN);
  const [w, h] = [Math.min(width, SEEN), Math.min(height, SEEN)];
  const [left, top] = [(width - w) >> 1, (height - h) >> 1];
  const hann = (i: number, n: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / n);
  const across = Float64Array.from({ length: w }, (_, x) => hann(x, w));
  for (let y = 0; y < h; y++) {
    const down = hann(y, h);
    for (let x = 0; x < w; x++) values[2 * (y * SEEN + x)] = down * across[x]! * data[(top + y) * width + left + x]!;
  }
  fourierOf(SEEN).transform(values);
  const power = new Float32Array(SEEN * SEEN);
  for (let i = 0; i < power.length; i++) power[i] = values[2 * i]! ** 2 + values[2 * i + 1]! ** 2;
  const mean = boxMean(power, SEEN, SEEN, AROUND);
  for (let i = 0; i < power.length; i++) power[i] = Math.min(MOST_POWER, power[i]! / (mean[i]! + 1e-9));
  return power;
}

/** The largest of each 3 by 3, so that a coarse search does not pass between. */
function widened(power: Float32Array): Float32Array {
  const out = new Float32Array(power.length);
  const across = new Float32Array(power.length);
  for (let y = 0; y < SEEN; y++)
    for (let x = 0; x < SEEN; x++) {
      const row = y * SEEN;
      across[row + x] = Math.max(power[row + x]!, power[row + ((x + 1) % SEEN)]!, power[row + ((x + SEEN - 1) % SEEN)]!);
    }
  for (let y = 0; y < SEEN; y++)
    for (let x = 0; x < SEEN; x++) out[y * SEEN + x] = Math.max(across[y * SEEN + x]!, across[((y + 1) % SEEN) * SEEN + x]!, across[((y + SEEN - 1) % SEEN) * SEEN + x]!);
  return out;
}
