// Sessions on Node, through onnxruntime-node.

import type { Target } from './compile.js';
import { BLOCKED_DOMAIN } from './convolution-blocked.js';
import { writeOnnx } from './onnx.js';
import { floats, type Model, modelBytes, type OrtSession, type Session, type SessionOptions, wrap } from './session.js';

export { openApart, opener } from './apart.js';

/** Devices that people may ask for; ONNX Runtime calls its providers the same. */
const DEVICES = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'];

// ONNX Runtime 1.30 reports sessions to its makers, the model's metadata with them (training set, rights, names), and
// keeps what it could not send in the user's cache folder. Nobody's pictures are anybody's business: it is told not to,
// before it is loaded. Who opens sessions in worker threads alone, whose environment is a copy, sets this before Node starts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** The devices that onnxruntime-node offers on this machine, by the names of --device. */
export async function devices(): Promise<string[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  const names = listSupportedBackends().map((backend) => backend.name);
  return DEVICES.filter((name) => names.includes(name));
}

/** A WebGPU shader binds about ten buffers. */
export const WEBGPU_INPUTS = 6;
let channelBlock: Promise<number> | undefined;

/** Channels of a block in the CPU's blocked layout: what ONNX Runtime makes of four channels. 0 where it has no such layout. */
async function findChannelBlock(): Promise<number> {
  const value = (name: string, channels: number | string) => ({ name, type: 'float32' as const, shape: [1, channels, 1, 1] });
  const reorder = { type: 'ReorderInput', name: 'reorder', inputs: ['x'], outputs: ['y'], attributes: {}, domain: BLOCKED_DOMAIN };
  const question = writeOnnx({ nodes: [reorder], initializers: [], inputs: [value('x', 4)], outputs: [value('y', 'block')], metadata: {} });
  try {
    const session = await openSession(question, { threads: 1 });
    const { y } = await session.run({ x: floats([1, 2, 3, 4], [1, 4, 1, 1]) });
    await session.close();
    return y!.shape[1]! > 4 ? y!.shape[1]! : 0;
  } catch {
    return 0;
  }
}

/** What graphs for a device of this machine are best compiled for. */
export async function targetOf(device = 'cpu'): Promise<Target> {
  if (device === 'webgpu') return { maximumInputs: WEBGPU_INPUTS };
  if (device !== 'cpu') return {};
  channelBlock ??= findChannelBlock();
  return { channelBlock: await channelBlock };
}

/** A device that was asked for and cannot be had; the message names those that can. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/** @throws DeviceError where the device is not offered; one that is may still not start. */
export async function requireDevice(device = 'cpu'): Promise<void> {
  const available = await devices();
  if (!available.includes(device))
    throw new DeviceError(`the device '${device}' is not available here; this machine offers ${available.join(', ')}`);
}

/**
 * Opens a model on a device of this machine.
 * @throws DeviceError where the device is not offered, or is and does not start.
 */
export async function openSession(model: Model, options: SessionOptions = {}): Promise<Session> {
  const { device = 'cpu', threads, sleep, asWritten, profile } = options;
  await requireDevice(device);
  const { env, InferenceSession, Tensor } = await import('onnxruntime-node');
  // What goes wrong is said once, by the error that is thrown.
  env.logLevel = 'fatal';
  const session = await InferenceSession.create(modelBytes(model), {
    executionProviders: [device],
    graphOptimizationLevel: asWritten ? 'disabled' : 'all',
    // A plan of memory is one more block of the size of all a run needs, beside what the first run, without a plan, left in the arena:
    // a step of `residual` takes 2.8 GB with it and 1.6 GB without, at the same speed.
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(sleep ? { extra: { session: { intra_op: { allow_spinning: '0' } } } } : {}),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
  }).catch((error: Error) => {
    // A provider that is built in may still lack its driver or libraries.
    if (device === 'cpu') throw error;
    const reason = error.message.split('\n')[0]!.replace(/^.*\b(FAIL|Error) ?: /, '').slice(0, 160);
    throw new DeviceError(`the device '${device}' does not start on this machine (${reason}); 'cpu' always does, and \`zeuxis doctor\` tries the others`);
  });
  return wrap(session as unknown as OrtSession, Tensor as never, device);
}
