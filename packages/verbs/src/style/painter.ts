// A picture of any size through a style's model: its channels' moments are measured once, on the picture reduced, and worked into the
// convolutions that every tile passes through, so that no tile differs in tone from its neighbours; strokes are laid along the forms of the whole
// picture first, so that no seam shows.

import { availableParallelism } from 'node:os';
import { type Feeds, floats, type Session, type Value } from '@zeuxis/graph';
import { openSession, targetOf } from '@zeuxis/graph/node';
import { boxReduced, coverOf, defineStyle, FRAME, GRAIN, type Luminance, luminance, NOISE, styleWeights, type TiledStyle, tiledStyle } from '@zeuxis/nets';
import { UserError } from '@zeuxis/pictures';
import type { StyleCard } from '../card.js';
import { cropPlanar, type Extent, inTiles, type Sink, type Source, type Tile, tileCount } from '../edit/tiles.js';
import type { ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';
import { framed, type Looked, lookAt } from './frame.js';
import { layStrokes, type Strokes } from './strokes.js';

/**
 * Pixels around a pixel that it is painted from: 2 at the way in, 6 on the way down, 36 in nine convolutions at a quarter of the sides, 11 on the way up and out, to whole grains.
 * So wide a frame of mirrored edges is laid around a picture that is painted, too; one that is measured has FRAME, as crops had in training.
 */
export const STYLE_MARGIN = 56;
/** Side of a tile in px without its surroundings. With it a picture of 24 megapixels takes 0.9 GB in all (`npm run bench -- style`). */
export const STYLE_TILE = 1024;
/**
 * Pixels of a tile of a picture that is no larger than one of those with its surroundings. Where memory is dear, as in a virtual machine, asking for it takes longer than painting
 * part of a picture twice: of two, three and four tiles, three took the least of the processor for a process's first megapixel with the least memory, a thirtieth less than four.
 */
const FEW = 420_000;

export interface PaintOptions {
  /** Of the noise that strokes begin from, 0 by default. */
  seed?: number | string;
  tile?: number | Extent;
  signal?: AbortSignal | undefined;
  onTile?: () => void;
}

/** What pictures are painted by, where they are to be painted alike. */
interface Shared {
  /** Mean and variance by which every channel is normalised. */
  moments: Float32Array;
  strokes: Strokes;
}

/** Of one painter or of several. */
export type Manner = readonly Shared[];

/** Pictures one after another, which need not be in memory together. */
export type Sources = Iterable<Source> | AsyncIterable<Source>;

/** Whatever paints: one style, or two mixed. */
export interface Paints {
  /** How often a picture passes through a network. */
  readonly passes: number;
  /** Paints a picture, 0 to 1, into a sink. @param given a manner to paint it in, as of `mannerOver`; its own by default. */
  paint(source: Source, sink: Sink, options?: PaintOptions, given?: Manner): Promise<void>;
  /**
   * The mean moments of some pictures of one size, and strokes along the forms of their mean. Painted by these, places that are the same in two of
   * them come out the same, to the last bit, where nothing moves as far around as the network sees.
   */
  mannerOver(sources: readonly Source[], options: PaintOptions): Promise<Manner>;
  close(): Promise<void>;
}

export class Painter implements Paints {
  readonly passes = 1;

  private constructor(
    private readonly style: TiledStyle,
    private readonly session: Session,
    private readonly share: number,
  ) {}

  /**
   * @param weights of the network.
   * @param strength as the network was taught it, 0 to 1.
   * @param share of the painted picture over what it is painted from.
   */
  static async from(weights: Float32Array, { device = 'cpu', threads = availableParallelism() }: VerbOptions, strength = 1, share = coverOf(strength)): Promise<Painter> {
    const target = await targetOf(device);
    const style = tiledStyle(defineStyle(), weights, strength, target, STYLE_MARGIN);
    // Between runs this thread works alone, and threads that waited awake would take from it.
    const session = await openSession(style.model, { device, threads, sleep: true, asWritten: Boolean(target.channelBlock) });
    return new Painter(style, session, share);
  }

  /** Tiles of a picture. */
  static tiles({ width, height }: Extent): number {
    const whole = framed({ width, height, read: () => {} }, STYLE_MARGIN);
    return tileCount(whole, { tile: tileOf(whole), margin: STYLE_MARGIN });
  }

  async paint(source: Source, sink: Sink, options: PaintOptions = {}, given?: Manner): Promise<void> {
    const whole = framed(source, STYLE_MARGIN);
    const { tile = tileOf(whole), seed = 0 } = options;
    const { strokes, moments } = given?.[0] ?? (await this.ownManner(source, whole, seed));
    const feeds = this.style.paintingBy(moments);
    const faded = this.share < 1 ? fading(source, sink, this.share) : sink;
    // Beyond the picture there is what makes whole grains of it.
    const within: Sink = (values, x, y, width, height) => {
      const [left, top] = [x - STYLE_MARGIN, y - STYLE_MARGIN];
      const seen = { x: 0, y: 0, width: Math.min(width, source.width - left), height: Math.min(height, source.height - top) };
      if (seen.width > 0 && seen.height > 0) faded(cropPlanar(values, 3, width, height, seen), left, top, seen.width, seen.height);
    };
    await inTiles(whole, within, { ...options, margin: STYLE_MARGIN, edge: STYLE_MARGIN, scale: 1, channels: 3, tile }, (part) => this.made(part, strokes, feeds));
  }

  async mannerOver(sources: Sources, { seed = 0 }: PaintOptions): Promise<Manner> {
    let sum: Float32Array | undefined;
    let seen: Luminance | undefined;
    let count = 0;
    const added = (a: Float32Array | Float64Array, b: Float32Array | Float64Array) => b.forEach((value, i) => { a[i]! += value; });
    for await (const source of sources) {
      const whole = framed(source, STYLE_MARGIN);
      const looked = lookAt(source, whole, STYLE_MARGIN);
      const own = looked.luminance;
      const moments = await this.measure(looked, seed, () => layStrokes(own, seed));
      if (sum && seen) {
        added(sum, moments);
        added(seen.data, own.data);
      } else [sum, seen] = [moments.slice(), own];
      count++;
    }
    if (!sum || !seen) throw new RangeError('a manner is that of pictures; there are none');
    return [{ moments: sum.map((value) => value / count), strokes: await layStrokes({ ...seen, data: seen.data.map((value) => value / count) }, seed) }];
  }

  private async ownManner(source: Source, whole: Source, seed: number | string): Promise<Shared> {
    const looked = lookAt(source, whole, STYLE_MARGIN);
    const strokes = await layStrokes(looked.luminance, seed);
    return { strokes, moments: await this.measure(looked, seed, async () => strokes) };
  }

  /** The moments of a picture, of it reduced where it is large. @param strokes gives those of the whole in its frame. */
  private async measure({ small, factor }: Looked, seed: number | string, strokes: () => Promise<Strokes>): Promise<Float32Array> {
    const { width: w, height: h, data: values } = small;
    const [own, at] = factor === 1 ? [await strokes(), STYLE_MARGIN - FRAME] : [await layStrokes(luminance(boxReduced(small, GRAIN)), seed), 0];
    const { data } = await this.made({ values, x: at, y: at, w, h }, own, this.style.measuring(w * h));
    return data as Float32Array;
  }

  /** What the network makes of a part of a picture and the strokes that lie on it. @param feeds say whether it measures or paints. */
  private async made({ values, x, y, w, h }: Tile, strokes: Strokes, feeds: Feeds): Promise<Value> {
    const part = { x: x / GRAIN, y: y / GRAIN, width: w / GRAIN, height: h / GRAIN };
    const noise = floats(cropPlanar(strokes.values, NOISE, strokes.width, strokes.height, part), [1, NOISE, part.height, part.width]);
    const { made } = await this.session.run({ ...feeds, photograph: floats(values, [1, 3, h, w]), noise });
    return made!;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** The weights of a model. @throws UserError for one of another network than this version's. */
export function weightsOf(model: ListedModel<StyleCard>): Float32Array {
  let weights: Float32Array | undefined;
  try {
    weights = styleWeights(defineStyle(), model.bytes);
  } catch (error) {
    throw new UserError(`the model '${model.name}' cannot be read: ${(error as Error).message}`);
  }
  if (!weights) throw new UserError(`the style '${model.name}' is of another version's network, which this one does not paint with; train it anew`);
  return weights;
}

/** How a model's painter is opened. @throws UserError for a model of another network than this version's. */
export function painterOf(model: ListedModel<StyleCard>, options: VerbOptions, strength: number, share = coverOf(strength)): () => Promise<Painter> {
  const weights = weightsOf(model);
  return () => Painter.from(weights, options, strength, share);
}

const isSmall = ({ width, height }: Extent): boolean => width * height <= (STYLE_TILE + 2 * STYLE_MARGIN) ** 2;

/** The tiles of a picture in its frame: a small one is cut across its longer side, for there the least is painted twice, into tiles that pass the network in one size. */
function tileOf(whole: Extent): number | Extent {
  if (!isSmall(whole)) return STYLE_TILE;
  const { width, height } = whole;
  const count = Math.ceil((width * height) / FEW);
  const cut = (side: number) => GRAIN * Math.ceil((side - 2 * STYLE_MARGIN) / count / GRAIN);
  return width > height ? { width: cut(width), height } : { width, height: cut(height) };
}

/** A sink that takes `share` of what is painted, and the rest of what was there. */
const fading = (source: Source, sink: Sink, share: number): Sink => (values, x, y, w, h) => {
  const before = new Float32Array(values.length);
  source.read(x, y, w, h, before);
  sink(values.map((value, i) => before[i]! + share * (value - before[i]!)), x, y, w, h);
};
