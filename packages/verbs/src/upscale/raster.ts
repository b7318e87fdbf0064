// A raster through an upscaler: colours and opacity apart, 8 or 16 bits in and as many out.

import type { Session } from '@zeuxis/graph';
import type { Raster } from '@zeuxis/pictures';
import { fillUnknown, interleaved, seen, sinkTo, sourceOf } from '../edit/samples.js';
import { enlarge, type TileOptions } from '../edit/tiles.js';

/** How often a raster's tiles pass through the network. */
export const passes = (raster: Pick<Raster, 'alpha'>): number => (raster.alpha ? 2 : 1);

/**
 * The enlarged raster, in the same colour space, depth and channels. Opacity passes through the network as a grey picture does;
 * colours of pixels that cannot be seen are first replaced by those of the nearest that can, so that they bleed into nothing.
 */
export async function enlargeRaster(session: Session, raster: Raster, options: TileOptions): Promise<Raster> {
  const { width, height, channels, alpha, depth, data } = raster;
  const { scale, channels: wanted } = options;
  const step = channels + (alpha ? 1 : 0);
  const count = width * scale * height * scale * step;
  const large: Raster = { ...raster, width: width * scale, height: height * scale, data: depth === 16 ? new Uint16Array(count) : new Uint8Array(count) };
  const to = (first: number, n: number) => sinkTo(interleaved(large.width, large.height, large.data, step, first, n), wanted);
  const from = (values: Raster['data'], first: number, n: number) => interleaved(width, height, values, step, first, n);
  const colours = from(alpha ? data.slice() : data, 0, channels);
  if (alpha) fillUnknown(colours, seen(data, step, channels));
  await enlarge(session, sourceOf(colours, wanted), to(0, channels), options);
  if (alpha) await enlarge(session, sourceOf(from(data, channels, 1), wanted), to(channels, 1), options);
  return large;
}
