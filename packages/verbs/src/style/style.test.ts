// Style at the boundary a user sees: a painting and photographs in, a run folder out; photographs in, signed paintings out.

import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineStyle, Random, type StyleState, strokesAlong, styleWeights, whiteRows } from '@zeuxis/nets';
import { verify } from '@zeuxis/provenance';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Source } from '../edit/tiles.js';
import { findModel, findStyle, named } from '../models.js';
import type { Progress } from '../progress.js';
import { readCheckpoint } from '../train/checkpoint.js';
import { type TrainStyleOptions, trainStyle } from '../train/style.js';
import { evaluateStyle } from './evaluate.js';
import { Painter, STYLE_MARGIN } from './painter.js';
import { layStrokes } from './strokes.js';
import { type StyleOptions, style } from './style.js';

let home: string;
const at = (...path: string[]) => join(home, ...path);
const rights = { text: 'drawn by this test', name: 'the test' };
const train = (out: string, options: Partial<TrainStyleOptions> = {}) =>
  trainStyle({ pictures: at('painting.png'), content: at('photographs'), out: at(out), images: 8, batch: 2, crop: 96, scale: 0.3, rights, threads: 1, snapshots: 2, ...options });
const paint = (options: Partial<StyleOptions> & Pick<StyleOptions, 'inputs'>) =>
  style({ out: at('out'), model: at('run'), identityFolder: at('identity'), threads: 1, overwrite: true, ...options });
const pixels = async (path: string) => (await sharp(path).raw().toBuffer()) as Uint8Array;

