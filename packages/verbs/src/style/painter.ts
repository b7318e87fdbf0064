// A picture of any size through a style's model: its channels' moments are measured once, on the picture reduced, and given to
// every tile, so that no tile differs in tone from its neighbours; strokes are laid along the forms of the whole picture first, so that no
// seam shows.

import { availableParallelism } from 'node:os';
import { floats, readOnnx, type Session, type Value } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { boxReduced, defineStyle, FRAME, GRAIN, type Luminance, luminance, momentsOf, NOISE, strokesAlong, whiteRows } from '@zeuxis/nets';
import { UserError } from '@zeuxis/pictures';
import type { StyleCard } from '../card.js';
import { cropPlanar, inTiles, type Sink, type Source, tileCount } from '../edit/tiles.js';
import type { ListedModel } from '../models.js';
import type { VerbOptions } from '../progress.js';

/** Pixels around a pixel that it is painted from: 2 at the way in, 6 on the way down, 36 in nine convolutions at a quarter of the sides, 11 on the way up and out, to whole grains. */
export const STYLE_MARGIN = 56;
/** Of mirrored edges around a picture, px. A wider one would keep edges cleaner, but moments were learned with little of it: distances grow by a tenth. */
const STYLE_FRAME = 2 * FRAME;
/** Side of a tile in px without its surroundings: about 0.4 GB of activations. */
export const STYLE_TILE = 704;
/** Longer side in px to which a picture is reduced for its moments; smaller ones are measured as they are. */
const MEASURED = 768;

export interface PaintOptions {
  margin: number;
  tile?: number;
  signal?: AbortSignal | undefined;
  onTile?: () => void;
}

/** What a picture is painted from beside itself: [NOISE, height, width] at a quarter of its sides. */
interface Strokes {
  width: number;
  height: number;
  values: Float32Array;
}

/** What pictures are painted by, where they are to be painted alike. */
interface Shared {
  moments: Value;
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
  paint(source: Source, sink: Sink, options: PaintOptions, given?: Manner): Promise<void>;
  /**
   * The mean moments of some pictures of one size, and strokes along the forms of their mean. Painted by these, places that are the same in two of
   * them come out the same, to the last bit, where nothing moves as far around as the network sees.
   */
  mannerOver(sources: readonly Source[], options: PaintOptions): Promise<Manner>;
  close(): Promise<void>;
}

export class Painter implements Paints {
  readonly passes = 1;
  /** Values in a picture's moments. */
  private readonly size = momentsOf(defineStyle());

  /**
   * @param strength as the network was taught it, 0 to 1: it gives up much at once, and not all at 0.
   * @param share of the painted picture over what it is painted from, so that the dial is even, and ends at that.
   */
  constructor(
    private readonly session: Session,
    private readonly seed: number | string,
    private readonly strength = 1,
    private readonly share = strength,
  ) {}

  /** Tiles of a picture. */
  static tiles = ({ width, height }: Pick<Source, 'width' | 'height'>, tile = STYLE_TILE): number => tileCount(framed({ width, height, read: () => {} }), tile);

  async paint(source: Source, sink: Sink, { tile = STYLE_TILE, ...options }: PaintOptions, given?: Manner): Promise<void> {
    const whole = framed(source);
    const { strokes, moments } = given?.[0] ?? (await this.ownManner(whole));
    const faded = this.share < 1 ? fading(source, sink, this.share) : sink;
    const within: Sink = (values, x, y, width, height) => {
      const [left, top] = [Math.max(0, STYLE_FRAME - x), Math.max(0, STYLE_FRAME - y)];
      const [right, bottom] = [Math.min(width, STYLE_FRAME + source.width - x), Math.min(height, STYLE_FRAME + source.height - y)];
      const inner = { x: left, y: top, width: right - left, height: bottom - top };
      if (inner.width <= 0 || inner.height <= 0) return;
      faded(cropPlanar(values, 3, width, height, inner), x + left - STYLE_FRAME, y + top - STYLE_FRAME, inner.width, inner.height);
    };
    await inTiles(whole, within, { scale: 1, channels: 3, tile, ...options }, async (part) => (await this.run(part, strokes, moments)).painted!);
  }

  async mannerOver(sources: Sources): Promise<Manner> {
    const sum = new Float32Array(this.size);
    let seen: Luminance | undefined;
    let count = 0;
    for await (const source of sources) {
      const whole = framed(source);
      const own = luminanceOf(whole);
      const { data } = await this.measure(whole, this.laid(own));
      if (!seen) seen = own;
      else for (let i = 0; i < own.data.length; i++) seen.data[i]! += own.data[i]!;
      for (let i = 0; i < this.size; i++) sum[i]! += Number(data[i]);
      count++;
    }
    if (!seen) throw new RangeError('a manner is that of pictures; there are none');
    const strokes = this.laid({ ...seen, data: seen.data.map((value) => value / count) });
    return [{ moments: floats(sum.map((value) => value / count), [1, this.size, 1, 1]), strokes }];
  }

  private async ownManner(whole: Source): Promise<Shared> {
    const strokes = this.laid(luminanceOf(whole));
    return { strokes, moments: await this.measure(whole, strokes) };
  }

