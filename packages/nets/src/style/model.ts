// A trained style as a model file that any ONNX program can run.

import { add, compile, concat, input, mul, sliceAxis, square, sub, sumKeep, type Tensor } from '@zeuxis/graph';
import { GRAIN, NOISE, type Normal, type StyleNetwork, standardised } from './network.js';

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w); `given` float32 [1],
 * 1 where `moments` are to be taken, 0 where the picture's own are; `moments` float32 [1, k, 1, 1]. Outputs: `painted` float32
 * [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the picture's own mean and variance of every channel of every layer:
 * what all tiles of one picture are given, as measured on the picture reduced.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const [photograph, noise] = [input('photograph', [1, 3, 16, 16]), input('noise', [1, NOISE, 16 / GRAIN, 16 / GRAIN])];
  const [strength, share, given] = [input('strength', [1]), input('share', [1]), input('given', [1])];
  const moments = input('moments', [1, momentsOf(painter), 1, 1]);
  const measured: Tensor[] = [];
  let at = 0;
  // Sums by the given number of pixels, for the graph does not know how large the picture is.
  const normal: Normal = (_name, x, reduction) => {
    const channels = x.extent(1);
    const part = mul(share, reduction ** 2);
    const mean = mul(sumKeep(x, [2, 3]), part);
    const variance = mul(sumKeep(square(sub(x, mean)), [2, 3]), part);
    const take = (own: Tensor) => {
      measured.push(own);
      const told = sliceAxis(moments, 1, at, channels);
      at += channels;
      return add(own, mul(given, sub(told, own)));
    };
    return standardised(x, take(mean), take(variance));
  };
  const painted = painter.build(painter.freeze(weights), photograph, noise, strength, normal);
  return compile({ painted, measured: concat(measured, 1) }, { openSides: true, metadata }).bytes;
}

/** Values in `moments`: a mean and a variance a normalised channel. */
export function momentsOf(painter: StyleNetwork): number {
  return 2 * painter.table.filter(({ name }) => name.endsWith('.shift')).reduce((sum, { shape }) => sum + shape[1]!, 0);
}
