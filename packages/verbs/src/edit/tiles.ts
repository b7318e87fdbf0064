// Enlarging a picture of any size in bounded memory: tile by tile, each with as much of its surroundings as the network sees,
// so that the result is that of the whole picture. At the picture's edges a tile ends where the picture does, and meets the
// same zeros beyond it.

import { floats, type Session, type Value } from '@zeuxis/graph';
import { sampleLoops } from '@zeuxis/loops';
import { UserError } from '@zeuxis/pictures';

/** Side of a tile in px of the small picture, without its surroundings: 60 MB of activations for the largest network. */
const TILE = 192;

export interface TileOptions {
  /** Of the network. */
  scale: number;
  channels: 1 | 3;
  margin: number;
  /** Outermost pixels of a tile, its surroundings included, that the model leaves out: as much is left out of the picture. 0 by default, and `margin` at most. */
  edge?: number;
  tile?: number | Extent;
  signal?: AbortSignal | undefined;
  /** After each tile. */
  onTile?: () => void;
}

export interface Extent {
  width: number;
  height: number;
}

/** Rows that are worked on at one go: what a processor keeps at hand. */
export const ROWS = 32;

/** A picture as a function: planar values, 0 to 1, [channels, height, width], of a part of it. */
export interface Source extends Extent {
  read(x: number, y: number, width: number, height: number, out: Float32Array): void;
}

/** Takes planar values, [channels, height, width], not clamped, whose upper left corner lies at (x, y) of the large picture: at once, for they are not kept. */
export type Sink = (values: Float32Array, x: number, y: number, width: number, height: number) => void;

const extentOf = (tile: number | Extent): Extent => (typeof tile === 'number' ? { width: tile, height: tile } : tile);

/** Where the tiles of a side end. At the picture's edges one has surroundings on one side alone, and takes in as much more of the picture: all pass the model in one size but the last. */
function endsOf(side: number, tile: number, margin: number): number[] {
  const ends: number[] = [];
  let at = 0;
  while (at < side) {
    const end = at + tile + (at === 0 ? margin : 0);
    at = end + margin >= side ? side : end;
    ends.push(at);
  }
  return ends;
}

export function tileCount({ width, height }: Extent, { tile = TILE, margin }: Pick<TileOptions, 'tile' | 'margin'>): number {
  const own = extentOf(tile);
  return endsOf(width, own.width, margin).length * endsOf(height, own.height, margin).length;
}

/** A tile with its surroundings: planar values, [channels, h, w], from (x, y) of the picture on. */
export interface Tile {
  values: Float32Array;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Passes a picture through an upscaler's session into a sink. @throws UserError as `inTiles` does. */
export function enlarge(session: Session, source: Source, sink: Sink, options: TileOptions): Promise<void> {
  const run = async ({ values, w, h }: Tile) => (await session.run({ small: floats(values, [1, options.channels, h, w]) })).large!;
  return inTiles(source, sink, options, run);
}

/**
 * Passes a picture through a model into a sink, row by row of tiles.
 * @param run gives the model's picture of a tile.
 * @throws UserError where the model does not do what its card says: anybody may have written either.
 */
export async function inTiles(source: Source, sink: Sink, options: TileOptions, run: (tile: Tile) => Promise<Value>): Promise<void> {
  const { scale, channels, margin, edge = 0, signal, onTile } = options;
  const tile = extentOf(options.tile ?? TILE);
  // Memory that is used again is at hand; what is asked for anew has to be brought page by page.
  const [room, strip] = [reused(), reused()];
  const [across, down] = [endsOf(source.width, tile.width, margin), endsOf(source.height, tile.height, margin)];
  for (const [row, bottom] of down.entries())
    for (const [column, right] of across.entries()) {
      signal?.throwIfAborted();
      const [left, top] = [across[column - 1] ?? 0, down[row - 1] ?? 0];
      const [x, y] = [Math.max(0, left - margin), Math.max(0, top - margin)];
      const [w, h] = [Math.min(source.width, right + margin) - x, Math.min(source.height, bottom + margin) - y];
      const values = room(channels * w * h);
      source.read(x, y, w, h, values);
      const made = await run({ values, x, y, w, h }).catch((error: Error) => {
        throw new UserError(`the model does not take this picture: ${error.message.split('\n')[0]}`);
      });
      const [width, height] = [(w - 2 * edge) * scale, (h - 2 * edge) * scale];
      if (String(made.shape) !== String([1, channels, height, width]))
        throw new UserError(`the model makes [${made.shape}] of [1,${channels},${h},${w}], which is not ${scale} times as large as its card says`);
      if (!allFinite(made.data as Float32Array)) throw new UserError('the model makes values that are no numbers');
      // What is made begins at (x + edge, y + edge).
      const [begin, end] = [Math.max(left - x - edge, 0), Math.min(right - x - edge, w - 2 * edge)];
      const [first, last] = [Math.max(top - y - edge, 0) * scale, Math.min(bottom - y - edge, h - 2 * edge) * scale];
      for (let from = first; from < last; from += ROWS) {
        const part = { x: begin * scale, y: from, width: (end - begin) * scale, height: Math.min(ROWS, last - from) };
        const band = strip(channels * part.width * part.height);
        copyPlanar(made.data as Float32Array, channels, width, height, part, band);
        sink(band, (x + edge) * scale + part.x, (y + edge) * scale + from, part.width, part.height);
      }
      onTile?.();
    }
}

/** Gives so many values, the same ones each time as far as they suffice; what is in them is not to be relied on. */
export function reused(): (count: number) => Float32Array {
  let held = new Float32Array(0);
  return (count) => {
    if (held.length < count) held = new Float32Array(count);
    return held.subarray(0, count);
  };
}

/** Values that are looked at at one go: what a processor keeps at hand. */
const AT_HAND = 65536;

function allFinite(values: Float32Array): boolean {
  const { run, room, write } = sampleLoops();
  const [part] = room(AT_HAND);
  for (let from = 0; from < values.length; from += AT_HAND) {
    const looked = values.subarray(from, from + AT_HAND);
    write(part, looked);
    if (!run.finite(part, looked.length)) return false;
  }
  return true;
}

/** A part of planar values. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A part of planar values; of all of it the values themselves. */
export function cropPlanar(values: Float32Array, channels: number, width: number, height: number, part: Part): Float32Array {
  if (part.width === width && part.height === height) return values;
  const out = new Float32Array(channels * part.width * part.height);
  copyPlanar(values, channels, width, height, part, out);
  return out;
}

/** Copies a part of planar values to `out`. */
export function copyPlanar(values: Float32Array, channels: number, width: number, height: number, part: Part, out: Float32Array): void {
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < part.height; row++) {
      const from = (c * height + part.y + row) * width + part.x;
      out.set(values.subarray(from, from + part.width), (c * part.height + row) * part.width);
    }
}
