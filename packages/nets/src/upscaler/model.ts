// A trained upscaler as a model file that any ONNX program can run.

import { compile, input } from '@zeuxis/graph';
import type { Upscaler } from './network.js';

/**
 * The .onnx file of an upscaler. Input `small` float32 [n, channels, h, w], black 0 to white 1, any height and width; output
 * `large` float32 [n, channels, scale h, scale w], not clamped.
 */
export function upscalerModel({ shape, network }: Upscaler, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  // Any sides will do here: the graph names none.
  const large = network.build(network.freeze(weights), input('small', [1, shape.channels, 8, 8]));
  return compile({ large }, { openSides: true, metadata }).bytes;
}
