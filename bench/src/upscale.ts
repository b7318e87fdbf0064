// Upscaling: megapixels out a second and PSNR of the shipped models, sharp's Lanczos and UpscalerJS's default model on Set5,
// in turns on one machine; the time of one megapixel; and the memory of large pictures through the command's own verb.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { evaluateUpscaler, findUpscaler } from '@zeuxis/verbs';
import sharp from 'sharp';
import type { BenchOptions } from './gan.js';
import { verbOn } from './large.js';
import { median } from './measure.js';

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SETS = at('../shared/data/bench');
const PEER = at('../shared/peers/upscalerjs_x2.mjs');
const MODELS = ['photo-x2', 'photo-x2-fast', 'photo-x3', 'photo-x4', 'photo-x4-fast', 'art-x4', 'medical-x2'];

export interface UpscaleRow {
  name: string;
  scale: number;
  /** Over Set5's small pictures, one by one. */
  megapixels_out_per_s?: number;
  /** dB on luma over Set5 and Set14. */
  set5?: number;
  set14?: number;
  /** Of a picture of one megapixel. */
  seconds_a_megapixel_in?: number;
  /** Largest resident set of the process, GB. */
  peak_gb?: number;
}

const small = async (scale: number) => {
  const folder = join(SETS, 'set5', `x${scale}`);
  const files = (await readdir(folder)).filter((file) => file.endsWith('-lr.png')).sort();
  return Promise.all(files.map((file) => sharp(join(folder, file)).raw().toBuffer({ resolveWithObject: true })));
};

/** One turn of a model: megapixels out a second over Set5, and seconds for a megapixel. */
async function turn(name: string, { threads }: BenchOptions): Promise<{ rate: number; seconds: number }> {
  const model = await findUpscaler(name);
  const { scale, channels } = model.card;
  const session = await openSession(model.bytes, { threads });
  const timed = async (width: number, height: number) => {
    const values = floats(new Float32Array(channels * width * height).fill(0.5), [1, channels, height, width]);
    const start = performance.now();
    await session.run({ small: values });
    return (performance.now() - start) / 1000;
  };
  const pictures = await small(scale);
  await timed(pictures[0]!.info.width, pictures[0]!.info.height);
  let [pixels, seconds] = [0, 0];
  for (const { info } of pictures) {
    seconds += await timed(info.width, info.height);
    pixels += info.width * info.height * scale ** 2;
  }
  await timed(1024, 1024);
  const megapixel = (await timed(1024, 1024)) * (1e6 / 1024 ** 2);
  await session.close();
  return { rate: pixels / 1e6 / seconds, seconds: megapixel };
}

async function lanczos(scale: number): Promise<number> {
  let [pixels, seconds] = [0, 0];
  for (const { data, info } of await small(scale)) {
    const { width, height, channels } = info;
    const start = performance.now();
    await sharp(data, { raw: { width, height, channels } }).resize(width * scale, height * scale, { kernel: 'lanczos3' }).raw().toBuffer();
    seconds += (performance.now() - start) / 1000;
    pixels += width * height * scale ** 2;
  }
  return pixels / 1e6 / seconds;
}

/** A folder with UpscalerJS's model and TensorFlow.js, installed from the registry where it is missing. */
async function peerFolder(): Promise<string> {
  const folder = at('runs/bench-upscalerjs');
  if (existsSync(join(folder, 'node_modules/@upscalerjs/default-model')) && existsSync(join(folder, 'node_modules/sharp'))) return folder;
  await mkdir(folder, { recursive: true });
  const npm = (...args: string[]) => run('npm', args, { cwd: folder });
  await npm('init', '-y');
  await npm('install', '--ignore-scripts', '@upscalerjs/default-model', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm');
  await npm('install', 'sharp');
  return folder;
}

const memory = (name: string, width: number, height: number): Promise<number> => verbOn('upscale', { model: name }, width, height).then(({ peakGb }) => peakGb);

export async function upscaleBench(options: BenchOptions): Promise<UpscaleRow[]> {
  if (!existsSync(SETS)) throw new Error(`the pictures to measure on are not at ${SETS}`);
  const shipped = (await readdir(at('pretrained'))).map((file) => file.replace(/\.onnx$/, ''));
  const names = MODELS.filter((name) => shipped.includes(name));
  const folder = await peerFolder();
  const turns = new Map<string, { rate: number; seconds: number }[]>(names.map((name) => [name, []]));
  const [peers, plain]: [Record<string, number>[], number[]] = [[], []];
  for (let round = 0; round < options.rounds; round++) {
    for (const name of names) turns.get(name)!.push(await turn(name, options));
    plain.push(await lanczos(2));
    const { stdout } = await run(process.execPath, [PEER, join(SETS, 'set5/x2')], { cwd: folder });
    peers.push(JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>);
  }
  const rows: UpscaleRow[] = [];
  const middle = <T>(list: T[], of: (each: T) => number) => Number(median(list.map(of)).toPrecision(3));
  for (const name of names) {
    const model = await findUpscaler(name);
    const { scale, channels } = model.card;
    const quality = async (set: string) => Number((await evaluateUpscaler(model, join(SETS, set, `x${scale}`), { threads: options.threads })).mean.model.psnr.toFixed(2));
    const measured = channels === 3 ? { set5: await quality('set5'), set14: await quality('set14') } : {};
    const each = turns.get(name)!;
    rows.push({ name, scale, megapixels_out_per_s: middle(each, ({ rate }) => rate), ...measured, seconds_a_megapixel_in: middle(each, ({ seconds }) => seconds) });
  }
  rows.push({ name: 'sharp, Lanczos', scale: 2, megapixels_out_per_s: middle(plain, (rate) => rate) });
  rows.push({ name: 'UpscalerJS default', scale: 2, megapixels_out_per_s: middle(peers, (peer) => peer.megapixels_out_per_s!), set5: peers[0]!.psnr_y! });
  if (names.includes('photo-x2')) {
    rows.push({ name: 'photo-x2, 12 megapixels in', scale: 2, peak_gb: Number((await memory('photo-x2', 4000, 3000)).toFixed(2)) });
    rows.push({ name: 'photo-x2, 100 megapixels out', scale: 2, peak_gb: Number((await memory('photo-x2', 5000, 5000)).toFixed(2)) });
  }
  return rows;
}

export function upscaleTable(rows: UpscaleRow[]): string {
  const columns: [string, (row: UpscaleRow) => number | undefined][] = [
    ['MP out/s', (row) => row.megapixels_out_per_s],
    ['Set5 dB', (row) => row.set5],
    ['Set14 dB', (row) => row.set14],
    ['s a MP in', (row) => row.seconds_a_megapixel_in],
    ['peak GB', (row) => row.peak_gb],
  ];
  const line = (name: string, scale: string, cells: string[]) => `${name.padEnd(30)}${scale.padEnd(4)}${cells.map((cell) => cell.padStart(11)).join('')}`;
  return [
    line('', '', columns.map(([title]) => title)),
    ...rows.map((row) => line(row.name, `x${row.scale}`, columns.map(([, of]) => of(row)?.toString() ?? ''))),
  ].join('\n');
}
