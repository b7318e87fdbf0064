// The official C2PA implementation (c2pa-rs, compiled to WebAssembly), made to run inside Node.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export type C2pa = typeof import('@contentauth/c2pa-wasm');

/**
 * The signing code reads its source the way a browser's worker does: through Blob.slice and a FileReaderSync. Node's
 * Blob keeps its bytes where only asynchronous calls reach them, so this one keeps its own.
 */
export class BytesBlob extends Blob {
  constructor(
    readonly content: Uint8Array,
    type = '',
  ) {
    super([], { type });
    Object.defineProperty(this, 'size', { value: content.length });
  }
  override slice(start = 0, end = this.content.length, type = this.type): Blob {
    return new BytesBlob(this.content.subarray(start, end), type);
  }
}

class FileReaderSync {
  readAsArrayBuffer(blob: BytesBlob): ArrayBuffer {
    return Uint8Array.from(blob.content).buffer;
  }
}

let loading: Promise<C2pa> | undefined;

/** Loads the module once a process, when it is first needed: compiling it takes a good part of a second. */
export function loadC2pa(): Promise<C2pa> {
  loading ??= (async () => {
    const c2pa = await import('@contentauth/c2pa-wasm');
    const path = fileURLToPath(import.meta.resolve('@contentauth/c2pa-wasm/c2pa.wasm'));
    await c2pa.default({ module_or_path: await readFile(path) });
    (globalThis as Record<string, unknown>).FileReaderSync ??= FileReaderSync;
    return c2pa;
  })();
  return loading;
}
