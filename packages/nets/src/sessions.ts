// Opening the graphs of a training, all or none.

import { type Compiled, compile, type Session, type Target, type Tensor } from '@zeuxis/graph';

/** Opens a compiled graph on the runtime at hand. */
export type Open = (graph: Compiled) => Promise<Session>;

type Outputs = Record<string, Tensor>;
/** A session for each graph; none where there is none. */
type Sessions<Graphs> = { [Name in keyof Graphs]: Graphs[Name] extends Outputs ? Session : Session | undefined };

/** Opens a session for each set of outputs, by the same names; where one does not open, those before it are closed. */
export async function openAll<Graphs extends Record<string, Outputs | undefined>>(graphs: Graphs, open: Open, target: Target): Promise<Sessions<Graphs>> {
  const opened: Record<string, Session> = {};
  try {
    for (const [name, outputs] of Object.entries(graphs)) if (outputs) opened[name] = await open(compile(outputs, target));
    return opened as Sessions<Graphs>;
  } catch (error) {
    await Promise.all(Object.values(opened).map((session) => session.close()));
    throw error;
  }
}
