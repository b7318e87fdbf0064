// The one source of chance: xoshiro128** (Blackman and Vigna, 2018), seeded by SplitMix32, normals by Box and Muller.
// Its whole state is four words, which a checkpoint keeps.

import { chanceLoops } from '@zeuxis/loops';

export class Random {
  private state: Uint32Array;

  /** @param seed any string or number; equal seeds give equal streams. */
  constructor(seed: number | string) {
    let h = 0x9e3779b9;
    for (const character of String(seed)) h = Math.imul(h ^ character.codePointAt(0)!, 0x85ebca6b) + 0x27d4eb2f;
    this.state = Uint32Array.from({ length: 4 }, () => {
      h = (h + 0x9e3779b9) | 0;
      let z = h;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    });
  }

  save(): number[] {
    return [...this.state];
  }

  restore(state: readonly number[]): void {
    if (state.length !== 4) throw new RangeError(`a random state holds 4 words, not ${state.length}`);
    this.state = Uint32Array.from(state);
  }

  /** A whole number in [0, 2^32). Many at once are drawn in WebAssembly (`draw` in loops/assembly/chance.ts), by the same steps. */
  word(): number {
    const s = this.state;
    const x = Math.imul(s[1]!, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** `count` values of the standard normal distribution. */
  normals(count: number): Float32Array {
    const { run, room, words, read } = chanceLoops();
    const even = count + (count % 2);
    const [state, field] = room(this.state.length, even);
    const going = words(state, this.state.length);
    going.set(this.state);
    run.draw(state, field, even);
    this.state.set(going);
    run.normals(field, even);
    return read(field, count);
  }

  /** 0 .. n-1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}
