// The other end of `inBrowser` in agreement.ts: a page that has `@zeuxis/graph/browser` in its globals.
import { type BrowserSessionOptions, devices, openSession } from './browser.js';
import type { Feeds, Model, Value } from './session.js';

const open = (model: Model, device: string, options: BrowserSessionOptions = {}) =>
  openSession(model, { device, files: '/onnxruntime-web/', ...options });

const page = {
  devices,
  openSession: open,
  async run(model: Uint8Array, feeds: Feeds, device: string): Promise<Record<string, Value>> {
    const session = await open(model, device, device === 'wasm' ? { threads: 2 } : {});
    const values = await session.run(feeds);
    await session.close();
    return values;
  },
};
export type Page = typeof page;
Object.assign(globalThis, page);
