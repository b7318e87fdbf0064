// How the pattern may lie in a picture: scales and turns under which its spectrum has most on the known frequencies.

import { lookLoops } from '@zeuxis/loops';
import { energyOf, folded, type Geometry } from './fold.js';
import { fourierOf } from './fourier.js';
import { TILE } from './frequency.js';
import { boxMean, type Look } from './look.js';
import type { Pattern } from './pattern.js';

/** Scales that are looked for, relative to that of the picture looked at: halved, doubled, and what lies between. */
const SCALES = [0.45, 2.2] as const;
const STEP = 1.006;
/** Degrees by which pictures are turned, at most, and from one try to the next. */
const [TURNED, TURN] = [6, 0.3];
/** Geometries that are tried. */
const CANDIDATES = 5;
/** Steps by which the best of them is brought nearer, in shares of the scale and in radians. */
const NEARER = [0.0016, 0.0008] as const;
/** Side of the transform in which the lattice is looked for. */
const SEEN = 512;
/** Candidates lie at least so far apart, in logarithms of the scale and in radians. */
const APART = 0.012;

/**
 * How far a geometry's score must stand above the mean of all, in their deviations: of unmarked pictures of 256 px the best one stands at 4 (3.2 to 5.9 on 64
 * of them), of marked ones that were turned or scaled at 10 to 12 in the middle, of one in twenty below 4.4.
 */
const STANDS_OUT = 4.7;

/** Geometries under which the picture's spectrum has so much on the known frequencies that the pattern may lie so, best first; none in most unmarked pictures. */
export function geometries(seen: Look, { sync }: Pattern): Geometry[] {
  const power = powerOf(seen);
  const around = widened(power);
  const us = Float64Array.from(sync, ({ u }) => (u * SEEN) / TILE);
  const vs = Float64Array.from(sync, ({ v }) => (v * SEEN) / TILE);
  const scales = Array.from({ length: Math.floor(Math.log(SCALES[1] / SCALES[0]) / Math.log(STEP)) + 1 }, (_, i) => SCALES[0] * STEP ** i);
  const angles = Array.from({ length: Math.round((2 * TURNED) / TURN) + 1 }, (_, i) => ((i * TURN - TURNED) * Math.PI) / 180);
  const scores = scoresOf(around, us, vs, scales, angles);
  const least = standsOut(scores);
  const kept: Geometry[] = [];
  while (kept.length < CANDIDATES) {
    let best = 0;
    for (let n = 1; n < scores.length; n++) if (scores[n]! > scores[best]!) best = n;
    if (scores[best]! < least) break;
    const [scale, angle] = [scales[Math.floor(best / angles.length)]!, angles[best % angles.length]!];
    kept.push(sharpened({ scale, angle }, power, us, vs));
    for (const [i, other] of scales.entries())
      if (Math.abs(Math.log(other / scale)) <= APART) for (const [j, turned] of angles.entries()) if (Math.abs(turned - angle) <= APART) scores[i * angles.length + j] = -1;
  }
  return kept;
}

/** What stands on the frequencies at every scale and turn, [scales, angles]. */
function scoresOf(around: Float32Array, us: Float64Array, vs: Float64Array, scales: readonly number[], angles: readonly number[]): Float32Array {
  const { run, room, write, read } = lookLoops();
  // Four angles at once.
  const filled = 4 * Math.ceil(angles.length / 4);
  const [spectrum, frequencies, at, turns, out] = room(around.length, 2 * us.length, scales.length, 2 * filled, scales.length * filled);
  write(spectrum, around);
  write(frequencies, [...us].flatMap((u, k) => [u, vs[k]!]));
  write(at, scales);
  write(turns, [Math.cos, Math.sin].flatMap((of) => Array.from({ length: filled }, (_, j) => of(angles[j] ?? 0))));
  run.scores(spectrum, SEEN, frequencies, us.length, at, scales.length, turns, filled, out);
  const found = read(out, scales.length * filled);
  const scores = new Float32Array(scales.length * angles.length);
  for (let i = 0; i < scales.length; i++) scores.set(found.subarray(i * filled, i * filled + angles.length), i * angles.length);
  return scores;
}

/** From where on a score stands out. */
function standsOut(scores: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const score of scores) {
    sum += score;
    squares += score * score;
  }
  const mean = sum / scores.length;
  return mean + STANDS_OUT * Math.sqrt(squares / scores.length - mean * mean);
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
function powerOf({ width, height, data }: Look): Float32Array {
  const values = new Float64Array(SEEN * SEEN);
  const [w, h] = [Math.min(width, SEEN), Math.min(height, SEEN)];
  const [left, top] = [(width - w) >> 1, (height - h) >> 1];
  const hann = (i: number, n: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / n);
  const across = Float64Array.from({ length: w }, (_, x) => hann(x, w));
  for (let y = 0; y < h; y++) {
    const down = hann(y, h);
    for (let x = 0; x < w; x++) values[y * SEEN + x] = down * across[x]! * data[(top + y) * width + left + x]!;
  }
  const spectrum = fourierOf(SEEN).ofReal(values);
  const power = new Float32Array(SEEN * SEEN);
  for (let i = 0; i < power.length; i++) power[i] = spectrum[2 * i]! ** 2 + spectrum[2 * i + 1]! ** 2;
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

/** The geometry near one under which most lies on the known frequencies after folding: sees the whole picture, and phases, which the spectrum of its middle does not. */
export function refined(seen: Look, { sync }: Pattern, near: Geometry): Geometry {
  // Every other row is enough.
  const energy = (geometry: Geometry): number => energyOf(folded(seen, geometry, 2), sync);
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
