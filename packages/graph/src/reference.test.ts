// Every primitive and both orders of its gradient against PyTorch's numbers (scripts/reference/primitives.py).

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from './index.js';
import { openSession } from './node.js';
import { caseGraph, cases, errorAgainst, type Summary } from './reference-cases.js';

type Reference = Record<string, { y: Summary; first: Summary[]; second: Summary[] }>;
const reference: Reference = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8'));

/**
 * PyTorch computed in float64, so this is float32's own rounding (6e-8 an operation) through sums of up to some thousand
 * products and two differentiations. The worst case measured is 9e-7; a wrong sign, tap or factor gives 1e-2 and more.
 */
const TOLERANCE = 5e-6;

describe('primitives against PyTorch', () => {
  it('has the same cases on both sides', () => {
    expect(cases.map(([name]) => name)).toEqual(Object.keys(reference));
  });

  it.each(cases)('%s', async (...definition) => {
    const expected = reference[definition[0]]!;
    const { outputs, feeds } = caseGraph(definition);
    const session = await openSession(compile(outputs), { threads: 1 });
    const actual = await session.run(feeds);
    const errors: Record<string, number> = { y: errorAgainst(actual.y!.data as Float32Array, expected.y) };
    for (const order of ['first', 'second'] as const)
      for (const [i, summary] of expected[order].entries())
        errors[`${order}${i}`] = errorAgainst(actual[`${order}${i}`]!.data as Float32Array, summary);
    for (const [what, error] of Object.entries(errors)) expect(error, what).toBeLessThan(TOLERANCE);
    await session.close();
  });
});
