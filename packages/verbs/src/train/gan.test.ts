// Training at the boundary a user sees: a folder of pictures in, a run folder out. The pictures are drawn here.

import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GanState } from '@zeuxis/nets';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../models.js';
import type { Progress } from '../progress.js';
import { readCheckpoint } from './checkpoint.js';
import { type TrainGanOptions, trainGan } from './gan.js';

let home: string;
const rights = { text: 'drawn by this test', name: 'the test' };
const train = (out: string, options: Partial<TrainGanOptions> = {}) =>
  trainGan({ pictures: join(home, 'pictures'), out: join(home, out), cache: join(home, 'cache'), size: 32, batch: 8, images: 64, rights, threads: 1, snapshots: 4, ...options });
const bytesOf = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-train-'));
  for (const [label, shape] of [
    ['disc', (hue: number) => `<circle cx="20" cy="20" r="14" fill="hsl(${hue},80%,50%)"/>`],
    ['square', (hue: number) => `<rect x="8" y="8" width="24" height="24" fill="hsl(${hue},80%,50%)"/>`],
  ] as const) {
    await mkdir(join(home, 'pictures', label), { recursive: true });
    for (let i = 0; i < 20; i++)
      await sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#eee"/>${shape(i * 18)}</svg>`))
        .png()
        .toFile(join(home, 'pictures', label, `${i}.png`));
  }
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('trainGan', () => {
  it('leaves a model with its card, metrics, marked grids, a report and a checkpoint', async () => {
    const events: Progress[] = [];
    const result = await train('whole', { onProgress: (event) => events.push(event), licence: 'CC0-1.0' });
    expect(result).toMatchObject({ finished: true, images: 64 });
    expect((await readdir(join(home, 'whole'))).sort()).toEqual(['checkpoint', 'grids', 'metrics.jsonl', 'model.onnx', 'report.html']);
    const { card, name } = await openModel(join(home, 'whole'));
    expect(name).toBe('whole');
    expect(card).toMatchObject({ task: 'gan', size: 32, labels: ['disc', 'square'], images: 64, steps: 8, licence: 'CC0-1.0', trainingSet: { name: 'pictures', pictures: 40, rights } });
    expect(card.trainingSet.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    const metrics = (await readFile(join(home, 'whole', 'metrics.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
    expect(metrics.at(-1)).toMatchObject({ images: 64 });
    const grids = await readdir(join(home, 'whole', 'grids'));
    expect(grids.sort()).toEqual(['000000000.webp', '000000016.webp', '000000032.webp', '000000048.webp', '000000064.webp']);
    // Two columns of 32 px, thrice enlarged, in six rows, and the strip below that says what it is.
    expect(await sharp(join(home, 'whole', 'grids', grids[0]!)).metadata()).toMatchObject({ width: 2 * 98 + 2, height: 6 * 98 + 2 + 18 });
    const report = await readFile(join(home, 'whole', 'report.html'), 'utf8');
    expect(report).toContain('drawn by this test');
    expect(report).not.toMatch(/(src|href)="http/);
    expect(events.some(({ stage, values }) => stage === 'train' && Number.isFinite(values?.['G loss']))).toBe(true);
  });

  it.each([1, 2])('goes on after a stop bit for bit as if it had never stopped, begun with %i threads', async (threads) => {
    const [straight, halved] = ['straight', 'halved'].map((name) => `${name}-${threads}`) as [string, string];
    await train(straight, { threads });
    const controller = new AbortController();
    const stopped = await train(halved, {
      threads,
      licence: 'CC0-1.0',
      signal: controller.signal,
      onProgress: ({ stage, done }) => stage === 'train' && done === 32 && controller.abort(),
    });
    expect(stopped).toMatchObject({ finished: false, images: 32 });
    // Nothing but where the pictures are: the checkpoint knows the rest.
    const resumed = await trainGan({ pictures: join(home, 'pictures'), out: join(home, halved), cache: join(home, 'cache'), threads: 1, resume: true });
    expect(resumed).toMatchObject({ finished: true, images: 64, card: { licence: 'CC0-1.0' } });
    expect((await readdir(join(home, 'cache'))).filter((file) => file.endsWith('.pixels'))).toHaveLength(1);
    const [a, b] = await Promise.all([straight, halved].map((run) => readCheckpoint<unknown, GanState>(join(home, run, 'checkpoint'), 'gan')));
    for (const [name, vector] of Object.entries(a!.state.vectors))
      expect(bytesOf(vector).equals(bytesOf(b!.state.vectors[name as 'generator'])), name).toBe(true);
    expect(b!.state).toMatchObject({ images: 64, steps: 8, betaProduct: a!.state.betaProduct });
  });

  it('stops at a loss that is no number, keeps the last good checkpoint and says what to turn', async () => {
    await expect(train('wild', { rateScale: 1e30 })).rejects.toThrow(/diverged.*--rate-scale/);
    const { state } = await readCheckpoint(join(home, 'wild', 'checkpoint'), 'gan');
    for (const vector of Object.values(state.vectors)) expect(vector.every(Number.isFinite)).toBe(true);
    await expect(openModel(join(home, 'wild'))).resolves.toBeDefined();
  });

  it.each([
    ['a run that is there already', {}, /already holds a run; add --resume/],
    ['another size on resume', { resume: true, size: 64 }, /begun with --size 32, not 64/],
    ['another preset on resume', { resume: true, preset: 'nonsense' as never }, /begun with --preset fast/],
    ['another seed on resume', { resume: true, seed: 8 }, /begun with --seed 0, not 8/],
    ['another weight of the penalty on resume', { resume: true, gammaScale: 2 }, /begun with --gamma-scale 1, not 2/],
    ['other rights on resume', { resume: true, rights: { text: 'found', name: 'somebody' } }, /begun with --rights drawn by this test, the test/],
    ['to go on with what is over', { resume: true }, /come to its end, after 64 pictures/],
    ['a batch that no memory holds', { batch: 100_000 }, /--batch must be at most 1024/],
    ['a fraction of a step', { penaltyEvery: 0.5 }, /--penalty-every must be a whole number/],
    ['both lengths', { minutes: 1 }, /--images or --minutes/],
    ['no length at all', { images: 0 }, /--images must be more than 0/],
  ])('refuses %s', async (_, options, message) => {
    await expect(train('whole', options)).rejects.toThrow(message);
  });

  it('takes the seed as text on resume, as the command gives it, and a longer run', async () => {
    await train('longer', { images: 16 });
    await expect(train('longer', { resume: true, seed: '0', images: 32 })).resolves.toMatchObject({ finished: true, images: 32 });
  });

  it('refuses a device that is not there before it reads a picture, and leaves nothing', async () => {
    await expect(train('elsewhere/deep', { device: 'abacus', pictures: join(home, 'nowhere') })).rejects.toThrow(/'abacus' is not available/);
    await expect(train('elsewhere/deep', { pictures: join(home, 'nowhere') })).rejects.toThrow(/no folder/);
    await expect(train(join('pictures', 'disc', 'run'))).rejects.toThrow(/lies in the pictures' folder/);
    await expect(readdir(join(home, 'elsewhere'))).rejects.toThrow(/ENOENT/);
  });

  it('shows some of many labels in a grid', async () => {
    for (let i = 0; i < 70; i++) {
      await mkdir(join(home, 'many', `label${i}`), { recursive: true });
      await sharp({ create: { width: 32, height: 32, channels: 3, background: { r: i * 3, g: 90, b: 40 } } }).png().toFile(join(home, 'many', `label${i}`, 'a.png'));
    }
    const { card } = await train('crowd', { pictures: join(home, 'many'), images: 8 });
    expect(card.labels).toHaveLength(70);
    expect(await sharp(join(home, 'crowd', 'grids', '000000008.webp')).metadata()).toMatchObject({ width: 24 * 98 + 2 });
  });

  it('refuses an unknown preset, an odd size and missing rights before it reads a picture', async () => {
    await expect(train('new', { preset: 'nonsense' as never })).rejects.toThrow(/no preset 'nonsense'; choose/);
    await expect(train('new', { size: 48 })).rejects.toThrow(/48 px; choose 32, 64, 128, 256/);
    await expect(train('new', { rights: undefined } as never)).rejects.toThrow(/state the right/);
    await expect(readdir(join(home, 'new'))).rejects.toThrow(/ENOENT/);
  });

  it('refuses a damaged checkpoint, one of other pictures, and one that is not there', async () => {
    await train('damaged');
    const path = join(home, 'damaged', 'checkpoint');
    const whole = await readFile(path);
    await truncate(path, whole.length - 100);
    await expect(train('damaged', { resume: true })).rejects.toThrow(/damaged/);
    whole[whole.length - 5]! ^= 1;
    await writeFile(path, whole);
    await expect(train('damaged', { resume: true })).rejects.toThrow(/damaged/);
    await writeFile(path, 'something else altogether');
    await expect(train('damaged', { resume: true })).rejects.toThrow(/no checkpoint of this version/);
    await expect(train('nowhere', { resume: true })).rejects.toThrow(/start without --resume/);
    await rm(join(home, 'pictures', 'disc', '0.png'));
    await expect(train('straight-1', { resume: true, images: 128 })).rejects.toThrow(/not those of the checkpoint/);
  });
});
