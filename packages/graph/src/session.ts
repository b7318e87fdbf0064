// One interface to every runtime: feed arrays by name, get arrays by name.

import type { Compiled } from './compile.js';
import type { DataType, Shape } from './tensor.js';

export type Values = Float32Array | Uint8Array | BigInt64Array;
export interface Value {
  data: Values;
  shape: Shape;
  type: DataType;
}
export type Feeds = Record<string, Value>;

export interface SessionOptions {
  /** 'cpu' (default), 'webgpu', 'wasm' (browser), or another provider that the runtime offers, by its name. */
  device?: string;
  /** Threads for one operator; all cores by default. */
  threads?: number;
  /** Lets threads sleep as soon as they have nothing to do, for sessions that take turns with others. Off by default: waiting awake is faster alone. */
  sleep?: boolean;
  /** Runs the graph as it is written: for one in the CPU's blocked layout, of which ONNX Runtime's optimiser makes nothing better, in 40 ms. Off by default. */
  asWritten?: boolean;
  /** Writes ONNX Runtime's own profile (a Chrome trace) to a file that begins with this path. Node only. */
  profile?: string;
}

export interface Session {
  readonly device: string;
  /**
   * Runs the graph. Arrays in `into` receive the outputs of those names and are returned; the others are new.
   * @throws Error naming an input that is missing.
   */
  run(feeds: Feeds, into?: Record<string, Value>): Promise<Record<string, Value>>;
  close(): Promise<void>;
}

export type Model = Uint8Array | Pick<Compiled, 'bytes'>;
export const modelBytes = (model: Model): Uint8Array => (model instanceof Uint8Array ? model : model.bytes);

/** The part of onnxruntime-common that both runtimes share, so that this package needs neither to type-check. */
export interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor | null>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
type TensorConstructor = new (type: never, data: never, dims: readonly number[]) => OrtTensor;

/** Wraps a session of ONNX Runtime for Node or for the browser. */
export function wrap(session: OrtSession, OrtTensor: TensorConstructor, device: string): Session {
  const tensorOf = ({ type, data, shape }: Value) => new OrtTensor(type as never, data as never, shape);
  return {
    device,
    async run(feeds, into = {}) {
      const given: Record<string, OrtTensor> = {};
      for (const name of session.inputNames) {
        const value = feeds[name];
        if (!value) throw new Error(`the input '${name}' was not given`);
        given[name] = tensorOf(value);
      }
      const fetches: Record<string, OrtTensor | null> = {};
      for (const name of session.outputNames) fetches[name] = into[name] ? tensorOf(into[name]) : null;
      const results = await session.run(given, fetches);
      const values: Record<string, Value> = {};
      for (const name of session.outputNames) {
        const result = results[name]!;
        values[name] = into[name] ?? {
          data: result.data as Values,
          shape: result.dims,
          type: result.type as DataType,
        };
      }
      return values;
    },
    close: () => session.release(),
  };
}

/** float32 values with their shape, for feeding. */
export const floats = (data: Float32Array | readonly number[], shape: Shape): Value => ({
  data: data instanceof Float32Array ? data : Float32Array.from(data),
  shape,
  type: 'float32',
});
/** One number, for feeding. */
export const scalar = (value: number): Value => floats([value], []);
/** A flat vector, for feeding. */
export const vector = (values: Float32Array): Value => floats(values, [values.length]);
/** uint8 values with their shape, for feeding. */
export const bytes = (data: Uint8Array, shape: Shape): Value => ({ data, shape, type: 'uint8' });
