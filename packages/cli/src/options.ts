// Options that several verbs share, and the reading of their values.

import { type Command, InvalidArgumentError, Option } from 'commander';

export function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    return value;
  };
}

export function between(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high)) throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`);
    return value;
  };
}

export const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

/** "TEXT, NAME": what comes after the last comma is who states it. */
export function rights(statement: string): { text: string; name: string } {
  const comma = statement.lastIndexOf(',');
  const [text, name] = [statement.slice(0, comma).trim(), statement.slice(comma + 1).trim()];
  if (comma < 0 || text === '' || name === '')
    throw new InvalidArgumentError('Say the right and who states it, as in "CC BY 4.0 by their makers, Ada Lovelace".');
  return { text, name };
}

/** Adds what every verb takes. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'print one JSON document on standard output, nothing else')
    .option('--quiet', 'no progress, no notes')
    .option('--verbose', 'the stack of an error as well')
    .option('--device <name>', 'cpu, webgpu, cuda, dml or coreml', 'cpu')
    .addOption(new Option('--threads <n>', 'threads of one operation (default: all)').argParser(whole(1)));
