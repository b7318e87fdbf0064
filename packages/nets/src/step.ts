// A step of training: the gradient of a loss, and what it does to the weights. Written apart, because the first may be taken over
// parts of a batch, at one time, each on its own core, while the second needs them all: data parallelism, with exact sums. Most of what
// a CPU loses in a step is in operators that the runtime does on one thread, and parts of a batch lose nothing to those.

import { add, type Compiled, compile, type Feeds, input, mul, type Session, type Target, type Tensor, type Value, vector } from '@zeuxis/graph';

export interface LossGraph {
  /** Of the mean loss over the batch, with respect to the flat vector of weights. */
  gradient: Tensor;
  /** What else is wanted of the batch: means over it. */
  report: Record<string, Tensor>;
}

/** A graph of named tensors. */
export type Outputs = Record<string, Tensor>;

export class Step {
  /**
   * @param batch Pictures a step.
   * @param loss the loss over so many pictures; all inputs that go by the picture have these first.
   * @param update weights and moments after the step, by name.
   */
  constructor(
    readonly batch: number,
    readonly loss: (batch: number) => LossGraph,
    readonly update: (gradient: Tensor) => Outputs,
  ) {}

  /** All of it as one graph. */
  whole(): Outputs {
    const { gradient, report } = this.loss(this.batch);
    return { ...this.update(gradient), ...report };
  }
}

/** Pictures that make a part worth a thread. */
const SMALLEST_PART = 4;

/** Parts of a batch for so many threads: as many as there are threads, or the next number below that shares it out evenly. */
export function partsOf(batch: number, threads: number): number {
  for (let parts = Math.min(threads, Math.floor(batch / SMALLEST_PART)); parts > 1; parts--) if (batch % parts === 0) return parts;
  return 1;
}

export interface PartsOption {
  /** Parts that a step's batch is shared out to, a divisor of it; 1 by default. Sums are rounded otherwise for every number of parts. */
  parts?: number;
}

/** Opens a compiled graph on the runtime at hand; `apart` asks for a thread of its own. */
export type Open = (graph: Compiled, apart?: boolean) => Promise<Session>;

const gradientName = (part: number) => `gradient${part}`;

/** A step in parts, to be used as the session of its whole graph would be: the same feeds, the same values but for rounding. */
class PartedStep implements Session {
  /** The gradients of the parts, in arrays that are used again in every step. */
  private readonly gradients: Feeds;

  constructor(
    private readonly inputs: Compiled['inputs'],
    private readonly parts: readonly Session[],
    private readonly update: Session,
    size: number,
  ) {
    this.gradients = Object.fromEntries(parts.map((_, k) => [gradientName(k), vector(new Float32Array(size))]));
  }

  get device(): string {
    return this.update.device;
  }

  /** What part k is fed: of values that go by the picture its own. */
  private share(feeds: Feeds, k: number): Feeds {
    const share: Feeds = {};
    for (const { name, shape } of this.inputs) {
      const value = feeds[name];
      // What is missing is for the session to say.
      if (!value) continue;
      const [all, own] = [value.shape[0] ?? 1, shape[0] ?? 1];
      if (all === own) share[name] = value;
      else {
        const size = value.data.length / this.parts.length;
        share[name] = { ...value, shape, data: value.data.subarray(k * size, (k + 1) * size) as Value['data'] };
      }
    }
    return share;
  }

  async run(feeds: Feeds, into: Record<string, Value> = {}): Promise<Record<string, Value>> {
    const results = await Promise.all(this.parts.map((session, k) => session.run(this.share(feeds, k), { gradient: this.gradients[gradientName(k)]! })));
    const moved = await this.update.run({ ...feeds, ...this.gradients }, into);
    const { gradient: _, ...reports } = results[0]!;
    for (const [name, value] of Object.entries(reports)) {
      const each = results.map((result) => result[name]!.data as Float32Array);
      moved[name] = { ...value, data: each[0]!.map((_, i) => each.reduce((total, values) => total + values[i]!, 0) / each.length) };
    }
    return moved;
  }

  async close(): Promise<void> {
    await Promise.all([...this.parts, this.update].map((session) => session.close()));
  }
}

async function openParts(step: Step, parts: number, open: Open, target: Target): Promise<Session> {
  const { gradient, report } = step.loss(step.batch / parts);
  const gradients = Array.from({ length: parts }, (_, k) => input(gradientName(k), gradient.shape));
  const graphs = [compile({ gradient, ...report }, target), compile(step.update(mul(gradients.reduce(add), 1 / parts)), target)] as const;
  const opened = await Promise.allSettled([...gradients.map(() => open(graphs[0], true)), open(graphs[1])]);
  const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(sessions.map((session) => session.close()));
    throw failed.reason;
  }
  return new PartedStep(graphs[0].inputs, sessions.slice(0, parts), sessions[parts]!, gradient.size);
}

type Graph = Step | Outputs | undefined;
/** A session for each graph; none where there is none. */
type Sessions<Graphs> = { [Name in keyof Graphs]: Graphs[Name] extends Step | Outputs ? Session : Session | undefined };

/**
 * Opens a session for each graph, by the same names; where one does not open, those before it are closed.
 * @param parts how many parts a step's batch is shared out to; a divisor of it.
 */
export async function openAll<Graphs extends Record<string, Graph>>(graphs: Graphs, open: Open, target: Target, parts = 1): Promise<Sessions<Graphs>> {
  const opened: Record<string, Session> = {};
  const start = (graph: Step | Outputs) => {
    if (!(graph instanceof Step)) return open(compile(graph, target));
    return parts > 1 ? openParts(graph, parts, open, target) : open(compile(graph.whole(), target));
  };
  try {
    for (const [name, graph] of Object.entries(graphs)) if (graph) opened[name] = await start(graph);
    return opened as Sessions<Graphs>;
  } catch (error) {
    await Promise.all(Object.values(opened).map((session) => session.close()));
    throw error;
  }
}
