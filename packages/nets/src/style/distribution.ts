// How far a picture's colours, or its patches, are spread otherwise than a painting's: sliced Wasserstein (Rabin et al., 2012). Both are
// seen through filters, the responses are sorted, and compared rank by rank (of patches: Elnekave and Weiss, GPDM, 2022). A painting
// does not change, so that its responses are sorted once, before training.

import { abs, add, ascending, atRank, constant, conv, mean, meanKeep, mul, reshape, sub, type Tensor } from '@zeuxis/graph';
import { boxDown } from '../layers.js';
import { boxReduced, type Planar } from '../metrics/style.js';
import { Random } from '../random.js';
import type { Contrast } from './loss.js';

/** Filters at one reduction of a picture, and how a painting responds to them. */
export interface Bank {
  /** The picture's sides are divided by this first. */
  reduction: number;
  /** Every so many pixels of the reduced picture a response is taken. */
  stride: number;
  /** Side of a filter in px. */
  kernel: number;
  /** [filters, 3, kernel, kernel] */
  filters: Float32Array;
  /** The painting's responses, ascending, as many as a picture's, [filters, responses]. */
  quantiles: Float32Array;
}

/** A bank as it is drawn. */
interface Drawn {
  reduction: number;
  stride: number;
  kernel: number;
  filters: number;
}

/** Colours at full size, in strokes, and in large: of 1 to 16 px. */
const COLOURS: readonly Drawn[] = [
  { reduction: 1, stride: 5, kernel: 1, filters: 24 },
  { reduction: 2, stride: 3, kernel: 1, filters: 24 },
  { reduction: 4, stride: 1, kernel: 1, filters: 24 },
  { reduction: 8, stride: 1, kernel: 1, filters: 24 },
  { reduction: 16, stride: 1, kernel: 1, filters: 24 },
];
/** From this reduction on, colours are asked for as far as the photograph has light and dark to bear them: an even sky would have to be blotched. */
const LARGE = 16;
/**
 * Patches of 7 px at a quarter and an eighth: how broad and how strong the strokes are, and which colours lie side by side. At full and half size it
 * would be canvas and cracks, which come as grain.
 */
const PATCHES: readonly Drawn[] = [
  { reduction: 4, stride: 2, kernel: 7, filters: 64 },
  { reduction: 8, stride: 1, kernel: 7, filters: 64 },
];
/** Places in the paintings that a bank knows. */
const SAMPLES = 16384;

const along = (extent: number, { reduction, stride, kernel }: Drawn): number => Math.floor((Math.floor(extent / reduction) - kernel) / stride) + 1;

/** What a painting's colours and patches are, for pictures of `side` px: what `--palette` and `--patches` weigh. */
export interface Banks {
  palette: Bank[];
  patches: Bank[];
}

/**
 * @param paintings one after another, each looked at once: many are large, and need not be in memory together. @param count how many they are.
 * @param withPatches leave those empty that will not be weighed.
 */
export function banksOf(paintings: Iterable<Planar>, count: number, side: number, seed: number | string, withPatches: boolean): Banks {
  const all = (kind: string, drawn: readonly Drawn[]) => drawn.map((each, i) => new Sampler(each, `${seed}/${kind} ${i}`));
  const [palette, patches] = [all('palette', COLOURS), withPatches ? all('patches', PATCHES) : []];
  let n = 0;
  for (const painting of paintings) {
    for (const sampler of [...palette, ...patches]) sampler.look(painting, Math.floor((n * SAMPLES) / count), Math.floor(((n + 1) * SAMPLES) / count));
    n++;
  }
  return { palette: palette.map((sampler) => sampler.bank(side)), patches: patches.map((sampler) => sampler.bank(side)) };
}

/**
 * Random filters, and how paintings respond to them: of single pixels unit vectors, of patches such that the paintings
 * answer with a root mean square of 1.
 */
class Sampler {
  private readonly length: number;
  private readonly filters: Float32Array;
  private readonly responses: Float32Array[];
  private readonly random: Random;

