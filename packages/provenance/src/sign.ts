// Signing an encoded picture: a C2PA manifest (C2PA 2.x) embedded in the file, its claim signed as COSE_Sign1 (RFC 9052).

import { BytesBlob, loadC2pa } from './c2pa.js';
import type { Identity } from './identity.js';

/** Labels of COSE headers (RFC 9052, RFC 9360) and the algorithm ES256. */
const [ALG, X5CHAIN, ES256] = [1, 33, -7];
/** Room for signature, certificates and padding. */
const RESERVE = 4096;

/** A C2PA manifest as c2pa-rs takes it. */
export interface Manifest {
  claim_generator_info: { name: string; version: string }[];
  title: string;
  format: string;
  assertions: { label: string; data: unknown }[];
}

/** The whole COSE_Sign1 for a claim, filled up to exactly `reserve` bytes. */
async function coseSign1(claim: Uint8Array, identity: Identity, reserve: number): Promise<Uint8Array> {
  const { Encoder, Tag } = await import('cbor-x');
  const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false, variableMapSize: true });
  const encode = (value: unknown) => cbor.encode(value) as Uint8Array;
  const plain = (bytes: Uint8Array) => Buffer.from(bytes);
  const chain = identity.chain.map(plain);
  const header = encode(new Map<number, unknown>([[ALG, ES256], [X5CHAIN, chain.length === 1 ? chain[0] : chain]]));
  const signature = identity.sign(encode(['Signature1', plain(header), Buffer.alloc(0), plain(claim)]));
  const message = (padding: number) =>
    encode(new Tag([plain(header), new Map([['pad', Buffer.alloc(padding)]]), null, plain(signature)], 18));
  // The length of the padding is part of the length: approach it from below.
  let padding = reserve - message(0).length;
  while (padding > 0 && message(padding).length > reserve) padding--;
  const result = message(padding);
  if (result.length !== reserve) throw new Error(`the signature takes ${result.length} bytes, ${reserve} are reserved`);
  return result;
}

/**
 * Signs a picture file.
 * @param file an encoded picture. @param format its MIME type: image/png, image/jpeg, image/webp, image/tiff, image/avif.
 * @returns the file with the manifest inside.
 */
export async function signFile(file: Uint8Array, format: string, manifest: Manifest, identity: Identity): Promise<Uint8Array> {
  const { WasmBuilder } = await loadC2pa();
  const builder = WasmBuilder.fromJson(JSON.stringify(manifest));
  try {
    return await builder.sign(
      {
        alg: 'es256',
        reserveSize: RESERVE,
        sign: async (claim) => Uint8Array.from(await coseSign1(claim, identity, RESERVE)),
      },
      [],
      format,
      new BytesBlob(file, format),
    );
  } finally {
    builder.free();
  }
}
