// Inner loops in WebAssembly: what they compute and why is told where they are called; here are their functions, one instance a thread.

import { CHANCE } from './chance-wasm.js';
import { LOOK } from './look-wasm.js';
import { type ByteLoops, Loops } from './loops.js';
import { MARK } from './mark-wasm.js';
import { SAMPLES } from './samples-wasm.js';
import { STROKES } from './strokes-wasm.js';

/** What assembly/chance.ts exports. */
export interface ChanceLoops extends ByteLoops {
  draw(state: number, field: number, count: number): void;
  normals(field: number, count: number): void;
}

/** What assembly/strokes.ts exports. */
export interface StrokeLoops extends ByteLoops {
  tensor(luminance: number, cosine: number, sine: number, width: number, height: number): void;
  blur(field: number, width: number, height: number, kernel: number, reach: number, line: number, across: number): void;
  accumulate(field: number, other: number, factor: number, count: number): void;
  scale(field: number, factor: number, most: number, count: number): void;
  across(cosine: number, sine: number, flow: number, count: number): void;
  weave(field: number, out: number, channel: number, count: number): void;
  smear(source: number, flow: number, weights: number, reach: number, width: number, height: number, from: number, to: number, out: number): void;
}

/** What assembly/look.ts exports. */
export interface LookLoops extends ByteLoops {
  boxMean(values: number, width: number, height: number, reach: number, line: number, across: number, out: number): void;
  fold(values: number, width: number, height: number, tile: number, out: number): void;
  subtract(values: number, other: number, count: number): void;
  alongRows(values: number, width: number, height: number, basis: number, windows: number, stride: number, line: number, out: number): void;
  downColumns(rows: number, windows: number, stride: number, down: number, basis: number, cosine: number, out: number): void;
  overVariance(plane: number, windows: number, stride: number, down: number, least: number, line: number, squares: number): void;
  backUp(planes: number, windows: number, stride: number, down: number, basis: number, out: number): void;
  backAlong(sums: number, width: number, height: number, basis: number, windows: number, stride: number, rows: number, line: number, out: number): void;
  plane(parts: number, count: number, tile: number, turns: number, waves: number, out: number): void;
  scores(spectrum: number, side: number, frequencies: number, count: number, scales: number, scaleCount: number, turns: number, angles: number, out: number): void;
}

/** What assembly/mark.ts exports. */
export interface MarkLoops extends ByteLoops {
  gather(row: number, width: number, bands: number, channels: number, step: number, luma: number, places: number, sums: number): void;
  deviations(sums: number, count: number, unit: number, out: number): void;
  spread(grid: number, across: number, down: number, tiles: boolean, places: number, rests: number, width: number, out: number): void;
  add(row: number, width: number, bands: number, channels: number, upper: number, lower: number, rest: number, above: number, below: number, between: number, shares: number, high: number, whole: boolean): void;
}

/** What assembly/samples.ts exports. */
export interface SampleLoops extends ByteLoops {
  split(line: number, width: number, step: number, count: number, low: number, high: number, planes: number): void;
  splitBytes(bytes: number, width: number, step: number, count: number, low: number, high: number, planes: number): void;
  weigh(line: number, width: number, step: number, red: number, green: number, blue: number, out: number): void;
  join(planes: number, width: number, step: number, count: number, low: number, high: number, line: number): void;
  joinBytes(planes: number, width: number, step: number, count: number, low: number, high: number, bytes: number): void;
  box(rows: number, width: number, factor: number, out: number): void;
  accumulate(sums: number, row: number, factor: number, count: number): void;
  finite(values: number, count: number): number;
}

const once = <Run extends ByteLoops>(module: string): (() => Loops<Run>) => {
  let made: Loops<Run> | undefined;
  return () => (made ??= new Loops<Run>(module));
};

export type { Loops } from './loops.js';
export const chanceLoops = once<ChanceLoops>(CHANCE);
export const strokeLoops = once<StrokeLoops>(STROKES);
export const lookLoops = once<LookLoops>(LOOK);
export const markLoops = once<MarkLoops>(MARK);
export const sampleLoops = once<SampleLoops>(SAMPLES);
