// Signing an encoded picture: a C2PA manifest (C2PA 2.x) embedded in the file, its claim signed as COSE_Sign1 (RFC 9052).

import { randomBytes } from 'node:crypto';
import type { WasmBuilder } from '@contentauth/c2pa-wasm';
import { encodePng, type Pixels } from '@zeuxis/pictures';
import { BytesBlob, loadC2pa, offline } from './c2pa.js';
import type { Identity } from './identity.js';
import { LONGEST_TOKEN, timeStamp } from './keys/timestamp.js';

/** Labels of COSE headers (RFC 9052, RFC 9360). */
const [ALG, X5CHAIN] = [1, 33];
/** Room for a signature, headers and padding, beside the certificates. */
const RESERVE = 3072;
const THUMBNAIL = 'thumbnail.jpg';
/** Ingredients of more bytes are looked at when the pixels of the picture that is signed are gone: each takes much memory. */
const ALONE = 2 ** 24;

/** A C2PA manifest as c2pa-rs takes it. */
export interface Manifest {
  claim_generator_info: { name: string; version: string }[];
  title: string;
  format: string;
  assertions: { label: string; data: unknown }[];
}

/** What a picture was made from: another, or with a model. */
export interface Ingredient {
  title: string;
  relationship: 'parentOf' | 'inputTo';
  /** By which an action names it in its `parameters.ingredientIds`. */
  label: string;
  description?: string;
  /** Of what is no picture, C2PA's types of data. */
  data_types?: { type: string }[];
  /** The file; left out where the library cannot read it. */
  file?: { bytes: Uint8Array; format: string };
}

export interface Signed {
  asset: Uint8Array;
  /** C2PA's manifest store (JUMBF). */
  manifest: Uint8Array;
}

/** The whole COSE_Sign1 for a claim, filled up to exactly `reserve` bytes. */
async function coseSign1(claim: Uint8Array, identity: Identity, reserve: number): Promise<Uint8Array> {
  const { Encoder, Tag } = await import('cbor-x');
  const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false, variableMapSize: true });
  const encode = (value: unknown) => cbor.encode(value) as Uint8Array;
  const plain = (bytes: Uint8Array) => Buffer.from(bytes);
  const chain = identity.chain.map(plain);
  const header = encode(new Map<number, unknown>([[ALG, identity.algorithm.cose], [X5CHAIN, chain.length === 1 ? chain[0] : chain]]));
  const signature = await identity.sign(encode(['Signature1', plain(header), Buffer.alloc(0), plain(claim)]));
  // C2PA 2.2, 10.3.2.5: what is stamped is a counter-signature (RFC 8152, 4.5) of the signature as CBOR has it.
  const counterSigned = encode(['CounterSignature', plain(header), Buffer.alloc(0), plain(encode(plain(signature)))]);
  const stamped: [string, unknown][] = identity.timestamp
    ? [['sigTst2', new Map([['tstTokens', [new Map([['val', plain(await timeStamp(identity.timestamp, counterSigned))]])]]])]]
    : [];
  const message = (padding: number) =>
    encode(new Tag([plain(header), new Map<string, unknown>([...stamped, ['pad', Buffer.alloc(padding)]]), null, plain(signature)], 18));
  // The length of the padding is part of the length: approach it from below.
  let padding = reserve - message(0).length;
  while (padding > 0 && message(padding).length > reserve) padding--;
  const result = message(padding);
  if (result.length !== reserve) throw new Error(`the signature takes ${result.length} bytes, ${reserve} are reserved`);
  return result;
}

/**
 * Signs a picture file.
 * @param file an encoded picture; what it was made from is looked at while it is still to come. @param format its MIME type: image/png, image/jpeg, image/webp, image/tiff, image/avif.
 * @param ingredients what it was made from. Credentials in their files are checked and kept in the new manifest store, with what was found.
 * @param thumbnail a small JPEG of it.
 * @returns the file with the manifest inside, and the manifest store by itself.
 */
