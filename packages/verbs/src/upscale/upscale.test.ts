// Enlarging at the boundary a user sees: files in, signed files out. Pictures and models are made here; the models are not
// trained, for what is tested is everything else.

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnnx, replaceMetadata } from '@zeuxis/graph';
import { defineUpscaler, Random, upscalerModel } from '@zeuxis/nets';
import { readDicom } from '@zeuxis/pictures/dicom';
import { openLedger, verify } from '@zeuxis/provenance';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file, slice, VALUES } from '../../../pictures/src/dicom/reference-files.js';
import { cardMetadata, type UpscalerCard } from '../card.js';
import { VERSION } from '../version.js';
import { type UpscaleOptions, upscale } from './upscale.js';

let home: string;
const at = (...path: string[]) => join(home, ...path);

async function model(name: string, scale: number, channels: 1 | 3 = 3): Promise<string> {
  const upscaler = defineUpscaler({ preset: 'fast', scale, channels });
  const card: UpscalerCard = {
    card: 1,
    task: 'upscaler',
    name,
    preset: 'fast',
    scale,
    channels,
    margin: upscaler.margin,
    degradation: 'bicubic',
    trainingSet: { name: 'none', pictures: 1, fingerprint: '0'.repeat(64), skipped: 0, reserved: 0, rights: { text: 'none needed', name: 'the test' } },
    seed: 0,
    images: 0,
    steps: 0,
    batch: 1,
    crop: 8,
    hours: 0,
    licence: 'CC0-1.0',
    zeuxis: VERSION,
  };
  const path = at(`${name}.onnx`);
  // Small weights: what comes out is near what went in, so that colours can be told.
  await writeFile(path, upscalerModel(upscaler, upscaler.network.initialise(new Random(name)).map((value) => value * 0.3), cardMetadata(card)));
  return path;
}

let [twice, thrice, grey]: string[] = [];
const run = (options: Partial<UpscaleOptions> & Pick<UpscaleOptions, 'inputs'>) =>
  upscale({ out: at('out'), model: twice!, identityFolder: at('identity'), threads: 1, ...options });
