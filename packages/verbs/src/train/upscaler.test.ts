// Training an upscaler at the boundary a user sees: a folder of pictures in, a run folder out, and a model that is measured.

import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SharpenState, UpscalerState } from '@zeuxis/nets';
import { bicubic, readPlane } from '@zeuxis/pictures';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateUpscaler } from '../upscale/evaluate.js';
import { findUpscaler, openUpscaler } from '../upscale/session.js';
import { readCheckpoint } from './checkpoint.js';
import { type TrainUpscalerOptions, trainUpscaler } from './upscaler.js';

let home: string;
const rights = { text: 'drawn by this test', name: 'the test' };
const train = (out: string, options: Partial<TrainUpscalerOptions> = {}) =>
  trainUpscaler({ pictures: join(home, 'pictures'), out: join(home, out), cache: join(home, 'cache'), scale: 2, preset: 'fast', crop: 12, batch: 4, images: 32, rights, threads: 1, snapshots: 2, ...options });
const bytesOf = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

/** Shapes as a camera would see them, whose edges bicubic blurs further. */
const drawing = (seed: number) => {
  const shapes = Array.from({ length: 14 }, (_, i) => {
    const [x, y, r] = [(i * 37 + seed * 11) % 96, (i * 53 + seed * 29) % 96, 4 + ((i * 7 + seed) % 14)];
    return i % 2 ? `<circle cx="${x}" cy="${y}" r="${r}" fill="hsl(${i * 40 + seed * 7},30%,${30 + i * 3}%)"/>` : `<rect x="${x}" y="${y}" width="${r}" height="${r * 2}" fill="hsl(${i * 25},20%,${70 - i * 4}%)"/>`;
  });
  return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><rect width="96" height="96" fill="#e8e4da"/>${shapes.join('')}</svg>`)).blur(0.8).removeAlpha();
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-train-upscaler-'));
  await mkdir(join(home, 'pictures'));
  for (let i = 0; i < 8; i++) await drawing(i).png().toFile(join(home, 'pictures', `${i}.png`));
  await mkdir(join(home, 'pairs'));
  await drawing(99).png().toFile(join(home, 'pairs', '001-hr.png'));
  const truth = await readPlane(join(home, 'pairs', '001-hr.png'));
  const { width, height, data } = bicubic(truth, 1 / 2);
  await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(join(home, 'pairs', '001-lr.png'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('trainUpscaler', () => {
  it('learns within a minute to be better than bicubic on a drawing it has not seen', async () => {
    const { card, finished } = await train('drawings', { images: 6400, batch: 16, crop: 16, threads: 2 });
    expect(finished).toBe(true);
    expect(card).toMatchObject({ task: 'upscaler', scale: 2, channels: 3, preset: 'fast', steps: 400, crop: 16, trainingSet: { pictures: 8, rights } });
    expect((await readdir(join(home, 'drawings'))).sort()).toEqual(['checkpoint', 'grids', 'metrics.jsonl', 'model.onnx', 'report.html']);
    const { mean, each } = await evaluateUpscaler(await findUpscaler(join(home, 'drawings')), join(home, 'pairs'));
    expect(each).toHaveLength(1);
    expect(mean.model.psnr).toBeGreaterThan(mean.bicubic.psnr + 0.5);
    const [grid] = (await readdir(join(home, 'drawings', 'grids'))).sort();
    // Three columns of 32 px, thrice enlarged, in six rows, and the strip below that says what it is.
    expect(await sharp(join(home, 'drawings', 'grids', grid!)).metadata()).toMatchObject({ width: 3 * 98 + 2, height: 6 * 98 + 2 + 18 });
    const report = await readFile(join(home, 'drawings', 'report.html'), 'utf8');
    expect(report).toContain('Columns: bicubic, this network, the truth');
    expect(report).toContain('drawn by this test');
  });

  it('goes on after a stop bit for bit as if it had never stopped', async () => {
    await train('straight');
    const controller = new AbortController();
    const stopped = await train('halved', { signal: controller.signal, onProgress: ({ stage, done }) => stage === 'train' && done === 16 && controller.abort() });
    expect(stopped).toMatchObject({ finished: false, images: 16 });
    // Nothing but where the pictures are: the checkpoint knows the rest.
    const resumed = await trainUpscaler({ pictures: join(home, 'pictures'), out: join(home, 'halved'), cache: join(home, 'cache'), threads: 1, resume: true });
    expect(resumed).toMatchObject({ finished: true, images: 32 });
    const [a, b] = await Promise.all(['straight', 'halved'].map((run) => readCheckpoint<unknown, UpscalerState>(join(home, run, 'checkpoint'), 'upscaler')));
    for (const [name, vector] of Object.entries(a!.state.vectors)) expect(bytesOf(vector).equals(bytesOf(b!.state.vectors[name as 'weights'])), name).toBe(true);
  });

  it('stops at a loss that is no number and says what to turn', async () => {
    await expect(train('wild', { rateScale: 1e30 })).rejects.toThrow(/diverged.*--rate-scale/);
    await expect(findUpscaler(join(home, 'wild'))).resolves.toBeDefined();
  });

  it('trains for grey, and from degraded pictures', async () => {
    const { card } = await train('grey', { grey: true, degrade: 'photo', scale: 4, crop: 8 });
    expect(card).toMatchObject({ channels: 1, scale: 4, degradation: 'photo' });
  });

  it('is sharpened against a discriminator, stopped and resumed, and blends by detail', async () => {
    await train('faithful');
    const sharpen = { sharpen: join(home, 'faithful'), scale: undefined, preset: undefined, crop: undefined, images: 16, adversarial: 0.5, rateScale: 5, rights: { text: 'drawn too', name: 'another' } } as never;
    const { card } = await train('sharp', sharpen);
    expect(card).toMatchObject({ images: 32, crop: 12, trainingSet: { rights }, sharpened: { images: 16, steps: 4, trainingSet: { rights: { name: 'another' } } } });
    const controller = new AbortController();
    await train('sharp-halved', { ...(sharpen as object), signal: controller.signal, onProgress: ({ stage, done }) => stage === 'train' && done === 8 && controller.abort() });
    await trainUpscaler({ pictures: join(home, 'pictures'), out: join(home, 'sharp-halved'), cache: join(home, 'cache'), threads: 1, resume: true });
    const [a, b] = await Promise.all(['sharp', 'sharp-halved'].map((run) => readCheckpoint<unknown, SharpenState>(join(home, run, 'checkpoint'), 'upscaler')));
    for (const [name, vector] of Object.entries(a!.state.vectors)) expect(bytesOf(vector).equals(bytesOf(b!.state.vectors[name as 'weights'])), name).toBe(true);
    const model = await findUpscaler(join(home, 'sharp'));
    const draw = async (of: typeof model, detail: number) => {
      const session = await openUpscaler(of, { threads: 1 }, detail);
      const small = { data: Float32Array.from({ length: 3 * 144 }, (_, i) => (i * 37 % 101) / 101), shape: [1, 3, 12, 12], type: 'float32' as const };
      return (await session.run({ small }).finally(() => session.close())).large!.data as Float32Array;
    };
    const apart = (x: Float32Array, y: Float32Array) => x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0);
    const [none, half, all] = [await draw(model, 0), await draw(model, 0.5), await draw(model, 1)];
    expect(apart(none, await draw(await findUpscaler(join(home, 'faithful')), 0))).toBe(0);
    expect(apart(none, all)).toBeGreaterThan(1e-4);
    expect(apart(none, half)).toBeLessThan(apart(none, all));
    await expect(draw(await findUpscaler(join(home, 'faithful')), 0.5)).rejects.toThrow(/was not sharpened/);
    await expect(train('twice', { ...(sharpen as object), preset: 'best' } as never)).rejects.toThrow(/is of fast; leave --preset/);
    await expect(train('twice', { ...(sharpen as object), sharpen: join(home, 'nowhere') } as never)).rejects.toThrow(/no run in .* to be sharpened/);
    await expect(train('twice', { ...(sharpen as object), sharpen: join(home, 'sharp') })).rejects.toThrow(/has sharpened already/);
    await expect(train('odd', { ...(sharpen as object), crop: 13 } as never)).rejects.toThrow(/--crop 13 at scale 2 is no multiple of 8 px/);
  });

  it.each([
    ['a run that is there already', {}, /already holds a run; add --resume/],
    ['another scale on resume', { resume: true, scale: 3 }, /begun with --scale 2, not 3/],
    ['another way to degrade on resume', { resume: true, degrade: 'photo' as const }, /begun with --degrade bicubic, not photo/],
    ['to go on with what is over', { resume: true }, /come to its end, after 32 pictures/],
  ])('refuses %s', async (_, options, message) => {
    await expect(train('straight', options)).rejects.toThrow(message);
  });

  it.each([
    ['a scale that there is none of', { scale: 5 }, /no network for scale 5; choose 2, 3, 4/],
    ['no scale', { scale: undefined } as never, /how many times larger/],
    ['an unknown preset', { preset: 'nonsense' as never }, /no preset 'nonsense'; choose fast or best/],
    ['an unknown degradation', { degrade: 'rain' as never }, /no degradation 'rain'; choose bicubic or photo/],
    ['missing rights', { rights: undefined } as never, /state the right/],
    ['pictures smaller than a crop', { crop: 64 }, /holds no usable picture/],
  ])('refuses %s, and leaves nothing', async (_, options, message) => {
    await expect(train('new', options)).rejects.toThrow(message);
    await expect(readdir(join(home, 'new'))).rejects.toThrow(/ENOENT/);
  });

  it('does not take a GAN\'s run for its own', async () => {
    await expect(readCheckpoint(join(home, 'straight', 'checkpoint'), 'gan')).rejects.toThrow(/is of `train upscaler`, not of `train gan`/);
  });
});
