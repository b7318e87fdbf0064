// Pixels of networks, as they are shown, and as PNG. What a user may keep is encoded by raster-write.ts, and written by `publish` of @zeuxis/provenance.

import sharp from 'sharp';

/** Pixels, 8 bits a channel, sRGB. */
export interface Pixels {
  width: number;
  height: number;
  /** 3 is RGB, 4 is RGB and alpha. */
  channels: 3 | 4;
  /** Interleaved: width * height * channels values. */
  data: Uint8Array;
}

/** Each row filtered by what suits it (PNG, 9.2): enlarged and painted photographs are half as large, which signing's memory goes by; flat drawings a tenth larger. */
export const PNG = { adaptiveFiltering: true } as const;

/** Interleaves one planar picture [3, height, width]. */
export function interleave(planar: Uint8Array, width: number, height: number): Pixels {
  const plane = width * height;
  const data = new Uint8Array(plane * 3);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) data[i * 3 + c] = planar[c * plane + i]!;
  return { width, height, channels: 3, data };
}

/** A PNG's bytes. */
export const encodePng = ({ data, width, height, channels }: Pixels): Promise<Buffer> => sharp(data, { raw: { width, height, channels } }).png(PNG).toBuffer();
