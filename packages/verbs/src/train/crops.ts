// Crops for an upscaler's training, and the grid that shows what it makes of some.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { floats } from '@zeuxis/graph';
import { openSession } from '@zeuxis/graph/node';
import { type Crops, Random, type UpscalerShape } from '@zeuxis/nets';
import { bicubic, type Crop, encodeReportGrid, type Pairs, tileSheet, writeWhole } from '@zeuxis/pictures';

/** Draws crops: pictures as often as they are large, places and turns evenly. */
export class CropSource {
  private readonly ends: number[] = [];
  private readonly total: number;
  private readonly crops: Crops;

  constructor(
    private readonly pairs: Pairs,
    private readonly side: number,
    private readonly batch: number,
    { channels, scale }: UpscalerShape,
  ) {
    let sum = 0;
    for (const { width, height } of pairs.sizes) {
      sum += (width - side + 1) * (height - side + 1);
      this.ends.push(sum);
    }
    this.total = sum;
    const small = batch * channels * side * side;
    this.crops = { small: new Uint8Array(small), large: new Uint8Array(small * scale * scale) };
  }

  /** Crops of a step, in buffers that the next call fills again. */
  draw(seed: string, turned = true): Crops {
    const random = new Random(seed);
    for (let n = 0; n < this.batch; n++) this.pairs.crop(this.place(random, turned), this.side, n, this.crops.small, this.crops.large);
    return this.crops;
  }

  private place(random: Random, turned: boolean): Crop {
    const value = random.uniform() * this.total;
    let [low, high] = [0, this.ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > value) high = middle;
      else low = middle + 1;
    }
    const { width, height } = this.pairs.sizes[low]!;
    const variant = random.below(this.pairs.variants);
    return { picture: low, variant, x: random.below(width - this.side + 1), y: random.below(height - this.side + 1), turn: turned ? random.below(8) : 0 };
  }
}

/** Crops in a report's grid, a row each, and how many they are chosen from: skies and walls show nothing. */
const [ROWS, DRAWN] = [6, 24];

/** Draws the same crops again and again through a run: enlarged by bicubic, by each of some models, and the truth. */
export class CropGrid {
  private readonly source: CropSource;

  constructor(
    pairs: Pairs,
    private readonly side: number,
    private readonly shape: UpscalerShape,
    private readonly threads: number = availableParallelism(),
  ) {
    this.source = new CropSource(pairs, side, DRAWN, shape);
  }

  /** What the columns show. @param models names of the models given to `write`. */
  static columns = (...models: string[]): string[] => ['bicubic', ...models, 'the truth'];

  async write(folder: string, images: number, models: readonly Uint8Array[]): Promise<void> {
    const { side } = this;
    const { channels, scale } = this.shape;
    const { small, large } = liveliest(this.source.draw('grid', false), ROWS);
    const [whole, plane] = [side * scale, (side * scale) ** 2];
    const made: Float32Array[] = [];
    for (const model of models) {
      const session = await openSession(model, { threads: this.threads });
      const out = await session.run({ small: floats(Float32Array.from(small, (value) => value / 255), [ROWS, channels, side, side]) }).finally(() => session.close());
      made.push(out.large!.data as Float32Array);
    }
    const columns = models.length + 2;
    const all = new Uint8Array(ROWS * columns * 3 * plane);
    for (let row = 0; row < ROWS; row++)
      for (let c = 0; c < 3; c++) {
        const from = row * channels + Math.min(c, channels - 1);
        const enlarged = bicubic({ width: side, height: side, channels: 1, data: small.subarray(from * side * side, (from + 1) * side * side) }, scale).data;
        const networks = made.map((values) => Uint8ClampedArray.from(values.subarray(from * plane, (from + 1) * plane), (value) => value * 255));
        for (const [column, values] of [enlarged, ...networks, large.subarray(from * plane, (from + 1) * plane)].entries()) all.set(values, ((row * columns + column) * 3 + c) * plane);
      }
    const name = `${String(images).padStart(9, '0')}.webp`;
    await writeWhole(join(folder, name), await encodeReportGrid(tileSheet(all, ROWS * columns, whole, whole, { columns })));
  }
}

/** Those of some crops whose values differ most. */
function liveliest({ small, large }: Crops, count: number): Crops {
  const each = small.length / DRAWN;
  const variance = (n: number): number => {
    const values = small.subarray(n * each, (n + 1) * each);
    const mean = values.reduce((sum, value) => sum + value, 0) / each;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  };
  const chosen = Array.from({ length: DRAWN }, (_, n) => n).sort((a, b) => variance(b) - variance(a)).slice(0, count);
  const pick = (all: Uint8Array): Uint8Array => {
    const size = all.length / DRAWN;
    const out = new Uint8Array(count * size);
    for (const [i, n] of chosen.entries()) out.set(all.subarray(n * size, (n + 1) * size), i * size);
    return out;
  };
  return { small: pick(small), large: pick(large) };
}
