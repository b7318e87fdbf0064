// The pattern that carries a payload: a tile whose frequencies are fixed by a key. It is repeated over a picture, so that all its
// energy lies on a lattice of frequencies, which is found again after turning and scaling, and any piece as large as a tile holds all of it.

import { createHmac, type KeyObject } from 'node:crypto';
import { codedLength, encodePayload, type PayloadBits } from './code.js';
import { FASTEST, type Frequency, type Part, planeOf, TILE } from './frequency.js';

/** Frequencies that are used, in cycles a tile: slower ones show and drown in the picture, faster ones are lost in a picture of half the size. */
const SLOWEST = 7;
/** Frequencies by which the lattice and its place are found, of each eight that mirroring and quarter turns make of one another. */
const SYNC_ORBITS = 6;
const SYNC_RANGE = [11, 24] as const;
/** Amplitude of those to that of the payload's. */
const SYNC_GAIN = 4;

/** A real or imaginary part of a frequency: carries one coded bit. */
interface Carrier {
  /** Number in `frequencies`. */
  frequency: number;
  part: 0 | 1;
}

export interface Pattern {
  /** Those whose phases are known. */
  sync: (Frequency & { phase: number })[];
  /** Those that carry the payload, before which the phase is turned by `phase`. */
  frequencies: (Frequency & { phase: number })[];
  /** For each coded bit the carriers that repeat it. */
  carriers: Record<PayloadBits, Carrier[][]>;
}

/** Numbers drawn by a key: HMAC-SHA-256 in counter mode. */
class Drawn {
  private block = Buffer.alloc(0);
  private at = 0;
  private count = 0;
  constructor(
    private readonly key: KeyObject | Uint8Array,
    private readonly label: string,
  ) {}

  /** 0 to 1, 32 bits. */
  next(): number {
    if (this.at === this.block.length) {
      this.block = createHmac('sha256', this.key).update(`${this.label} ${this.count++}`).digest();
      this.at = 0;
    }
    this.at += 4;
    return this.block.readUInt32BE(this.at - 4) / 2 ** 32;
  }

  shuffled<T>(values: T[]): T[] {
    for (let i = values.length - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1));
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
    return values;
  }
}

const isUpper = ({ u, v }: Frequency): boolean => v > 0 || (v === 0 && u > 0);
const nameOf = ({ u, v }: Frequency): string => `${u} ${v}`;

/** Sets of known frequencies of which the best is taken: six orbits are all of one parity in three of a hundred, and then there are two places that look the same. */
const DRAWS = 12;
/** Px around a place that count as it. */
const NEIGHBOURS = 5;

/** How high the correlation with frequencies stands at the best wrong place, of its height at the right one. */
export function ambiguity(frequencies: readonly Frequency[]): number {
  const heights = planeOf(frequencies.map((frequency) => ({ ...frequency, re: 1, im: 0 })));
  const apart = (at: number) => Math.min(at, TILE - at);
  let highest = 0;
  // What stands at (x, y) stands at (-x, -y) too.
  for (let y = 0; y <= TILE / 2; y++) for (let x = 0; x < TILE; x++) if (Math.max(apart(x), y) >= NEIGHBOURS) highest = Math.max(highest, heights[y * TILE + x]!);
  return highest / heights[0]!;
}

/** @param key any bytes: who has them can find the mark, take it out, and put it in. */
export function patternOf(key: KeyObject | Uint8Array): Pattern {
  const draw = new Drawn(key, 'zeuxis watermark 1');
  // One eighth of the plane, without its borders: each stands for eight.
  const eighth: Frequency[] = [];
  for (let u = 1; u <= FASTEST; u++) for (let v = 1; v < u; v++) if (u * u + v * v >= SYNC_RANGE[0] ** 2 && u * u + v * v <= SYNC_RANGE[1] ** 2) eighth.push({ u, v });
  const sets = Array.from({ length: DRAWS }, () =>
    draw
      .shuffled(eighth)
      .slice(0, SYNC_ORBITS)
      .flatMap(({ u, v }) => [{ u, v }, { u: v, v: u }, { u: -u, v }, { u: -v, v: u }]),
  );
  const ambiguities = sets.map(ambiguity);
  const sync = sets[ambiguities.indexOf(Math.min(...ambiguities))]!.map((frequency) => ({ ...frequency, phase: 2 * Math.PI * draw.next() }));
  const taken = new Set(sync.map(nameOf));
  const frequencies: Pattern['frequencies'] = [];
  for (let v = 0; v <= FASTEST; v++)
    for (let u = -FASTEST; u <= FASTEST; u++) {
      const radius = Math.hypot(u, v);
      if (radius >= SLOWEST && radius <= FASTEST && isUpper({ u, v }) && !taken.has(nameOf({ u, v }))) frequencies.push({ u, v, phase: 2 * Math.PI * draw.next() });
    }
  const carriersOf = (bits: PayloadBits): Carrier[][] => {
    const all = draw.shuffled(frequencies.flatMap((_, frequency): Carrier[] => [{ frequency, part: 0 }, { frequency, part: 1 }]));
    const out: Carrier[][] = Array.from({ length: codedLength(bits) }, () => []);
    for (const [i, carrier] of all.entries()) out[i % out.length]!.push(carrier);
    return out;
  };
  return { sync, frequencies, carriers: { 64: carriersOf(64), 16: carriersOf(16) } };
}

/** How strong each known frequency and each coded bit is, 1 on the average. */
export interface Gains {
  sync: Float64Array;
  bits: Float64Array;
}

/** The tile for a payload, of `side` by `side` samples, a deviation of 1. @param side a power of two, more than twice the fastest frequency. */
export function tileOf(pattern: Pattern, payload: bigint, bits: PayloadBits, side: number, gains?: Gains): Float32Array {
  const known = Float64Array.from(pattern.sync, (_, f) => SYNC_GAIN * Math.SQRT2 * (gains?.sync[f] ?? 1));
  const carrying = new Float64Array(2 * pattern.frequencies.length);
  for (const [b, bit] of encodePayload(payload, bits).entries())
    for (const { frequency, part } of pattern.carriers[bits][b]!) carrying[2 * frequency + part] = bit * (gains?.bits[b] ?? 1);
  const energy = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
  // Parseval: the mean square of what frequencies add up to is half their energy.
  const unit = 1 / Math.sqrt((energy(known) + energy(carrying)) / 2);
  return planeOf(
    [...pattern.sync.map((frequency, f) => turned(frequency, unit * known[f]!, 0)), ...pattern.frequencies.map((frequency, f) => turned(frequency, unit * carrying[2 * f]!, unit * carrying[2 * f + 1]!))],
    side,
  );
}

/** A frequency, whose phase is turned by that of the pattern. */
function turned({ u, v, phase }: Frequency & { phase: number }, a: number, b: number): Part {
  const [c, s] = [Math.cos(phase), Math.sin(phase)];
  return { u, v, re: a * c - b * s, im: a * s + b * c };
}
