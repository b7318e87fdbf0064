// The other end of `openApart`: one session in a thread, which answers each message once.

import { parentPort, workerData } from 'node:worker_threads';
import { type ApartData, type ApartReply, ownOf, viewsOf } from './apart.js';
import { openSession } from './node.js';
import type { Session, Value } from './session.js';

const { bytes, options, inputs, outputs } = workerData as ApartData;
const shared = { inputs: viewsOf(inputs), outputs: viewsOf(outputs) };
const ownAll = (views: Map<string, Value>): Record<string, Value> => Object.fromEntries([...views].map(([name, value]) => [name, ownOf(value)]));
const [feeds, results] = [ownAll(shared.inputs), ownAll(shared.outputs)];
const copy = (to: Value, from: Value) => (to.data as Float32Array).set(from.data as Float32Array);

async function run(session: Session): Promise<void> {
  for (const [name, value] of shared.inputs) copy(feeds[name]!, value);
  await session.run(feeds, results);
  for (const [name, value] of shared.outputs) copy(value, results[name]!);
}

const answer = (work: Promise<unknown>) =>
  work.then(
    () => parentPort!.postMessage(null satisfies ApartReply),
    ({ name, message }: Error) => parentPort!.postMessage({ name, message } satisfies ApartReply),
  );

const opened = openSession(bytes, options);
await answer(opened);
parentPort!.on('message', async (job: 'run' | 'close') => answer(opened.then((session) => (job === 'run' ? run(session) : session.close()))));
