// What a painting asks of a picture, and what the photograph does.
//
// Style: a discriminator that judges patches at four scales against crops of the painting (Isola et al., 2017; Wang et al.,
// pix2pixHD, 2018), with the GAN package's loss: it sees the run of a brush, which statistics of small linear filters do not.
// Content: the photograph's luminance, in windows, at a quarter to a sixteenth of the sides, counted where the photograph has
// structure, so that a flat sky may be painted, and how light it is in the large. Calm: in the large, it is to stay as flat as it was.

import { abs, add, concat, div, input, leakyRelu, matrix, mean, meanKeep, mul, resample, reshape, sliceAxis, sqrt, square, sub, type Tensor } from '@zeuxis/graph';
import { bias, boxDown, convolution, GAIN } from '../layers.js';
import { Network, type Weights } from '../network.js';
import { luminance, structureOf } from './light.js';

/** Reductions of the sides at which patches are judged; a logit sees 22 px of the reduced picture. */
const REDUCTIONS = [1, 2, 4, 8] as const;
/** What each of them counts, a sum of 1: at full size there is more canvas than brush. */
const COUNTS = [0.05, 0.25, 0.35, 0.35] as const;
const CHANNELS = [32, 64, 128] as const;

/** x [n, 3, h, w], -1 to 1 -> logits of patches, [n, patches], finest first. */
function judge(p: Weights, x: Tensor): Tensor {
  const logits = REDUCTIONS.map((reduction) => {
    let y = boxDown(x, reduction);
    for (const [i, width] of CHANNELS.entries()) {
      const name = `${reduction}.down${i}`;
      y = leakyRelu(bias(p, name, convolution(p, name, y, width, 4, { stride: i < 2 ? 2 : 1, padding: 1, gain: GAIN })));
    }
    const name = `${reduction}.logit`;
    return reshape(bias(p, name, convolution(p, name, y, 1, 3, { padding: 1 })), [x.extent(0), -1]);
  });
  return concat(logits, 1);
}

/** What each patch of pictures of `side` px counts, [patches], a mean of 1: a scale as much as is said above, however many patches it has. */
export function patchShares(side: number): Float32Array {
  const counts = REDUCTIONS.map((reduction) => (side / reduction / 4 - 1) ** 2);
  const total = counts.reduce((a, b) => a + b);
  return Float32Array.from(counts.flatMap((count, i) => new Array<number>(count).fill((COUNTS[i]! * total) / count)));
}

export const paintingDiscriminator = (side: number): Network<[Tensor]> => new Network(judge, [input('x', [1, 3, side, side])]);

/** Means over windows of `side` by `side` pixels around each, cut off at the edges. */
function windowed(x: Tensor, side: number): Tensor {
  const reach = (side - 1) / 2;
  const band = (n: number) =>
    matrix(n, n, (i, j) => (Math.abs(i - j) <= reach ? 1 / (Math.min(n - 1, i + reach) - Math.max(0, i - reach) + 1) : 0));
  return resample(x, band(x.extent(2)), band(x.extent(3)));
}

const WINDOW = 9;
/** Variance of luminance over a picture at which half of its colours in large are asked for: a deviation of a tenth. */
const CONTRAST = 1e-2;
/** What an even sky is asked for of the painting's spread of colours: strokes, not blotches. */
const LEAST_SPREAD = 0.3;
/** Keeps the loss of a picture without structure at nothing. */
const LEAST = 0.02;
const EACH = [1, 2, 3] as const;

/** Luminance at an eighth of the sides, less its mean. */
function centredLow(x: Tensor): Tensor {
  const low = boxDown(luminance(x), 8);
  return sub(low, meanKeep(low, EACH));
}

/** What a photograph's light and dark on the whole say of the colours that can be asked of it, 0 to 1, [n, 1, 1, 1] each. */
export interface Contrast {
  /** How much colours in large count. */
  large: Tensor;
  /** How far apart colours may be asked to lie, the painting's being 1. */
  spread: Tensor;
}

export function contrastOf(photograph: Tensor): Contrast {
  const variance = meanKeep(square(centredLow(photograph)), EACH);
  return { large: structureOf(variance, CONTRAST), spread: add(mul(sqrt(structureOf(variance)), 1 - LEAST_SPREAD), LEAST_SPREAD) };
}