const strokes = (hue: number) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="160"><rect width="200" height="160" fill="hsl(${hue},60%,40%)"/>${Array.from({ length: 60 }, (_, i) => `<path d="M${(i * 37) % 200} ${(i * 53) % 160} q 12 -9 24 3" stroke="hsl(${(hue + i * 7) % 360},80%,${30 + (i % 5) * 10}%)" stroke-width="5" fill="none"/>`).join('')}</svg>`;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-style-'));
  await sharp(Buffer.from(strokes(220))).png().toFile(at('painting.png'));
  await mkdir(at('photographs'));
  for (let i = 0; i < 4; i++)
    await sharp({ create: { width: 120, height: 90, channels: 3, background: `hsl(${i * 80}, 30%, 60%)`, noise: { type: 'gaussian', mean: 120, sigma: 30 } } }).png().toFile(at('photographs', `${i}.png`));
  await train('run', { licence: 'CC0-1.0' });
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('trainStyle', () => {
  it('leaves a model with its card, metrics, grids, a report and a checkpoint', async () => {
    expect((await readdir(at('run'))).sort()).toEqual(['checkpoint', 'grids', 'metrics.jsonl', 'model.onnx', 'report.html']);
    const result = await train('other', { images: 4 });
    expect(result).toMatchObject({
      finished: true,
      images: 4,
      card: { task: 'style', steps: 2, painted: 144, crop: 96, trainingSet: { name: 'painting.png', pictures: 1, rights }, content: { name: 'photographs', pictures: 4 } },
    });
    expect(await readFile(at('other', 'report.html'), 'utf8')).toContain('a crop of the paintings');
  });

  it('keeps what is typical of its photographs among the weights', async () => {
    const { state } = await readCheckpoint<unknown, StyleState>(at('run', 'checkpoint'), 'style');
    const { offset } = defineStyle().table.find(({ name }) => name === 'out.typical.variance')!;
    for (const weights of [state.vectors.weights, state.vectors.average]) for (const variance of weights.subarray(offset, offset + 3)) expect(variance).not.toBe(1);
  });

  it.each([1, 2])('goes on after a stop bit for bit as if it had never stopped, begun with %i threads', async (threads) => {
    const [straight, halved] = [`straight-${threads}`, `halved-${threads}`];
    await train(straight, { threads, batch: 8, images: 16 });
    const controller = new AbortController();
    const stopped = await train(halved, { threads, batch: 8, images: 16, signal: controller.signal, onProgress: ({ stage, done }) => stage === 'train' && done === 8 && controller.abort() });
    expect(stopped).toMatchObject({ finished: false, images: 8 });
    const resumed = await trainStyle({ pictures: at('painting.png'), content: at('photographs'), out: at(halved), threads: 1, resume: true });
    expect(resumed).toMatchObject({ finished: true, images: 16 });
    const [a, b] = await Promise.all([straight, halved].map((run) => readCheckpoint<unknown, StyleState>(at(run, 'checkpoint'), 'style')));
    expect(b!.state).toEqual(a!.state);
  });

  it('turns its weights when it is resumed, and nothing else', async () => {
    await train('turned', { images: 4, patches: 0 });
    const resumed = await train('turned', { images: 8, patches: 2, palette: 9, resume: true });
    expect(resumed).toMatchObject({ finished: true, images: 8, card: { patches: 2, palette: 9, strokes: 1, contentWeight: 1.5 } });
    await expect(train('turned', { images: 12, scale: 0.4, resume: true })).rejects.toThrow(/was begun with --scale 0.3, not 0.4/);
  });

  it("begins with another style's weights, and names what went into that", async () => {
    await writeFile(at('second-painting.png'), await sharp(Buffer.from(strokes(20))).resize(200, 160).png().toBuffer());
    const began = await findStyle(at('run'));
    const { card } = await train('warm', { pictures: at('second-painting.png'), from: at('run'), images: 1 });
    expect(card.from).toMatchObject({ name: 'run', sha256: began.sha256, licence: 'CC0-1.0', trainingSets: [{ name: 'painting.png' }, { name: 'photographs' }] });
    // The photographs are the same, and named once.
    expect(named(await findModel(at('warm'))).trained!.map(({ name }) => name)).toEqual(['second-painting.png', 'photographs', 'painting.png']);
    const first = async (run: string) => (await readCheckpoint<unknown, StyleState>(at(run, 'checkpoint'), 'style')).state.vectors.weights;
    const far = (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length);
    await train('cold', { pictures: at('second-painting.png'), images: 1 });
    const [warm, cold, run] = [await first('warm'), await first('cold'), styleWeights(defineStyle(), began.bytes)!];
    expect(far(warm, run)).toBeLessThan(far(cold, run) / 4);
    // A chain names all that went in, and goes on when it is resumed.
    await train('chain', { from: at('warm'), images: 1 });
    const { card: chained } = await trainStyle({ pictures: at('painting.png'), content: at('photographs'), out: at('chain'), threads: 1, images: 4, resume: true });
    expect(chained).toMatchObject({ images: 4, from: { name: 'warm', licence: 'unstated' } });
    expect(named(await findModel(at('chain'))).trained!.map(({ name }) => name).sort()).toEqual(['painting.png', 'photographs', 'second-painting.png']);
    await expect(train('warm', { pictures: at('second-painting.png'), from: at('run'), images: 4, resume: true })).rejects.toThrow(/--from is for new runs/);
    await expect(train('odd', { from: 'photo-x2' })).rejects.toThrow(/is no style but a model for upscaler/);
  });

  it('leaves out the painting where it lies among the photographs, and what forbids training', async () => {
    await mkdir(at('mixed'));
    for (const name of ['0.png', '1.png']) await writeFile(at('mixed', name), await readFile(at('photographs', name)));
    await writeFile(at('mixed', 'copy.png'), await readFile(at('painting.png')));
    await sharp(at('painting.png')).resize(140).jpeg({ quality: 70 }).toFile(at('mixed', 'reduced.jpg'));
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/></rdf:RDF></x:xmpmeta>';
    await sharp(at('photographs', '2.png')).withXmp(xmp).png().toFile(at('mixed', 'mine.png'));
    const notes: string[] = [];
    const { card } = await train('mixture', { content: at('mixed'), images: 2, onProgress: ({ note }) => note && notes.push(note) });
    expect(card.content).toMatchObject({ pictures: 2, skipped: 2, reserved: 1 });
    expect(notes.join('\n')).toMatch(/copy\.png: it is a painting[\s\S]*reduced\.jpg: it looks like a painting[\s\S]*mine\.png: its metadata says data mining is prohibited/);
  });

  it.each<[string, Partial<TrainStyleOptions>, RegExp]>([
    ['a small painting', { pictures: 'small.png' }, /small\.png' cannot serve: too small: 100x100, the shorter side must be 128 px/],
    ['a painting that is none', { pictures: 'text.png' }, /text\.png' cannot serve: broken, or no picture/],
    ['content that is the painting itself', { content: 'alone' }, /holds no usable picture.*it is a painting that the style is learned from/],
    ['a folder that is not there', { content: 'nowhere' }, /there is no file or folder '.*nowhere'/],
    ['a brush without measure', { scale: 1e6 }, /--scale must be from 0.1 to 4, not 1000000/],
    ['a crop that cannot be halved', { crop: 50 }, /--crop must be a multiple of 32 px from 96 on, not 50/],
    ['a weight below nothing', { palette: -1 }, /--palette must be 0 or more, not -1/],
    ['a brush too fine for the crop', { scale: 0.1 }, /smaller than a crop of 96 px/],
  ])('refuses %s, and leaves nothing', async (_name, options, message) => {
    await sharp({ create: { width: 100, height: 100, channels: 3, background: 'red' } }).png().toFile(at('small.png'));
    await writeFile(at('text.png'), 'no picture');
    await mkdir(at('alone'), { recursive: true });
    await writeFile(at('alone', 'copy.png'), await readFile(at('painting.png')));
    const placed = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, typeof value === 'string' ? at(value) : value]));
    await expect(train('refused', placed)).rejects.toThrow(message);
    expect(await readdir(home)).not.toContain('refused');
  });

  it('refuses a run folder among the photographs, which it would train on when it goes on', async () => {
    await expect(train(join('photographs', 'run'))).rejects.toThrow(/lies in the pictures' folder '.*photographs'; choose one outside it/);
    expect(await readdir(at('photographs'))).not.toContain('run');
  });

  it('keeps photographs as large as the crops want them', async () => {
    await mkdir(at('wide'));
    await sharp({ create: { width: 700, height: 560, channels: 3, background: 'olive' } }).png().toFile(at('wide', '0.png'));
    await sharp(Buffer.from(strokes(40))).resize(700, 560).png().toFile(at('wide.png'));
    expect(await train('crops', { pictures: at('wide.png'), content: at('wide'), scale: 0.7, crop: 288, batch: 1, images: 1, snapshots: 1 })).toMatchObject({ images: 1 });
  });

  it('wants rights', async () => {
    const { rights: _, ...rest } = { pictures: at('painting.png'), content: at('photographs'), out: at('lawless'), rights };
    await expect(trainStyle(rest)).rejects.toThrow(/--rights/);
  });
});

describe('style', () => {
  it('writes a signed picture that names source, style and paintings, and finds it done the next time', async () => {
    const [source] = [at('photographs', '0.png')];
    const { files, failures } = await paint({ inputs: [source] });
    expect(failures).toEqual([]);
    expect(await sharp(files[0]!.path).metadata()).toMatchObject({ width: 120, height: 90, channels: 3 });
    const verdict = await verify(files[0]!.path);
    expect(verdict.edit).toMatchObject({ parent: { title: '0.png' }, model: { name: 'run' }, seed: expect.stringMatching(/^[0-9a-f]{8}$/), trainingSet: { pictures: 1, rights } });
    expect((await paint({ inputs: [source], overwrite: false })).kept).toHaveLength(1);
    const other = await paint({ inputs: [source], overwrite: false, seed: 1 });
    expect(other.failures[0]!.message).toMatch(/is there already; --overwrite replaces it/);
  });

  it('paints the same from the same seed and otherwise from another, and each picture from its own', async () => {
    const inputs = [at('photographs', '1.png')];
    // The same pixels in another file.
    await sharp(inputs[0]!).png({ compressionLevel: 1 }).toFile(at('1.png'));
    const another = await pixels((await paint({ inputs: [at('1.png')] })).files[0]!.path);
    const once = await pixels((await paint({ inputs })).files[0]!.path);
    expect(Buffer.from(once).equals(await pixels((await paint({ inputs, out: at('again') })).files[0]!.path))).toBe(true);
    expect(Buffer.from(once).equals(await pixels((await paint({ inputs, out: at('again'), seed: 7 })).files[0]!.path))).toBe(false);
    expect(Buffer.from(once).equals(another)).toBe(false);
    const seeded = async (path: string) => pixels((await paint({ inputs: [path], out: at('again'), seed: 7 })).files[0]!.path);
    expect(await seeded(at('1.png'))).toEqual(await seeded(inputs[0]!));
  });

  it('keeps colours, and what a mask keeps', async () => {
    const inputs = [at('photographs', '2.png')];
    const before = await pixels(inputs[0]!);
    const kept = await pixels((await paint({ inputs, keepColour: true })).files[0]!.path);
    let compared = 0;
    for (let i = 0; i < kept.length; i += 3) {
      // Where nothing was clamped, all three channels moved alike.
      if ([0, 1, 2].some((c) => kept[i + c] === 0 || kept[i + c] === 255)) continue;
      const moved = [0, 1, 2].map((c) => kept[i + c]! - before[i + c]!);
      expect(Math.max(...moved) - Math.min(...moved)).toBeLessThanOrEqual(1);
      compared++;
    }
    expect(compared).toBeGreaterThan(1000);
    const mask = Buffer.alloc(120 * 90, 255).fill(0, 0, 120 * 45);
    await sharp(mask, { raw: { width: 120, height: 90, channels: 1 } }).toColourspace('b-w').png().toFile(at('mask.png'));
    const half = await pixels((await paint({ inputs, mask: at('mask.png') })).files[0]!.path);
    const painted = await pixels((await paint({ inputs })).files[0]!.path);
    // Another mask of that name is another picture's.
    await sharp(Buffer.alloc(120 * 90, 255), { raw: { width: 120, height: 90, channels: 1 } }).toColourspace('b-w').png().toFile(at('mask.png'));
    expect((await paint({ inputs, mask: at('mask.png'), overwrite: false })).failures[0]!.message).toMatch(/is there already/);
    // Grey in three channels, as many programs write it.
    await sharp(mask, { raw: { width: 120, height: 90, channels: 1 } }).toColourspace('srgb').png().toFile(at('mask.png'));
    expect((await sharp(at('mask.png')).metadata()).channels).toBe(3);
    expect(await pixels((await paint({ inputs, mask: at('mask.png') })).files[0]!.path)).toEqual(half);
    const middle = 120 * 45 * 3;
    expect(Buffer.from(half.subarray(0, middle)).equals(Buffer.from(before.subarray(0, middle)))).toBe(true);
    expect(Buffer.from(half.subarray(middle)).equals(Buffer.from(painted.subarray(middle)))).toBe(true);
  });

  it('takes no result up again where results lie among the photographs', async () => {
    await mkdir(at('place'));
    await sharp(at('photographs', '1.png')).jpeg().toFile(at('place', 'a.jpg'));
    const first = await paint({ inputs: [at('place')], out: at('place') });
    expect(first).toMatchObject({ files: [{ source: at('place', 'a.jpg') }], failures: [] });
    expect(await paint({ inputs: [at('place')], out: at('place'), overwrite: false })).toMatchObject({ files: [], kept: [{ source: at('place', 'a.jpg') }], failures: [] });
  });

  it('never replaces a photograph that it was given', async () => {
    await mkdir(at('own'));
    for (const name of ['a.png', 'a.jpg', 'b.jpg']) await sharp(at('photographs', '1.png')).toFile(at('own', name));
    const before = await readFile(at('own', 'a.png'));
    const { files, failures } = await paint({ inputs: [at('own')], out: at('own') });
    expect(files).toMatchObject([{ path: at('own', 'b.png') }]);
    expect(failures.map(({ source }) => source)).toEqual([at('own', 'a.jpg'), at('own', 'a.png')]);
    for (const { message } of failures) expect(message).toMatch(/own\/a\.png' is a picture that this is to be made of, and is not replaced/);
    expect(await readFile(at('own', 'a.png'))).toEqual(before);
  });

  it('paints nothing from what cannot be seen', async () => {
    const visible = async (hidden: number) => {
      const data = Buffer.from(Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 32 ? [hidden, hidden, hidden, 0] : [90, (i * 7) % 256, 160, 255])).flat());
      await sharp(data, { raw: { width: 64, height: 48, channels: 4 } }).png().toFile(at('cut.png'));
      const after = await pixels((await paint({ inputs: [at('cut.png')], seed: 0 })).files[0]!.path);
      return Array.from({ length: 64 * 48 }, (_, i) => i).filter((i) => i % 64 >= 32).flatMap((i) => [...after.subarray(i * 4, i * 4 + 3)]);
    };
    expect(await visible(255)).toEqual(await visible(0));
  });

  it('turns from the photograph, at strength 0, to the painting', async () => {
    const inputs = [at('photographs', '1.png')];
    const before = await pixels(inputs[0]!);
    const far = async (strength: number) => {
      const after = await pixels((await paint({ inputs, strength })).files[0]!.path);
      return after.reduce((sum, value, i) => sum + Math.abs(value - before[i]!), 0) / after.length;
    };
    expect(await far(0)).toBe(0);
    const distances = [await far(0.1), await far(0.25), await far(1)];
    expect(distances[0]).toBeGreaterThan(0);
    expect(distances[1]).toBeGreaterThan(distances[0]!);
    expect(distances[2]).not.toBe(distances[1]);
    await expect(paint({ inputs, strength: 1.5 })).rejects.toThrow('the strength must be from 0 to 1, not 1.5');
  });

  it('mixes two styles: none of the second, none of the first, and what neither makes alone', async () => {
    await train('second', { images: 8, seed: 2 });
    const inputs = [at('photographs', '1.png')];
    const mixed = (mix: number, out = 'out') => paint({ inputs, model: [at('run'), at('second')], mix, out: at(out), seed: 0 });
    const [first, second, none, all, half] = [
      await pixels((await paint({ inputs, seed: 0 })).files[0]!.path),
      await pixels((await paint({ inputs, model: at('second'), seed: '0/second' })).files[0]!.path),
      await pixels((await mixed(0)).files[0]!.path),
      await pixels((await mixed(1)).files[0]!.path),
      await pixels((await mixed(0.5)).files[0]!.path),
    ];
    const far = (a: Uint8Array, b: Uint8Array) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    expect(far(none, first)).toBeLessThanOrEqual(1);
    expect(far(all, second)).toBeLessThanOrEqual(1);
    expect(Math.min(far(half, first), far(half, second))).toBeGreaterThan(4);
    // With less than all strength as well.
    const weakly = async (options: Partial<StyleOptions>) => pixels((await paint({ inputs, strength: 0.5, seed: 0, ...options })).files[0]!.path);
    const both = [at('run'), at('second')] as const;
    expect(far(await weakly({ model: both, mix: 0 }), await weakly({}))).toBeLessThanOrEqual(1);
    expect(far(await weakly({ model: both, mix: 1 }), await weakly({ model: at('second'), seed: '0/second' }))).toBeLessThanOrEqual(1);
    const { files } = await mixed(0.4);
    expect((await verify(files[0]!.path)).edit).toMatchObject({ model: { name: 'run' }, second: { name: 'second', trainingSet: { pictures: 1, rights } }, mix: 0.4 });
    expect((await paint({ inputs, model: [at('run'), at('second')], mix: 0.4, seed: 0, overwrite: false })).kept).toHaveLength(1);
    expect((await paint({ inputs, model: [at('run'), at('second')], mix: 0.5, overwrite: false })).failures[0]!.message).toMatch(/is there already/);
    await expect(paint({ inputs, mix: 0.4 })).rejects.toThrow('--mix is for two styles; give --model twice');
    await expect(mixed(2)).rejects.toThrow('the mix must be from 0 to 1, not 2');
  });

  it.each([
    ['gif', 1],
    ['webp', 1],
    ['webp', 2],
  ] as const)('paints an animated %s frame by frame with %i styles, and what stands still stays the same', async (format, styles) => {
    const model = styles === 1 ? at('run') : ([at('run'), at('second')] as const);
    // A dot moves on a still ground, far from the other half.
    const frames = [0, 1, 2].map((i) => `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60">${Array.from({ length: 24 }, (_, k) => `<rect x="${k * 10}" width="10" height="60" fill="hsl(${k * 15},60%,50%)"/>`).join('')}<circle cx="${20 + i * 8}" cy="30" r="9" fill="white"/></svg>`);
    const pages = await Promise.all(frames.map((svg) => sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer()));
    const film = sharp(Buffer.concat(pages), { raw: { width: 240, height: 180, channels: 4, pageHeight: 60 } });
    await (format === 'gif' ? film.gif({ delay: [80, 90, 100], loop: 2 }) : film.webp({ delay: [80, 90, 100], loop: 2, lossless: true })).toFile(at(`film.${format}`));
    const told: Progress[] = [];
    const { files, failures } = await paint({ inputs: [at(`film.${format}`)], model, onProgress: (progress) => progress.unit === 'tiles' && told.push(progress) });
    expect(told.at(-1)).toMatchObject({ done: 3 * styles, total: 3 * styles });
    expect(failures).toEqual([]);
    expect(files[0]!.path).toMatch(new RegExp(`film\\.${format}$`));
    const made = sharp(files[0]!.path, { animated: true });
    expect(await made.metadata()).toMatchObject({ format, pages: 3, pageHeight: 60, width: 240, delay: [80, 90, 100], loop: 2 });
    expect((await verify(files[0]!.path)).edit).toMatchObject({ parent: { title: `film.${format}` } });
    const data = await made.ensureAlpha().raw().toBuffer();
    let [still, moved, sum] = [0, 0, 0];
    for (let y = 0; y < 60; y++)
      for (let x = 0; x < 240; x++)
        for (let c = 0; c < 3; c++) {
          const differs = Math.abs(data[((60 + y) * 240 + x) * 4 + c]! - data[(y * 240 + x) * 4 + c]!);
          if (x >= 160) [still, sum] = [Math.max(still, differs), sum + differs];
          else if (x < 60) moved = Math.max(moved, differs);
        }
    // What the file's compression leaves: nothing that is painted differs. GIF dithers with other colours in every frame.
    if (format === 'gif') expect(sum / (60 * 80 * 3)).toBeLessThan(8);
    else expect(still).toBeLessThan(12);
    expect(moved).toBeGreaterThan(format === 'gif' ? 12 : still);
    expect((await paint({ inputs: [at(`film.${format}`)], format: 'jpeg' })).failures[0]!.message).toMatch(/is animated, which jpeg cannot be; choose webp/);
  });

  it('keeps 16 bits and opacity, and makes grey coloured', async () => {
    const opacity = Array.from({ length: 40 * 30 }, (_, i) => (i % 40) * 6);
    await sharp(Buffer.from(opacity.flatMap((a) => [90, a])), { raw: { width: 40, height: 30, channels: 2 } }).toColourspace('b-w').png().toFile(at('grey.png'));
    await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } }).toColourspace('rgb16').png().toFile(at('deep.png'));
    const { files, failures } = await paint({ inputs: [at('grey.png'), at('deep.png')] });
    expect(failures).toEqual([]);
    expect(await sharp(files[0]!.path).metadata()).toMatchObject({ channels: 4, depth: 'uchar' });
    expect([...(await sharp(files[0]!.path).extractChannel(3).raw().toBuffer())]).toEqual(opacity);
    expect(await sharp(files[1]!.path).metadata()).toMatchObject({ channels: 3, depth: 'ushort' });
  });

  it('says what is wrong in one line a file, and does the others', async () => {
    await writeFile(at('torn.png'), (await readFile(at('photographs', '0.png'))).subarray(0, 200));
    const { files, failures } = await paint({ inputs: [at('torn.png'), at('nowhere.png'), at('photographs', '3.png')] });
    expect(files).toHaveLength(1);
    expect(failures.map(({ message }) => message).join('\n')).toMatch(/torn\.png' is broken[\s\S]*there is no file/);
    const wrong = await paint({ inputs: [at('photographs', '3.png')], mask: at('small-mask.png') }).catch((error: Error) => error.message);
    expect(wrong).toMatch(/there is no file/);
    await sharp(Buffer.alloc(100), { raw: { width: 10, height: 10, channels: 1 } }).toColourspace('b-w').png().toFile(at('small-mask.png'));
    expect((await paint({ inputs: [at('photographs', '3.png')], mask: at('small-mask.png') })).failures[0]!.message).toMatch(/mask is 10x10 and .* 120x90/);
    await expect(paint({ inputs: [at('photographs', '3.png')], mask: at('photographs', '1.png') })).rejects.toThrow(/in colour/);
    await expect(paint({ inputs: [at('photographs', '3.png')], model: 'photo-x2' })).rejects.toThrow(/is no style but a model for upscaler/);
    // As if a layer had another name in another version.
    const renamed = Buffer.from((await readFile(at('other', 'model.onnx'))).toString('latin1').replaceAll('down2.scale', 'down3.scale'), 'latin1');
    await writeFile(at('other', 'model.onnx'), renamed);
    await expect(paint({ inputs: [at('photographs', '3.png')], model: at('other') })).rejects.toThrow(/another version's network, .*train it anew/);
    await truncate(at('other', 'model.onnx'), 1000);
    await expect(paint({ inputs: [at('photographs', '3.png')], model: at('other') })).rejects.toThrow(/no ONNX model, or it is damaged/);
  });
});

