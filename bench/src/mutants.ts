// Files that the project itself makes, and what chance makes of them.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import type { Random } from '@zeuxis/nets';
import { declareSource, perceptualHash, RASTER_FORMATS } from '@zeuxis/pictures';
import { newId, openIdentity, openLedger, publish, publishEdited } from '@zeuxis/provenance';

export const KINDS = ['png', 'jpeg', 'webp', 'avif', 'tiff', 'gif', 'c2pa', 'onnx', 'ledger', 'xmp'] as const;
export type Kind = (typeof KINDS)[number];

const FOREIGN = fileURLToPath(new URL('../../../shared/data/c2pa/', import.meta.url));
const MODEL = fileURLToPath(new URL('../../pretrained/avatars.onnx', import.meta.url));
const [WIDTH, HEIGHT] = [96, 64];

/**
 * Makes a file or more of each kind in `folder`/seeds/<kind>, signed by an identity in `folder`/home: pictures generated and edited, an animation,
 * those of the C2PA's test files that are at hand, a shipped model, a ledger and an XMP packet.
 */
export async function makeSeeds(folder: string): Promise<void> {
  const home = join(folder, 'home');
  const place = async (kind: Kind, name: string) => {
    await mkdir(join(folder, 'seeds', kind), { recursive: true });
    return join(folder, 'seeds', kind, name);
  };
  const signing = { identity: await openIdentity(home), version: '0' };
  const model = { name: 'grapes', sha256: 'ab'.repeat(32) };
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 7 + Math.floor(i / 300) ** 2) % 256);
  const picture = { width: WIDTH, height: HEIGHT, channels: 3, data } as const;
  for (const format of ['png', 'jpeg', 'webp'] as const)
    await publish(picture, await place(format, `made.${format}`), { model, seed: 1, label: 'bird' }, { ...signing, format });
  const path = await place('png', 'made.png');
  const edit = { action: 'c2pa.filtered', description: "painted by 'grapes'", parent: { path, bytes: await readFile(path) }, generation: { model, strength: 1 } } as const;
  for (const format of RASTER_FORMATS)
    await publishEdited(async () => ({ ...picture, data: data.slice(), alpha: false, depth: 8, format, xmp: declareSource(undefined, 'drawn') }), await place(format, `edited.${format}`), edit, { ...signing, format });
  const frames = { width: 32, height: 32, data: Uint8Array.from({ length: 4 * 32 * 32 * 3 }, (_, i) => (i % 4 === 3 ? 255 : (i * 5) % 256)), delay: [100, 50, 100], loop: 0 };
  for (const format of ['gif', 'webp'] as const) await publishEdited(async () => ({ ...frames, data: frames.data.slice() }), await place(format, `moving.${format}`), edit, { ...signing, format });
  if (existsSync(FOREIGN)) for (const name of (await readdir(FOREIGN)).sort()) if (name.endsWith('.jpg')) await writeFile(await place('c2pa', name), await readFile(join(FOREIGN, name)));
  await writeFile(await place('onnx', 'model.onnx'), await readFile(MODEL));
  const ledger = openLedger(home);
  for (let i = 0; i < 20; i++)
    await ledger.append({ id: newId(), time: new Date().toISOString(), name: `${i}.png`, sha256: 'cd'.repeat(32), bytes: 1, format: 'image/png', width: WIDTH, height: HEIGHT, digitalSourceType: 'drawn', action: 'c2pa.created', generation: { seed: i }, models: [model], hash: perceptualHash({ ...picture, alpha: false }), watermark: 0 });
  await writeFile(await place('ledger', 'published.jsonl'), await readFile(join(home, 'ledger', 'published.jsonl')));
  await writeFile(await place('xmp', 'packet.xmp'), declareSource(undefined, 'http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture'));
}

/** Values at which arithmetic on lengths goes wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** A file with one to four changes: bits flipped, bytes set, pieces cut out or off, repeated, put in or emptied, numbers replaced. At the beginning, at its manifest or anywhere. */
export function mutate(seed: Uint8Array, random: Random): Uint8Array {
  let bytes = Buffer.from(seed);
  // Where there are no credentials, the end: there an ONNX file says what it is.
  const told = bytes.indexOf('jumb');
  const manifest = told < 0 ? Math.max(0, bytes.length - 16_384) : told;
  const somewhere = (): number => {
    const at = [random.below(64), manifest + random.below(random.below(2) === 0 ? 512 : 16_384), random.below(bytes.length + 1)][random.below(3)]!;
    return Math.min(Math.max(0, bytes.length - 1), at);
  };
  const piece = (most: number) => 1 + random.below(random.below(2) === 0 ? 8 : most);
  const end = (at: number) => Math.min(bytes.length, at);
  const noise = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const spliced = (at: number, away: number, put: Uint8Array) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + away)]);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = somewhere();
    const length = piece(4096);
    switch (random.below(9)) {
      case 0:
      case 1:
        for (let n = 1 + random.below(8), i = at; n > 0 && i < bytes.length; n--, i += random.below(40)) bytes[i]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes.fill(EDGES[random.below(EDGES.length)]!, at, end(at + 1 + random.below(8)));
        break;
      case 3:
        bytes = spliced(at, length, new Uint8Array());
        break;
      case 4:
        bytes = spliced(at, 0, noise(length));
        break;
      case 5:
        // A piece of it again, somewhere else.
        bytes = spliced(somewhere(), 0, bytes.subarray(at, at + length));
        break;
      case 6:
        bytes = random.below(2) === 0 ? bytes.subarray(0, at) : Buffer.concat([bytes, noise(random.below(65_536))]);
        break;
      case 7:
        if (bytes.length > at + 4) random.below(2) === 0 ? bytes.writeUInt32BE(random.below(2 ** 32), at) : bytes.writeUInt16BE(random.below(2 ** 16), at);
        break;
      default:
        bytes.fill(0, at, end(at + length));
    }
  }
  // Else nothing behind a checksum would ever be looked at.
  return random.below(2) === 0 ? withSums(bytes) : bytes;
}

/** The checksums of a PNG's chunks (PNG, 5.3) and of a ledger's lines put right again; of other files the bytes. */
function withSums(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  if (text.includes('"crc":"'))
    return Buffer.from(
      text
        .split('\n')
        .map((line) => line.replace(/^(.*),"crc":"[^"]*"\}$/s, (_, body: string) => `${body},"crc":"${crc32(Buffer.from(`${body}}`, 'latin1')).toString(16).padStart(8, '0')}"}`))
        .join('\n'),
      'latin1',
    );
  if (text.startsWith('\x89PNG'))
    for (let at = 8; at + 12 <= bytes.length; ) {
      const length = bytes.readUInt32BE(at);
      if (at + 12 + length > bytes.length) break;
      bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, at + 8 + length)), at + 8 + length);
      at += 12 + length;
    }
  return bytes;
}