/** One minus the correlation of luminance over all of a picture, at an eighth of the sides: what is light stays lighter than what is dark. */
function overall(made: Tensor, photograph: Tensor): Tensor {
  const [a, b] = [made, photograph].map(centredLow) as [Tensor, Tensor];
  const [va, vb, covariance] = [square(a), square(b), mul(a, b)].map((x) => mean(x, EACH)) as [Tensor, Tensor, Tensor];
  const correlation = div(covariance, sqrt(add(mul(add(va, 1e-4), add(vb, 1e-4)), 1e-8)));
  return mean(mul(structureOf(vb), sub(1, correlation)));
}

/** One minus the correlation of luminance in windows and over all, 0 to 2, weighed by the photograph's structure, and how far luminance is from its own. */
export function contentLoss(made: Tensor, photograph: Tensor): Tensor {
  const at = (reduction: number): Tensor => {
    const [a, b] = [made, photograph].map((x) => boxDown(luminance(x), reduction)) as [Tensor, Tensor];
    const [ma, mb] = [windowed(a, WINDOW), windowed(b, WINDOW)];
    const va = sub(windowed(square(a), WINDOW), square(ma));
    const vb = sub(windowed(square(b), WINDOW), square(mb));
    const covariance = sub(windowed(mul(a, b), WINDOW), mul(ma, mb));
    const correlation = div(covariance, sqrt(add(mul(add(va, 1e-4), add(vb, 1e-4)), 1e-8)));
    const weight = structureOf(vb);
    // Picture by picture: a batch in parts is a batch.
    return mean(div(mean(mul(weight, sub(1, correlation)), EACH), add(mean(weight, EACH), LEAST)));
  };
  const windows = add(add(mul(at(4), 0.25), mul(at(8), 0.5)), mul(at(16), 0.25));
  return add(add(mul(windows, 0.75), mul(overall(made, photograph), 0.25)), mul(tone(made, photograph), TONE));
}

/** What the difference of luminance counts beside one minus its correlation. */
const TONE = 0.75;

/** Mean absolute difference of luminance at a sixteenth of the sides: of dark photographs darker paintings are made. */
function tone(made: Tensor, photograph: Tensor): Tensor {
  const [a, b] = [made, photograph].map((x) => boxDown(luminance(x), 16)) as [Tensor, Tensor];
  return mean(abs(sub(a, b)));
}

/** The mean over what is made of each two neighbours in x, down and across. `both` gives the neighbours in anything of the same sides. */
function overNeighbours(x: Tensor, of: (one: Tensor, other: Tensor, both: (y: Tensor) => [Tensor, Tensor]) => Tensor): Tensor {
  const along = (axis: 2 | 3) => {
    const last = x.extent(axis) - 1;
    const both = (y: Tensor): [Tensor, Tensor] => [sliceAxis(y, axis, 1, last), sliceAxis(y, axis, 0, last)];
    return mean(of(...both(x), both));
  };
  return add(along(2), along(3));
}

/** Mean squared difference of neighbouring pixels, down and across. */
export const totalVariation = (x: Tensor): Tensor => overNeighbours(x, (one, other) => square(sub(one, other)));

/** Variance of luminance at which a place is half flat: that of a sky's shades is less, a deviation of a hundredth. */
const EVEN = 5e-4;
/** Reductions at which a photograph is seen to be flat, and at which what is made of it is to be flat: strokes are finer. */
const [SEEN_FLAT, KEPT_FLAT] = [4, 16];

/**
 * Mean squared difference of colours between neighbours of 16 px, down and across, counted where the photograph is flat: a sky that grows darker
 * may not fall into another colour at once.
 */
export function unrest(made: Tensor, photograph: Tensor): Tensor {
  const seen = boxDown(luminance(photograph), SEEN_FLAT);
  const variance = sub(windowed(square(seen), WINDOW), square(windowed(seen, WINDOW)));
  const flat = boxDown(div(EVEN, add(variance, EVEN)), KEPT_FLAT / SEEN_FLAT);
  return overNeighbours(boxDown(made, KEPT_FLAT), (one, other, both) => {
    const [flatOne, flatOther] = both(flat);
    return mul(square(sub(one, other)), mul(flatOne, flatOther));
  });
}
