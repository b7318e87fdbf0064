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

/** A quality of an encoder. */
export function quality(text: string): number {
  const value = whole(1)(text);
  if (value > 100) throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
  return value;
}

export const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

/** A right and who states it, without the space around them; undefined where one is empty. */
export function statement(text: string, name: string): { text: string; name: string } | undefined {
  const stated = { text: text.trim(), name: name.trim() };
  return stated.text === '' || stated.name === '' ? undefined : stated;
}

/** "TEXT, NAME": what comes after the last comma is who states it. */
export function rights(option: string): { text: string; name: string } {
  const comma = option.lastIndexOf(',');
  const stated = comma < 0 ? undefined : statement(option.slice(0, comma), option.slice(comma + 1));
  if (!stated) throw new InvalidArgumentError('Say the right and who states it, as in "CC BY 4.0 by their makers, Ada Lovelace".');
  return stated;
}

/** A region of a picture, in px. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** "LEFT,TOP,WIDTH,HEIGHT", added to those before: the option may be given more than once. */
export function boxes(text: string, before: readonly Box[] = []): Box[] {
  const numbers = /^\d{1,9}(\s*,\s*\d{1,9}){3}$/.test(text.trim()) ? text.split(',').map(Number) : [];
  const [left = 0, top = 0, width = 0, height = 0] = numbers;
  if (width === 0 || height === 0) throw new InvalidArgumentError('It must be LEFT,TOP,WIDTH,HEIGHT in px, whole numbers with a width and a height above 0, as in 120,80,200,240.');
  return [...before, { left, top, width, height }];
}

/** A language by its two letters. An option whose value may be left out takes whatever comes next, a picture too: that is told here. */
export function language(text: string): string {
  if (!/^[a-z]{2}([-_][a-z\d]+)*$/i.test(text)) throw new InvalidArgumentError('It must be a language by its two letters, as in de; without one, put the option behind the files, or another option behind it.');
  return text;
}

/** Adds what every verb takes. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'print one JSON document on standard output, nothing else')
    .option('--quiet', 'no progress, no notes but that a signing key was made')
    .option('--verbose', 'the stack of an error as well')
    .option('--device <name>', 'cpu, webgpu, cuda, dml or coreml', 'cpu')
    .addOption(new Option('--threads <n>', 'threads of one operation (default: all)').argParser(whole(1)));

/** Adds how what is made is marked. */
export const marking = (command: Command): Command =>
  command
    .option('--no-watermark', 'without the invisible watermark, which the manifest then says')
    .option('--visible-mark [language]', "a small label that everybody sees, in your language or another's two letters", language)
    .option('--mark-avoid <left,top,width,height>', 'what the label must not cover, in px of the result; may be given more than once', boxes);

const each = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** Adds whose work it is. */
export const authoring = (command: Command): Command =>
  command
    .option('--author <name>', 'the person who chose the settings that are given; the manifest then says so')
    .option('--chose <text>', 'what else that person chose, in words; may be given more than once', each)
    .option('--edited <text>', 'what that person changed by hand, in words; may be given more than once', each);

export interface AuthoringFlags {
  author?: string;
  chose?: string[];
  edited?: string[];
}

export interface MarkingFlags {
  watermark?: boolean;
  visibleMark?: boolean | string;
  markAvoid?: Box[];
}