export async function signFile(file: Uint8Array | Promise<Uint8Array>, format: string, manifest: Manifest, identity: Identity, ingredients: readonly Ingredient[] = [], thumbnail?: Uint8Array): Promise<Signed> {
  let here = file instanceof Uint8Array;
  const coming = Promise.resolve(file).finally(() => { here = true; });
  // What went wrong with it is said below, unless something else is said before.
  coming.catch(() => {});
  const { WasmBuilder } = await loadC2pa();
  const reserve = identity.chain.reduce((sum, { length }) => sum + length, RESERVE + (identity.timestamp ? LONGEST_TOKEN : 0));
  const shown = thumbnail ? { ...manifest, thumbnail: { format: 'image/jpeg', identifier: THUMBNAIL } } : manifest;
  const builder = WasmBuilder.fromJson(JSON.stringify(shown), offline([identity.rootPem]));
  // The library tells what went wrong in words of its own, which are no Error.
  let fault: unknown;
  try {
    if (thumbnail) builder.addResourceFromBlob(THUMBNAIL, new BytesBlob(thumbnail, 'image/jpeg'));
    if (ingredients.some(({ file }) => (file?.bytes.length ?? 0) > ALONE)) await coming;
    for (const ingredient of ingredients) await addIngredient(builder, ingredient);
    if (!here) await rehearse(identity);
    const encoded = await coming;
    return (await builder.signAndGetManifestBytes(
      {
        alg: identity.algorithm.name,
        reserveSize: reserve,
        sign: async (claim) => {
          try {
            return Uint8Array.from(await coseSign1(claim, identity, reserve));
          } catch (error) {
            fault = error;
            throw error;
          }
        },
      },
      [],
      format,
      new BytesBlob(encoded, format),
    )) as Signed;
  } catch (error) {
    throw fault ?? (error instanceof Error ? error : new Error(String(error).split('\n')[0]!.slice(0, 500)));
  } finally {
    builder.free();
  }
}

/** Side of the picture that is signed for practice: enough to be hashed that V8 compiles that well, and not only fast. */
const PRACTICE = 160;
let rehearsed: Promise<void> | undefined;

/**
 * Once a process, goes as far as the signature with a small picture: while a large one is encoded there is time for that, and code that V8 has not compiled
 * yet, or has only in haste, signs and hashes many times as slowly.
 */
function rehearse(identity: Identity): Promise<void> {
  const sign = async () => { throw new Error('this was for practice'); };
  rehearsed ??= signTrial({ width: PRACTICE, height: PRACTICE, channels: 3, data: randomBytes(3 * PRACTICE ** 2) }, { ...identity, sign }).then(() => {}, () => {});
  return rehearsed;
}

/** Signs a picture as others will be, which is kept nowhere. @throws as `signFile`. */
export async function signTrial(picture: Pixels, identity: Identity): Promise<Signed> {
  const actions = [{ action: 'c2pa.created', digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation' }];
  const manifest: Manifest = { claim_generator_info: [{ name: 'zeuxis', version: '0' }], title: 'trial', format: 'image/png', assertions: [{ label: 'c2pa.actions.v2', data: { actions } }] };
  return signFile(await encodePng(picture), 'image/png', manifest, identity);
}

/**
 * Credentials that do not hold go in with what is wrong with them. Where the file cannot be read at all, the ingredient is named
 * without: a damaged parent is no reason to hide that there was one.
 */
async function addIngredient(builder: WasmBuilder, { file, ...ingredient }: Ingredient): Promise<void> {
  if (ingredient.relationship === 'inputTo') return builder.addIngredient(JSON.stringify(ingredient));
  if (file) {
    const { bytes, format } = file;
    try {
      return await builder.addIngredientFromBlob(JSON.stringify(ingredient), format, new BytesBlob(bytes, format));
    } catch {
      // Said in the description below.
    }
  }
  const description = [ingredient.description, 'this file could not be examined for credentials'].filter(Boolean).join('; ');
  builder.addIngredient(JSON.stringify({ ...ingredient, description }));
}
