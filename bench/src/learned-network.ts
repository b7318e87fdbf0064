// A learned watermark to compare the product's with, of the kind of HiDDeN (Zhu et al., 2018), StegaStamp (Tancik et al., 2020) and TrustMark
// (Bui et al., 2023): an encoder adds a residual to a picture of 128 px, a decoder reads 64 bits from it, and both are trained as one network
// through the attacks. As there, a message becomes a map of low resolution first. Three things are there to make it learn in minutes and not in days: the decoder
// reads by the same matrix, transposed, by which the encoder spreads the message; what is smooth in a picture is taken off before
// it is read, and strong edges are bounded; and the residual has a fixed energy, so that no loss has to weigh pictures against bits.

import { add, cast, clamp, concat, convTranspose, div, enlarge, greater, input, leakyRelu, matmul, mean, meanKeep, mul, neg, reshape, select, softplus, sqrt, square, sub, type Tensor, tanh, transpose } from '@zeuxis/graph';
import { bias, boxDown, convolution, GAIN, momentumAdam, momentumInputs, Network, Step, type Weights } from '@zeuxis/nets';
import { attack } from './learned-attacks.js';

/** Sides of the pictures that it sees, in px. */
export const SIDE = 128;
export const BITS = 64;
/** The map that a message becomes: channels, and sides. */
const [CODES, GRID] = [16, 16];
const VALUES = CODES * GRID * GRID;
const [PATTERNS, SEEN, MIXED] = [12, 12, 16];
/** How much what is left of a picture without its smooth part is enlarged before tanh bounds it. */
const CONTRAST = 30;

const spreadOf = (p: Weights): Tensor => p.get('spread', [BITS, VALUES], 1 / Math.sqrt(BITS));

/** picture [n, 3, 128, 128], 0 to 1, and message [n, 64] of -1 and 1 -> a residual [n, 3, 128, 128] whose mean square is 1 in each picture. */
export function encode(p: Weights, picture: Tensor, message: Tensor): Tensor {
  const code = reshape(matmul(message, spreadOf(p)), [picture.extent(0), CODES, GRID, GRID]);
  // Each value of the map writes a pattern of its own, of 4x4 px at half the picture's size.
  const patterns = convTranspose(code, p.get('patterns.weight', [CODES, PATTERNS, 4, 4], 1 / Math.sqrt(CODES)), { stride: 4 });
  const layer = (name: string, x: Tensor, out: number) => leakyRelu(bias(p, name, convolution(p, name, x, out, 3, { padding: 1, gain: GAIN })));
  const seen = layer('seen', boxDown(sub(picture, 0.5), 2), SEEN);
  const mixed = layer('mixed', concat([patterns, seen], 1), MIXED);
  const half = add(convolution(p, 'plain', patterns, 3, 1), convolution(p, 'residual', mixed, 3, 3, { padding: 1 }));
  const residual = enlarge(half);
  return div(residual, sqrt(add(meanKeep(square(residual), [1, 2, 3]), 1e-8)));
}

/** picture [n, 3, 128, 128], 0 to 1 -> logits [n, 64]: above 0 where a bit is 1. */
export function decode(p: Weights, picture: Tensor): Tensor {
  const detail = tanh(mul(sub(picture, enlarge(enlarge(boxDown(picture, 4)))), CONTRAST));
  const layer = (name: string, x: Tensor, out: number, kernel: number, stride: number) => leakyRelu(bias(p, name, convolution(p, name, x, out, kernel, { stride, padding: 1, gain: GAIN })));
  let x = layer('read1', detail, 24, 4, 2);
  x = layer('read2', x, 32, 4, 2);
  x = layer('read3', x, 32, 3, 1);
  const values = bias(p, 'read4', convolution(p, 'read4', x, CODES, 4, { stride: 2, padding: 1 }));
  const logits = matmul(reshape(values, [picture.extent(0), VALUES]), transpose(spreadOf(p)));
  return mul(logits, p.get('read.scale', [1], 0, 1 / Math.sqrt(BITS)));
}

const pictures = (n: number): Tensor => input('picture', [n, 3, SIDE, SIDE], 'uint8');
const unit = (x: Tensor): Tensor => mul(cast(x, 'float32'), 1 / 255);
const messages = (n: number): Tensor => input('message', [n, BITS]);

/** Both as one network: its output are the logits of pictures that were marked, and then attacked. */
function through(p: Weights, picture: Tensor, message: Tensor, harm: (x: Tensor) => Tensor): Tensor {
  const marked = clamp(add(picture, mul(encode(p, picture, message), input('amplitude', []))), 0, 1);
  return decode(p, harm(marked));
}

export const learned = new Network(through, [unit(pictures(1)), messages(1), (x) => x]);

/**
 * A step of training: the cross entropy of bits, and Adam. Inputs: `picture` uint8 [n, 3, 128, 128], `message` [n, 64] of -1 and 1, `amplitude`, the
 * residual's root mean square with white as 1, what `drawAttacks` gives, `weights`, `first`, `second` and Adam's numbers. Outputs: `nextWeights`,
 * `nextFirst`, `nextSecond` and the scalars `loss` and `right`, the share of bits that are read right.
 */
export function learnedStep(batch: number): Step {
  const [weights, first, second] = ['weights', 'first', 'second'].map((name) => input(name, [learned.size])) as [Tensor, Tensor, Tensor];
  const loss = (n: number) => {
    const message = messages(n);
    const bound = learned.bind(weights);
    const towards = mul(learned.build(bound.weights, unit(pictures(n)), message, attack(n, SIDE)), message);
    const entropy = mean(softplus(neg(towards)));
    return { gradient: bound.gradient(entropy), report: { loss: entropy, right: mean(select(greater(towards, 0), 1, 0)) } };
  };
  return new Step(batch, loss, (gradient) => momentumAdam(weights, first, second, gradient, momentumInputs()));
}

/** The two halves for use, of one picture: `picture` uint8 and `message` give `residual`; `picture` gives `logits`. */
export function learnedModels(weights: Float32Array) {
  const frozen = learned.freeze(weights);
  return { encoder: { residual: encode(frozen, unit(pictures(1)), messages(1)) }, decoder: { logits: decode(frozen, unit(pictures(1))) } };
}
