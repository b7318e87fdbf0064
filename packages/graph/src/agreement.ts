// For tests: runs a compiled graph on the devices that must agree with 'cpu' - Node's webgpu on Chromium's software
// Vulkan, and a page's wasm and webgpu in headless Chromium. Where there is no Chromium they are skipped, or fail where
// scripts/chromium.mjs says that it is required.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Page as BrowserPage, chromium } from 'playwright-core';
import type { Page } from './agreement-page.js';
import type { Compiled } from './compile.js';
import type { Feeds, Value } from './session.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const places = (await import(new URL('../../../scripts/chromium.mjs', import.meta.url).href)) as {
  findChromium(): string | undefined;
  findSoftwareVulkan(): string | undefined;
  isRequired(): boolean;
};

/** A place that runs graphs, one after the other. */
export interface Remote {
  run(graph: Compiled, feeds: Feeds): Promise<Record<string, Value>>;
  close(): Promise<void>;
}
export interface Device {
  name: string;
  /** Whether this machine lacks what it takes and may. */
  skip: boolean;
  open(): Promise<Remote>;
}

/**
 * Milliseconds that one graph may take. A software GPU compiles some hundred shaders for it, which takes from ten seconds
 * to a minute where two cores are shared with other work.
 */
export const PATIENCE = 300_000;

async function patiently<T>(answer: Promise<T>): Promise<T> {
  const late = sleep(PATIENCE, undefined, { ref: false }).then(() => {
    throw new Error(`there was no answer in ${PATIENCE / 1000} s`);
  });
  return Promise.race([answer, late]);
}

const bundled = async (entry: string, platform: 'node' | 'browser') => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform,
    ...(platform === 'node' ? { packages: 'external' as const } : { conditions: ['onnxruntime-web-use-extern-wasm'] }),
  });
  return outputFiles[0]!.text;
};

/** Node's webgpu, in a process of its own: the driver is named before a process begins, and may take it down. */
async function onWebgpu(driver: string): Promise<Remote> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', await bundled('agreement-child.ts', 'node')], {
    cwd: root,
    env: {
      ...process.env,
      VK_DRIVER_FILES: driver,
      // Chromium brings the library that loads drivers along too.
      LD_LIBRARY_PATH: [dirname(driver), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
      // The driver looks for windows here, and says so where it cannot.
      XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`its process ended with ${signal ?? `code ${code}`}`);
  });
  gone.catch(() => {});
  // A message that no longer gets there is no more than another sign of it.
  child.on('error', () => {});
  return {
    async run({ bytes }, feeds) {
      const answer = once(child, 'message');
      if (child.connected) child.send({ model: bytes, feeds });
      const [{ values, error }] = await patiently(Promise.race([answer, gone]));
      if (error) throw new Error(error);
      return values;
    },
    async close() {
      child.kill();
      await gone.catch(() => {});
    },
  };
}

/** Serves one page, isolated so that it may have threads, and onnxruntime-web's files. */
async function serve(script: string) {
  const server = createServer(async (request, response) => {
    const types = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm', '': 'text/html' };
    const name = basename(request.url!);
    const type = types[name.split('.').at(-1) as keyof typeof types] ?? 'text/plain';
    response.setHeader('Content-Type', type);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (name === '') response.end('<!doctype html><title>zeuxis</title><script type="module" src="/page.js"></script>');
    else if (name === 'page.js') response.end(script);
    else response.end(await readFile(join(root, 'node_modules/onnxruntime-web/dist', name)).catch(() => ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A page of headless Chromium with the globals of agreement-page.ts. */
export async function openPage(executablePath: string): Promise<{ page: BrowserPage; close(): Promise<void> }> {
  const server = await serve(await bundled('agreement-page.ts', 'browser'));
  const browser = await chromium.launch({
    executablePath,
    // Chromium's sandbox cannot be had as root, nor in most containers; the page is our own.
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.run');
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function inBrowser(executablePath: string, device: string): Promise<Remote> {
  const { page, close } = await openPage(executablePath);
  const run: Remote['run'] = ({ bytes }, feeds) => {
    const there = ([model, given, on]: [Uint8Array, Feeds, string]) => (globalThis as unknown as Page).run(model, given, on);
    return patiently(page.evaluate(there, [bytes, feeds, device] as [Uint8Array, Feeds, string]));
  };
  return { run, close };
}

/** Where the browser is, and whether its tests are skipped where it is not. */
export const browserPlace = () => ({ browser: places.findChromium(), skip: !places.findChromium() && !places.isRequired() });

/** The devices that must agree with 'cpu'. */
export function otherDevices(): Device[] {
  const { browser, skip } = browserPlace();
  const driver = places.findSoftwareVulkan();
  const missing = (what: string) => () =>
    Promise.reject(new Error(`there is no ${what}; \`node scripts/test-needs.mjs\` says more`));
  const devices: Device[] = [
    {
      name: 'webgpu on Node',
      // Other systems have no such driver to install.
      skip: !driver && !(places.isRequired() && process.platform === 'linux'),
      open: driver ? () => onWebgpu(driver) : missing('software Vulkan'),
    },
    ...['wasm', 'webgpu'].map((device) => ({
      name: `${device} in a browser`,
      skip,
      open: browser ? () => inBrowser(browser, device) : missing('Chromium'),
    })),
  ];
  return devices.map((device) => {
    /** What breaks says on which device. */
    const named = (error: Error) => {
      throw new Error(`${device.name}: ${error.message}`);
    };
    const open = async () => {
      const { run, close } = await device.open().catch(named);
      return { run: (graph: Compiled, feeds: Feeds) => run(graph, feeds).catch(named), close };
    };
    return { ...device, open };
  });
}

const rms = (values: Float32Array) => Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);

/**
 * The largest error of values against those of 'cpu', in root mean squares of the latter or in `floor`, whichever is the
 * larger; Infinity where one is no number.
 */
export function difference(actual: Float32Array | undefined, expected: Float32Array, floor = 0): number {
  if (actual?.length !== expected.length) return Number.POSITIVE_INFINITY;
  const errors = actual.map((v, i) => (Number.isFinite(v) ? Math.abs(v - expected[i]!) : Number.POSITIVE_INFINITY));
  const largest = errors.reduce((a, b) => Math.max(a, b), 0);
  return largest === 0 ? 0 : largest / Math.max(floor, rms(expected));
}
