// The other end of `onWebgpu` in agreement.ts: a Node process that was started with a Vulkan driver.
import { openSession } from './node.js';
import type { Feeds } from './session.js';

async function run({ model, feeds }: { model: Uint8Array; feeds: Feeds }) {
  const session = await openSession(model, { device: 'webgpu' });
  const values = await session.run(feeds);
  await session.close();
  return { values };
}
process.on('message', async (job: { model: Uint8Array; feeds: Feeds }) =>
  process.send!(await run(job).catch((error: Error) => ({ error: error.message }))),
);
