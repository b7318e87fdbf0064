// Inner loops as WebAssembly, whose vectors of 128 bits run at four times the speed of JavaScript and more, and their memory.

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
// The compiler knows it only together with all of a browser's names.
declare const WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => { exports: unknown } };

/** Values behind a field that loops may write, and what addresses are multiples of, in bytes. */
const [SLACK, ALIGNED] = [16, 64];
const PAGE = 65536;

/** What assembly/shared/bytes.ts exports, and every module with it. */
export interface ByteLoops {
  widen(bytes: number, count: number, out: number): void;
  narrow(values: number, count: number, out: number): void;
}

/** An instance of a module, whose functions take fields of float32 by their addresses. Its memory stays as large as the largest work took. */
export class Loops<Run extends ByteLoops> {
  readonly run: Run;
  private readonly memory: Memory;

  /** @param module as base64. */
  constructor(module: string) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(atob(module), (character) => character.charCodeAt(0))));
    this.run = exports as Run;
    this.memory = (exports as { memory: Memory }).memory;
  }

  /** Addresses of fields of so many values; those of an earlier call hold no longer. */
  readonly room = <Counts extends number[]>(...counts: Counts): { [I in keyof Counts]: number } => {
    let end = ALIGNED;
    const addresses = counts.map((count) => {
      const at = end;
      end += Math.ceil(((count + SLACK) * Float32Array.BYTES_PER_ELEMENT) / ALIGNED) * ALIGNED;
      return at;
    });
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    return addresses as { [I in keyof Counts]: number };
  };

  readonly write = (at: number, values: ArrayLike<number>): void => {
    if (values instanceof Uint8Array) {
      // The last quarter of the field takes them.
      const bytes = at + 3 * values.length;
      new Uint8Array(this.memory.buffer, bytes, values.length).set(values);
      this.run.widen(bytes, values.length, at);
    } else this.view(at, values.length).set(values);
  };

  readonly read = (at: number, count: number): Float32Array => this.view(at, count).slice();

  /** As many values as there is room for in `out`; those for bytes must be whole and 0 to 255, and are used up. */
  readonly take = (at: number, out: Uint8Array | Uint16Array | Float32Array): void => {
    if (out instanceof Uint8Array) {
      this.run.narrow(at, out.length, at);
      out.set(new Uint8Array(this.memory.buffer, at, out.length));
    } else out.set(this.view(at, out.length));
  };

  /** Whole numbers of 32 bits in place of values. */
  readonly words = (at: number, count: number): Uint32Array => new Uint32Array(this.memory.buffer, at, count);

  /** Bytes in place of values. */
  readonly bytes = (at: number, count: number): Uint8Array => new Uint8Array(this.memory.buffer, at, count);

  /** The values themselves, until there is room for others. */
  readonly view = (at: number, count: number): Float32Array => new Float32Array(this.memory.buffer, at, count);
}
