// Animated WebP and GIF, frame by frame.

import sharp from 'sharp';
import { MAXIMUM_PIXELS } from './claims.js';
import { UserError } from './errors.js';

export const ANIMATED_FORMATS = ['webp', 'gif'] as const;
export type AnimatedFormat = (typeof ANIMATED_FORMATS)[number];

/** Milliseconds of a frame: sharp writes no more. */
const LONGEST_DELAY = 65_535;

export interface Animation {
  width: number;
  /** Of one frame. */
  height: number;
  /** RGBA, 8 bits, opacity not multiplied in: frame below frame. */
  data: Uint8Array;
  /** Milliseconds that each frame is shown. */
  delay: number[];
  /** How often it is played; 0 is for ever. */
  loop: number;
}

/** The format of an animated picture's bytes; undefined where they are none, or a single picture. */
export async function animatedFormat(bytes: Buffer): Promise<AnimatedFormat | undefined> {
  if (!/^(GIF8|RIFF)/.test(bytes.toString('latin1', 0, 4))) return undefined;
  const { format, pages = 1 } = await sharp(bytes, { limitInputPixels: false }).metadata().catch(() => ({ format: undefined, pages: 1 }));
  return pages > 1 ? ANIMATED_FORMATS.find((known) => known === format) : undefined;
}

/**
 * @param path for messages.
 * @throws UserError for a file that is broken, or larger in all its frames than `maximumPixels`.
 */
export async function readAnimation(path: string, bytes: Buffer, maximumPixels = MAXIMUM_PIXELS): Promise<Animation> {
  const picture = sharp(bytes, { animated: true, failOn: 'error', limitInputPixels: false });
  const { width, height, pageHeight = height, pages = 1, delay = [], loop = 0 } = await picture.metadata();
  if (width * pageHeight * pages > maximumPixels)
    throw new UserError(`'${path}' has ${pages} frames of ${width}x${pageHeight}, together more than ${Math.round(maximumPixels / 1e6)} megapixels; --max-pixels raises it`);
  const { data } = await picture
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: Error) => {
      throw new UserError(`'${path}' is broken or cut short (${error.message.split('\n')[0]}); get a whole copy`);
    });
  return { width, height: pageHeight, data: new Uint8Array(data.buffer, data.byteOffset, data.length), delay: Array.from({ length: pages }, (_, i) => Math.min(LONGEST_DELAY, delay[i] ?? 100)), loop };
}

/** How far a pixel of a GIF may be from its colour (libvips' measure, 0 to 32) and stay what the frame before shows: each frame has a palette of its own, and what stands still would flicker wherever something else has new colours. */
const STILL = 8;

/** The bytes of an animated file, WebP with an XMP packet. GIF holds 256 colours a frame, without dithering, which would make still places flicker. */
export function encodeAnimation({ width, height, data, delay, loop }: Animation, format: AnimatedFormat, quality = 90, xmp?: Buffer): Promise<Buffer> {
  const frames = sharp(data, { raw: { width, height: height * delay.length, channels: 4, pageHeight: height }, limitInputPixels: false });
  if (xmp && format === 'webp') frames.withXmp(xmp.toString('utf8'));
  return (format === 'gif' ? frames.gif({ delay, loop, dither: 0, interFrameMaxError: STILL }) : frames.webp({ delay, loop, quality })).toBuffer();
}
