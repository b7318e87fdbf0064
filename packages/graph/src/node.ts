// Sessions on Node, through onnxruntime-node.

import { type Model, modelBytes, type OrtSession, type Session, type SessionOptions, wrap } from './session.js';

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

/** A device that was asked for and cannot be had; the message names those that can. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/**
 * Opens a model on a device of this machine.
 * @throws DeviceError where the device is not offered, or is and does not start.
 */
export async function openSession(model: Model, options: SessionOptions = {}): Promise<Session> {
  const { device = 'cpu', threads, profile } = options;
  const available = await devices();
  if (!available.includes(device))
    throw new DeviceError(`the device '${device}' is not available here; this machine offers ${available.join(', ')}`);
  const { env, InferenceSession, Tensor } = await import('onnxruntime-node');
  // What goes wrong is said once, by the error that is thrown.
  env.logLevel = 'fatal';
  const session = await InferenceSession.create(modelBytes(model), {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
  }).catch((error: Error) => {
    // A provider that is built in may still lack its driver or libraries.
    if (device === 'cpu') throw error;
    const reason = error.message.split('\n')[0]!.replace(/^.*\b(FAIL|Error) ?: /, '').slice(0, 160);
    throw new DeviceError(`the device '${device}' does not start on this machine (${reason}); 'cpu' always does, and \`zeuxis doctor\` tries the others`);
  });
  return wrap(session as unknown as OrtSession, Tensor as never, device);
}
