// Thumbnails from pixels: size, means, depth, opacity.

import sharp from 'sharp';
import { expect, it } from 'vitest';
import { encodeThumbnail } from './thumbnail.js';

const decoded = async (jpeg: Buffer | undefined) => {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, at: (x: number, y: number) => [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x) * info.channels + info.channels)] };
};

it('are of 256 px at most, and there is none of what is as small', async () => {
  expect(await encodeThumbnail({ width: 256, height: 90, channels: 3, alpha: false, data: new Uint8Array(256 * 90 * 3) })).toBeUndefined();
  const small = await decoded(await encodeThumbnail({ width: 1000, height: 30, channels: 3, alpha: false, data: new Uint8Array(1000 * 30 * 3).fill(77) }));
  expect([small.width, small.height, small.at(100, 3)]).toEqual([250, 7, [77, 77, 77]]);
});

it('show what is there, in 16 bits, in grey, and on white where it is transparent', async () => {
  const [width, height] = [600, 300];
  const half = Uint16Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 65535 : 0));
  const grey = await decoded(await encodeThumbnail({ width, height, channels: 1, alpha: false, data: half }));
  expect([grey.width, grey.height]).toEqual([200, 100]);
  expect(grey.at(20, 50)[0]).toBeGreaterThan(250);
  expect(grey.at(180, 50)[0]).toBeLessThan(5);
  // Stripes a pixel wide come to their mean.
  const stripes = await decoded(await encodeThumbnail({ width: 512, height: 512, channels: 1, alpha: false, data: Uint8Array.from({ length: 512 * 512 }, (_, i) => (i % 2) * 200) }));
  expect(Math.abs(stripes.at(100, 100)[0]! - 100)).toBeLessThan(3);
  const clear = await decoded(await encodeThumbnail({ width, height, channels: 3, alpha: true, data: Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? (Math.floor(i / 4) % width < width / 2 ? 0 : 255) : i % 4 === 0 ? 200 : 0)) }));
  expect(Math.min(...clear.at(20, 50))).toBeGreaterThan(250);
  expect(clear.at(180, 50)[0]! - clear.at(180, 50)[1]!).toBeGreaterThan(150);
});
