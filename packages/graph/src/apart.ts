// Sessions in threads of their own. `run` of ONNX Runtime for Node holds the thread that calls it, so that two sessions in one
// thread take turns however many cores there are; two in two threads do not.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Compiled } from './compile.js';
import { openSession } from './node.js';
import type { Feeds, Session, SessionOptions, Value, Values } from './session.js';
import { type DataType, type Shape, sizeOf } from './tensor.js';

/** A value's place in memory that both threads see. */
export interface Place {
  name: string;
  type: DataType;
  shape: Shape;
  memory: SharedArrayBuffer;
}
export interface ApartData {
  bytes: Uint8Array;
  options: SessionOptions;
  inputs: Place[];
  outputs: Place[];
}
/** What the thread says: null where all went well, or what did not. */
export type ApartReply = { name: string; message: string } | null;

const ARRAYS: Partial<Record<DataType, { new (memory: SharedArrayBuffer): Values; BYTES_PER_ELEMENT: number }>> = { float32: Float32Array, uint8: Uint8Array, int64: BigInt64Array };

/** Views of the places, by name. */
export const viewsOf = (places: readonly Place[]): Map<string, Value> =>
  new Map(places.map(({ name, type, shape, memory }) => [name, { data: new ARRAYS[type]!(memory), shape, type }]));

/** The same values in memory that is one thread's own: ONNX Runtime takes no other. */
export const ownOf = ({ data, ...value }: Value): Value => ({ ...value, data: data.slice() as Values });

// The sources are run as they are by tests alone; threads are started from what was built of them.
const WORKER = new URL(import.meta.url.endsWith('.ts') ? '../dist/apart-worker.js' : './apart-worker.js', import.meta.url);

/**
 * Opens a compiled graph in a thread of its own, where its runs hold nobody up. Values cross through shared memory, at two copies each.
 * @throws what `openSession` throws.
 */
export async function openApart(graph: Compiled, options: SessionOptions = {}): Promise<Session> {
  const placed = ({ name, type, shape }: Compiled['inputs'][number]): Place => {
    const memory = new SharedArrayBuffer(sizeOf(shape) * ARRAYS[type]!.BYTES_PER_ELEMENT);
    return { name, type, shape, memory };
  };
  const data: ApartData = { bytes: graph.bytes, options, inputs: graph.inputs.map(placed), outputs: graph.outputs.map(placed) };
  const [inputs, outputs] = [viewsOf(data.inputs), viewsOf(data.outputs)];
  // Without what Node was started with: some of it is only for a program given on the command line.
  const worker = new Worker(WORKER, { workerData: data, execArgv: [] });
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const settle = (error?: Error) => {
    // The program may end while nobody waits for the thread, and not while somebody does.
    worker.unref();
    if (error) waiting?.reject(error);
    else waiting?.resolve();
    waiting = undefined;
  };
  worker.on('message', (answer: ApartReply) => settle(answer ? Object.assign(new Error(answer.message), { name: answer.name }) : undefined));
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    settle(ended);
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread of a session has ended')));
  const reply = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      worker.ref();
      waiting = { resolve, reject };
    });
  await reply().catch(async (error) => {
    await worker.terminate();
    throw error;
  });
  return {
    device: options.device ?? 'cpu',
    async run(feeds: Feeds, into: Record<string, Value> = {}) {
      for (const [name, place] of inputs) {
        const value = feeds[name];
        if (!value) throw new Error(`the input '${name}' was not given`);
        (place.data as Float32Array).set(value.data as Float32Array);
      }
      const answer = reply();
      worker.postMessage('run');
      await answer;
      const values: Record<string, Value> = {};
      for (const [name, place] of outputs) {
        const target = into[name];
        if (target) (target.data as Float32Array).set(place.data as Float32Array);
        values[name] = target ?? ownOf(place);
      }
      return values;
    },
    async close() {
      const answer = reply();
      worker.postMessage('close');
      await answer;
      await worker.terminate();
    },
  };
}

/**
 * Opens the graphs of a training, of which some run in parts at one time: those in threads of their own, with the cores shared out to
 * them, and the others here, asleep between their turns.
 */
export const opener =
  (parts: number, { threads = availableParallelism(), ...options }: SessionOptions) =>
  (graph: Compiled, apart = false): Promise<Session> =>
    apart ? openApart(graph, { ...options, threads: Math.max(1, Math.floor(threads / parts)), sleep: true }) : openSession(graph, { ...options, threads, sleep: parts > 1 });
