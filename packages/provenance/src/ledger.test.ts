// The ledger: what becomes of it where writers are killed, race or run out of disk, and where the file is damaged or hostile.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ledger, type LedgerRecord, type NewRecord, newId, openLedger, shortId } from './ledger.js';

let root: string;
let count = 0;
const fresh = () => join(root, `${count++}`);
const published = (home: string) => join(home, 'ledger', 'published.jsonl');
const made = (more: Partial<NewRecord> = {}): NewRecord => ({
  id: newId(),
  time: '2026-11-25T06:49:17.123Z',
  name: 'grapes-0001.png',
  sha256: createHash('sha256').update(newId()).digest('hex'),
  bytes: 12345,
  format: 'image/png',
  width: 64,
  height: 48,
  digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
  action: 'c2pa.created',
  generation: { seed: 7, label: 'bird \u{1f347} \ud800' },
  models: [{ name: 'grapes', sha256: 'ab'.repeat(32), trained: [{ name: 'vines', pictures: 12, fingerprint: 'cd', rights: { text: 'mine', name: 'Ada' } }] }],
  hash: '0123456789abcdef',
  watermark: 16,
  ...more,
});
async function allOf(ledger: Ledger): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.all()) records.push(record);
  return records;
}
const idsOf = async (home: string) => (await allOf(openLedger(home))).map(({ id }) => id);

/** A line as the ledger writes it, of anything. */
function lineOf(value: unknown): string {
  const text = JSON.stringify(value);
  return `${text.slice(0, -1)},"crc":"${crc32(text).toString(16).padStart(8, '0')}"}`;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'zeuxis-ledger-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the ledger', () => {
  it('keeps records and manifests, for nobody else to read, and finds them', async () => {
    const home = fresh();
    const ledger = openLedger(home);
    expect(await Promise.all([allOf(ledger), ledger.byId(newId()), ledger.byShortId('0000'), ledger.near('0'.repeat(16)), ledger.damaged()])).toEqual([[], undefined, [], [], { lines: 0, at: [] }]);
    const manifest = Buffer.from('a manifest, as it were');
    const [first, second, third] = [
      await ledger.append(made({ id: 'beef000000000001', hash: '00000000000000ff' }), manifest),
      await ledger.append(made({ id: 'beef000000000002', hash: '80000000000000ff', parent: { title: 'a.jpg', sha256: 'ef'.repeat(32) } })),
      await ledger.append(made({ id: 'cafe000000000003', watermark: 64, hash: undefined } as unknown as NewRecord)),
    ];
    const sum = createHash('sha256').update(manifest).digest('hex');
    expect(first).toMatchObject({ ledger: 1, manifest: sum });
    // What JSON cannot hold is not in the record either.
    const { hash: _, ...written } = third;
    for (const reader of [ledger, openLedger(home)]) {
      expect(await allOf(reader)).toEqual([first, second, written]);
      expect(await reader.byId('cafe000000000003')).toEqual(written);
      expect(await reader.byId('beef000000000003')).toBeUndefined();
      expect(await reader.byShortId('beef')).toEqual([second, first]);
      expect(await reader.bySha256(second.sha256)).toEqual(second);
      expect(await reader.bySha256(`${second.sha256.slice(0, -1)}x`)).toBeUndefined();
      expect(await reader.near('80000000000000fe')).toEqual([{ record: second, distance: 1 }, { record: first, distance: 2 }]);
      expect(await reader.near('80000000000000fe', 1)).toEqual([{ record: second, distance: 1 }]);
      expect(await reader.near('80000000000000fe', 64, 1)).toHaveLength(1);
      expect(Buffer.from((await reader.manifest(first))!)).toEqual(manifest);
      expect(await reader.manifest(second)).toBeUndefined();
    }
    expect(await readdir(join(home, 'ledger'))).toEqual(['manifests', 'published.jsonl']);
    const kept = join(home, 'ledger', 'manifests', `${sum}.c2pa`);
    if (process.platform !== 'win32')
      expect(await Promise.all([join(home, 'ledger'), join(home, 'ledger', 'manifests'), published(home), kept].map(async (path) => (await stat(path)).mode & 0o777))).toEqual([0o700, 0o700, 0o600, 0o600]);
    await writeFile(kept, 'another');
    expect(await ledger.manifest(first)).toBeUndefined();
    // Each line is JSON that other programs read.
    const lines = (await readFile(published(home), 'utf8')).split('\n').filter(Boolean);
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([first.id, second.id, third.id]);
  });

  it('sees what others have added since, and starts anew with another file', async () => {
    const home = fresh();
    const [reader, writer] = [openLedger(home), openLedger(home)];
    const records: LedgerRecord[] = [];
    for (let i = 0; i < 100; i++) {
      records.push(await writer.append(made({ id: `${i.toString(16).padStart(4, '0')}000000000000` })));
      if (i % 9 === 0) expect(await Promise.all(records.slice(-3).map(({ id }) => reader.byId(id)))).toEqual(records.slice(-3));
    }
    expect((await reader.near(records[0]!.hash!, 0, 1000)).length).toBe(100);
    await truncate(published(home), 0);
    expect(await reader.byId(records[99]!.id)).toBeUndefined();
    const after = await writer.append(made());
    expect(await reader.byId(after.id)).toEqual(after);
    expect(await reader.near(after.hash!)).toHaveLength(1);
  });

  it('refuses a record that it would not read again', async () => {
    const home = fresh();
    const ledger = openLedger(home);
    await expect(ledger.append(made({ id: 'grapes' }))).rejects.toThrow("a wrong 'id'");
    let deep: Record<string, unknown> = {};
    for (let i = 0; i < 50; i++) deep = { deep };
    await expect(ledger.append(made({ generation: deep }))).rejects.toThrow("a wrong 'generation'");
    await expect(ledger.append(made({ generation: { label: 'x'.repeat(2 ** 20) } }))).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(/^what is to be recorded of 'grapes-0001.png' takes 10\d{5} bytes/) });
    expect(await idsOf(home)).toEqual([]);
  });

  it('says what is in the way', async () => {
    const home = fresh();
    await mkdir(join(home, 'ledger'), { recursive: true });
    await mkdir(published(home));
    await expect(openLedger(home).byId(newId())).rejects.toMatchObject({ name: 'UserError', message: expect.stringContaining('is no file') });
    await expect(openLedger(home).append(made())).rejects.toMatchObject({ name: 'UserError' });
    const taken = fresh();
    await writeFile(taken, '');
    await expect(openLedger(taken).append(made())).rejects.toMatchObject({ name: 'UserError' });
  });
});

