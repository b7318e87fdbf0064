// Makes packages/cli whole for `npm pack -w zeuxis`: the other packages are not published, so their builds are copied
// into its dist and imports of them are pointed there; the shipped models go along. --undo takes it back.
//
// No bundler: the published code keeps its modules, its lazy imports and its types.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'packages/cli');
const dist = join(cli, 'dist');
const vendor = join(dist, 'vendor');
const PACKAGES = ['loops', 'graph', 'nets', 'pictures', 'provenance', 'verbs'];

const code = async (folder) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(js|d\.ts)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));

async function rewrite(file, change) {
  const text = await readFile(file, 'utf8');
  const next = change(text);
  if (next === text) return;
  // Whole or not at all: somebody may be running it.
  await writeFile(`${file}.part`, next);
  await rename(`${file}.part`, file);
}

async function undo() {
  if (!existsSync(dist)) return;
  for (const file of await code(dist))
    await rewrite(file, (text) => text.replace(/(['"])(?:\.\.?\/)+vendor\/(\w+)\/(\w+)\.js\1/g, (_, q, name, module) => `${q}@zeuxis/${name}${module === 'index' ? '' : `/${module}`}${q}`));
  // Last, so that whoever runs the command meanwhile finds what it imports.
  for (const path of [vendor, join(cli, 'pretrained'), join(cli, 'LICENSE')]) await rm(path, { recursive: true, force: true });
}

async function vendorAll() {
  await undo();
  for (const name of PACKAGES) {
    await mkdir(join(vendor, name), { recursive: true });
    await cp(join(root, 'packages', name, 'dist'), join(vendor, name), {
      recursive: true,
      // What only tests import stays at home.
      filter: (path) => !/\.test\.(js|d\.ts)$|\.map$|\.tsbuildinfo$|[\\/](agreement|reference)[\w-]*\.(js|d\.ts)$/.test(path),
    });
  }
  for (const file of await code(dist)) {
    const to = relative(dirname(file), vendor).split(sep).join('/');
    await rewrite(file, (text) =>
      text
        .replace(/(['"])@zeuxis\/(\w+)(?:\/(\w+))?\1/g, (_, q, name, module = 'index') => `${q}${to.startsWith('.') ? to : `./${to}`}/${name}/${module}.js${q}`)
        .replace(/^\/\/# sourceMappingURL=.*$/m, ''),
    );
  }
  await mkdir(join(cli, 'pretrained'), { recursive: true });
  for (const file of await readdir(join(root, 'pretrained')))
    if (/\.(onnx|md)$/.test(file)) await cp(join(root, 'pretrained', file), join(cli, 'pretrained', file));
  await cp(join(root, 'LICENSE'), join(cli, 'LICENSE'));
}

await (process.argv.includes('--undo') ? undo() : vendorAll());
