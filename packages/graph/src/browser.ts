// Sessions in a browser, through onnxruntime-web: 'wasm' everywhere, 'webgpu' where the browser has it.

import { type Model, modelBytes, type OrtSession, type Session, type SessionOptions, wrap } from './session.js';

export interface BrowserSessionOptions extends Omit<SessionOptions, 'device' | 'profile'> {
  /** 'wasm' (default) or 'webgpu'. */
  device?: string;
  /**
   * Threads for one operator, on 'wasm'; by default half the cores, at most four. More than one needs a page served with
   * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
   * The first session of a page decides for all.
   */
  threads?: number;
  /** Address of the folder that serves onnxruntime-web's `dist`; by default its files lie where the bundler put them. */
  files?: string;
}

/** What is asked of the page's globals; the package does not otherwise know the DOM. */
interface Page {
  navigator?: { gpu?: { requestAdapter(): Promise<unknown> } };
  crossOriginIsolated?: boolean;
}
const page = globalThis as Page;

/** The devices that this browser offers. */
export async function devices(): Promise<string[]> {
  const adapter = await page.navigator?.gpu?.requestAdapter().catch(() => null);
  return adapter ? ['wasm', 'webgpu'] : ['wasm'];
}

let pageThreads: number | undefined;

let last: Promise<unknown> = Promise.resolve();
/** The runtime is one program in the page, which on 'webgpu' breaks off where a second call begins before the first ends. */
function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const next = last.then(call);
  last = next.catch(() => {});
  return next;
}

/**
 * Opens a model in the page.
 * @throws Error naming what is available where the device is not, or saying why there can be no such number of threads.
 */
export async function openSession(model: Model, options: BrowserSessionOptions = {}): Promise<Session> {
  const { device = 'wasm', threads, files } = options;
  const available = await devices();
  if (!available.includes(device))
    throw new Error(`the device '${device}' is not available here; this browser offers ${available.join(', ')}`);
  // The build without WebGPU is half the size.
  const { env, InferenceSession, Tensor } = await (device === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'));
  return inTurn(async () => {
    if (files !== undefined) env.wasm.wasmPaths = files;
    if (threads !== undefined && device === 'wasm') {
      // The runtime would take one thread, or the first session's number, without a word.
      if (threads > 1 && !page.crossOriginIsolated)
        throw new Error(`${threads} threads need a page served with the headers COOP and COEP; this one can have 1`);
      if (pageThreads !== undefined && pageThreads !== threads)
        throw new Error(`this page's sessions run on ${pageThreads} threads; ${threads} need a new page`);
      env.wasm.numThreads = threads;
    }
    const session = await InferenceSession.create(modelBytes(model), {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
    if (device === 'wasm') pageThreads = env.wasm.numThreads;
    const { run, close } = wrap(session as unknown as OrtSession, Tensor as never, device);
    return {
      device,
      run: (feeds, into = {}) =>
        inTurn(async () => {
          const values = await run(feeds);
          // The runtime computes in its own memory and would leave arrays that it is given as they are.
          for (const [name, value] of Object.entries(into)) {
            if (!values[name]) continue;
            value.data.set(values[name].data as never);
            values[name] = value;
          }
          return values;
        }),
      close: () => inTurn(close),
    };
  });
}
