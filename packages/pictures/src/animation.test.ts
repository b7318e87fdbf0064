import { describe, expect, it } from 'vitest';
import { type Animation, encodeAnimation, readAnimation } from './animation.js';

const [WIDTH, HEIGHT, FRAMES] = [160, 120, 4];
/** Rows above this stand still. */
const STILL_ROWS = 60;
const plane = WIDTH * HEIGHT * 4;

/** A still upper half of many colours, which differs from frame to frame by at most 2 of 255, above a lower half that has other colours in each. */
function scene(): Animation {
  const data = new Uint8Array(FRAMES * plane).fill(255);
  for (let n = 0; n < FRAMES; n++)
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        const wave = (a: number, b: number) => 110 + 90 * Math.sin(x * a + y * b);
        const colour =
          y < STILL_ROWS
            ? [wave(0.11, 0.07), wave(0.05, 0.13), wave(0.17, 0.03)].map((value, c) => value + ((x * 7 + y * 3 + c * 5 + n * 11) % 3) - 1)
            : [[x, 0, y], [0, x, 2 * y], [x, x, 255 - y], [255 - x, y, 0]][n]!;
        data.set(colour.map(Math.round), n * plane + (y * WIDTH + x) * 4);
      }
  return { width: WIDTH, height: HEIGHT, data, delay: [100, 200, 100, 50], loop: 3 };
}

/** Pixels of the still half that change from one frame to the next. */
function changed(data: Uint8Array): number {
  let count = 0;
  for (let n = 1; n < FRAMES; n++)
    for (let i = 0; i < WIDTH * STILL_ROWS; i++) if ([0, 1, 2].some((c) => data[n * plane + 4 * i + c] !== data[(n - 1) * plane + 4 * i + c])) count++;
  return count;
}

describe('an animation as a GIF', () => {
  it('keeps frames, times and loops, and what stands still as it is', async () => {
    const drawn = scene();
    const read = await readAnimation('scene.gif', await encodeAnimation(drawn, 'gif'));
    expect(read).toMatchObject({ width: WIDTH, height: HEIGHT, delay: drawn.delay, loop: drawn.loop });
    const away = read.data.reduce((sum, value, i) => sum + Math.abs(value - drawn.data[i]!), 0) / read.data.length;
    expect(away).toBeLessThan(5);
    // With a palette for each frame and nothing else, nearly all still pixels change.
    expect(changed(read.data)).toBeLessThan(((FRAMES - 1) * WIDTH * STILL_ROWS) / 100);
  });

  it('shows what a hole has left, and nothing where it has come to', async () => {
    const drawn = scene();
    // All frames alike but for the hole, so that every pixel is near enough to the frame before's to stay.
    for (let n = 1; n < FRAMES; n++) drawn.data.copyWithin(n * plane, 0, plane);
    for (let n = 0; n < FRAMES; n++)
      for (let y = 20; y < 50; y++) for (let x = 20 + 15 * n; x < 40 + 15 * n; x++) drawn.data[n * plane + (y * WIDTH + x) * 4 + 3] = 0;
    const opacity = ({ data }: Animation) => data.filter((_, i) => i % 4 === 3);
    expect(opacity(await readAnimation('hole.gif', await encodeAnimation(drawn, 'gif')))).toEqual(opacity(drawn));
  });
});
