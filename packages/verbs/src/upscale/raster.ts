// A raster through an upscaler: colours and opacity apart, 8 or 16 bits in and as many out.

import type { Session } from '@zeuxis/graph';
import type { Raster } from '@zeuxis/pictures';
import { enlarge, type Sink, type Source, type TileOptions } from './tiles.js';

/** Largest sides of the pieces that a raster is cut into are the tiles'; this is how many passes over them it takes. */
export const passes = (raster: Pick<Raster, 'alpha'>): number => (raster.alpha ? 2 : 1);

/**
 * The enlarged raster, in the same colour space, depth and channels. Opacity passes through the network as a grey picture does;
 * colours of pixels that cannot be seen are first replaced by those of the nearest that can, so that they bleed into nothing.
 */
export async function enlargeRaster(session: Session, raster: Raster, options: TileOptions): Promise<Raster> {
  const { width, height, channels, alpha, depth } = raster;
  const { scale } = options;
  const samples = channels + (alpha ? 1 : 0);
  const count = width * scale * height * scale * samples;
  const large: Raster = { ...raster, width: width * scale, height: height * scale, data: depth === 16 ? new Uint16Array(count) : new Uint8Array(count) };
  const colours = alpha ? withoutHidden(raster) : raster;
  await enlarge(session, sourceOf(colours, 0, channels, options.channels), sinkTo(large, 0, channels, options.channels), options);
  if (alpha) await enlarge(session, sourceOf(raster, channels, 1, options.channels), sinkTo(large, channels, 1, options.channels), options);
  return large;
}

/** `count` samples of each pixel from the `first` on, 0 to 1, for a network of `wanted` channels: a single one is repeated. */
function sourceOf({ width, height, channels, alpha, depth, data }: Raster, first: number, count: number, wanted: number): Source {
  const samples = channels + (alpha ? 1 : 0);
  const peak = depth === 16 ? 65535 : 255;
  return {
    width,
    height,
    read(x, y, w, h, out) {
      for (let c = 0; c < wanted; c++) {
        const sample = first + Math.min(c, count - 1);
        for (let row = 0; row < h; row++) {
          let at = ((y + row) * width + x) * samples + sample;
          for (let to = (c * h + row) * w; to < (c * h + row + 1) * w; to++, at += samples) out[to] = data[at]! / peak;
        }
      }
    },
  };
}

/** The way back: where one sample was repeated, the mean of what became of it. */
function sinkTo({ width, channels, alpha, depth, data }: Raster, first: number, count: number, made: number): Sink {
  const samples = channels + (alpha ? 1 : 0);
  const peak = depth === 16 ? 65535 : 255;
  return (values, x, y, w, h) => {
    const plane = w * h;
    for (let c = 0; c < count; c++)
      for (let row = 0; row < h; row++) {
        let at = ((y + row) * width + x) * samples + first + c;
        for (let from = row * w; from < (row + 1) * w; from++, at += samples) {
          let value = values[c * plane + from]!;
          if (count < made) {
            for (let k = 1; k < made; k++) value += values[k * plane + from]!;
            value /= made;
          }
          data[at] = Math.min(peak, Math.max(0, Math.round(value * peak)));
        }
      }
  };
}

/**
 * The same raster with the colours of its wholly transparent pixels filled in from their neighbours, ring by ring from what
 * can be seen outward.
 */
function withoutHidden(raster: Raster): Raster {
  const { width, height, channels, data } = raster;
  const samples = channels + 1;
  const filled = data.slice();
  const known = new Uint8Array(width * height);
  let ring: number[] = [];
  for (let i = 0; i < known.length; i++) known[i] = data[i * samples + channels]! > 0 ? 1 : 0;
  const neighbours = (i: number): number[] => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return [x > 0 ? i - 1 : -1, x < width - 1 ? i + 1 : -1, y > 0 ? i - width : -1, y < height - 1 ? i + width : -1].filter((j) => j >= 0);
  };
  for (let i = 0; i < known.length; i++) if (!known[i] && neighbours(i).some((j) => known[j])) ring.push(i);
  while (ring.length > 0) {
    for (const i of ring)
      for (let c = 0; c < channels; c++) {
        const seen = neighbours(i).filter((j) => known[j] === 1);
        filled[i * samples + c] = Math.round(seen.reduce((sum, j) => sum + filled[j * samples + c]!, 0) / seen.length);
      }
    // Marked after the whole ring, so that its colours come from within alone.
    for (const i of ring) known[i] = 1;
    const next = new Set<number>();
    for (const i of ring) for (const j of neighbours(i)) if (!known[j]) next.add(j);
    ring = [...next];
  }
  return { ...raster, data: filled };
}
