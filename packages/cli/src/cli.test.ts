// The command as a user meets it: a process with arguments, files, exit codes and lines.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Generation, openIdentity, publish } from '@zeuxis/provenance';
import { Command } from 'commander';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askRights } from './commands/train.js';
import { run } from './main.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bin = join(root, 'packages/cli/bin/zeuxis.js');
let home: string;
const env = () => ({ ...process.env, ZEUXIS_HOME: join(home, 'config'), ZEUXIS_CACHE: join(home, 'cache') });

interface Outcome {
  code: number;
  out: string;
  err: string;
}
const command = (file: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(file, args, { cwd: home, env: env(), maxBuffer: 2 ** 26, ...options }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 255) : 0, out, err }),
    );
  });
const zeuxis = (...args: string[]) => command(process.execPath, [bin, ...args]);
const RIGHTS = ['--rights', 'drawn by this test, the test'];
const trainArguments = (out: string, ...more: string[]) =>
  ['train', 'gan', 'pictures', '--out', out, '--size', '32', '--batch', '8', '--threads', '1', ...RIGHTS, ...more];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-cli-'));
  await mkdir(join(home, 'pictures'));
  for (let i = 0; i < 36; i++)
    await sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="${6 + (i % 12)}" fill="hsl(${i * 10},80%,50%)"/></svg>`))
      .png()
      .toFile(join(home, 'pictures', `${i}.png`));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('from pictures to a verified file', () => {
  it('trains, generates, verifies, and prints one JSON document where it is asked to', async () => {
    const trained = await zeuxis(...trainArguments('run', '--images', '32', '--json'));
    expect(trained).toMatchObject({ code: 0 });
    expect(JSON.parse(trained.out)).toMatchObject({ finished: true, images: 32, card: { labels: [], trainingSet: { pictures: 36 } } });
    expect(trained.err).toMatch(/train \d+\/32 pictures/);

    const made = await zeuxis('generate', 'run', '--count', '10', '--sheet', '--seed', 'grapes', '--out', 'made', '--json');
    expect(made.code).toBe(0);
    expect(made.err).toContain('made a signing key');
    const { files, sheet } = JSON.parse(made.out);
    expect(files).toHaveLength(10);
    expect(sheet.path).toBe(join('made', 'run-grapes-sheet.png'));
    expect((await readdir(join(home, 'made'))).length).toBe(11);
    expect(await sharp(join(home, files[0].path)).metadata()).toMatchObject({ width: 32, height: 32, format: 'png' });

    const verdict = await zeuxis('verify', files[3].path, '--json');
    expect(verdict.code).toBe(0);
    expect(JSON.parse(verdict.out)[0]).toMatchObject({ verdict: 'signed', trusted: true, generation: { seed: 'grapes', index: 3, model: { name: 'run' } } });

    const again = JSON.parse((await zeuxis('generate', 'run', '--count', '2', '--seed', 'grapes', '--out', 'again', '--json', '--quiet')).out);
    const pixels = (path: string) => sharp(join(home, path)).raw().toBuffer();
    // The same pictures, however many are asked for; another seed gives others.
    expect((await pixels(again.files[1].path)).equals(await pixels(files[1].path))).toBe(true);
    expect((await pixels(files[0].path)).equals(await pixels(files[1].path))).toBe(false);

    const file = join(home, files[0].path);
    const bytes = await readFile(file);
    bytes[bytes.length - 30]! ^= 255;
    await writeFile(file, bytes);
    expect(await zeuxis('verify', file)).toMatchObject({ code: 3, out: expect.stringMatching(/^tampered/) });
  });

  it('measures a model, and says by which network', async () => {
    const measured = await zeuxis('evaluate', 'run', 'pictures', '--count', '40', '--threads', '1');
    expect(measured).toMatchObject({ code: 0 });
    expect(measured.out).toMatch(/^ +Fréchet +kernel x1000 +precision +recall +density +coverage +pictures$/m);
    expect(measured.out).toMatch(/^run .* 40 against 36$/m);
    expect(measured.out).toMatch(/^real halves .* 18 against 18$/m);
    expect(measured.out).toMatch(/^features +features 1, 192 values, SHA-256 [0-9a-f]{12}:/m);
    const { features, generated } = JSON.parse((await zeuxis('evaluate', 'run', 'pictures', '--count', '40', '--threads', '1', '--json')).out);
    expect(features.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(measured.out).toContain(generated.frechet.toPrecision(4));
  });

  it('survives kill -9 and goes on from the last checkpoint', async () => {
    const child = spawn(process.execPath, [bin, ...trainArguments('killed', '--images', '100000')], { cwd: home, env: env(), stdio: 'ignore' });
    const grids = join(home, 'killed', 'grids');
    while (!existsSync(grids) || (await readdir(grids)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('exit', resolve));
    const resumed = await zeuxis('train', 'gan', 'pictures', '--out', 'killed', '--images', '64', '--resume', '--json');
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ finished: true, images: 64 });
    expect((await zeuxis('generate', 'killed', '--out', 'made', '--quiet')).code).toBe(0);
  });

  it('puts its work away at Ctrl-C', async () => {
    const child = spawn(process.execPath, [bin, ...trainArguments('stopped', '--images', '100000')], { cwd: home, env: env(), stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.on('data', (data) => {
      err += data;
      if (/train \d+/.test(err) && !child.killed) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(130);
    expect(err).toContain('go on with --resume');
    expect((await readdir(join(home, 'stopped'))).sort()).toEqual(['checkpoint', 'grids', 'metrics.jsonl', 'model.onnx', 'report.html']);
  });
});

describe('what goes wrong', () => {
  it.each<[string, string[], number, RegExp]>([
    ['a missing folder', ['train', 'gan', 'nowhere', '--out', 'x', ...RIGHTS], 1, /there is no folder 'nowhere'/],
    ['an empty folder', ['train', 'gan', 'empty', '--out', 'x', ...RIGHTS], 1, /holds no JPEG/],
    ['no statement of rights', ['train', 'gan', 'pictures', '--out', 'x'], 2, /--rights/],
    ['half a statement of rights', ['train', 'gan', 'pictures', '--out', 'x', '--rights', 'CC0'], 2, /who states it/],
    ['a size that is no power of two', trainArguments('x', '--size', '48'), 1, /48 px; choose/],
    ['a size that is no number', trainArguments('x', '--size', 'big'), 2, /whole number/],
    ['an unknown preset', trainArguments('x', '--preset', 'slow'), 1, /no preset 'slow'/],
    ['an unknown device', trainArguments('x', '--images', '8', '--device', 'abacus'), 1, /'abacus' is not available here; this machine offers cpu/],
    ['both lengths', trainArguments('x', '--images', '8', '--minutes', '1'), 2, /not both/],
    ['an unknown command', ['paint'], 2, /unknown command/],
    ['an unknown option', ['generate', 'run', '--out', 'y', '--prompt', 'a bird'], 2, /unknown option/],
    ['a model that is none', ['generate', 'pictures/0.png', '--out', 'y'], 1, /no ONNX model/],
    ['an unknown model', ['generate', 'nobody', '--out', 'y'], 1, /there is no model 'nobody'/],
    ['a label where there are none', ['generate', 'run', '--label', 'grape', '--out', 'y'], 1, /has no labels/],
    ['a truncation beyond 1', ['generate', 'run', '--truncation', '2', '--out', 'y'], 2, /from 0 to 1/],
    ['an output folder that is a file', ['generate', 'run', '--out', 'pictures/0.png'], 1, /0\.png/],
    ['a feature network that is none', ['evaluate', 'run', 'pictures', '--features', 'pictures/0.png'], 1, /is no ONNX file/],
    ['too few pictures to generate', ['evaluate', 'run', 'pictures', '--count', '3'], 2, /whole number from 6/],
    ['a feature network for a generator', ['generate', 'features', '--out', 'y'], 1, /'features' is no generator/],
    ['a file that is no picture', ['verify', 'run/metrics.jsonl'], 1, /no picture/],
  ])('%s: one line, and nothing left', async (_, args, code, message) => {
    await mkdir(join(home, 'empty'), { recursive: true });
    const outcome = await zeuxis(...args);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toMatch(/^\s+at /m);
    expect(existsSync(join(home, 'x', 'checkpoint')) || existsSync(join(home, 'y'))).toBe(false);
    expect(outcome.out).toBe('');
  });
});

describe('what it says of itself', () => {
  it('lists models with their cards, and shows one', async () => {
    const list = JSON.parse((await zeuxis('models', 'list', 'run', '--json')).out);
    expect(list.at(-1)).toMatchObject({ name: 'run', shipped: false, card: { task: 'gan', size: 32 } });
    expect((await zeuxis('models', 'show', 'run')).out).toMatch(/rights +drawn by this test \(stated by the test\)/);
  });

  it('says what the machine offers', async () => {
    const findings = JSON.parse((await zeuxis('doctor', '--json')).out);
    expect(findings).toContainEqual({ name: 'device cpu', state: 'good', detail: 'computes' });
    // How it is on this machine is not the test's to choose.
    const modes = await readFile('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8').catch(() => '');
    const asked = await command(process.execPath, [bin, 'doctor', '--json'], { env: { ...env(), GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' } });
    const pages = [findings, JSON.parse(asked.out)].map((some: { name: string; state: string }[]) => some.find(({ name }) => name === 'large pages')?.state);
    const states = modes.includes('[always]') ? ['good', 'good'] : modes.includes('[madvise]') ? [process.env.GLIBC_TUNABLES?.includes('glibc.malloc.hugetlb=1') ? 'good' : 'note', 'good'] : [undefined, undefined];
    expect(pages).toEqual(states);
  });

  it('helps with every verb, nested ones too, and knows what is none', async () => {
    // One line a verb, that a terminal need not break.
    for (const line of (await zeuxis('--help')).out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect((await zeuxis('help', 'train', 'gan')).out).toMatch(/--gamma-scale/);
    expect((await zeuxis('help', 'generate')).out).toMatch(/--truncation/);
    expect(await zeuxis('help', 'paint')).toMatchObject({ code: 2, err: expect.stringContaining("unknown command 'paint'") });
  });

  it('has one version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'packages/cli/package.json'), 'utf8'));
    expect((await zeuxis('--version')).out.trim()).toBe(version);
    const { VERSION } = await import('@zeuxis/verbs');
    expect(VERSION).toBe(version);
  });
});

describe('npm pack', () => {
  it('makes a tarball that installs in an empty folder and generates from the shipped weights', async () => {
    const place = join(home, 'empty-place');
    await mkdir(place);
    // Packing rewrites the command for a moment, which other tests run meanwhile: a copy is packed.
    const copy = join(home, 'repository');
    for (const part of ['package.json', '.npmrc', 'LICENSE', 'scripts', 'packages', 'pretrained']) await cp(join(root, part), join(copy, part), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const packed = await command('npm', ['pack', '-w', 'zeuxis', '--pack-destination', place, '--json'], { cwd: copy });
    expect(packed.code, packed.err).toBe(0);
    const [tarball] = await readdir(place);
    await writeFile(join(place, 'package.json'), '{"private":true,"type":"module"}');
    const installed = await command('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--onnxruntime-node-install=skip', `./${tarball}`], { cwd: place });
    expect(installed.code, installed.err).toBe(0);
    const local = join(place, 'node_modules/.bin/zeuxis');
    const models = JSON.parse((await command(local, ['models', '--json'], { cwd: place })).out) as { name: string; card: { task: string } }[];
    expect(models.map(({ name }) => name)).toEqual((await readdir(join(root, 'pretrained'))).filter((file) => file.endsWith('.onnx')).map((file) => file.replace('.onnx', '')).sort());
    for (const { name } of models.filter(({ card }) => card.task === 'gan')) {
      expect((await command(local, ['generate', name, '--out', 'made'], { cwd: place })).code).toBe(0);
    }
    await writeFile(join(place, 'use.mjs'), "import { openModel, VERSION } from 'zeuxis'; console.log(typeof openModel, VERSION)");
    expect((await command(process.execPath, ['use.mjs'], { cwd: place })).out).toMatch(/^function \d/);
    const published = await readdir(join(place, 'node_modules/zeuxis'), { recursive: true });
    expect(published.filter((file) => /test|agreement|reference|\.map$/.test(file))).toEqual([]);
    // The sources are as they were.
    expect(existsSync(join(copy, 'packages/cli/dist/vendor'))).toBe(false);
  });
});

describe('keys', () => {
  const keys = (...args: string[]) => command(process.execPath, [bin, 'keys', ...args], { env: { ...env(), ZEUXIS_HOME: join(home, 'keys') } });

  it('are shown, made and rotated, without a key in sight', async () => {
    expect(await keys()).toMatchObject({ code: 0, out: expect.stringMatching(/^no key yet in .*keys: the first picture makes one/) });
    const made = await keys('create');
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^made a root and a signing key\nsigns +this machine's own key/) });
    expect((await keys('create')).out).not.toContain('made');
    const [before, after] = [JSON.parse((await keys('show', '--json')).out), JSON.parse((await keys('rotate', '--json')).out)];
    expect(after).toMatchObject({ kind: 'local', done: 'rotated', algorithm: 'ES256' });
    expect(after.certificates[0].sha256).not.toBe(before.certificates[0].sha256);
    expect(after.certificates[1].sha256).toBe(before.certificates[1].sha256);
    expect((await keys('rotate', '--root')).out).toMatch(/^made a new signing key of this machine's own, under a new root/);
    const last = JSON.parse((await keys('show', '--json')).out);
    expect(last.certificates[1].sha256).not.toBe(after.certificates[1].sha256);
    expect(made.out + JSON.stringify(after)).not.toMatch(/PRIVATE|BEGIN/);
  });

  it('mark pictures: the key that every Zeuxis knows, or one of your own, of which only the fingerprint is shown', async () => {
    expect((await keys('watermark')).out).toMatch(/^watermark {4}the key that every Zeuxis knows$/m);
    const made = await keys('watermark', 'create');
    expect(made.out).toMatch(/^made a key for watermarks.*[\s\S]*^watermark {4}your own key [0-9a-f]{16} in the file '.*watermark\.json'$/m);
    const { secret } = JSON.parse(await readFile(join(home, 'keys', 'watermark.json'), 'utf8')).present;
    const rotated = await keys('watermark', 'rotate', '--json');
    expect(JSON.parse(rotated.out)).toMatchObject({ done: 'watermark rotated', watermark: { kind: 'own', former: 1 } });
    expect((await keys('watermark', 'use', '--public')).out).toMatch(/the key that every Zeuxis knows; 2 of yours from before are looked for too/);
    expect(made.out + rotated.out).not.toContain(secret);
    expect(await keys('watermark', 'use')).toMatchObject({ code: 2, err: expect.stringMatching(/give one of --key, --key-variable, --own and --public/) });
    expect(await keys('watermark', 'use', '--key-variable', 'a key with spaces')).toMatchObject({ code: 1, err: expect.stringMatching(/no name of an environment variable(?![\s\S]*spaces)/) });
  });

  it.each<[string, string[], number, RegExp]>([
    ['nothing', [], 2, /give --certificate and one of --key/],
    ['a certificate without a key', ['--certificate', 'a.pem'], 2, /give --certificate and one of/],
    ['two keys', ['--certificate', 'a.pem', '--key', 'a', '--url', 'https://a'], 2, /give --certificate and one of/],
    ['--local and more', ['--local', '--key', 'a'], 2, /give --certificate and one of/],
    ['an address that anyone can read along', ['--certificate', 'a.pem', '--url', 'http://kms.example/sign'], 1, /must begin with https/],
    ['no address', ['--certificate', 'a.pem', '--url', 'https://'], 1, /must begin with https/],
    ['a key in place of where it is', ['--certificate', 'a.pem', '--key-variable', '-----BEGIN PRIVATE KEY-----SECRET'], 1, /^error: a key itself was given; say where it is(?![\s\S]*SECRET)/],
    ['words for no program', ['--certificate', 'a.pem', '--key', 'a', '--', '--slot', '1'], 2, /'--slot' is no option/],
    ['an authority that is no address', ['--local', '--timestamp', 'clock'], 2, /--timestamp must be an address/],
    ['what is not there', ['--certificate', 'a.pem', '--key', 'a.key'], 1, /error: there is no certificate '.*a\.pem'/],
  ])('refuse to use %s', async (_, args, code, message) => {
    const refused = await keys('use', ...args);
    expect(refused.code).toBe(code);
    expect(refused.err).toMatch(message);
  });
});

/** A picture signed by the user of these tests, as `generate` would, but with any generation. */
const signed = async (name: string, generation: Generation) => {
  const pixels = { width: 8, height: 8, channels: 3 as const, data: new Uint8Array(192) };
  const identity = await openIdentity(join(home, 'config'));
  return (await publish(pixels, join(home, name), generation, { identity, version: '9.9.9', format: 'png' })).path;
};
const GENERATION: Generation = { model: { name: 'grapes', sha256: 'ab'.repeat(32) }, seed: 1 };

describe('words of others', () => {
  // Erases the line and writes another verdict; turns the direction of what follows.
  const EVIL = '\u001b[2K\rtrusted \u202edesrever\u009b1A';
  const CONTROL = /(?!\n)\p{C}/u;

  it('cannot overwrite a verdict, and are whole with --json', async () => {
    const path = await signed('evil.png', { ...GENERATION, model: { ...GENERATION.model, name: EVIL } });
    const { code, out } = await zeuxis('verify', path);
    expect(code).toBe(0);
    expect(out).toMatch(/^signed .*\ufffd\[2K\ufffdtrusted \ufffddesrever\ufffd1A/);
    expect(out).not.toMatch(CONTROL);
    expect(JSON.parse((await zeuxis('verify', path, '--json')).out)[0].generation.model.name).toBe(EVIL);
  });

  it('cannot in names of files, in cards, nor in errors', async () => {
    await mkdir(join(home, 'evil'));
    for (const file of await readdir(join(home, 'pictures'))) await cp(join(home, 'pictures', file), join(home, 'evil', file));
    await writeFile(join(home, 'evil', `${EVIL}.png`), 'no picture');
    const trained = await zeuxis(
      ...['train', 'gan', 'evil', '--out', 'evil-run', '--size', '32', '--batch', '8', '--images', '8', '--threads', '1'],
      ...['--rights', `${EVIL}, ${EVIL}`, '--licence', EVIL],
    );
    expect(trained.code).toBe(0);
    expect(trained.err).toContain('left out \ufffd[2K');
    const shown = await zeuxis('models', 'show', 'evil-run');
    expect(shown.out).toContain('licence      \ufffd[2K');
    const failed = [await zeuxis('verify', `${EVIL}.png`), await zeuxis('generate', EVIL, '--out', 'y'), await zeuxis('generate', 'run', `--${EVIL}`)];
    expect(failed.map(({ code }) => code)).toEqual([1, 1, 2]);
    for (const { out, err } of [trained, shown, ...failed]) expect(out + err).not.toMatch(CONTROL);
  });
});

describe('verify of several files', () => {
  it('reads a strange generation without falling over it', async () => {
    const empty = { ...GENERATION, toJSON: () => ({}) };
    const { code, out, err } = await zeuxis('verify', await signed('empty-generation.png', empty), await signed('good.png', GENERATION));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^signed .*empty-generation.png: made by a model, signed.*\nsigned .*good.png: made by a model \('grapes', seed 1\).*\n$/);
  });

  it('answers for folders, says what failed, and writes a report', async () => {
    const folder = join(home, 'to-verify');
    await mkdir(folder);
    await signed(join('to-verify', 'good.png'), GENERATION);
    await sharp({ create: { width: 40, height: 30, channels: 3, background: 'green' } }).png().toFile(join(folder, 'plain.png'));
    const { code, out, err } = await zeuxis('verify', 'to-verify', 'run/metrics.jsonl', '--report', 'verified.html');
    expect(code).toBe(1);
    expect(out).toMatch(/^signed {4}to-verify\/good.png: .*\nnothing {3}to-verify\/plain.png: nothing found: no credentials, no watermark.*not known\n$/);
    expect(err).toMatch(/^error: 'run\/metrics.jsonl' is no picture whose credentials can be read.*\n$/);
    const report = await readFile(join(home, 'verified.html'), 'utf8');
    expect(report.match(/<img alt="" src="data:image\/webp/g)).toHaveLength(2);
    expect(report).toContain('1 signed, 1 nothing; 1 could not be read');
  });

  it('takes any fault for that one file\'s', async () => {
    const failed = { file: 'strange.png', error: new TypeError('cannot read properties\nof it') };
    const answers = ['a.png', 'b.png'].map((file) => ({ file, verdict: 'signed', summary: 'well' }));
    vi.doMock('@zeuxis/verbs', () => ({ verifyFiles: async () => ({ answers, failures: [failed] }) }));
    const [out, err] = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
    try {
      expect(await run(['verify', 'a.png', 'strange.png', 'b.png'])).toBe(1);
      expect(out!.mock.calls.join('')).toBe('signed    a.png: well\nsigned    b.png: well\n');
      expect(err!.mock.calls.join('')).toBe('error: cannot read properties; --verbose shows where\n');
    } finally {
      out!.mockRestore();
      err!.mockRestore();
      vi.doUnmock('@zeuxis/verbs');
    }
  });

  it('needs no identity, and says where one is damaged', async () => {
    const path = await signed('mine.png', GENERATION);
    const config = join(home, 'damaged-config');
    await mkdir(config);
    await writeFile(join(config, 'identity.json'), '{"identity":1');
    const { code, out, err } = await command('env', [`ZEUXIS_HOME=${config}`, process.execPath, bin, 'verify', path, path]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^signed .*vouches for\nsigned .*vouches for\n$/) });
    expect(err).toMatch(/^the signing identity in '.*' is damaged.*\n$/);
  });
});

describe('an interrupted verb', () => {
  it.each<[string, string[]]>([
    ['generate', ['generate', 'run', '--count', '100000', '--out', 'interrupted']],
    ['evaluate', ['evaluate', 'run', 'pictures', '--count', '100000', '--threads', '1']],
    ['train, while decoding', ['train', 'gan', 'many', '--out', 'decoding', '--size', '32', '--threads', '1', ...RIGHTS]],
  ])('%s: 130', async (name, args) => {
    if (name.startsWith('train')) {
      await mkdir(join(home, 'many'));
      for (let i = 0; i < 3000; i++) await cp(join(home, 'pictures', `${i % 36}.png`), join(home, 'many', `${i}.png`));
    }
    const child = spawn(process.execPath, [bin, ...args], { cwd: home, env: env(), stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.on('data', (data) => {
      err += data;
      if (/\d\/\d+ /.test(err) && !child.killed) child.kill('SIGINT');
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    expect(err).toMatch(/^stopping.*\n(.*\n)*stopped\n$/m);
  });
});

describe('asked for the right', () => {
  const ask = async (...answers: string[]) => {
    const [input, output] = [0, 1].map(() => Object.assign(new PassThrough(), { isTTY: true }));
    // Each answer is typed when its question stands there.
    output!.on('data', (data) => /\? (\(|$)/.test(String(data)) && setImmediate(() => input!.write(`${answers.shift() ?? ''}\n`)));
    const usage = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    return askRights(usage, 'pictures', input as never, output as never);
  };

  it('takes commas in both answers', async () => {
    expect(await ask(' CC BY 4.0, by their makers ', ' Lovelace, Ada ')).toEqual({ text: 'CC BY 4.0, by their makers', name: 'Lovelace, Ada' });
  });

  it.each([['', 'Ada'], ['CC0', '  ']])('refuses an empty answer (%j, %j) as wrong usage', async (...answers) => {
    await expect(ask(...answers)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('--rights') });
  });
});

describe('standard output and error', () => {
  it('say with --quiet too that a key was made, once', async () => {
    const config = `ZEUXIS_HOME=${join(home, 'new-config')}`;
    const quiet = () => command('env', [config, process.execPath, bin, 'generate', 'run', '--out', 'quiet', '--quiet']);
    expect((await quiet()).err).toMatch(/^made a signing key and certificate .*new-config\n$/);
    expect((await quiet()).err).toBe('');
  });

  it.each<[string, number, string[]]>([
    ['a list', 0, ['models', 'list', 'run']],
    ['help', 0, ['--help']],
    ['a verdict', 1, ['verify', 'pictures/0.png', 'run/metrics.jsonl']],
  ])('end quietly where nobody reads %s', async (_, code, args) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: home, env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (data) => (err += data));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(code);
    expect(err.split('\n').filter((line) => line !== '' && !line.startsWith('error: \'run/metrics.jsonl'))).toEqual([]);
  });

  it.skipIf(!existsSync('/dev/full'))('name a full disk in one line', async () => {
    const { code, err } = await command('sh', ['-c', '"$@" > /dev/full', 'sh', process.execPath, bin, 'models', 'list', 'run']);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^error: .*ENOSPC.*\n$/) });
  });
});
