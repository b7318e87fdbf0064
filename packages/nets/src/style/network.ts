// The network that paints: a photograph is brought to a quarter of its sides, changed there by residual blocks, and brought back
// (Johnson et al., 2016), with instance normalisation (Ulyanov et al., 2016) and, in place of transposed convolutions, enlargement
// followed by a convolution, which prints no chessboard (Odena et al., 2016). Noise is let in at the small size, smeared along the forms
// of the photograph (flow.ts): a network of convolutions has nothing else to make strokes of.
//
// What comes out is normalised too, so that every picture has the light and dark, and the depth of colour, of the painting.
//
// Instance normalisation asks for the mean and variance of every channel over the whole picture, which a tile does not know. So
// `Normal` decides whose they are: a picture's tiles share what was measured on the picture reduced (model.ts).

import { add, concat, conv, div, enlarge, inner, input, meanKeep, mul, pad, relu, sliceAxis, sqrt, square, sub, type Tensor, tanh } from '@zeuxis/graph';
import { convolution } from '../layers.js';
import { Network, type Weights } from '../network.js';

/** Channels of the noise, at a quarter of the picture's sides. */
export const NOISE = 4;
/** Sides of pictures are multiples of this. */
export const GRAIN = 4;
/**
 * Pixels at the edges that are painted worse: beyond them convolutions see nothing. Training does not look at them, and whoever paints a whole
 * picture lays a frame of its mirrored edges around it.
 */
export const FRAME = 16;
export const WIDTHS = [16, 32, 64] as const;
const BLOCKS = 4;
const GAIN = Math.sqrt(2);

/** Brings each channel of each picture to the mean `shift` and the deviation `scale`: x [n, c, h, w], at 1 / `reduction` of the picture's sides; what was learned, [1, c, 1, 1]. */
export type Normal = (x: Tensor, reduction: number, scale: Tensor, shift: Tensor) => Tensor;

/** Keeps the variance of an even channel from being divided by. */
export const EPSILON = 1e-4;
/** What a channel of that variance is multiplied by. */
export const toUnit = (variance: Tensor): Tensor => div(1, sqrt(add(variance, EPSILON)));

/** By the moments of the picture itself. */
export const ownNormal: Normal = (x, _reduction, scale, shift) => {
  const mean = meanKeep(x, [2, 3]);
  return add(mul(mul(sub(x, mean), toUnit(meanKeep(square(sub(x, mean)), [2, 3]))), scale), shift);
};

const same = (p: Weights, name: string, x: Tensor, out: number, kernel: number, gain = GAIN): Tensor =>
  convolution(p, name, x, out, kernel, { padding: (kernel - 1) / 2, gain });

/** A channel's values normalised, then scaled and shifted by what was learned. */
export function normalised(p: Weights, name: string, x: Tensor, reduction: number, normal: Normal): Tensor {
  const shape = [1, x.extent(1), 1, 1];
  return normal(x, reduction, p.get(`${name}.scale`, shape, 0, 1), p.get(`${name}.shift`, shape, 0));
}

/** The first convolution of a picture, which sees it from -1 to 1: [n, 16, h, w]. @param plain as of `conv`. */
export const entered = (p: Weights, x: Tensor, plain = false): Tensor => convolution(p, 'in', sub(mul(x, 2), 1), WIDTHS[0], 5, { padding: 2, gain: GAIN, plain });

/** Pixels around one that it is brought up and out from, to whole grains: 6, 3 and 2. */
export const WAY_OUT = 12;

/**
 * What `paint` does from there to half the picture's sides: [n, 32, h / 2, w / 2].
 * @param edge left out on the way, px at a quarter of the sides: by the convolutions there, one px each, which so much less passes through, and what is more than those before them.
 */
export function paintHalf(p: Weights, x: Tensor, noise: Tensor, strength: Tensor, normal: Normal, edge = 0): Tensor {
  const [, half, quarter] = WIDTHS;
  let y = relu(normalised(p, 'in', x, 1, normal));
  for (const [name, width, reduction] of [['down2', half, 2], ['down4', quarter, 4]] as const)
    y = relu(normalised(p, name, convolution(p, name, y, width, 4, { stride: 2, padding: 1, gain: GAIN }), reduction, normal));
  const before = Math.max(0, edge - (1 + 2 * BLOCKS));
  const seen = inner(noise, before);
  // As large as the noise, without a word of how large that is.
  const dial = add(mul(sliceAxis(seen, 1, 0, 1), 0), strength);
  let left = edge - before;
  const padding = () => {
    if (left === 0) return 1;
    left--;
    return 0;
  };
  y = relu(normalised(p, 'mix', mixed(p, inner(y, before), seen, dial, padding()), 4, normal));
  const pass = (name: string, x: Tensor) => normalised(p, name, convolution(p, name, x, quarter, 3, { padding: padding(), gain: GAIN }), 4, normal);
  for (let i = 0; i < BLOCKS; i++) {
    const through = pass(`block${i}.b`, relu(pass(`block${i}.a`, y)));
    y = add(inner(y, (y.extent(2) - through.extent(2)) / 2), through);
  }
  return enlarged(p, 'up2', y, half, 2, normal);
}

/** The processor's blocked layout takes channels by so many. */
const STEP = 4;

/**
 * What was seen, the noise and the dial through one convolution. Zeros fill them up to whole steps here, where they are laid side by side anyway: to fill them up where they are brought
 * into blocks takes about a tenth of a tile's time.
 */
function mixed(p: Weights, y: Tensor, noise: Tensor, dial: Tensor, padding: number): Tensor {
  const parts = [y, noise, dial];
  const channels = parts.reduce((sum, part) => sum + part.extent(1), 0);
  const kernel = p.get('mix.weight', [WIDTHS[2], channels, 3, 3], GAIN / Math.sqrt(channels * 9));
  const zeros = Array.from({ length: Math.ceil(channels / STEP) * STEP - channels }, () => mul(dial, 0));
  return conv(concat([...parts, ...zeros], 1), pad(kernel, [0, 0, 0, 0], [0, zeros.length, 0, 0]), { padding });
}

const enlarged = (p: Weights, name: string, x: Tensor, width: number, reduction: number, normal: Normal): Tensor => relu(normalised(p, name, same(p, name, enlarge(x), width, 3), reduction, normal));

/**
 * Paints x [n, 3, h, w], black 0 to white 1, with noise [n, NOISE, h / 4, w / 4], of `strokesAlong`, and a strength from 0 to 1, [n, 1, 1, 1];
 * sides are multiples of GRAIN. Returns [n, 3, h, w], 0 to 1.
 */
export function paint(p: Weights, x: Tensor, noise: Tensor, strength: Tensor, normal: Normal): Tensor {
  const y = enlarged(p, 'up1', paintHalf(p, entered(p, x), noise, strength, normal), WIDTHS[0], 1, normal);
  const raw = same(p, 'out', y, 3, 5, 1);
  // As far as it is to be painted: a photograph has a light and dark of its own.
  const made = add(raw, mul(strength, sub(normalised(p, 'out', raw, 1, normal), raw)));
  return add(mul(tanh(made), 0.5), 0.5);
}

export type StyleNetwork = Network<[x: Tensor, noise: Tensor, strength: Tensor, normal: Normal]>;

export const defineStyle = (): StyleNetwork => new Network(paint, [input('x', [1, 3, 16, 16]), input('noise', [1, NOISE, 4, 4]), input('strength', [1, 1, 1, 1]), ownNormal]);
