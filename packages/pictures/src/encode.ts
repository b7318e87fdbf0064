// Encoding pixels. What a user may keep is written by `publish` of @zeuxis/provenance; this only makes its bytes.

import sharp from 'sharp';

export const PICTURE_FORMATS = ['png', 'jpeg', 'webp'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** Pixels, 8 bits a channel, sRGB. */
export interface Pixels {
  width: number;
  height: number;
  /** 3 is RGB, 4 is RGB and alpha. */
  channels: 3 | 4;
  /** Interleaved: width * height * channels values. */
  data: Uint8Array;
}

/** File extension of each format. */
export const EXTENSION: Record<PictureFormat, string> = { png: '.png', jpeg: '.jpg', webp: '.webp' };

/** Each row filtered by what suits it (PNG, 9.2): enlarged and painted photographs are half as large, which signing's memory goes by; flat drawings a tenth larger. */
export const PNG = { adaptiveFiltering: true } as const;

/** Interleaves one planar picture [3, height, width]. */
export function interleave(planar: Uint8Array, width: number, height: number): Pixels {
  const plane = width * height;
  const data = new Uint8Array(plane * 3);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) data[i * 3 + c] = planar[c * plane + i]!;
  return { width, height, channels: 3, data };
}

/** A picture file's bytes. @param quality 1 to 100, for jpeg and webp. @param xmp a packet, UTF-8, to be carried. */
export function encodePicture({ data, width, height, channels }: Pixels, format: PictureFormat, quality = 90, xmp?: Buffer): Promise<Buffer> {
  const picture = sharp(data, { raw: { width, height, channels } });
  if (xmp) picture.withXmp(xmp.toString('utf8'));
  // Colours at full resolution: at these sizes halved ones show.
  if (format === 'jpeg') return picture.flatten({ background: 'white' }).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
  if (format === 'webp') return picture.webp({ quality }).toBuffer();
  return picture.png(PNG).toBuffer();
}
