// How a way to mark pictures is measured, whichever it is: what is left of a payload after each attack, and how fast it is.

import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { Random } from '@zeuxis/nets';
import { readWatermark, writeWatermark } from '@zeuxis/provenance';
import { type Attack, image, type Pixels } from './watermark-attacks.js';
import { decoded, photographs } from './watermark-pictures.js';

/** A way to mark pictures with 64 bits, as 16 hexadecimal digits. */
export interface Scheme {
  /** Marks the pixels in place. */
  write(picture: Pixels, id: string): Promise<void>;
  /** What a file says; undefined where nothing is found. */
  read(file: Buffer): Promise<string | undefined>;
}

/** The product's own, at the strength that it is published with. */
export const BY_PUBLIC_KEY: Scheme = {
  write: async (picture, id) => {
    await writeWatermark({ ...picture, channels: 3, alpha: false }, id);
  },
  read: async (file) => (await readWatermark(file))?.id,
};

/** The same by keys of one's own: each picture by another, which is looked for as one that was one's own before. */
export function byOwnKeys(): Scheme {
  let key: KeyObject;
  return {
    write: async (picture, id) => {
      key = createSecretKey(createHash('sha256').update(id).digest());
      await writeWatermark({ ...picture, channels: 3, alpha: false }, id, { key });
    },
    read: async (file) => (await readWatermark(file, { former: [key] }))?.id,
  };
}

export interface Survival {
  /** For each attack how often the whole payload came back. */
  shares: number[];
  /** For each attack the mean share of its bits that came back right; half of them do by luck. */
  bits: number[];
  /** Each picture's, in dB. */
  psnrs: number[];
}

const psnr = (a: Uint8Array, b: Uint8Array): number => 10 * Math.log10(255 ** 2 / (a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length));
const idOf = (random: Random): string => Array.from({ length: 16 }, () => random.below(16).toString(16)).join('');

/** Share of bits that are the same. */
function agreement(a: string, b: string): number {
  let same = 0;
  for (let i = 0; i < a.length; i++) for (let bit = 1; bit < 16; bit *= 2) if (!((Number.parseInt(a[i]!, 16) ^ Number.parseInt(b[i]!, 16)) & bit)) same++;
  return same / (4 * a.length);
}

/** Marks each picture, brought to the shorter side, and attacks it in every way. */
export async function survival(scheme: Scheme, paths: readonly string[], shorter: number, attacks: readonly (readonly [string, number, Attack])[]): Promise<Survival> {
  const [hits, bits] = [attacks.map(() => 0), attacks.map(() => 0)];
  const psnrs: number[] = [];
  for (const [n, path] of paths.entries()) {
    const random = new Random(`watermark ${n}`);
    const picture = await decoded(path, shorter);
    const marked = { ...picture, data: Buffer.from(picture.data) };
    const id = idOf(random);
    await scheme.write(marked, id);
    psnrs.push(psnr(picture.data, marked.data));
    for (const [a, [, , attack]] of attacks.entries()) {
      const said = await scheme.read(await attack(image(marked), marked, random));
      if (said === id) hits[a]!++;
      bits[a]! += said === undefined ? 0.5 : agreement(said, id);
    }
  }
  const perPicture = (sums: number[]) => sums.map((sum) => sum / paths.length);
  return { shares: perPicture(hits), bits: perPicture(bits), psnrs };
}

/** Seconds by the clock, which goes on while others have the processor, and of processor time in all threads. The least of several is what it takes. */
interface Took {
  clock: number;
  processor: number;
}

async function took(work: () => Promise<unknown>): Promise<Took> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

/** How often a picture is marked and read, at least, and how many megapixels in all. */
const [LEAST_ROUNDS, MEGAPIXELS] = [6, 8];

/** The least of the times of each: marking pixels, reading a file that is marked, and reading one that is not. */
export async function speed(scheme: Scheme, sides: readonly number[]): Promise<{ name: string; value: number; unit: string }[]> {
  const path = (await photographs(1))[0]!;
  const rows: { name: string; value: number; unit: string }[] = [];
  for (const shorter of sides) {
    const picture = await decoded(path, shorter);
    const megapixels = (picture.width * picture.height) / 1e6;
    const [writes, reads, searches]: [Took[], Took[], Took[]] = [[], [], []];
    const bare = await image(picture).png({ compressionLevel: 1 }).toBuffer();
    // As of a batch: the first dozens of small ones are over before what runs has been compiled well.
    for (let i = 0; i < Math.max(LEAST_ROUNDS, MEGAPIXELS / megapixels); i++) {
      const marked = { ...picture, data: Buffer.from(picture.data) };
      writes.push(await took(() => scheme.write(marked, '0123456789abcdef')));
      const file = await image(marked).png({ compressionLevel: 1 }).toBuffer();
      reads.push(await took(() => scheme.read(file)));
      searches.push(await took(() => scheme.read(bare)));
    }
    const size = `${picture.width}x${picture.height}`;
    const least = (times: Took[], by: keyof Took) => Math.min(...times.map((time) => time[by]));
    rows.push({ name: `written, ${size}`, value: megapixels / least(writes, 'clock'), unit: `megapixels/s (${(megapixels / least(writes, 'processor')).toPrecision(3)} by processor time)` });
    for (const [name, times] of [['read', reads], ['not found', searches]] as const)
      rows.push({ name: `${name}, ${size}`, value: least(times, 'clock') / megapixels, unit: `s/megapixel (${(least(times, 'processor') / megapixels).toPrecision(3)} by processor time)` });
  }
  return rows;
}
