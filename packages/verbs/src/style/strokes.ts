// Strokes of whole pictures, laid in threads of their own, beside what else there is to do: half a second a megapixel on one.

import { type Luminance, NOISE, STROKE_SURROUNDINGS } from '@zeuxis/nets';
import { Tinypool } from 'tinypool';

/** What a picture is painted from beside itself: [NOISE, height, width] at a quarter of its sides. */
export interface Strokes {
  width: number;
  height: number;
  values: Float32Array;
}

/** Rows `from` up to `to` of what is seen, which has its surroundings and is part of a picture from its row `first` on. */
export interface Band {
  seen: Luminance;
  first: number;
  seed: number | string;
  from: number;
  to: number;
}

/** Rows that are laid at one go, at most: a picture's own number, so that it has the same strokes on every machine. */
const ROWS = 256;

// The sources are run as they are by tests alone; threads are started from what was built of them.
const WORKER = new URL(import.meta.url.endsWith('.ts') ? '../../dist/style/strokes-worker.js' : './strokes-worker.js', import.meta.url);

export class StrokeLayer {
  private readonly pool: Tinypool;

  constructor(threads: number) {
    // Without what Node was started with: some of it is only for a program given on the command line.
    this.pool = new Tinypool({ filename: WORKER, minThreads: 1, maxThreads: threads, execArgv: [] });
  }

  /** Strokes along the forms of a whole picture, by its luminance at a quarter of its sides. */
  async lay(picture: Luminance, seed: number | string): Promise<Strokes> {
    const { width, height } = picture;
    const values = new Float32Array(NOISE * width * height);
    const bands = Math.ceil(height / ROWS);
    await Promise.all(
      Array.from({ length: bands }, async (_, i) => {
        const [top, bottom] = [Math.floor((i * height) / bands), Math.floor(((i + 1) * height) / bands)];
        const [first, last] = [Math.max(0, top - STROKE_SURROUNDINGS), Math.min(height, bottom + STROKE_SURROUNDINGS)];
        const seen = { width, height: last - first, data: picture.data.slice(first * width, last * width) };
        const band: Band = { seen, first, seed, from: top - first, to: bottom - first };
        const laid: Float32Array = await this.pool.run(band);
        const size = (bottom - top) * width;
        for (let c = 0; c < NOISE; c++) values.set(laid.subarray(c * size, (c + 1) * size), (c * height + top) * width);
      }),
    );
    return { width, height, values };
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }
}
