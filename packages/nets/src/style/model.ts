// A trained style as a model file that any ONNX program can run.

import { compile, concat, input, readConstants, sizeOf } from '@zeuxis/graph';
import type { Weight } from '../network.js';
import { openSides } from './moments.js';
import { GRAIN, NOISE, type StyleNetwork, TYPICAL } from './network.js';

/** Sides of a picture as graphs are written, which leave them open: more than two edges. */
const SIDE = 256;
export const pictureInputs = () => ({ photograph: input('photograph', [1, 3, SIDE, SIDE]), noise: input('noise', [1, NOISE, SIDE / GRAIN, SIDE / GRAIN]) });

/**
 * The .onnx file of a style, for one picture at a time. Inputs: `photograph` float32 [1, 3, h, w], black 0 to white 1, sides multiples
 * of 4; `noise` float32 [1, 4, h / 4, w / 4], noise of deviation 2 smeared along the photograph's forms (flow.ts); `strength` float32 [1], 0 to 1; `share` float32 [1], which is 1 / (h w).
 * Outputs: `painted` float32 [1, 3, h, w], 0 to 1, and `measured` float32 [1, k, 1, 1], the mean and variance of every channel of every layer
 * that it was normalised by, by which `tiledStyle` paints. Its weights are constants by their names in the network's table, which `styleWeights` reads back.
 */
export function styleModel(painter: StyleNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const { photograph, noise } = pictureInputs();
  const { normal, used } = openSides(photograph, input('share', [1]));
  const painted = painter.build(painter.freeze(weights), photograph, noise, input('strength', [1]), normal);
  return compile({ painted, measured: concat(used, 1) }, { openSides: true, metadata }).bytes;
}

/** The weights of a style's model file; undefined where it is of another network than this version's. @throws Error 'this is no ONNX file' */
export const styleWeights = (painter: StyleNetwork, file: Uint8Array): Float32Array | undefined => painter.thaw(readConstants(file));

/** Where a painter's weights hold the moments of typical photographs, in the order in which layers are normalised. */
export class TypicalMoments {
  /** Means and variances by turns. */
  private readonly entries: readonly Weight[];

  constructor(painter: StyleNetwork) {
    this.entries = painter.table.filter(({ name }) => name.includes(`.${TYPICAL}.`));
  }

  /** How many there are: a mean and a variance for each channel of each layer. */
  get count(): number {
    return this.entries.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /** Makes them those of what they are of and of one more picture, which counts `share` of 1. @param measured its own mean and mean square by turns, or those of several pictures in the mean. */
  remember(weights: Float32Array, measured: Float32Array, share: number): void {
    for (let layer = 0, at = 0; layer < this.entries.length; layer += 2) {
      const [{ offset: mean, shape }, { offset: variance }] = [this.entries[layer]!, this.entries[layer + 1]!];
      const channels = sizeOf(shape);
      for (let c = 0; c < channels; c++) {
        const away = measured[at + c]! - weights[mean + c]!;
        weights[mean + c]! += share * away;
        const spread = measured[at + channels + c]! - measured[at + c]! ** 2;
        weights[variance + c]! += share * (spread - weights[variance + c]! + (1 - share) * away ** 2);
      }
      at += 2 * channels;
    }
  }
}
