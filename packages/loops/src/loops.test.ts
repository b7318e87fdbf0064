// Bytes cross over into fields of float32 and back, however many they are, and leave what lies around them.

import { expect, it } from 'vitest';
import { sampleLoops } from './index.js';

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 37 + 255) % 256);

it.each([1, 2, 15, 16, 17, 31, 64, 1001])('%i bytes become floats, and floats bytes', (count) => {
  const { room, write, read, take } = sampleLoops();
  const [before, field, behind] = room(5, count, 5);
  write(before, [1, 2, 3, 4, 5]);
  write(field, bytes(count));
  expect([...read(field, count)]).toEqual([...bytes(count)]);
  const floats = new Float32Array(count);
  take(field, floats);
  expect([...floats]).toEqual([...bytes(count)]);
  write(behind, [6, 7, 8, 9, 10]);
  const out = new Uint8Array(count + 2).fill(77);
  take(field, out.subarray(1, count + 1));
  expect([...out]).toEqual([77, ...bytes(count), 77]);
  expect([...read(before, 5), ...read(behind, 5)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it('tells values that are no numbers, wherever they stand', () => {
  const { run, room, write } = sampleLoops();
  const [field] = room(11);
  for (const value of [Number.NaN, -Number.NaN, Infinity, -Infinity])
    for (let at = 0; at < 11; at++) {
      write(field, Float32Array.from({ length: 11 }, (_, i) => (i === at ? value : -3.4e38)));
      expect(run.finite(field, 11)).toBe(0);
      expect(run.finite(field, at)).toBe(1);
    }
});
