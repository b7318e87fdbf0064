#!/usr/bin/env node
// Committed, so that `npm ci` can link it before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main);
  process.exitCode = await run(process.argv.slice(2));
} else {
  console.error('zeuxis is not built yet; run `npm ci` or `npm run build` in the repository first');
  process.exitCode = 1;
}
