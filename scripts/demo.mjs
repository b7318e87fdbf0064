// The main job, from nothing: draw a labelled data set, train on it, generate from what was trained and from the
// shipped models, verify. `npm run demo`; the longest part is two minutes of training.
import { spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawAvatars } from './draw-avatars.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'runs/demo');
const [pictures, run, out] = ['pictures', 'run', 'out'].map((name) => join(home, name));
const say = (text) => process.stderr.write(`\n${text}\n`);

/** Runs the command as a user would. */
function zeuxis(...args) {
  say(`$ zeuxis ${args.map((arg) => (/[\s,]/.test(arg) ? JSON.stringify(arg) : relative(root, arg).startsWith('..') ? arg : arg.replace(root, ''))).join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'packages/cli/bin/zeuxis.js'), ...args], { stdio: 'inherit', cwd: root });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`zeuxis ${args[0]} ended with ${code}`))));
  });
}

const started = performance.now();
await Promise.all([run, out].map((folder) => rm(folder, { recursive: true, force: true })));
say('Drawing avatars in five styles with DiceBear …');
const count = await drawAvatars(pictures, { perStyle: 300, size: 64 });
process.stderr.write(`${count} pictures in ${relative(root, pictures)}, their licences in LICENSES.md\n`);

await zeuxis('train', 'gan', pictures, '--out', run, '--size', '32', '--minutes', '2', '--rights', 'CC0 1.0 or free for any use (see LICENSES.md), the zeuxis demo');
await zeuxis('generate', run, '--count', '40', '--sheet', 'only', '--out', out);
const shipped = (await readdir(join(root, 'pretrained'))).filter((file) => /^(avatars|garments)\.onnx$/.test(file));
for (const file of shipped) await zeuxis('generate', file.replace('.onnx', ''), '--count', '40', '--truncation', '0.8', '--sheet', 'only', '--out', out);
const [first] = await readdir(out);
await zeuxis('verify', join(out, first));
say(`Done in ${((performance.now() - started) / 60000).toFixed(1)} minutes. Look at`);
for (const path of [...(await readdir(out)).map((file) => join(out, file)), join(run, 'report.html')]) process.stderr.write(`  ${relative(process.cwd(), path)}\n`);