it('measures a style beside the untouched photographs and a transfer of colours', async () => {
  const model = await findStyle(at('run'));
  const { each, mean, pictures } = await evaluateStyle(model, at('photographs'), { threads: 1 });
  // The model keeps what is to be known of its painting.
  expect((await evaluateStyle(model, at('photographs'), { against: at('painting.png'), threads: 1 })).mean).toEqual(mean);
  expect(each.map(({ name }) => name)).toEqual(['0.png', '1.png', '2.png', '3.png']);
  expect(pictures.count).toBe(4);
  expect(mean.untouched).toMatchObject({ ssim: expect.closeTo(1, 6), edges: expect.closeTo(1, 6) });
  expect(mean.transferred.colour).toBeLessThan(mean.untouched.colour);
  expect(mean.painted.patches).toBeCloseTo(each.reduce((sum, { painted }) => sum + painted.patches, 0) / 4, 10);
  await expect(evaluateStyle(model, at('photographs'), { against: at('nowhere.png') })).rejects.toThrow(/there is no file or folder '.*nowhere.png'/);
});

it('measures a style against several paintings, and says which it was not learned from', async () => {
  const model = await findStyle(at('run'));
  await Promise.all(['paintings', 'one'].map((folder) => mkdir(at(folder))));
  for (const [to, from] of [['paintings/a.png', 'painting.png'], ['paintings/b.png', 'photographs/0.png'], ['one/0.png', 'photographs/0.png']] as const) await sharp(at(from)).resize(200).toFile(at(to));
  const notes: string[] = [];
  const against = async (path: string) => (await evaluateStyle(model, at('one'), { against: path, threads: 1, onProgress: ({ note }) => { if (note) notes.push(note); } })).mean;
  await against(at('painting.png'));
  expect(notes).toEqual([]);
  const [a, both] = [await against(at('paintings', 'a.png')), await against(at('paintings'))];
  expect(both.untouched.colour).toBeLessThan(a.untouched.colour);
  expect(notes).toHaveLength(2);
  expect(notes[0]).toMatch(/a\.png' is not, by its contents and names, what 'run' was learned from/);
});

it('lays the strokes of a high picture in bands as it lays those of the whole', async () => {
  const [width, height] = [30, 700];
  const data = Float64Array.from({ length: width * height }, (_, i) => Math.sin(Math.hypot(i % width, i / width - 300) / 5) / 2);
  const { values } = await layStrokes({ width, height, data }, 'bands');
  const whole = strokesAlong({ width, height, data }, whiteRows(width, height, 'bands'));
  expect(values.length).toBe(whole.length);
  expect(values).toEqual(whole);
});

it('paints in tiles as it paints the whole, at sides of every kind', async () => {
  const painter = defineStyle();
  // Weights larger than a run's first: what a tile misses of its surroundings must show.
  const weights = painter.initialise(new Random('tiles')).map((value) => value * 1.3);
  const [width, height] = [203, 154];
  const random = new Random('picture');
  const values = Float32Array.from({ length: 3 * width * height }, () => random.uniform());
  const source: Source = {
    width,
    height,
    read(x, y, w, h, out) {
      for (let c = 0; c < 3; c++) for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) out[(c * h + row) * w + column] = values[(c * height + y + row) * width + x + column]!;
    },
  };
  const session = await Painter.from(weights, { threads: 1 });
  const manner = await session.mannerOver([source], { seed: 'noise' });
  const painted = async (tile: number) => {
    const out = new Float32Array(values.length).fill(Number.NaN);
    const sink = (part: Float32Array, x: number, y: number, w: number, h: number) => {
      for (let c = 0; c < 3; c++) for (let row = 0; row < h; row++) out.set(part.subarray((c * h + row) * w, (c * h + row + 1) * w), (c * height + y + row) * width + x);
    };
    await session.paint(source, sink, { tile }, manner);
    return out;
  };
  const untiled = await painted(1024);
  const largest = (other: Float32Array, columns = width) =>
    other.reduce((most, value, i) => (i % width >= columns ? most : Math.max(most, Number.isNaN(value) ? 1 : Math.abs(value - untiled[i]!))), 0);
  expect(untiled.every(Number.isFinite)).toBe(true);
  expect(largest(await painted(64))).toBeLessThan(2 / 255);
  // The test can fail: a tile that missed its surroundings would differ, for what lies 16 px away shows, and nothing beyond the margin.
  const change = (from: number) => values.forEach((_, i) => { if (i % width >= from) values[i] = 0; });
  change(64 + STYLE_MARGIN);
  expect(largest(await painted(1024), 64)).toBe(0);
  change(64 + 16);
  expect(largest(await painted(1024), 64)).toBeGreaterThan(2 / 255);
  await session.close();
});
