// Reading a picture of 8 bits for measuring: upright, without colour management, nothing but its samples.

import { readFile } from 'node:fs/promises';
import type { Plane } from './bicubic.js';
import { openPicture } from './claims.js';
import { UserError } from './errors.js';

/** Weights of red, green and blue in luma (ITU-R BT.601), over all of 0 to 255 as in JPEG. libvips's 'b-w' is another: it goes through linear light. */
export const LUMA = [0.299, 0.587, 0.114] as const;

/** Interleaved samples, grey or RGB, without alpha. @throws UserError naming a file that cannot be read as a picture. */
export async function readPlane(path: string): Promise<Plane<Uint8Array>> {
  try {
    const { picture } = await openPicture(await readFile(path));
    const { data, info } = await picture.removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: info.channels, data };
  } catch (error) {
    throw new UserError(`'${path}' cannot be read as a picture: ${(error as Error).message.split('\n')[0]}`);
  }
}
