// The feature network: a small classifier whose pooled activations describe a picture, for Fréchet distances and the
// like (Heusel et al., 2017), style, similarity and copy detection. Strided convolutions with two residual ones between
// (He et al., 2016), then the mean over places, so that features say what is there rather than where.

import { add, cast, compile, concat, div, input, leakyRelu, mean, meanKeep, mul, sqrt, square, sub, type Tensor } from '@zeuxis/graph';
import { bias, convolution, GAIN, linear } from '../layers.js';
import { Network, type Weights } from '../network.js';

/** Side of the pictures it takes, in px. */
export const FEATURE_SIDE = 64;
/** Features of a picture. */
export const FEATURES = 192;
/** Values in the projection on which views of one picture are matched. */
export const PROJECTION = 64;

const down = (p: Weights, name: string, x: Tensor, out: number) =>
  leakyRelu(bias(p, name, convolution(p, name, x, out, 4, { stride: 2, padding: 1, gain: GAIN })));

/** x + f(x): starts close to the identity, so that depth costs nothing at first. */
const refine = (p: Weights, name: string, x: Tensor) =>
  leakyRelu(add(x, bias(p, name, convolution(p, name, x, x.extent(1), 3, { padding: 1, gain: 0.3 }))));

/**
 * Pictures [n, 3, 64, 64], black -1 to white 1, to features [n, FEATURES], whose squares have the mean 1 in every picture:
 * how strongly a picture excites the network says more of its contrast than of what it shows, and a few strong ones
 * would decide every distance.
 */
export function extract(p: Weights, x: Tensor): Tensor {
  let y = down(p, 'down32', x, 32);
  y = down(p, 'down16', y, 48);
  y = refine(p, 'refine8', down(p, 'down8', y, 96));
  y = refine(p, 'refine4', down(p, 'down4', y, FEATURES));
  const pooled = mean(y, [2, 3]);
  return div(pooled, sqrt(add(meanKeep(square(pooled), [1]), 1e-6)));
}

/** What training looks at: class logits [n, classes] and projections [n, PROJECTION] side by side, [n, classes + PROJECTION]. */
export type FeatureNetwork = Network<[Tensor]>;

/** The feature network with the two heads of its training; both read the features and are dropped from the model file. */
export function defineFeatures(classes: number): FeatureNetwork {
  return new Network(
    (p, x) => {
      const features = extract(p, x);
      // SimCLR's head (Chen et al., 2020): what the matching throws away is thrown away there, not in the features.
      const hidden = leakyRelu(linear(p, 'project1', features, FEATURES, GAIN));
      return concat([linear(p, 'classes', features, classes, 0.1), linear(p, 'project2', hidden, PROJECTION)], 1);
    },
    [input('x', [1, 3, FEATURE_SIDE, FEATURE_SIDE])],
  );
}

/**
 * The .onnx file of a trained feature network. Input: `pictures` uint8 [n, 3, 64, 64], planar RGB. Output: `features`
 * float32 [n, FEATURES].
 */
export function featureModel(network: FeatureNetwork, weights: Float32Array, metadata: Record<string, string>): Uint8Array {
  const pictures = input('pictures', [1, 3, FEATURE_SIDE, FEATURE_SIDE], 'uint8');
  const x = sub(mul(cast(pictures, 'float32'), 1 / 127.5), 1);
  return compile({ features: extract(network.freeze(weights), x) }, { openBatch: true, metadata }).bytes;
}
