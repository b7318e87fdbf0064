// A trained generator as a model file that any ONNX program can run.

import { add, cast, clamp, compile, input, mul } from '@zeuxis/graph';
import { type Gan, LATENT } from './networks.js';

/**
 * The .onnx file of a generator. Inputs: `z` float32 [n, 64], standard normal, and, where there are classes, `labels`
 * float32 [n, classes], one-hot. Output: `pictures` uint8 [n, 3, size, size], planar RGB.
 * Weights stand in initializers, so that ONNX Runtime lays them out for its fastest kernels.
 */
export function generatorModel({ shape, generator }: Gan, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const labels = shape.classes > 0 ? input('labels', [1, shape.classes]) : undefined;
  const pictures = generator.build(generator.freeze(weights), input('z', [1, LATENT]), labels);
  const bytes = cast(clamp(add(mul(pictures, 127.5), 128), 0, 255), 'uint8');
  return compile({ pictures: bytes }, { openBatch: true, metadata }).bytes;
}
