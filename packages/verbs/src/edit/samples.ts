// Samples of a picture as a network's source and sink, wherever they lie in memory: interleaved or in planes, whole numbers or not.

import { sampleLoops } from '@zeuxis/loops';
import type { Planar } from '@zeuxis/nets';
import { type Canvases, LUMA } from '@zeuxis/pictures';
import { ROWS, type Sink, type Source } from './tiles.js';

/** `count` samples a pixel: the c-th of pixel i is data[first + c * apart + i * step]. */
export interface Samples {
  width: number;
  height: number;
  count: number;
  data: Uint8Array | Uint16Array | Float32Array;
  first: number;
  apart: number;
  step: number;
  /** The values that the network sees as 0 and as 1. */
  low: number;
  high: number;
}

/** Of interleaved whole numbers: `count` samples from the `first` of each `step` on. */
export const interleaved = (width: number, height: number, data: Uint8Array | Uint16Array, step: number, first = 0, count = step): Samples => ({
  width,
  height,
  count,
  data,
  first,
  apart: 1,
  step,
  low: 0,
  high: data instanceof Uint16Array ? 65535 : 255,
});

/** Of planes, black 0 to white 1. */
export const planar = (width: number, height: number, data: Float32Array): Samples => ({
  width,
  height,
  count: data.length / (width * height),
  data,
  first: 0,
  apart: width * height,
  step: 1,
  low: 0,
  high: 1,
});

/** For a network of `wanted` channels: a single sample is repeated, colours are weighed to luma for one of grey. */
export function sourceOf(samples: Samples, wanted: 1 | 3): Source {
  const { width, height, count, data, first, apart, step, low, high } = samples;
  const span = high - low;
  const weighed = wanted === 1 && count === 3;
  return {
    width,
    height,
    read(x, y, w, h, out) {
      const from = (row: number) => first + ((y + row) * width + x) * step;
      if (weighed)
        for (let row = 0, to = 0; row < h; row++)
          for (let i = 0, at = from(row); i < w; i++, at += step) out[to++] = (LUMA[0] * data[at]! + LUMA[1] * data[at + apart]! + LUMA[2] * data[at + 2 * apart]! - low) / span;
      else if (isRow(samples)) {
        const { run, room, bytes, view } = sampleLoops();
        for (let top = 0; top < h; top += ROWS) {
          const size = w * Math.min(ROWS, h - top);
          const [lines, planes] = room(size * step, count * size);
          if (data instanceof Uint8Array && areBytes(samples)) {
            copyRows(data, from(top), width * step, bytes(lines, size * step), w * step);
            run.splitBytes(lines, size, step, count, low, high, planes);
          } else {
            copyRows(data, from(top), width * step, view(lines, size * step), w * step);
            run.split(lines, size, step, count, low, high, planes);
          }
          for (let c = 0; c < wanted; c++) out.set(view(planes + Math.min(c, count - 1) * size * Float32Array.BYTES_PER_ELEMENT, size), (c * h + top) * w);
        }
      } else
        for (let c = 0; c < wanted; c++)
          for (let row = 0, to = c * h * w; row < h; row++)
            for (let i = 0, at = from(row) + Math.min(c, count - 1) * apart; i < w; i++, at += step) out[to++] = (data[at]! - low) / span;
    },
  };
}

/** Whether the samples of a pixel are whole numbers side by side: then rows are worked on as a whole. */
const isRow = ({ data, apart, count }: Samples): boolean => !(data instanceof Float32Array) && (apart === 1 || count === 1);

/** Whether those are bytes, one or three a pixel with one more at most, which are worked on as they are. */
const areBytes = ({ data, count, step }: Samples): boolean => data instanceof Uint8Array && (count === 1 || count === 3) && step <= count + 1;

/** Rows of `row` values, which lie `apart` from the place `from` on, one after another. */
function copyRows(data: Uint8Array | Uint16Array | Float32Array, from: number, apart: number, out: Uint8Array | Float32Array, row: number): void {
  if (row === apart) out.set(data.subarray(from, from + out.length));
  else for (let to = 0; to < out.length; to += row, from += apart) out.set(data.subarray(from, from + row), to);
}

