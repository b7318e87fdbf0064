import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests read the sources, so that a failure points at the line that was written.
    alias: Object.fromEntries(
      ['graph', 'nets', 'pictures', 'provenance', 'verbs'].map((name) => [`@zeuxis/${name}`, source(name)]),
    ),
  },
  test: {
    include: ['packages/*/src/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Every session brings its own thread pool: more workers than cores only take turns.
    maxWorkers: 2,
  },
});
