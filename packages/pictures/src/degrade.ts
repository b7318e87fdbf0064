// What happens to photographs on their way to a small file: a soft lens, reduction, a noisy sensor, JPEG (after Zhang et al.,
// BSRGAN, 2021, in one pass and with milder ranges: what is undone must still be guessed from what is left).

import sharp from 'sharp';
import { bicubic, type Plane } from './bicubic.js';

/** Uniform numbers from 0 to 1, the same for the same seed (Mulberry32, Ettinger, 2017). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Largest deviations: of the blur in px of the reduced picture, of the noise in 255ths; qualities of JPEG. */
const [BLUR, NOISE, QUALITY] = [0.6, 6, { worst: 55, best: 95 }];
/** How often each happens. */
const CHANCE = { blur: 0.8, noise: 0.6, jpeg: 0.75 };

/** The reduced picture, degraded by chance; equal seeds degrade alike. */
export async function degradePhoto(large: Plane<Uint8Array>, scale: number, seed: number): Promise<Plane<Uint8Array>> {
  const random = uniforms(seed);
  const chance = (of: number) => random() < of;
  const { width, height } = large;
  const channels = large.channels as 1 | 3;
  const raw = { width, height, channels };
  let { data } = large;
  // sharp takes deviations from 0.3 on.
  const sigma = random() * BLUR * scale;
  if (chance(CHANCE.blur) && sigma >= 0.3) data = await sharp(data, { raw }).blur(sigma).toColourspace(channels === 1 ? 'b-w' : 'srgb').raw().toBuffer();
  const small = bicubic({ ...large, data }, 1 / scale);
  const [noisy, grey, deviation] = [chance(CHANCE.noise), chance(0.5), random() * NOISE];
  if (noisy)
    for (let i = 0; i < small.data.length; i += channels) {
      const common = deviation * normal(random);
      for (let c = 0; c < channels; c++) {
        const value = small.data[i + c]! + (grey ? common : deviation * normal(random));
        small.data[i + c] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  if (!chance(CHANCE.jpeg)) return small;
  const quality = Math.round(QUALITY.worst + random() * (QUALITY.best - QUALITY.worst));
  const file = await sharp(small.data, { raw: { width: small.width, height: small.height, channels } }).jpeg({ quality }).toBuffer();
  const decoded = await sharp(file).toColourspace(channels === 1 ? 'b-w' : 'srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  if (decoded.info.channels !== channels) throw new Error(`${decoded.info.channels} channels where ${channels} were encoded`);
  return { ...small, data: decoded.data };
}

/** Standard normal, of Box and Muller's pair the first. */
const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