const fresh = async (name: string) => {
  await mkdir(at(name), { recursive: true });
  return at(name);
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-upscale-'));
  [twice, thrice, grey] = [await model('twice', 2), await model('thrice', 3), await model('grey', 2, 1)];
  await sharp({ create: { width: 20, height: 14, channels: 3, background: { r: 200, g: 40, b: 60 } } }).png().toFile(at('red.png'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('upscale', () => {
  it('writes a signed PNG that names source, model and scale', async () => {
    const { files, failures } = await run({ inputs: [at('red.png')] });
    expect(failures).toEqual([]);
    expect(files).toMatchObject([{ path: at('out', 'red.png'), source: at('red.png'), width: 40, height: 28 }]);
    const { data, info } = await sharp(at('out', 'red.png')).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([40, 28, 3]);
    for (const [i, value] of [200, 40, 60].entries()) expect(Math.abs(data[(14 * 40 + 20) * 3 + i]! - value)).toBeLessThan(25);
    const verdict = await verify(at('out', 'red.png'), { identityFolder: at('identity') });
    expect(verdict).toMatchObject({ state: 'trusted', edit: { scale: 2, model: { name: 'twice' }, parent: { title: 'red.png' } } });
    expect(verdict.digitalSourceType).toMatch(/compositeWithTrainedAlgorithmicMedia$/);
  });

  it.each(['jpeg', 'webp', 'avif', 'tiff'] as const)('writes %s on request, and as the source is with `same`', async (format) => {
    const source = at(`kept.${format === 'jpeg' ? 'jpg' : format}`);
    await sharp(at('red.png')).toFormat(format).toFile(source);
    const { files } = await run({ inputs: [source], format: 'same', out: await fresh(`same-${format}`) });
    expect((await sharp(files[0]!.path).metadata()).format).toBe(format === 'avif' ? 'heif' : format);
    expect(await verify(files[0]!.path, { identityFolder: at('identity') })).toMatchObject({ state: 'trusted' });
  });

  it('keeps 16 bits, grey, opacity, profile, camera data and the way up', async () => {
    const gradient = Uint16Array.from({ length: 24 * 18 }, (_, i) => 20_000 + i * 7);
    await sharp(gradient, { raw: { width: 24, height: 18, channels: 1 } }).toColourspace('grey16').png().toFile(at('deep.png'));
    await sharp(at('red.png')).ensureAlpha(0.5).png().toFile(at('glass.png'));
    await sharp(at('red.png')).withExif({ IFD0: { Make: 'Camera Obscura' } }).withMetadata({ orientation: 6 }).withIccProfile('p3').jpeg().toFile(at('turned.jpg'));
    const { files, failures } = await run({ inputs: ['deep.png', 'glass.png', 'turned.jpg'].map((name) => at(name)), out: await fresh('kept') });
    expect(failures).toEqual([]);
    const [deep, glass, turned] = await Promise.all(files.map(({ path }) => sharp(path).metadata()));
    expect(deep).toMatchObject({ width: 48, height: 36, channels: 1, depth: 'ushort' });
    expect(glass).toMatchObject({ channels: 4, hasAlpha: true });
    // Orientation 6 is a quarter turn: 20x14 stands upright as 14x20.
    expect(turned).toMatchObject({ width: 28, height: 40 });
    expect(turned!.icc!.equals((await sharp(at('turned.jpg')).metadata()).icc!)).toBe(true);
    expect(turned!.exif!.includes('Camera Obscura')).toBe(true);
    const values = await sharp(files[0]!.path).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
    // More levels than 8 bits have.
    expect(new Set(new Uint16Array(values.buffer, values.byteOffset, values.length / 2)).size).toBeGreaterThan(400);
  });

  it('lets the colour of what cannot be seen bleed into nothing', async () => {
    const picture = (hidden: number) => {
      const data = new Uint8Array(24 * 24 * 4);
      for (let i = 0; i < 24 * 24; i++) data.set(i % 24 < 12 ? [40, 120, 200, 255] : [hidden, 255 - hidden, hidden, 0], i * 4);
      return sharp(data, { raw: { width: 24, height: 24, channels: 4 } }).png().toFile(at(`hidden${hidden}.png`));
    };
    await picture(0);
    await picture(255);
    const { files } = await run({ inputs: [at('hidden0.png'), at('hidden255.png')], out: await fresh('hidden') });
    const [a, b] = await Promise.all(files.map(({ path }) => sharp(path).raw().toBuffer()));
    expect(a!.equals(b!)).toBe(true);
    // At the rim too the colour is that of what can be seen.
    expect(Math.abs(a![(24 * 48 + 24) * 4 + 2]! - 200)).toBeLessThan(25);
  });

  it('goes on with a folder where it stopped, keeps what is not its own, and replaces it when told to', async () => {
    await mkdir(at('many', 'deep'), { recursive: true });
    for (const name of ['a.png', 'b.png', 'deep/c.png']) await sharp(at('red.png')).tint({ r: name.charCodeAt(0), g: 90, b: 90 }).toFile(at('many', name));
    const out = await fresh('resumed');
    await run({ inputs: [at('many', 'a.png')], out });
    await writeFile(join(out, 'b.png'), 'somebody else\'s');
    const old = new Date(0);
    await utimes(join(out, 'a.png'), old, old);
    const result = await run({ inputs: [at('many')], out });
    expect(result.kept.map(({ path }) => path)).toEqual([join(out, 'a.png')]);
    expect(result.files.map(({ path }) => path)).toEqual([join(out, 'c.png')]);
    expect(result.failures).toMatchObject([{ source: at('many', 'b.png'), message: expect.stringMatching(/b\.png' is there already; --overwrite/) }]);
    expect((await stat(join(out, 'a.png'))).mtime).toEqual(old);
    expect(await readFile(join(out, 'b.png'), 'utf8')).toBe('somebody else\'s');
    // Another model's work is not this one's.
    await expect(run({ inputs: [at('many', 'a.png')], out, model: thrice! })).resolves.toMatchObject({ kept: [], failures: [{}] });
    await expect(run({ inputs: [at('many')], out, overwrite: true })).resolves.toMatchObject({ kept: [], failures: [], files: { length: 3 } });
    expect((await readdir(out)).sort()).toEqual(['a.png', 'b.png', 'c.png']);
  });

  it('does not take up its own results where they lie among the pictures', async () => {
    await mkdir(at('nest'), { recursive: true });
    await sharp(at('red.png')).jpeg().toFile(at('nest', 'a.jpg'));
    for (const out of [at('nest', 'large'), at('nest')]) {
      await expect(run({ inputs: [at('nest')], out })).resolves.toMatchObject({ files: { length: 1 }, failures: [] });
      await expect(run({ inputs: [at('nest')], out })).resolves.toMatchObject({ files: [], kept: { length: 1 }, failures: [] });
      await rm(join(out, 'a.png'));
    }
  });

  it('believes a model no more than its graph', async () => {
    const bytes = await readFile(thrice!);
    const card = JSON.parse(readOnnx(bytes).metadata['zeuxis.card']!);
    await writeFile(at('liar.onnx'), replaceMetadata(bytes, { 'zeuxis.card': JSON.stringify({ ...card, scale: 2 }) }));
    const { failures } = await run({ inputs: [at('red.png')], model: at('liar.onnx'), out: await fresh('liar') });
    expect(failures[0]!.message).toMatch(/which is not 2 times as large as its card says/);
    await writeFile(at('broad.onnx'), replaceMetadata(bytes, { 'zeuxis.card': JSON.stringify({ ...card, margin: 1000 }) }));
    await expect(run({ inputs: [at('red.png')], model: at('broad.onnx') })).rejects.toThrow(/its card is damaged: it states no margin up to 128 px/);
  });

  it('does the others where one file is at fault, and says what and why', async () => {
    await writeFile(at('torn.png'), (await readFile(at('red.png'))).subarray(0, 60));
    await sharp(at('red.png')).toColourspace('cmyk').jpeg().toFile(at('print.jpg'));
    await writeFile(at('letter.png'), 'no picture');
    const frames = Uint8Array.from({ length: 16 * 32 * 3 }, (_, i) => (i < 16 * 16 * 3 ? 200 : 40));
    await sharp(frames, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } }).webp().toFile(at('moving.webp'));
    await sharp({ create: { width: 1, height: 1, channels: 3, background: 'blue' } }).png().toFile(at('dot.png'));
    await mkdir(at('twin'), { recursive: true });
    await sharp(at('red.png')).png().toFile(at('twin', 'dot.png'));
    await mkdir(at('first'), { recursive: true });
    await writeFile(at('first', 'late.png'), 'no picture');
    await mkdir(at('second'), { recursive: true });
    await sharp(at('red.png')).png().toFile(at('second', 'late.png'));
    const names = ['first/late.png', 'second/late.png', 'torn.png', 'print.jpg', 'letter.png', 'moving.webp', 'nowhere.png', 'dot.png', 'twin/dot.png'];
    const { files, failures } = await run({ inputs: names.map((name) => at(name)), out: await fresh('faults') });
    // A broken picture takes no other's place.
    expect(files).toMatchObject([{ source: at('second', 'late.png') }, { source: at('dot.png'), width: 2, height: 2 }]);
    const said = [/late\.png'/, /torn\.png' is broken or cut short/, /CMYK/, /letter\.png'.*is no picture/, /animated/, /there is no file/, /would both become/];
    expect(failures).toHaveLength(said.length);
    for (const [i, message] of said.entries()) expect(failures[i]!.message).toMatch(message);
  });

  it('enlarges DICOM in its own range to an object that says so, goes on where it stopped, and tells nothing of the patient', async () => {
    await writeFile(at('scan.dcm'), file(slice()));
    // The last of the values stands for none.
    await writeFile(at('padded.dcm'), file(slice([0x00280120, 'SS', [-32768]], [0x00100010, 'PN', 'Other^Patient'])));
    await writeFile(at('report.dcm'), file(slice([0x00280010, 'US', [0]])));
    await writeFile(at('cut.dcm'), file(slice([0x7fe00010, 'OW', VALUES.slice(0, 5)])));
    const names = ['scan.dcm', 'padded.dcm', 'report.dcm', 'cut.dcm'].map((name) => at(name));
    const out = await fresh('dicom');
    const { files, failures } = await run({ inputs: names, model: grey!, out });
    expect(files).toMatchObject([{ path: join(out, 'scan.dcm'), width: 8, height: 6 }, { path: join(out, 'padded.dcm') }]);
    expect(failures.map(({ message }) => message)).toMatchObject([/report\.dcm' holds no picture/, /cut\.dcm' is cut short/].map((like) => expect.stringMatching(like)));
    expect(failures.some(({ message }) => /Secret|4711/.test(message))).toBe(false);
    const bytes = await readFile(join(out, 'scan.dcm'));
    // The ledger knows what the file has no place for.
    expect(await openLedger(at('identity')).bySha256(files[0]!.sha256)).toMatchObject({ name: 'scan.dcm', format: 'application/dicom', parent: { title: 'scan.dcm' }, watermark: 0, generation: { scale: 2 } });
    const made = await readDicom(bytes, 'scan.dcm');
    // Signed as before, and near what stood there: the model is nearly one that repeats every pixel.
    expect(made).toMatchObject({ width: 8, height: 6, bitsStored: 16, signed: true });
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean(made.frames[0]!) - mean(VALUES))).toBeLessThan(4000);
    // What stands for no value stays so, and its distance from all others does not ring into them.
    const padded = await readDicom(await readFile(join(out, 'padded.dcm')), 'padded.dcm');
    const last = [46, 47, 38, 39];
    for (const i of last) expect(padded.frames[0]![i]).toBe(-32768);
    expect(Math.min(...padded.frames[0]!.filter((_, i) => !last.includes(i)))).toBeGreaterThan(-12_000);
    const text = bytes.toString('latin1');
    for (const said of ['DERIVED\\SECONDARY', 'not for primary diagnosis', 'Secret^Patient']) expect(text).toContain(said);
    await expect(run({ inputs: names.slice(0, 2), model: grey!, out })).resolves.toMatchObject({ files: [], kept: { length: 2 } });
    // Another patient's picture of the same name is not taken for this one's result.
    await mkdir(at('ward'), { recursive: true });
    await writeFile(at('ward', 'scan.dcm'), file(slice([0x00080018, 'UI', '1.2.3.4.6'], [0x00100010, 'PN', 'Third^Patient'])));
    const third = await run({ inputs: [at('ward', 'scan.dcm')], model: grey!, out });
    expect(third).toMatchObject({ files: [], kept: [], failures: [{ message: expect.stringMatching(/is there already/) }] });
    // Scanners name files by UIDs, without an extension.
    await mkdir(at('series'), { recursive: true });
    for (const uid of ['1.2.840.1', '1.2.840.2']) await writeFile(at('series', uid), file(slice([0x00080018, 'UI', uid])));
    await writeFile(at('series', 'README'), 'no picture, and no concern of ours');
    const series = await run({ inputs: [at('series')], model: grey!, out: await fresh('series-large') });
    expect(series).toMatchObject({ files: [{ path: at('series-large', '1.2.840.1.dcm') }, { path: at('series-large', '1.2.840.2.dcm') }], failures: [] });
    // A model for colours does not take it.
    const colour = await run({ inputs: names.slice(0, 1), out: await fresh('dicom-colour') });
    expect(colour.failures[0]!.message).toMatch(/is grey, and the model 'twice' enlarges colour pictures/);
  });

  it('refuses what no file can mend', async () => {
    const inputs = [at('red.png')];
    await expect(run({ inputs, scale: 4 })).rejects.toThrow(/trained to enlarge 2 times, not 4/);
    await expect(run({ inputs, model: 'features' })).rejects.toThrow(/is no upscaler but a model for features/);
    await expect(run({ inputs, model: at('nowhere.onnx') })).rejects.toThrow(/there is no model/);
    await expect(upscale({ inputs, out: at('unmade'), scale: 5 })).rejects.toThrow(/no shipped model enlarges 5 times; choose 2, 3 or 4, or name/);
    await expect(run({ inputs, format: 'bmp' as never })).rejects.toThrow(/no format 'bmp'/);
    await expect(run({ inputs: [at('nothing', 'below')], out: at('unmade') })).resolves.toMatchObject({ files: [], failures: [{ message: expect.stringMatching(/there is no file/) }] });
    // A folder in which nothing came to be is not left behind.
    await expect(stat(at('unmade'))).rejects.toThrow(/ENOENT/);
    const { failures } = await run({ inputs, model: grey!, out: await fresh('grey') });
    expect(failures[0]!.message).toMatch(/in colour, and the model 'grey' enlarges grey pictures/);
    const huge = await run({ inputs, maximumPixels: 100, out: await fresh('huge') });
    expect(huge.failures[0]!.message).toMatch(/--max-pixels/);
  });

  it.skipIf(process.getuid?.() === 0)('says of a folder that may not be written', async () => {
    const out = await fresh('locked');
    await chmod(out, 0o500);
    const { failures } = await run({ inputs: [at('red.png')], out });
    expect(failures[0]!.message).toMatch(/may not be written/);
  });

  it('finds files by patterns in quotes', async () => {
    const { files, failures } = await run({ inputs: [at('r*.png'), at('*.nothing')], out: await fresh('patterns') });
    expect(files.map(({ source }) => source)).toEqual([at('red.png')]);
    expect(failures).toMatchObject([{ source: at('*.nothing'), message: expect.stringMatching(/no file matches/) }]);
  });
});