  /** The moments of a picture, of it reduced where it is large. */
  private async measure(source: Source, strokes: Strokes): Promise<Value> {
    const factor = Math.ceil(Math.max(source.width, source.height) / MEASURED);
    const [w, h] = [source.width, source.height].map((side) => Math.max(GRAIN, Math.floor(side / factor / GRAIN) * GRAIN)) as [number, number];
    const values = factor === 1 ? new Float32Array(3 * w * h) : reduce(source, w, h, factor);
    if (factor === 1) source.read(0, 0, w, h, values);
    const own = factor === 1 ? strokes : this.laid(luminance(boxReduced({ width: w, height: h, data: values }, GRAIN)));
    const { measured } = await this.run({ values, x: 0, y: 0, w, h }, own);
    return measured!;
  }

  private run({ values, x, y, w, h }: { values: Float32Array; x: number; y: number; w: number; h: number }, strokes: Strokes, moments?: Value) {
    return this.session.run({
      photograph: floats(values, [1, 3, h, w]),
      noise: floats(cropPlanar(strokes.values, NOISE, strokes.width, strokes.height, { x: x / GRAIN, y: y / GRAIN, width: w / GRAIN, height: h / GRAIN }), [1, NOISE, h / GRAIN, w / GRAIN]),
      strength: floats([this.strength], [1]),
      share: floats([1 / (w * h)], [1]),
      given: floats([moments ? 1 : 0], [1]),
      moments: moments ?? floats(new Float32Array(this.size), [1, this.size, 1, 1]),
    });
  }

  /** Strokes along the forms of a whole picture, by its luminance at a quarter of its sides. */
  private laid(seen: Luminance): Strokes {
    const { width, height } = seen;
    return { width, height, values: strokesAlong(seen, whiteRows(width, height, this.seed)) };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** @throws UserError for a model of another network than this version's, and where ONNX Runtime does not open it. */
export async function openPainter(
  model: ListedModel<StyleCard>,
  { device = 'cpu', threads = availableParallelism() }: VerbOptions,
  seed: number | string,
  strength: number,
  share = strength,
): Promise<Painter> {
  const moments = readOnnx(model.bytes).inputs.find(({ name }) => name === 'moments')?.shape[1];
  if (moments !== momentsOf(defineStyle())) throw new UserError(`the style '${model.name}' is of another version's network, which this one does not paint with; train it anew`);
  const session = await openSession(model.bytes, { device, threads }).catch((error: Error) => {
    if (error.name === 'DeviceError') throw error;
    throw new UserError(`ONNX Runtime does not open the model '${model.name}': ${error.message.split('\n')[0]}`);
  });
  return new Painter(session, seed, strength, share);
}

/** A sink that takes `share` of what is painted, and the rest of what was there. */
const fading = (source: Source, sink: Sink, share: number): Sink => (values, x, y, w, h) => {
  const before = new Float32Array(values.length);
  source.read(x, y, w, h, before);
  sink(values.map((value, i) => before[i]! + share * (value - before[i]!)), x, y, w, h);
};

/** A picture in a frame of its mirrored edges, to whole grains: what the network does worse at edges it does out of sight. */
function framed(source: Source): Source {
  const [width, height] = [source.width, source.height].map((side) => Math.ceil(side / GRAIN) * GRAIN + 2 * STYLE_FRAME) as [number, number];
  /** Where a line of the framed picture is in the picture. */
  const mirrored = (at: number, side: number): number => {
    const folded = (((at - STYLE_FRAME) % (2 * side)) + 2 * side) % (2 * side);
    return folded < side ? folded : 2 * side - 1 - folded;
  };
  return {
    width,
    height,
    read(x, y, w, h, out) {
      const columns = Array.from({ length: w }, (_, i) => mirrored(x + i, source.width));
      const rows = Array.from({ length: h }, (_, i) => mirrored(y + i, source.height));
      const [[left, right], [top, bottom]] = [bounds(columns), bounds(rows)];
      const [iw, ih] = [right - left + 1, bottom - top + 1];
      const inner = new Float32Array(3 * iw * ih);
      source.read(left, top, iw, ih, inner);
      for (let c = 0; c < 3; c++)
        for (let row = 0; row < h; row++) {
          const from = (c * ih + rows[row]! - top) * iw - left;
          const to = (c * h + row) * w;
          for (let column = 0; column < w; column++) out[to + column] = inner[from + columns[column]!]!;
        }
    },
  };
}

/** Luminance at a quarter of a picture's sides. */
function luminanceOf(source: Source): Luminance {
  const [width, height] = [source.width / GRAIN, source.height / GRAIN];
  return luminance({ width, height, data: reduce(source, width, height, GRAIN) });
}

/** Least and largest; not by spreading, for there may be many thousands. */
const bounds = (values: readonly number[]): [number, number] => values.reduce<[number, number]>(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);

/** Means of `factor` by `factor` pixels, band by band: the whole may be too large for memory. */
function reduce(source: Source, w: number, h: number, factor: number): Float32Array {
  const out = new Float32Array(3 * w * h);
  const band = { width: w * factor, height: factor, data: new Float32Array(3 * w * factor * factor) };
  for (let row = 0; row < h; row++) {
    source.read(0, row * factor, band.width, factor, band.data);
    const { data } = boxReduced(band, factor);
    for (let c = 0; c < 3; c++) out.set(data.subarray(c * w, (c + 1) * w), (c * h + row) * w);
  }
  return out;
}
