// Two styles in one picture. Their networks were trained apart, so that their weights do not blend, and to cross-fade two pictures
// shows both as ghosts. So one paints the photograph and the other what it painted, over which it is laid as far as it is mixed in: its strokes
// follow the first's. Beyond the middle the first gives way to the photograph.

import { coverOf } from '@zeuxis/nets';
import { interleaved, sinkTo, sourceOf } from '../edit/samples.js';
import type { Sink, Source } from '../edit/tiles.js';
import type { Manner, Painter, PaintOptions, Paints } from './painter.js';

/** With other noise, or the second's strokes would begin where the first's did. */
const other = ({ seed = 0, ...options }: PaintOptions): PaintOptions => ({ ...options, seed: `${seed}/second` });

export class MixedPainter implements Paints {
  readonly passes = 2;

  constructor(
    private readonly first: Painter,
    private readonly second: Painter,
  ) {}

  async paint(source: Source, sink: Sink, options: PaintOptions, given?: Manner): Promise<void> {
    await this.second.paint(await this.between(source, options, given), sink, other(options), given && [given[1]!]);
  }

  async mannerOver(sources: readonly Source[], options: PaintOptions): Promise<Manner> {
    const first = await this.first.mannerOver(sources, options);
    const { between } = this;
    async function* painted() {
      for (const source of sources) yield await between(source, options, first);
    }
    return [...first, ...(await this.second.mannerOver(painted(), other(options)))];
  }

  /** The strengths of both, and how much of what the second paints covers the first's, at a mix of 0, the first alone, to 1, the second alone. */
  static shares(strength: number, mix: number): { first: number; second: number; share: number } {
    return { first: strength * Math.min(1, 2 * (1 - mix)), second: strength, share: coverOf(strength) * mix };
  }

  /** What the second begins from, in 16 bits: half the memory of floats. */
  private readonly between = async (source: Source, options: PaintOptions, given?: Manner): Promise<Source> => {
    const { width, height } = source;
    const samples = interleaved(width, height, new Uint16Array(3 * width * height), 3);
    await this.first.paint(source, sinkTo(samples, 3), options, given);
    return sourceOf(samples, 3);
  };

  async close(): Promise<void> {
    await Promise.all([this.first.close(), this.second.close()]);
  }
}
