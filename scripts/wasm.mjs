// Builds what is written in AssemblyScript, where it is newer than what was made of it: modules of TypeScript that hold the WebAssembly
// as base64, so that it runs wherever the rest does, in Node, a worker or a browser, without a file to find.
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../packages/loops/', import.meta.url));
const changed = (path) => stat(path).then(({ mtimeMs }) => mtimeMs, () => 0);

// What assembly/shared holds is part of every module.
const shared = await readdir(join(root, 'assembly/shared'));
const common = Math.max(...(await Promise.all([fileURLToPath(import.meta.url), ...shared.map((file) => join(root, 'assembly/shared', file))].map(changed))));

async function build(name) {
  const [source, made] = [`assembly/${name}.ts`, join(root, `src/${name}-wasm.ts`)];
  if ((await changed(made)) >= Math.max(await changed(join(root, source)), common)) return;
  const { default: asc } = await import('assemblyscript/asc');
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-wasm-'));
  try {
    const binary = join(folder, `${name}.wasm`);
    // Addresses come from the caller: there is nothing to collect, and no data of its own.
    const { error, stderr } = await asc.main([source, '--outFile', binary, '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--baseDir', root]);
    if (error) throw new Error(`${source} could not be built: ${stderr.toString().trim() || error.message}`);
    const text = (await readFile(binary)).toString('base64');
    // Whole or not at all: somebody may be building on it.
    await writeFile(`${made}.part`, `// Made by scripts/wasm.mjs of ${source}.\nexport const ${name.toUpperCase()} = '${text}';\n`);
    await rename(`${made}.part`, made);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

for (const file of await readdir(join(root, 'assembly'))) if (file.endsWith('.ts')) await build(file.slice(0, -3));
