// Scaling pictures for a network of a fixed side.

import sharp from 'sharp';
import { interleave } from './encode.js';

/**
 * Planar RGB pictures [n, 3, size, size] in another size, [n, 3, height, width]: libvips's linear kernel, which reduces
 * with antialiasing and enlarges bilinearly. Measures depend on it (Parmar et al., On aliased resizing, 2022): real and
 * generated pictures must go through the same.
 */
export async function resizePlanar(pictures: Uint8Array, size: number, width: number, height: number): Promise<Uint8Array> {
  if (width === size && height === size) return pictures;
  const [each, plane] = [3 * size * size, width * height];
  const count = pictures.length / each;
  const out = new Uint8Array(count * 3 * plane);
  const one = async (k: number) => {
    const { data } = interleave(pictures.subarray(k * each, (k + 1) * each), size, size);
    const scaled = await sharp(data, { raw: { width: size, height: size, channels: 3 } })
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) out[(k * 3 + c) * plane + i] = scaled[i * 3 + c]!;
  };
  await Promise.all(Array.from({ length: count }, (_, k) => one(k)));
  return out;
}
