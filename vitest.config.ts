import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

export default defineConfig({
  resolve: {
    // Tests read the sources, so that a failure points at the line that was written.
    alias: [
      { find: /^@zeuxis\/(\w+)\/(\w+)$/, replacement: `${packages}$1/src/$2.ts` },
      { find: /^@zeuxis\/(\w+)$/, replacement: `${packages}$1/src/index.ts` },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Every session brings its own thread pool: more workers than cores only take turns.
    maxWorkers: 2,
  },
});
