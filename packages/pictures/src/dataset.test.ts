import { mkdir, mkdtemp, readdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataset, UserError } from './index.js';

let [root, cache] = ['', ''];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'zeuxis-pictures-'));
  cache = join(root, '..', `${root.split('/').pop()}-cache`);
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
  await rm(cache, { recursive: true, force: true });
});

const plain = (r: number, g: number, b: number, width = 40, height = 40) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

async function draw(label: string, count: number, colour: [number, number, number]) {
  await mkdir(join(root, label), { recursive: true });
  for (let i = 0; i < count; i++) await plain(...colour).png().toFile(join(root, label, `${String(i).padStart(3, '0')}.png`));
}

describe('openDataset', () => {
  it('reads every format, labels by folder, and gives planar pixels in order', async () => {
    await draw('red', 30, [255, 0, 0]);
    await mkdir(join(root, 'blue'));
    for (const format of ['webp', 'avif', 'tiff', 'png'] as const)
      await plain(0, 0, 255).toFormat(format, { lossless: true }).toFile(join(root, 'blue', `a.${format}`));
    const data = await openDataset(root, { size: 32, cache });
    expect(data.labels).toEqual(['blue', 'red']);
    expect([...data.labelOf]).toEqual([0, 0, 0, 0, ...Array(30).fill(1)]);
    const pixels = data.read([33, 3]);
    const plane = 32 * 32;
    expect([pixels[0], pixels[plane], pixels[2 * plane]]).toEqual([255, 0, 0]);
    expect([pixels[3 * plane], pixels[4 * plane], pixels[5 * plane]]).toEqual([0, 0, 255]);
    expect(() => data.read([34])).toThrow('no picture 34');
    data.close();
  });

  it('turns pictures upright and lays transparent ones on white', async () => {
    await draw('a', 32, [0, 0, 0]);
    // Left half white, stored with orientation 6: shown, the top half is white.
    const half = await plain(255, 255, 255, 20, 40).png().toBuffer();
    await plain(0, 0, 0)
      .composite([{ input: half, left: 0, top: 0 }])
      .jpeg({ quality: 100 })
      .withMetadata({ orientation: 6 })
      .toFile(join(root, 'a', 'z1.jpg'));
    await sharp({ create: { width: 40, height: 40, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toFile(join(root, 'a', 'z2.png'));
    const data = await openDataset(root, { size: 32, cache });
    const turned = data.read([32]);
    expect(turned[2 * 32 + 16]).toBeGreaterThan(250);
    expect(turned[29 * 32 + 16]).toBeLessThan(5);
    expect(data.read([33])[0]).toBe(255);
    data.close();
  });

  it('names what is broken, tiny or reserved, and leaves it out', async () => {
    await draw('.', 33, [9, 9, 9]);
    await plain(1, 2, 3).jpeg().toFile(join(root, 'cut.jpg'));
    const noise = Buffer.from(Uint8Array.from({ length: 200 * 200 * 3 }, (_, i) => (i * 7919) % 251));
    await sharp(noise, { raw: { width: 200, height: 200, channels: 3 } }).jpeg().toFile(join(root, 'cut.jpg'));
    await truncate(join(root, 'cut.jpg'), 4000);
    await writeFile(join(root, 'text.jpg'), 'no picture at all');
    await plain(1, 1, 1, 8, 8).png().toFile(join(root, 'tiny.png'));
    const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/></rdf:RDF></x:xmpmeta>`;
    await plain(1, 1, 1).jpeg().withXmp(xmp).toFile(join(root, 'kept.jpg'));
    // A PNG whose header alone claims 60,000 x 60,000.
    const png = await plain(0, 0, 0).png().toBuffer();
    png.writeUInt32BE(60000, 16);
    png.writeUInt32BE(60000, 20);
    await writeFile(join(root, 'vast.png'), png);
    await writeFile(join(root, 'made.png'), Buffer.concat([await plain(7, 7, 7).png().toBuffer(), Buffer.from('digitalsourcetype/trainedAlgorithmicMedia')]));
    const data = await openDataset(root, { size: 32, cache });
    expect(data.count).toBe(33);
    expect(data.skipped).toEqual([
      { file: 'cut.jpg', reason: expect.stringContaining('broken') },
      { file: 'made.png', reason: 'its credentials say that a model made it' },
      { file: 'text.jpg', reason: expect.stringContaining('broken') },
      { file: 'tiny.png', reason: 'too small: 8x8, the shorter side must be 16 px' },
      { file: 'vast.png', reason: 'more than 268 million pixels; scale it down' },
    ]);
    expect(data.reserved).toEqual([{ file: 'kept.jpg', reason: expect.stringContaining('prohibited') }]);
    expect(data.labels).toEqual([]);
    data.close();
  });

  it('fingerprints bytes, not times, and decodes once', async () => {
    await draw('.', 32, [5, 6, 7]);
    let steps = 0;
    const open = async () => {
      steps = 0;
      const data = await openDataset(root, { size: 32, cache, onProgress: () => steps++ });
      data.close();
      return data.fingerprint;
    };
    const before = await open();
    expect(steps).toBe(32);
    await utimes(join(root, '000.png'), 1, 1);
    expect(await open()).toBe(before);
    expect(steps).toBe(0);
    await plain(1, 1, 1).png().toFile(join(root, '000.png'));
    expect(await open()).not.toBe(before);
  });

  it('leaves nothing behind when it is stopped', async () => {
    await draw('.', 40, [5, 6, 7]);
    const control = new AbortController();
    const opening = openDataset(root, { size: 32, cache, signal: control.signal, onProgress: () => control.abort() });
    await expect(opening).rejects.toThrow('abort');
    expect(await readdir(cache)).toEqual([]);
  });

  it.each([
    ['a folder that is missing', 'nowhere', 64, "there is no folder"],
    ['an empty folder', '.', 64, 'holds no JPEG'],
    ['a size that is no power of two', '.', 48, 'no power of two'],
  ])('says what is wrong with %s', async (_name, folder, size, message) => {
    await expect(openDataset(join(root, folder), { size, cache })).rejects.toThrow(message);
    await expect(openDataset(join(root, folder), { size, cache })).rejects.toBeInstanceOf(UserError);
  });

  it('refuses a file in place of a folder, and too few pictures', async () => {
    await draw('.', 3, [1, 1, 1]);
    await expect(openDataset(join(root, '000.png'), { size: 32, cache })).rejects.toThrow('is a file');
    await expect(openDataset(root, { size: 32, cache })).rejects.toThrow('holds 3 usable pictures');
    expect(await readdir(cache)).toEqual([]);
  });

  it('packs once for every choice of labels', async () => {
    await draw('red', 20, [255, 0, 0]);
    await draw('blue', 20, [0, 0, 255]);
    const open = async (labels?: 'folders' | 'none') => {
      let decoded = 0;
      const data = await openDataset(root, { size: 32, cache, ...(labels ? { labels } : {}), onProgress: () => decoded++ });
      data.close();
      return [decoded, ...data.labels];
    };
    expect([await open(), await open('folders'), await open('none')]).toEqual([[40, 'blue', 'red'], [0, 'blue', 'red'], [0]]);
    expect((await readdir(cache)).length).toBe(2);
  });

  it('leaves out and names what lies beside the label folders, unless there are none', async () => {
    await draw('red', 32, [255, 0, 0]);
    await plain(0, 9, 0).png().toFile(join(root, 'zebra.png'));
    await plain(0, 9, 0).png().toFile(join(root, 'apple.png'));
    for (const mode of [{}, { labels: 'folders' as const }]) {
      const data = await openDataset(root, { size: 32, cache, ...mode });
      expect([data.labels, [...data.labelOf]]).toEqual([['red'], Array(32).fill(0)]);
      const reason = 'it lies beside the label folders, not in one';
      expect(data.skipped).toEqual([{ file: 'apple.png', reason }, { file: 'zebra.png', reason }]);
      expect(data.read([0])[0]).toBe(255);
      data.close();
    }
    const unlabelled = await openDataset(root, { size: 32, cache, labels: 'none' });
    expect([unlabelled.count, unlabelled.skipped, unlabelled.read([0])[0]]).toEqual([34, [], 0]);
    unlabelled.close();
  });

  it('has no labels where no picture lies in a folder, and says when too few do', async () => {
    await draw('.', 32, [1, 1, 1]);
    const data = await openDataset(root, { size: 32, cache, labels: 'folders' });
    expect([data.count, data.labels, data.skipped]).toEqual([32, [], []]);
    data.close();
    await draw('stray', 2, [1, 1, 1]);
    const opening = openDataset(root, { size: 32, cache });
    await expect(opening).rejects.toThrow(/holds 2 usable .* 32 beside the label folders.*without labels/);
  });

  it('follows links to pictures and folders, not in circles, and names broken ones', async () => {
    await draw('red', 16, [255, 0, 0]);
    const elsewhere = join(root, '.elsewhere');
    await mkdir(join(elsewhere, 'deep'), { recursive: true });
    for (let i = 0; i < 16; i++) await plain(0, 0, 255).png().toFile(join(elsewhere, 'deep', `${i}.png`));
    await symlink(elsewhere, join(root, 'blue'));
    await symlink(root, join(elsewhere, 'deep', 'round'));
    await symlink('../red', join(root, 'red', 'again'));
    await symlink(join(elsewhere, 'deep', '0.png'), join(root, 'red', 'one.png'));
    await symlink('nowhere.png', join(root, 'red', 'two.png'));
    await symlink('self.png', join(root, 'red', 'self.png'));
    const data = await openDataset(root, { size: 32, cache });
    expect(data.labels).toEqual(['blue', 'red']);
    expect([...data.labelOf]).toEqual([...Array(16).fill(0), ...Array(17).fill(1)]);
    expect([data.read([15])[0], data.read([31])[0], data.read([32])[0]]).toEqual([0, 255, 0]);
    expect(data.skipped).toEqual([
      { file: 'red/self.png', reason: 'cannot be read (ELOOP)' },
      { file: 'red/two.png', reason: 'cannot be read (ENOENT)' },
    ]);
    data.close();
  });
});
