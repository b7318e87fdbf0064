// Noise for tests, the same each time: mulberry32 (Ettinger, 2017), and normal values of it (Box and Muller, 1958).

export class Noise {
  constructor(private state: number) {}

  /** 0 to 1. */
  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below = (n: number): number => Math.floor(this.uniform() * n);

  normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform()));
}
