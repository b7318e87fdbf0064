// What the benchmarks share: medians, PyTorch in a process of its own, and the table.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Runs a Python script with Debian's interpreter, which has python3-torch, and reads the JSON lines that it prints. */
export async function python(args: (string | number)[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)('/usr/bin/python3', args.map(String)).catch((error: Error & { stderr?: string }) => {
    const missing = /No module named '(\w+)'/.exec(error.stderr ?? '')?.[1];
    throw new Error(missing ? `python3 has no '${missing}'; install Debian's python3-torch` : `PyTorch's side failed: ${error.message}`);
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Rows of a name, pictures/s here, pictures/s in PyTorch and their ratio. */
export function ratioTable(rows: (readonly [string, number, number, number])[]): string {
  const line = (a: string, b: string, c: string, d: string) => `${a.padEnd(22)}${b.padStart(12)}${c.padStart(12)}${d.padStart(9)}`;
  return [
    line('', 'zeuxis', 'PyTorch', 'ratio'),
    ...rows.map(([name, ours, theirs, ratio]) => line(name, `${ours.toFixed(1)}/s`, `${theirs.toFixed(1)}/s`, `${ratio.toFixed(2)}x`)),
  ].join('\n');
}
