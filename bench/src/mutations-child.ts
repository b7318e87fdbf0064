// Gives mutants to what a user would call, in a process of its own: it may crash, hang and take memory. Started by mutations.ts, which names the
// folder, and sends the number of one mutant after the other.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSession } from '@zeuxis/graph/node';
import { Random } from '@zeuxis/nets';
import { animatedFormat, declareSource, decodeSquare, perceptualHashOf, readAnimation, readRaster, refusal } from '@zeuxis/pictures';
import { examine, openLedger } from '@zeuxis/provenance';
import { openModel } from '@zeuxis/verbs';
import { KINDS, type Kind, mutate } from './mutants.js';

/** What came of a mutant. */
export interface Outcome {
  number: number;
  kind: Kind;
  /** Of the seed. */
  file: string;
  /** 'answered' where any of the calls had something to say, 'refused' where all ended in an error for people. */
  outcome: 'answered' | 'refused' | 'defect';
  /** What is wrong. */
  defect?: string;
  /** It was signed, and the signature still holds: what was changed is nothing that the picture shows or says. */
  trusted?: boolean;
  milliseconds: number;
  /** Largest resident set of the process so far, bytes. */
  peak: number;
}

const [folder = '', runSeed = ''] = process.argv.slice(2);
const home = join(folder, 'home');
const identity = { identityFolder: home };

type Call = () => Promise<unknown>;
class Defect extends Error {}

async function pixelsOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  const { data } = (await animatedFormat(bytes)) ? await readAnimation(path, bytes) : await readRaster(path);
  return Buffer.from(data).toString('base64');
}
const originals = new Map<string, Promise<string | undefined>>();
/** The pixels of a file before it was changed. */
function original(path: string): Promise<string | undefined> {
  if (!originals.has(path)) originals.set(path, pixelsOf(path).catch(() => undefined));
  return originals.get(path)!;
}

/** Everything that reads a file of this kind. */
async function calls(kind: Kind, seed: string, bytes: Buffer): Promise<{ list: Call[]; trusted: () => boolean }> {
  let trusted = false;
  const path = join(folder, 'mutant', kind === 'ledger' ? 'ledger/published.jsonl' : `mutant.${kind === 'c2pa' ? 'jpg' : kind}`);
  await mkdir(join(folder, 'mutant', 'ledger'), { recursive: true });
  await writeFile(path, bytes);
  if (kind === 'onnx')
    return {
      list: [
        async () => {
          const model = await openModel(path);
          // In the words of `generate`, which gives the first line.
          const session = await openSession(model.bytes, { threads: 1 }).catch((error: Error) => {
            throw Object.assign(new Error(error.message.split('\n')[0]), { name: 'UserError' });
          });
          await session.close();
        },
      ],
      trusted: () => false,
    };
  if (kind === 'ledger')
    return {
      list: [
        async () => {
          const ledger = openLedger(join(folder, 'mutant'));
          let count = 0;
          for await (const record of ledger.all()) {
            count++;
            const found = await ledger.byId(record.id);
            if (found?.id !== record.id) throw new Defect(`the record ${record.id} is listed and not found`);
          }
          const [near, { lines }] = [await ledger.near('0'.repeat(16), 64, 1000), await ledger.damaged()];
          if (near.length > count) throw new Defect(`${near.length} records are alike where there are ${count}`);
          // Whoever loses a record is to hear of it, unless its whole line is gone.
          const said = bytes.toString('latin1').split('\n').filter((line) => line !== '').length;
          if (count + lines !== said) throw new Defect(`${count} records and ${lines} damaged lines of ${said}`);
        },
      ],
      trusted: () => false,
    };
  if (kind === 'xmp')
    return {
      list: [
        async () => refusal(bytes, bytes),
        async () => declareSource(bytes, 'drawn', 'jpeg'),
      ],
      trusted: () => false,
    };
  const changed = async () => !bytes.equals(await readFile(seed));
  return {
    list: [
      async () => {
        const { state, summary } = await examine(path, identity);
        trusted = (state === 'trusted' || state === 'valid') && (await changed());
        if (summary.trim() === '') throw new Defect('a verdict without words');
        const before = trusted && (await original(seed));
        if (before && before !== (await pixelsOf(path).catch(() => before))) throw new Defect(`${state}, though its pixels are others`);
      },
      () => readRaster(path),
      async () => {
        if (await animatedFormat(bytes)) return readAnimation(path, bytes);
        throw Object.assign(new Error('no animation'), { name: 'UserError' });
      },
      async () => {
        const decoded = await decodeSquare(bytes, 32, 'crop');
        if ('skipped' in decoded || 'reserved' in decoded) throw Object.assign(new Error(Object.values(decoded)[0] as string), { name: 'UserError' });
      },
      () => perceptualHashOf(bytes),
    ],
    trusted: () => trusted,
  };
}

async function tried(number: number): Promise<Outcome> {
  const kind = KINDS[number % KINDS.length]!;
  const seeds = await readdir(join(folder, 'seeds', kind)).catch(() => []);
  const file = seeds.sort()[Math.floor(number / KINDS.length) % seeds.length];
  const from = join(folder, 'seeds', kind, file ?? '');
  const start = performance.now();
  let [answered, defect, trusted]: [number, string | undefined, boolean] = [0, undefined, false];
  if (file !== undefined) {
    const bytes = Buffer.from(mutate(await readFile(from), new Random(`${runSeed}/${number}`)));
    const given = await calls(kind, from, bytes);
    for (const call of given.list)
      await call().then(
        () => answered++,
        (error: Error) => {
          const clear = error?.name === 'UserError' && error.message !== '' && !error.message.includes('\n');
          if (!clear) defect ??= String(error?.stack ?? error).slice(0, 600);
        },
      );
    trusted = given.trusted();
  }
  return {
    number,
    kind,
    file: file ?? '',
    outcome: defect === undefined ? (answered > 0 ? 'answered' : 'refused') : 'defect',
    ...(defect === undefined ? {} : { defect }),
    ...(trusted ? { trusted } : {}),
    milliseconds: Math.round(performance.now() - start),
    peak: process.resourceUsage().maxRSS * 1024,
  };
}

process.on('message', async (number: number) => {
  process.send!(await tried(number));
});
process.send!('ready');
