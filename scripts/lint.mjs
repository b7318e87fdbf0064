// Lints every source file with Biome's recommended rules: `npm run lint`, with `-- --fix` for what is safe to mend. Biome as
// WebAssembly, because its native packages are left out of the lock file on machines other than the one that wrote it.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Biome } from '@biomejs/js-api/nodejs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Indices are checked by the compiler (noUncheckedIndexedAccess), and `!` is how a checked one is written.
const rules = { recommended: true, style: { noNonNullAssertion: 'off' } };
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs', '*.js'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  // AssemblyScript is a language of its own.
  .filter((file) => file && !file.includes('/assembly/'));

const biome = new Biome();
const { projectKey } = biome.openProject(root);
biome.applyConfiguration(projectKey, { linter: { enabled: true, rules } });
let found = 0;
for (const filePath of files) {
  const source = await readFile(`${root}/${filePath}`, 'utf8').catch(() => undefined);
  if (source === undefined) continue;
  if (process.argv.includes('--fix')) {
    const { content } = biome.lintContent(projectKey, source, { filePath, fixFileMode: 'safeFixes' });
    if (content !== source) await writeFile(`${root}/${filePath}`, content);
    continue;
  }
  const { diagnostics } = biome.lintContent(projectKey, source, { filePath });
  for (const { category, description, location } of diagnostics) {
    const line = source.slice(0, location.span?.[0] ?? 0).split('\n').length;
    console.error(`${filePath}:${line}  ${category}  ${description}`);
    found++;
  }
}
console.error(found ? `${found} findings in ${files.length} files` : `${files.length} files, nothing found`);
process.exit(found ? 1 : 0);