/** From a network of `made` channels: where a sample was repeated, the mean of what became of it. Whole numbers are rounded and clamped. */
export function sinkTo(samples: Samples, made: 1 | 3): Sink {
  const { width, count, data, first, apart, step, low, high } = samples;
  const span = high - low;
  const whole = !(data instanceof Float32Array);
  return (values, x, y, w, h) => {
    const plane = w * h;
    if (isRow(samples) && count === made) {
      const { run, room, write, take, bytes } = sampleLoops();
      for (let top = 0; top < h; top += ROWS) {
        const rows = Math.min(ROWS, h - top);
        const size = w * rows;
        const [lines, planes] = room(size * step, count * size);
        for (let c = 0; c < count; c++) write(planes + c * size * Float32Array.BYTES_PER_ELEMENT, values.subarray(c * plane + top * w, c * plane + top * w + size));
        const row = (at: number) => {
          const from = first + ((y + top + at) * width + x) * step;
          return data.subarray(from, from + (w - 1) * step + count);
        };
        if (areBytes(samples)) {
          const joined = bytes(lines, size * step);
          // What lies between them stays.
          if (step > count) for (let i = 0; i < rows; i++) joined.set(row(i), i * w * step);
          run.joinBytes(planes, size, step, count, low, high, lines);
          for (let i = 0; i < rows; i++) {
            const own = row(i);
            own.set(joined.subarray(i * w * step, i * w * step + own.length));
          }
        } else {
          const address = (i: number) => lines + i * w * step * Float32Array.BYTES_PER_ELEMENT;
          if (step > count) for (let i = 0; i < rows; i++) write(address(i), row(i));
          run.join(planes, size, step, count, low, high, lines);
          for (let i = 0; i < rows; i++) take(address(i), row(i));
        }
      }
      return;
    }
    const mean = (from: number): number => {
      let sum = values[from]!;
      for (let k = 1; k < made; k++) sum += values[k * plane + from]!;
      return sum / made;
    };
    for (let c = 0; c < count; c++)
      for (let row = 0; row < h; row++) {
        let at = first + c * apart + ((y + row) * width + x) * step;
        const [start, end] = [row * w, (row + 1) * w];
        const channel = Math.min(c, made - 1) * plane;
        for (let from = start; from < end; from++, at += step) {
          const there = low + (count < made ? mean(from) : values[channel + from]!) * span;
          data[at] = !whole ? there : there <= low ? low : there >= high ? high : Math.round(there);
        }
      }
  };
}

/** Which pixels can be seen: those whose sample at `opacity` of each `step` is not 0. */
export const seen = (data: ArrayLike<number>, step: number, opacity: number): Uint8Array => Uint8Array.from({ length: data.length / step }, (_, i) => (data[i * step + opacity]! > 0 ? 1 : 0));

/**
 * Fills in the samples of pixels that are not known (0 in `known`, which is used up) from their neighbours, in place, ring by
 * ring from what is known outward. Where nothing is known all stays.
 */
export function fillUnknown({ width, height, count, data, first, apart, step }: Samples, known: Uint8Array): void {
  const [UNKNOWN, KNOWN, QUEUED] = [0, 1, 2];
  /** The n-th neighbour of a pixel, or -1 beyond an edge: without lists, for there may be millions of pixels. */
  const neighbour = (i: number, n: number): number => {
    if (n === 0) return i % width > 0 ? i - 1 : -1;
    if (n === 1) return i % width < width - 1 ? i + 1 : -1;
    if (n === 2) return i - width;
    return i + width < width * height ? i + width : -1;
  };
  const queue = new Int32Array(known.reduce((sum, value) => sum + (value ? 0 : 1), 0));
  let [begin, end] = [0, 0];
  const enqueue = (i: number) => {
    known[i] = QUEUED;
    queue[end++] = i;
  };
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== UNKNOWN) continue;
    for (let n = 0; n < 4; n++) if (known[neighbour(i, n)] === KNOWN) {
      enqueue(i);
      break;
    }
  }
  while (begin < end) {
    const ring = end;
    for (let q = begin; q < ring; q++) {
      const i = queue[q]!;
      for (let c = 0; c < count; c++) {
        let [sum, seen] = [0, 0];
        for (let n = 0; n < 4; n++) {
          const j = neighbour(i, n);
          if (known[j] !== KNOWN) continue;
          sum += data[first + c * apart + j * step]!;
          seen++;
        }
        data[first + c * apart + i * step] = data instanceof Float32Array ? sum / seen : Math.round(sum / seen);
      }
    }
    // Marked after the whole ring, so that its samples come from within alone.
    for (let q = begin; q < ring; q++) known[queue[q]!] = KNOWN;
    for (let q = begin; q < ring; q++)
      for (let n = 0; n < 4; n++) {
        const j = neighbour(queue[q]!, n);
        if (known[j] === UNKNOWN) enqueue(j);
      }
    begin = ring;
  }
}

/** A picture of a set of canvases as planes, 0 to 1. */
export const planesOf = (canvases: Canvases, picture: number): Planar => ({ ...canvases.sizes[picture]!, data: Float32Array.from(canvases.planes(picture), (value) => value / 255) });

export function* planarsOf(canvases: Canvases): Generator<Planar> {
  for (let i = 0; i < canvases.count; i++) yield planesOf(canvases, i);
}