  constructor(
    private readonly drawn: Drawn,
    seed: string,
  ) {
    const { kernel, filters: count } = drawn;
    this.random = new Random(seed);
    this.length = 3 * kernel ** 2;
    this.filters = new Float32Array(count * this.length);
    for (let f = 0; f < count; f++) {
      const direction = this.random.normals(this.length);
      const norm = Math.hypot(...direction);
      for (let k = 0; k < this.length; k++) this.filters[f * this.length + k] = direction[k]! / norm;
    }
    this.responses = Array.from({ length: count }, () => new Float32Array(SAMPLES));
  }

  /** Takes the samples from one number to another from places of a painting, evenly drawn. */
  look(painting: Planar, from: number, to: number): void {
    const { reduction, kernel } = this.drawn;
    const { width, height, data } = boxReduced(painting, reduction);
    const patch = new Float32Array(this.length);
    for (let n = from; n < to; n++) {
      const [x, y] = [this.random.below(width - kernel + 1), this.random.below(height - kernel + 1)];
      for (let c = 0, at = 0; c < 3; c++) for (let i = 0; i < kernel; i++) for (let j = 0; j < kernel; j++) patch[at++] = data[(c * height + y + i) * width + x + j]!;
      for (const [f, out] of this.responses.entries()) {
        let sum = 0;
        for (let k = 0; k < this.length; k++) sum += patch[k]! * this.filters[f * this.length + k]!;
        out[n] = sum;
      }
    }
  }

  /** For pictures of `side` px. */
  bank(side: number): Bank {
    const { reduction, stride, kernel } = this.drawn;
    const taken = along(side, this.drawn) ** 2;
    const quantiles = new Float32Array(this.responses.length * taken);
    for (const [f, out] of this.responses.entries()) {
      if (kernel > 1) {
        const scale = 1 / Math.max(1e-3, Math.hypot(...out) / Math.sqrt(SAMPLES));
        for (let k = 0; k < this.length; k++) this.filters[f * this.length + k]! *= scale;
        for (let n = 0; n < SAMPLES; n++) out[n]! *= scale;
      }
      out.sort();
      for (let q = 0; q < taken; q++) quantiles[f * taken + q] = out[Math.floor(((q + 0.5) / taken) * SAMPLES)]!;
    }
    return { reduction, stride, kernel, filters: this.filters, quantiles };
  }
}

/**
 * The mean over banks of the mean distance of each picture's responses from those that are wanted: as far on the way from its photograph's to the painting's as it was to
 * be painted, rank by rank (displacement interpolation, McCann, 1997), x and photograph [n, 3, side, side], 0 to 1, strength [n, 1, 1, 1]. Of a photograph that has little light and
 * dark itself, the painting's are wanted nearer to their mean, and count less in large places.
 */
export function distributionLoss(x: Tensor, photograph: Tensor, banks: readonly Bank[], strength: Tensor, contrast: Contrast): Tensor {
  const n = x.extent(0);
  const each = banks.map(({ reduction, stride, kernel, filters, quantiles }) => {
    const count = filters.length / (3 * kernel ** 2);
    const [responses, before] = [x, photograph].map((y) => reshape(conv(boxDown(y, reduction), constant(filters, [count, 3, kernel, kernel]), { stride }), [n, count, -1])) as [Tensor, Tensor];
    const of = (x: Tensor) => reshape(x, [n, 1, 1]);
    const painting = constant(quantiles, [1, count, responses.extent(2)]);
    const middle = meanKeep(painting, [2]);
    const from = ascending(before);
    const wanted = add(from, mul(of(strength), sub(add(middle, mul(of(contrast.spread), sub(painting, middle))), from)));
    const distances = abs(sub(responses, atRank(wanted, responses)));
    return mean(reduction >= LARGE ? mul(distances, of(contrast.large)) : distances);
  });
  if (banks.length === 0) return constant(0);
  return mul(each.reduce((a, b) => add(a, b)), 1 / banks.length);
}
