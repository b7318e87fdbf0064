// The inner loops of strokes (assembly/strokes.ts), which WebAssembly's vectors of 128 bits run at more than four times the speed of JavaScript, and their memory.

import { STROKES } from './strokes-wasm.js';

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
// The compiler knows it only together with all of a browser's names.
declare const WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => { exports: unknown } };

/** What assembly/strokes.ts exports; fields are addresses. */
interface Loops {
  memory: Memory;
  tensor(luminance: number, cosine: number, sine: number, width: number, height: number): void;
  blur(field: number, width: number, height: number, kernel: number, reach: number, line: number, across: number): void;
  accumulate(field: number, other: number, factor: number, count: number): void;
  across(cosine: number, sine: number, flow: number, count: number): void;
  weave(field: number, out: number, channel: number, count: number): void;
  smear(source: number, flow: number, weights: number, reach: number, width: number, height: number, from: number, to: number, out: number): void;
}

/** Values behind a field that the loops may write, and what addresses are multiples of, in bytes. */
const [SLACK, ALIGNED] = [16, 64];
const PAGE = 65536;

export class StrokeLoops {
  readonly run: Loops;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(atob(STROKES), (character) => character.charCodeAt(0))));
    this.run = instance.exports as Loops;
  }

  /** Addresses of fields of so many values; those of an earlier call hold no longer. */
  readonly room = <Counts extends number[]>(...counts: Counts): { [I in keyof Counts]: number } => {
    let end = ALIGNED;
    const addresses = counts.map((count) => {
      const at = end;
      end += Math.ceil(((count + SLACK) * Float32Array.BYTES_PER_ELEMENT) / ALIGNED) * ALIGNED;
      return at;
    });
    const { memory } = this.run;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return addresses as { [I in keyof Counts]: number };
  };

  readonly write = (at: number, values: Float32Array | Float64Array): void => this.view(at, values.length).set(values);

  readonly read = (at: number, count: number): Float32Array => this.view(at, count).slice();

  private readonly view = (at: number, count: number): Float32Array => new Float32Array(this.run.memory.buffer, at, count);
}
