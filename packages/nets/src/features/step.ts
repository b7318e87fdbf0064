// Training of the feature network as one ONNX graph. Every picture is seen in two views, and the loss asks two things:
//
//   the label, from either view                     cross entropy
//   the other view of a picture among all views     NT-Xent (Chen et al., SimCLR, 2020, equation 1)
//
// The second keeps what tells pictures of one class apart, which labels alone would let go, and which measures of a
// generator need most.

import {
  add,
  cast,
  concat,
  constant,
  div,
  exp,
  input,
  log,
  matmul,
  mean,
  mul,
  sliceAxis,
  sqrt,
  square,
  sub,
  sum,
  sumKeep,
  type Tensor,
  transpose,
} from '@zeuxis/graph';
import { adam, adamInputs } from '../adam.js';
import { type FeatureNetwork, PROJECTION } from './network.js';
import { SOURCE_SIDE, view } from './views.js';

const TEMPERATURE = 0.2;
/** Weight of the matching beside the labels. */
const MATCHING = 0.5;

/** log sum exp over the last axis, [n, 1]. Without the usual shift: logits of a trained network stay far below 88. */
const logSumExp = (x: Tensor): Tensor => log(sumKeep(exp(x), [1]));

/** A constant square matrix; entry(i, j) in row-major order. */
const squareMatrix = (n: number, entry: (i: number, j: number) => number): Tensor =>
  constant(Float32Array.from({ length: n * n }, (_, k) => entry(Math.floor(k / n), k % n)), [n, n]);

/** NT-Xent over projections [2n, d], of which i and i + n are views of one picture. */
export function matching(projections: Tensor): Tensor {
  const views = projections.extent(0);
  const unit = div(projections, sqrt(add(sumKeep(square(projections), [1]), 1e-6)));
  const alike = mul(matmul(unit, transpose(unit)), 1 / TEMPERATURE);
  // A view is not compared with itself: e^-1000 is 0.
  const others = add(alike, squareMatrix(views, (i, j) => (i === j ? -1000 : 0)));
  const partner = mul(alike, squareMatrix(views, (i, j) => Number(Math.abs(i - j) === views / 2)));
  return mean(sub(logSumExp(others), sumKeep(partner, [1])));
}

const pictures = (name: string, n: number): Tensor =>
  sub(mul(cast(input(name, [n, 3, SOURCE_SIDE, SOURCE_SIDE], 'uint8'), 'float32'), 1 / 127.5), 1);

/**
 * Outputs: `nextWeights`, `nextMoment` and the scalars `loss` (cross entropy) and `match` (NT-Xent).
 * Inputs: real uint8 [n, 3, 128, 128], one-hot labels [n, classes], what `drawViews` makes for 2n views, weights, moment,
 * rate, beta2 and correction.
 */
export function featureStep(network: FeatureNetwork, classes: number, batch: number): Record<string, Tensor> {
  const [weights, moment] = [input('weights', [network.size]), input('moment', [network.size])];
  const labels = input('labels', [batch, classes]);
  const real = pictures('real', batch);
  const bound = network.bind(weights);
  const judged = network.build(bound.weights, view(2 * batch)(concat([real, real], 0)));
  const logits = sliceAxis(judged, 1, 0, classes);
  const truth = sum(mul(logits, concat([labels, labels], 0)), [1]);
  const loss = sub(mean(logSumExp(logits)), mean(truth));
  const match = matching(sliceAxis(judged, 1, classes, PROJECTION));
  const next = adam(weights, moment, bound.gradient(add(loss, mul(match, MATCHING))), adamInputs());
  return { ...next, loss, match };
}

/** Class `logits` [n, classes] of pictures `real` as they are, but for what `drawViews` says; for measuring accuracy. */
export function featureJudge(network: FeatureNetwork, classes: number, batch: number): Record<string, Tensor> {
  const { weights } = network.bind(input('weights', [network.size]));
  return { logits: sliceAxis(network.build(weights, view(batch)(pictures('real', batch))), 1, 0, classes) };
}
