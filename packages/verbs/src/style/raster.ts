// A raster through a painter: 8 or 16 bits in and as many out, grey made colour, opacity as it was.

import { type Animation, LUMA, type Raster } from '@zeuxis/pictures';
import { fillUnknown, interleaved, seen, sinkTo, sourceOf } from '../edit/samples.js';
import type { Sink } from '../edit/tiles.js';
import type { Manner, PaintOptions, Paints } from './painter.js';

export interface PaintRasterOptions extends PaintOptions {
  keepColour: boolean;
  /** Grey, of the raster's size. */
  mask: Raster | undefined;
}

export async function paintRaster(painter: Paints, raster: Raster, { keepColour, mask, ...options }: PaintRasterOptions, manner?: Manner): Promise<Raster> {
  const { width, height, channels, alpha, depth, data, icc, ...rest } = raster;
  const step = channels + (alpha ? 1 : 0);
  // What cannot be seen must not be painted from: upscaling has the same trouble.
  const colours = interleaved(width, height, alpha ? data.slice() : data, step, 0, channels);
  if (alpha) fillUnknown(colours, seen(data, step, channels));
  const source = sourceOf(colours, 3);
  const made = 3 + (alpha ? 1 : 0);
  const count = width * height * made;
  // A profile for grey does not fit colours.
  const picture: Raster = { ...rest, ...(icc && channels === 3 ? { icc } : {}), width, height, channels: 3, alpha, depth, data: depth === 16 ? new Uint16Array(count) : new Uint8Array(count) };
  const put = sinkTo(interleaved(width, height, picture.data, made, 0, 3), 3);
  const shown = mask && sourceOf(interleaved(width, height, mask.data, 1 + (mask.alpha ? 1 : 0), 0, 1), 1);
  const sink: Sink = (values, x, y, w, h) => {
    if (keepColour || shown) {
      const before = new Float32Array(3 * w * h);
      source.read(x, y, w, h, before);
      if (keepColour) recolour(values, before);
      if (shown) {
        const covers = new Float32Array(w * h);
        shown.read(x, y, w, h, covers);
        for (let i = 0; i < values.length; i++) values[i] = before[i]! + covers[i % (w * h)]! * (values[i]! - before[i]!);
      }
    }
    put(values, x, y, w, h);
  };
  await painter.paint(source, sink, options, manner);
  if (alpha) for (let i = 0; i < width * height; i++) picture.data[i * made + 3] = data[i * step + channels]!;
  return picture;
}

/** The luma of `values` with the chroma of `colours` (BT.601), planar, in place. */
function recolour(values: Float32Array, colours: Float32Array): void {
  const plane = values.length / 3;
  for (let i = 0; i < plane; i++) {
    let lighter = 0;
    for (let c = 0; c < 3; c++) lighter += LUMA[c]! * (values[c * plane + i]! - colours[c * plane + i]!);
    for (let c = 0; c < 3; c++) values[c * plane + i] = colours[c * plane + i]! + lighter;
  }
}

/** Frames whose manner is taken for all: evenly chosen. */
const MEASURED_FRAMES = 8;

/** An animation, frame by frame, in a manner that all frames share: what stands still does not flicker. */
export async function paintAnimation(painter: Paints, animation: Animation, options: PaintRasterOptions): Promise<Animation> {
  const { width, height, data, delay } = animation;
  const size = width * height * 4;
  const frame = (n: number): Raster => ({ width, height, channels: 3, alpha: true, depth: 8, data: data.subarray(n * size, (n + 1) * size), format: 'png' });
  const count = Math.min(MEASURED_FRAMES, delay.length);
  const chosen = Array.from({ length: count }, (_, i) => frame(Math.floor((i * delay.length) / count)));
  const manner = await painter.mannerOver(
    chosen.map((raster) => {
      const colours = interleaved(width, height, raster.data.slice() as Uint8Array, 4, 0, 3);
      fillUnknown(colours, seen(raster.data, 4, 3));
      return sourceOf(colours, 3);
    }),
    { ...(options.seed === undefined ? {} : { seed: options.seed }), signal: options.signal },
  );
  const out = new Uint8Array(data.length);
  for (let n = 0; n < delay.length; n++) out.set((await paintRaster(painter, frame(n), options, manner)).data, n * size);
  return { ...animation, data: out };
}
