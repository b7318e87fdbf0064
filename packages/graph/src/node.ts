// Sessions on Node, through onnxruntime-node.

import { type Model, modelBytes, type OrtSession, type Session, type SessionOptions, wrap } from './session.js';

/** Names under which people ask for a device, and ONNX Runtime's names for its provider. */
const PROVIDERS: Record<string, string> = { cpu: 'cpu', webgpu: 'webgpu', cuda: 'cuda', dml: 'dml', coreml: 'coreml' };

/** The devices that onnxruntime-node offers on this machine, by the names of --device. */
export async function devices(): Promise<string[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  const names = listSupportedBackends().map((backend) => backend.name);
  return Object.keys(PROVIDERS).filter((name) => names.includes(PROVIDERS[name]!));
}

/**
 * Opens a model on a device of this machine.
 * @throws Error naming what is available where the device is not.
 */
export async function openSession(model: Model, options: SessionOptions = {}): Promise<Session> {
  const { device = 'cpu', threads, profile } = options;
  const available = await devices();
  if (!available.includes(device))
    throw new Error(`the device '${device}' is not available here; this machine offers ${available.join(', ')}`);
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(modelBytes(model), {
    executionProviders: [PROVIDERS[device]!],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
  });
  return wrap(session as unknown as OrtSession, Tensor as never, device);
}
