// Builds what is written in AssemblyScript, where it is newer than what was made of it: a module of TypeScript that holds the WebAssembly
// as base64, so that it runs wherever the rest does, in Node, a worker or a browser, without a file to find.
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = 'packages/nets/assembly/strokes.ts';
const MADE = 'packages/nets/src/style/strokes-wasm.ts';

const changed = (path) => stat(join(root, path)).then(({ mtimeMs }) => mtimeMs, () => 0);

if ((await changed(MADE)) < Math.max(await changed(SOURCE), await changed('scripts/wasm.mjs'))) {
  const { default: asc } = await import('assemblyscript/asc');
  const folder = await mkdtemp(join(tmpdir(), 'zeuxis-wasm-'));
  try {
    const made = join(folder, 'strokes.wasm');
    // Addresses come from the caller: there is nothing to collect, and no data of its own.
    const { error, stderr } = await asc.main([SOURCE, '--outFile', made, '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--baseDir', root]);
    if (error) throw new Error(`${SOURCE} could not be built: ${stderr.toString().trim() || error.message}`);
    const text = (await readFile(made)).toString('base64');
    // Whole or not at all: somebody may be building on it.
    await writeFile(join(root, `${MADE}.part`), `// Made by scripts/wasm.mjs of ${SOURCE}.\nexport const STROKES = '${text}';\n`);
    await rename(join(root, `${MADE}.part`), join(root, MADE));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
