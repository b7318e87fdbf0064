// The official C2PA implementation (c2pa-rs, compiled to WebAssembly), made to run inside Node.

import { fileURLToPath } from 'node:url';
import { readWhole } from '@zeuxis/pictures';

export type C2pa = typeof import('@contentauth/c2pa-wasm');
// The compiler knows it only together with all of a browser's names.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** Largest file that is signed or verified, in bytes. Signing takes five times as much memory, and WebAssembly ends at 4 GiB: it was seen to fail at 900 MiB. */
export const LARGEST = 768 * 2 ** 20;

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
    // Not Uint8Array.from, which goes value by value: seconds for a large picture.
    return new Uint8Array(blob.content).buffer;
  }
}

let loading: Promise<C2pa> | undefined;

/** Loads the module once a process, when it is first needed: compiling it takes a good part of a second. */
export function loadC2pa(): Promise<C2pa> {
  loading ??= (async () => {
    // Compiled here: what the library loads it by asks for names of the web, and Node takes in all of its fetch for those.
    const compiled = readWhole(fileURLToPath(import.meta.resolve('@contentauth/c2pa-wasm/c2pa.wasm'))).then((bytes) => WebAssembly.compile(bytes));
    const [c2pa, module] = await Promise.all([import('@contentauth/c2pa-wasm'), compiled]);
    c2pa.initSync({ module: module as never });
    (globalThis as Record<string, unknown>).FileReaderSync ??= FileReaderSync;
    return c2pa;
  })();
  return loading;
}

/**
 * Settings for reading and for signing, in c2pa-rs's JSON. A picture may name addresses of manifests, revocation lists and
 * identities. Whoever looks at it must not thereby be seen, nor made to call on his own network: the switch of remote manifests gives
 * an answer of its own, the list of hosts closes every other way.
 * @param anchors certificates to trust, PEM.
 */
export function offline(anchors: readonly string[]): string {
  return JSON.stringify({
    core: { allowed_network_hosts: [] },
    verify: { verify_trust: true, remote_manifest_fetch: false },
    ...(anchors.length > 0 ? { trust: { user_anchors: anchors.join('\n') } } : {}),
  });
}

/** MIME types by the first bytes: a name proves nothing. */
export function formatOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'image/webp';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'image/tiff';
  if (text.slice(4, 8) === 'ftyp' && /^(avif|avis)/.test(text.slice(8))) return 'image/avif';
  if (text.slice(4, 8) === 'ftyp' && /^(heic|heix|mif1)/.test(text.slice(8))) return 'image/heic';
  if (text.startsWith('GIF8')) return 'image/gif';
  return undefined;
}
