// The network that paints: a photograph is brought to a quarter of its sides, changed there by residual blocks, and brought back
// (Johnson et al., 2016), with every layer normalised (moments.ts) and, in place of transposed convolutions, enlargement
// followed by a convolution, which prints no chessboard (Odena et al., 2016). Noise is let in at the small size, smeared along the forms
// of the photograph (flow.ts): a network of convolutions has nothing else to make strokes of.
//
// What comes out is normalised too, so that pictures have the light and dark, and the depth of colour, of the painting.
//
// Normalisation asks for the mean and variance of every channel over the whole picture, which a tile does not know. So
// `Normal` decides whose they are (moments.ts): a picture's tiles share what was measured on the picture reduced (tiled.ts).

import { add, concat, conv, enlarge, inner, input, mul, pad, relu, sliceAxis, square, sub, type Tensor, tanh } from '@zeuxis/graph';
import { convolution } from '../layers.js';
import { Network, type Weights } from '../network.js';
import { knownSides, type Normal } from './moments.js';

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

const same = (p: Weights, name: string, x: Tensor, out: number, kernel: number, gain = GAIN): Tensor =>
  convolution(p, name, x, out, kernel, { padding: (kernel - 1) / 2, gain });

/** In the names of weights: what the dial adds, and moments that are measured and not learned by slopes. */
export const [EASED, TYPICAL] = ['eased', 'typical'] as const;

/**
 * A channel's values normalised, then scaled and shifted by what was learned (conditional instance normalisation: Dumoulin et al., 2017). A dial that came in with the
 * picture would be gone after the next normalisation.
 * @param ease what the strength is short of 1, [n, 1, 1, 1]; at full strength none.
 */
export function normalised(p: Weights, name: string, x: Tensor, reduction: number, normal: Normal, ease?: Tensor): Tensor {
  const shape = [1, x.extent(1), 1, 1];
  const at = (what: 'scale' | 'shift', first: number) => {
    const full = p.get(`${name}.${what}`, shape, 0, first);
    return ease ? add(full, mul(ease, p.get(`${name}.${EASED}.${what}`, shape, 0))) : full;
  };
  const typical = (what: 'mean' | 'variance', first: number) => p.get(`${name}.${TYPICAL}.${what}`, shape, 0, first);
  return normal(x, reduction, { scale: at('scale', 1), shift: at('shift', 0), mean: typical('mean', 0), variance: typical('variance', 1) });
}

/** The first convolution of a picture, which sees it from -1 to 1: [n, 16, h, w]. @param plain as of `conv`. */
export const entered = (p: Weights, x: Tensor, plain = false): Tensor => convolution(p, 'in', sub(mul(x, 2), 1), WIDTHS[0], 5, { padding: 2, gain: GAIN, plain });

/** Pixels around one that it is brought up and out from, to whole grains: 6, 3 and 2. */
export const WAY_OUT = 12;

/**
 * What `paint` does from there to half the picture's sides: [n, 32, h / 2, w / 2].
 * @param edge left out on the way, px at a quarter of the sides: by the convolutions there, one px each, which so much less passes through, and what is more than those before them.
 */
export function paintHalf(p: Weights, x: Tensor, noise: Tensor, normal: Normal, ease?: Tensor, edge = 0): Tensor {
  const [, half, quarter] = WIDTHS;
  let y = relu(normalised(p, 'in', x, 1, normal, ease));
  for (const [name, width, reduction] of [['down2', half, 2], ['down4', quarter, 4]] as const)
    y = relu(normalised(p, name, convolution(p, name, y, width, 4, { stride: 2, padding: 1, gain: GAIN }), reduction, normal, ease));
  const before = Math.max(0, edge - (1 + 2 * BLOCKS));
  let left = edge - before;
  const padding = () => {
    if (left === 0) return 1;
    left--;
    return 0;
  };
  const pass = (name: string, x: Tensor) => normalised(p, name, convolution(p, name, x, quarter, 3, { padding: padding(), gain: GAIN }), 4, normal, ease);
  y = relu(normalised(p, 'mix', mixed(p, inner(y, before), inner(noise, before), padding()), 4, normal, ease));
  for (let i = 0; i < BLOCKS; i++) {
    const through = pass(`block${i}.b`, relu(pass(`block${i}.a`, y)));
    y = add(inner(y, (y.extent(2) - through.extent(2)) / 2), through);
  }
  return enlarged(p, 'up2', y, half, 2, normal, ease);
}

/** The processor's blocked layout takes channels by so many. */
const STEP = 8;

/**
 * What was seen and the noise through one convolution. Zeros fill them up to whole steps here, where they are laid side by side anyway: to fill them up where they are brought
 * into blocks takes about a tenth of a tile's time.
 */
function mixed(p: Weights, y: Tensor, noise: Tensor, padding: number): Tensor {
  const channels = y.extent(1) + noise.extent(1);
  const kernel = p.get('mix.weight', [WIDTHS[2], channels, 3, 3], GAIN / Math.sqrt(channels * 9));
  const missing = Math.ceil(channels / STEP) * STEP - channels;
  const zeros = mul(sliceAxis(noise, 1, 0, missing), 0);
  return conv(concat([y, noise, zeros], 1), pad(kernel, [0, 0, 0, 0], [0, missing, 0, 0]), { padding });
}

const enlarged = (p: Weights, name: string, x: Tensor, width: number, reduction: number, normal: Normal, ease?: Tensor): Tensor =>
  relu(normalised(p, name, same(p, name, enlarge(x), width, 3), reduction, normal, ease));

/**
 * Paints x [n, 3, h, w], black 0 to white 1, with noise [n, NOISE, h / 4, w / 4], of `strokesAlong`, and a strength from 0 to 1, [n, 1, 1, 1];
 * sides are multiples of GRAIN. Returns [n, 3, h, w], 0 to 1.
 */
export function paint(p: Weights, x: Tensor, noise: Tensor, strength: Tensor, normal: Normal): Tensor {
  const ease = sub(1, strength);
  const y = enlarged(p, 'up1', paintHalf(p, entered(p, x), noise, normal, ease), WIDTHS[0], 1, normal, ease);
  const made = normalised(p, 'out', same(p, 'out', y, 3, 5, 1), 1, normal, ease);
  return overPhotograph(add(mul(tanh(made), 0.5), 0.5), x, strength);
}

/**
 * How much of what is painted covers the photograph. The network knows of the strength and holds back by itself; the photograph shows through as the square of what
 * the strength is short of 1, so that near 0 it is all there is.
 */
export const coverOf = (strength: number): number => 1 - (1 - strength) ** 2;

/** What is painted, as far as it covers the photograph x; strength [n, 1, 1, 1]. */
const overPhotograph = (painted: Tensor, x: Tensor, strength: Tensor): Tensor => add(painted, mul(square(sub(1, strength)), sub(x, painted)));

export type StyleNetwork = Network<[x: Tensor, noise: Tensor, strength: Tensor, normal: Normal]>;

export function defineStyle(): StyleNetwork {
  const x = input('x', [1, 3, 16, 16]);
  return new Network(paint, [x, input('noise', [1, NOISE, 4, 4]), input('strength', [1, 1, 1, 1]), knownSides(x).normal]);
}
