// A payload as it is written into a picture: with a checksum, behind a convolutional code, so that it is read whole or not at all.

import { crc32 } from 'node:zlib';

/** Payloads: 64 bits, or 16 where a picture is too small for those. */
export type PayloadBits = 16 | 64;

/** Constraint length, and generators of the rate 1/4 code of free distance 24 (Larsen, IEEE Trans. Information Theory, 1973; Proakis, Digital Communications). */
const MEMORY = 8;
const GENERATORS = [0o463, 0o535, 0o733, 0o745] as const;
const STATES = 1 << MEMORY;
const RATE = GENERATORS.length;
const CHECK = 32;

/** Bits that stand in a picture for a payload. */
export const codedLength = (bits: PayloadBits): number => (bits + CHECK + MEMORY) * RATE;

const parity = (x: number): number => {
  let y = x ^ (x >> 8);
  y ^= y >> 4;
  y ^= y >> 2;
  y ^= y >> 1;
  return y & 1;
};

/** What the code puts out for each content of the register, one bit a generator; bit 8 is the newest. */
const OUTPUT = Uint8Array.from({ length: STATES * 2 }, (_, register) => GENERATORS.reduce((out, generator, g) => out | (parity(register & generator) << g), 0));

/** The checksum of a payload: CRC-32 of its length and its bytes, so that one of 16 bits is none of 64. */
function check(payload: bigint, bits: PayloadBits): number {
  const bytes = Buffer.alloc(9);
  bytes[0] = bits;
  bytes.writeBigUInt64BE(payload, 1);
  return crc32(bytes);
}

/** @returns coded bits, 1 and -1. @throws RangeError for a payload of more bits. */
export function encodePayload(payload: bigint, bits: PayloadBits): Int8Array {
  if (payload < 0n || payload >> BigInt(bits) !== 0n) throw new RangeError(`${payload} is no number of ${bits} bits`);
  const word = (payload << BigInt(CHECK)) | BigInt(check(payload, bits));
  const length = bits + CHECK;
  const out = new Int8Array(codedLength(bits));
  let register = 0;
  for (let t = 0; t < length + MEMORY; t++) {
    const bit = t < length ? Number((word >> BigInt(length - 1 - t)) & 1n) : 0;
    register = (register >> 1) | (bit << MEMORY);
    for (let g = 0; g < RATE; g++) out[t * RATE + g] = (OUTPUT[register]! >> g) & 1 ? 1 : -1;
  }
  return out;
}

/** What Viterbi's algorithm knows: by time and state, which of two states it came from, and what the other would have cost. */
interface Trellis {
  from: Uint8Array;
  cost: Float64Array;
}

const before = (state: number): number => (state << 1) & (STATES - 1);

function trellisOf(soft: Float64Array, steps: number): Trellis {
  let metric = new Float64Array(STATES).fill(-Infinity);
  let next = new Float64Array(STATES);
  metric[0] = 0;
  const from = new Uint8Array(steps * STATES);
  const cost = new Float64Array(steps * STATES);
  const gain = new Float64Array(1 << RATE);
  for (let t = 0; t < steps; t++) {
    for (let out = 0; out < gain.length; out++) {
      let sum = 0;
      for (let g = 0; g < RATE; g++) sum += (out >> g) & 1 ? soft[t * RATE + g]! : -soft[t * RATE + g]!;
      gain[out] = sum;
    }
    // A state is the register without its oldest bit; it came from one of two, that differ in what has left since.
    for (let state = 0; state < STATES; state++) {
      const earlier = before(state);
      const newest = (state >> (MEMORY - 1)) << MEMORY;
      const a = metric[earlier]! + gain[OUTPUT[newest | earlier]!]!;
      const b = metric[earlier | 1]! + gain[OUTPUT[newest | earlier | 1]!]!;
      next[state] = a >= b ? a : b;
      from[t * STATES + state] = a >= b ? 0 : 1;
      cost[t * STATES + state] = a === b ? 0 : Math.abs(a - b);
    }
    [metric, next] = [next, metric];
  }
  return { from, cost };
}

/** A way through the trellis that leaves another, a likelier one, at a time and then follows what is likeliest. */
interface Way {
  states: Uint8Array;
  /** Before it nothing of the way has been left yet. */
  until: number;
}
interface Branch {
  of: Way;
  at: number;
  loss: number;
}

/**
 * The first of the most likely payloads whose checksum holds, for soft values, positive where a 1 is likelier; undefined where none does.
 * The likeliest is Viterbi's (1967), the others are found as the k shortest ways of a network are (Seshadri and Sundberg, IEEE
 * Trans. Communications, 1994; Eppstein, 1998).
 * @param list how many are tried: a wrong one passes for right so many times as often.
 */
export function decodePayload(soft: Float64Array, bits: PayloadBits, list = 1): bigint | undefined {
  const length = bits + CHECK;
  const steps = length + MEMORY;
  const { from, cost } = trellisOf(soft, steps);
  /** Backwards in time from a state, by what is likeliest. */
  const follow = (states: Uint8Array, t: number, state: number): void => {
    for (let s = state; t >= 0; t--) {
      states[t] = s;
      s = before(s) | from[t * STATES + s]!;
    }
  };
  const best: Way = { states: new Uint8Array(steps), until: steps };
  follow(best.states, steps - 1, 0);
  const branches: Branch[] = [];
  for (let way = best, loss = 0, tried = 1; ; tried++) {
    const payload = checked(way.states, bits);
    if (payload !== undefined || tried >= list) return payload;
    for (let t = 0; t < way.until; t++) {
      const more = cost[t * STATES + way.states[t]!]!;
      if (Number.isFinite(more)) branches.push({ of: way, at: t, loss: loss + more });
    }
    let least = 0;
    for (let i = 1; i < branches.length; i++) if (branches[i]!.loss < branches[least]!.loss) least = i;
    const [branch] = branches.splice(least, 1);
    if (!branch) return undefined;
    const states = branch.of.states.slice();
    const state = states[branch.at]!;
    follow(states, branch.at - 1, before(state) | (1 - from[branch.at * STATES + state]!));
    way = { states, until: branch.at };
    loss = branch.loss;
  }
}

/** The payload that a way stands for, where its checksum holds. */
function checked(states: Uint8Array, bits: PayloadBits): bigint | undefined {
  let word = 0n;
  for (let t = 0; t < bits + CHECK; t++) word = (word << 1n) | BigInt(states[t]! >> (MEMORY - 1));
  const payload = word >> BigInt(CHECK);
  return Number(word & 0xffff_ffffn) === check(payload, bits) ? payload : undefined;
}