describe('a damaged ledger', () => {
  const fill = async (home: string, records = 5) => {
    const ledger = openLedger(home);
    const ids: string[] = [];
    for (let i = 0; i < records; i++) ids.push((await ledger.append(made())).id);
    return ids;
  };

  it('loses the one record whose bytes were flipped, and counts it', async () => {
    const home = fresh();
    const ids = await fill(home);
    const whole = await readFile(published(home));
    const size = whole.length / 5;
    for (let at = 0; at < size - 1; at += 7) {
      const flipped = Buffer.from(whole);
      flipped[2 * size + 1 + at]! ^= 1 << (at % 7);
      await writeFile(published(home), flipped);
      const ledger = openLedger(home);
      const left = (await allOf(ledger)).map(({ id }) => id);
      const [found, damage] = [await Promise.all(ids.map(async (id) => (await ledger.byId(id))?.id)), await ledger.damaged()];
      expect(left, `byte ${at}`).toEqual(ids.filter((_, i) => i !== 2));
      expect(found).toEqual(ids.map((id, i) => (i === 2 ? undefined : id)));
      // A flipped bit may make a newline of a letter: then there are two lines that are none.
      expect(damage.lines).toBe(flipped.subarray(2 * size + 1, 3 * size - 1).includes(10) ? 2 : 1);
      expect(damage.at[0]).toBe(2 * size + 1);
    }
  });

  it.each([1, 2, 10, 300, 500])('that was cut %i bytes before its end loses what was cut, and takes more', async (cut) => {
    const home = fresh();
    const ids = await fill(home, 3);
    await truncate(published(home), (await stat(published(home))).size - cut);
    const ledger = openLedger(home);
    const left = cut === 1 ? ids : ids.slice(0, 2);
    expect([(await allOf(ledger)).map(({ id }) => id), await ledger.damaged()]).toEqual([left, cut === 1 ? { lines: 0, at: [] } : { lines: 1, at: [expect.any(Number)] }]);
    const [a, b] = [await ledger.append(made()), await openLedger(home).append(made())];
    for (const reader of [ledger, openLedger(home)]) {
      expect((await allOf(reader)).map(({ id }) => id)).toEqual([...left, a.id, b.id]);
      for (const id of [...left, a.id, b.id]) expect((await reader.byId(id))?.id).toBe(id);
      expect((await reader.damaged()).lines).toBe(cut === 1 ? 0 : 1);
    }
  });

  it('gives nothing that is not what it should be, of any kind, length or encoding', async () => {
    const home = fresh();
    const [id] = await fill(home, 1);
    const good = { ledger: 1, ...made() };
    const wrong: [keyof LedgerRecord, unknown][] = [
      ['ledger', 2], ['id', 'ABCDEF0123456789'], ['id', 12], ['time', 'yesterday'], ['time', '2026-13-45T99:00:00Z'], ['name', null], ['sha256', 'ab'], ['bytes', -1], ['bytes', 1e300], ['format', []], ['width', '64'], ['height', 0.5],
      ['digitalSourceType', {}], ['action', 1], ['generation', []], ['generation', null], ['models', {}], ['models', [{ name: 'x', sha256: 'y' }]], ['models', [{ ...good.models[0], trained: [null] }]], ['parent', { title: 1, sha256: 'ab'.repeat(32) }],
      ['hash', 'zz'], ['watermark', 32], ['manifest', '../../../etc/passwd'],
    ];
    const deep = `{"ledger":1,"generation":${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
    const lines: (string | Uint8Array)[] = [
      ...wrong.map(([field, value]) => lineOf({ ...good, [field]: value })),
      ...Object.keys(good).filter((field) => field !== 'hash').map((field) => lineOf({ ...good, [field]: undefined })),
      ...['null', '[]', '{}', '"ledger"', '1', 'true', '\u0000'],
      `${deep.slice(0, -1)},"crc":"${crc32(deep).toString(16).padStart(8, '0')}"}`,
      Buffer.from(lineOf(good), 'utf16le').filter((byte) => byte !== 10),
      Buffer.from(lineOf({ ...good, name: 'Ü' }), 'latin1'),
      lineOf({ ...good, generation: { label: 'x'.repeat(3 * 2 ** 20) } }),
      Buffer.alloc(5 * 2 ** 20, 7),
      Buffer.alloc(700_000),
    ];
    for (const line of lines) await appendFile(published(home), Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
    const last = (await openLedger(home).append(made())).id;
    await appendFile(published(home), Buffer.alloc(2 ** 21, 120));
    const ledger = openLedger(home);
    expect(await idsOf(home)).toEqual([id, last]);
    expect([(await ledger.byId(id!))?.id, (await ledger.byId(last))?.id, await ledger.byId(good.id)]).toEqual([id, last, undefined]);
    const damage = await ledger.damaged();
    expect([damage.lines, damage.at.length]).toEqual([lines.length + 1, 10]);
  });

  it('does not hold what other fields a line brings along', async () => {
    const home = fresh();
    await fill(home, 1);
    const id = newId();
    await appendFile(published(home), `${lineOf(JSON.parse(JSON.stringify({ ledger: 1, ...made({ id }), more: 1 }).replace('"more"', '"__proto__"')))}\n`);
    const record = (await openLedger(home).byId(id))!;
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    expect(Object.keys(record).sort()).toEqual(['ledger', ...Object.keys(made())].sort());
  });
});

describe('processes that write at once, and are killed', () => {
  const script = `const { openLedger } = await import(${JSON.stringify(fileURLToPath(new URL('../dist/ledger.js', import.meta.url)))});
    const [home, record, count, manifest] = process.argv.slice(1);
    const ledger = openLedger(home);
    const { randomBytes } = await import('node:crypto');
    for (let i = 0; i < Number(count); i++) {
      const id = randomBytes(8).toString('hex');
      await ledger.append({ ...JSON.parse(record), id }, manifest ? randomBytes(50000) : undefined);
      process.stdout.write(id + '\\n');
    }`;
  const writer = (home: string, count: number, manifest = '', record = made({ generation: { label: 'x'.repeat(5000) } })) =>
    spawn(process.execPath, ['--input-type=module', '-e', script, home, JSON.stringify(record), String(count), manifest], { stdio: ['ignore', 'pipe', 'inherit'] });
  /** The ids whose `append` had returned. @param afterwards called with each. */
  const told = async (child: ReturnType<typeof writer>, afterwards = (_count: number) => {}): Promise<string[]> => {
    const ids: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) if (line.length === 16) afterwards(ids.push(line));
    return ids;
  };

  it('lose nothing to each other', async () => {
    const home = fresh();
    const ids = (await Promise.all([1, 2, 3].map((_, i) => told(writer(home, 150, i === 0 ? 'with' : ''))))).flat();
    expect(ids).toHaveLength(450);
    const ledger = openLedger(home);
    expect(new Set((await allOf(ledger)).map(({ id }) => id))).toEqual(new Set(ids));
    expect(await ledger.damaged()).toEqual({ lines: 0, at: [] });
  });

  it('lose nothing that was told, whenever SIGKILL comes', async () => {
    const home = fresh();
    const all: string[] = [];
    for (let round = 0; round < 24; round++) {
      // Two at once; both are killed at a moment of their own after they began to write.
      const kill = (child: ReturnType<typeof writer>) => {
        let set = false;
        return told(child, () => {
          if (!set) setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
          set = true;
        });
      };
      all.push(...(await Promise.all([kill(writer(home, 1e6, 'with')), kill(writer(home, 1e6))])).flat());
      const ledger = openLedger(home);
      const present = new Set((await allOf(ledger)).map(({ id }) => id));
      expect(all.filter((id) => !present.has(id))).toEqual([]);
    }
    expect(all.length).toBeGreaterThan(48);
    // Every manifest that a record names is there, whole.
    const ledger = openLedger(home);
    for await (const record of ledger.all()) if (record.manifest) expect(await ledger.manifest(record), record.id).toBeDefined();
    // What the killed left unfinished goes when the next one writes.
    await ledger.append(made());
    expect((await readdir(join(home, 'ledger'))).sort()).toEqual(['manifests', 'published.jsonl']);
    expect((await readdir(join(home, 'ledger', 'manifests'))).every((name) => /^[0-9a-f]{64}\.c2pa$/.test(name))).toBe(true);
  });
});

const mountable = (() => {
  try {
    execFileSync('unshare', ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('where writing fails', () => {
  it.skipIf(!mountable)('a full disk is a fault in one line, and leaves what was there', async () => {
    const disk = fresh();
    await mkdir(disk);
    // Records of 3,000 bytes, as a page of 4,096 then takes in a part of one; at last room is made, and one more is written.
    const script = `const { openLedger } = await import(${JSON.stringify(fileURLToPath(new URL('../dist/ledger.js', import.meta.url)))});
      const { statSync, rmSync, writeFileSync } = await import('node:fs');
      writeFileSync('spare', Buffer.alloc(4096));
      const ledger = openLedger('.');
      const record = ${JSON.stringify(made({ generation: { label: 'x'.repeat(2400) } }))};
      const id = (i) => i.toString(16).padStart(16, '0');
      let [i, fault] = [0];
      for (; !fault; i++) await ledger.append({ ...record, id: id(i) }).catch((error) => { fault = error; });
      const full = statSync('ledger/published.jsonl').size;
      rmSync('spare');
      await ledger.append({ ...record, id: id(65535) });
      const left = [];
      for await (const { id } of openLedger('.').all()) left.push(parseInt(id, 16));
      console.log(JSON.stringify({ name: fault.name, message: fault.message, i, full, left, damaged: await openLedger('.').damaged() }));`;
    const shell = `mount -t tmpfs -o size=64k tmpfs . && cd "$PWD" && exec "$@"`;
    const run = () =>
      new Promise<string>((resolve, reject) => {
        execFile('unshare', ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), 'sh', '-c', shell, 'sh', process.execPath, '--input-type=module', '-e', script], { cwd: disk }, (error, out, err) => (error ? reject(new Error(err)) : resolve(out)));
      });
    const { name, message, i, full, left, damaged } = JSON.parse(await run());
    expect([name, message]).toEqual(['UserError', expect.stringMatching(/^the disk of 'ledger' is full: 'ledger\/published.jsonl' was not written; free some space and try again$/)]);
    expect(i).toBeGreaterThan(10);
    expect(left).toEqual([...Array.from({ length: i - 1 }, (_, n) => n), 65535]);
    // The last one had been written in part.
    expect(full % 4096).toBe(0);
    expect(damaged.lines).toBe(1);
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a folder that may not be written is a fault in one line', async () => {
    const home = fresh();
    await mkdir(home);
    await chmod(home, 0o500);
    await expect(openLedger(home).append(made())).rejects.toMatchObject({ name: 'UserError' });
  });
});

it('finds what it is asked for among 20,000 records', async () => {
  const home = fresh();
  await openLedger(home).append(made());
  const file = await open(published(home), 'a');
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) {
    const lines = Array.from({ length: 1000 }, () => {
      const record = made({ generation: { label: 'y'.repeat(500) } });
      ids.push(record.id);
      return `\n${lineOf({ ledger: 1, ...record })}\n`;
    });
    await file.write(lines.join(''));
  }
  await file.close();
  const ledger = openLedger(home);
  expect((await ledger.byId(ids[12345]!))?.id).toBe(ids[12345]);
  expect((await ledger.byShortId(shortId(ids[777]!))).map(({ id }) => id)).toContain(ids[777]);
  expect(await ledger.damaged()).toEqual({ lines: 0, at: [] });
});
