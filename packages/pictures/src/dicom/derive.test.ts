import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Dataset, items, numbers, text } from './elements.js';
import { type Derivation, type DicomPicture, readDicom, writeDerived } from './index.js';
import { parse } from './parse.js';
import { type Entry, encode, file, slice, UNCOMPRESSED, VALUES } from './reference-files.js';
import { TAG } from './tags.js';

/** Every pixel `scale` times in each direction. */
function repeat({ width, height, channels, frames }: DicomPicture, scale: number): Float32Array[] {
  const wide = width * scale;
  const at = (i: number) => Math.floor(i / wide / scale) * width + Math.floor((i % wide) / scale);
  return frames.map((frame) => Float32Array.from({ length: wide * height * scale * channels }, (_, i) => frame[at(i)]!));
}

const MODEL = { name: 'grey-x2', sha256: 'ab'.repeat(32) };
function derive(source: DicomPicture, own: Partial<Derivation> = {}): Uint8Array {
  const frames = repeat(source, own.scale ?? 2);
  return writeDerived(source, { scale: 2, frames, description: 'Upscaled 2 times', model: MODEL, version: '0.1.0', ...own });
}
const source = (...own: Entry[]) => readDicom(file(slice(...own)), 'a.dcm');
const derived = async (...own: Entry[]) => parse(derive(await source(...own))).dataset;

describe('what a derived picture says', () => {
  it('is another object of another series, of the same patient, study and frame of reference', async () => {
    const before = await source([0x00080014, 'UI', '1.2.9'], [0x00080201, 'SH', '+0130']);
    const bytes = derive(before);
    const after = parse(bytes).dataset;
    const same = (tag: number) => expect(text(after, tag)).toBe(text(before.dataset, tag));
    for (const tag of [0x00080016, 0x00100010, 0x00100020, 0x0020000d, 0x00200052]) same(tag);
    const uid = text(after, TAG.SOPInstanceUID)!;
    expect(uid).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
    // In the meta information too: (0002,0003), UI, 44 or fewer bytes.
    expect(Buffer.from(bytes.subarray(0, 400)).toString('latin1')).toContain(uid);
    expect(text(after, TAG.SeriesInstanceUID)).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
    expect(text(after, TAG.ImageType)).toBe('DERIVED\\SECONDARY\\AXIAL');
    expect(after.has(TAG.InstanceCreatorUID)).toBe(false);
    const now = new Date(Date.now() + 90 * 60_000).toISOString();
    expect(text(after, TAG.InstanceCreationDate)).toBe(now.slice(0, 10).replaceAll('-', ''));
    expect(text(after, TAG.InstanceCreationTime)).toMatch(/^\d{6}\.\d{3}$/);
  });

  it('keeps the slices of a series together, and models and scales apart', async () => {
    const [a, b] = [await source(), await source([0x00080018, 'UI', '1.2.3.4.6'])];
    const other = { ...MODEL, sha256: 'cd' };
    const uids = [derive(a), derive(b), derive(a), derive(a, { scale: 3 }), derive(a, { model: other })].map((bytes) => {
      const { dataset } = parse(bytes);
      return [text(dataset, TAG.SeriesInstanceUID), text(dataset, TAG.SOPInstanceUID)];
    });
    const series = uids.map(([uid]) => uid);
    expect([series[1], series[2], new Set(series).size]).toEqual([series[0], series[0], 3]);
    expect(new Set(uids.map(([, uid]) => uid)).size).toBe(5);
  });

  it('tells people and programs that detail was estimated, by what and from what', async () => {
    const equipment: Entry = [TAG.ContributingEquipmentSequence, 'SQ', [[[TAG.Manufacturer, 'LO', 'Scanner']]]];
    const set = await derived([TAG.ImageComments, 'LT', 'seen'], [TAG.SeriesDescription, 'LO', 'Head'], equipment);
    const texts = (at: Dataset, ...tags: number[]) => tags.map((tag) => text(at, tag));
    const coded = (at: Dataset, tag: number) =>
      items(at, tag).map((it) => texts(it, TAG.CodeValue, TAG.CodingSchemeDesignator, TAG.CodeMeaning));
    expect(text(set, TAG.DerivationDescription)).toBe(
      `Upscaled 2 times; Detail was estimated by a model; not for primary diagnosis; model grey-x2, sha256 ${MODEL.sha256}`,
    );
    expect(text(set, TAG.ImageComments)).toBe('seen; Detail was estimated by a model; not for primary diagnosis');
    expect(text(set, TAG.SeriesDescription)).toBe('Head (detail estimated)');
    expect(text(set, TAG.SyntheticData)).toBe('YES');
    expect(coded(set, TAG.DerivationCodeSequence)).toEqual([['113085', 'DCM', 'Spatial resampling']]);
    const [from] = items(set, TAG.SourceImageSequence);
    expect(texts(from!, TAG.ReferencedSOPClassUID, TAG.ReferencedSOPInstanceUID)).toEqual(['1.2.840.10008.5.1.4.1.1.2', '1.2.3.4.5']);
    const purpose = 'Source image for image processing operation';
    expect(coded(from!, TAG.PurposeOfReferenceCodeSequence)).toEqual([['121322', 'DCM', purpose]]);
    const [scanner, zeuxis] = items(set, TAG.ContributingEquipmentSequence);
    expect(text(scanner!, TAG.Manufacturer)).toBe('Scanner');
    expect(texts(zeuxis!, TAG.Manufacturer, TAG.ManufacturerModelName, TAG.SoftwareVersions)).toEqual(['Zeuxis', 'grey-x2', '0.1.0']);
    expect(text(zeuxis!, TAG.ContributionDescription)).toContain(MODEL.sha256);
    expect(coded(zeuxis!, TAG.PurposeOfReferenceCodeSequence)).toEqual([['109102', 'DCM', 'Processing Equipment']]);
  });

  it('stays within the lengths that DICOM allows, and says it once', async () => {
    const long = await derived([TAG.SeriesDescription, 'LO', 'x'.repeat(64)], [TAG.DerivationDescription, 'ST', 'é'.repeat(1024)]);
    expect(text(long, TAG.SeriesDescription)).toBe(`${'x'.repeat(45)} (detail estimated)`);
    expect(text(long, TAG.DerivationDescription)).toMatch(/^Upscaled/);
    const once = await readDicom(derive(await source()), 'b');
    const twice = parse(derive(once, { description: 'naïve \\ new' })).dataset;
    expect(text(twice, TAG.SeriesDescription)).toBe('(detail estimated)');
    expect(text(twice, TAG.ImageComments)).toBe('Detail was estimated by a model; not for primary diagnosis');
    expect(text(twice, TAG.DerivationDescription)).toContain('na?ve / new');
    expect(items(twice, TAG.ContributingEquipmentSequence).length).toBe(2);
  });
});

describe('pixels', () => {
  it.each(UNCOMPRESSED)('come back as they were given, from %s', async (syntax) => {
    const before = await readDicom(file(slice(), syntax), 'a');
    const frames = repeat(before, 2);
    const after = await readDicom(derive(before, { frames }), 'b');
    expect(after.frames.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
    expect([after.width, after.height, after.syntax, after.signed]).toEqual([8, 6, '1.2.840.10008.1.2.1', true]);
  });

  it('are rounded and kept to the bits that the source stores', async () => {
    for (const [signed, expected] of [[1, [-2048, 2047, 2, -2]], [0, [0, 4095, 2, 0]]] as const) {
      const before = await source(
        [TAG.BitsStored, 'US', [12]],
        [TAG.HighBit, 'US', [13]],
        [TAG.PixelRepresentation, 'US', [signed]],
        [TAG.SmallestImagePixelValue, 'US', [7]],
        [TAG.LargestImagePixelValue, 'US', [7]],
      );
      const frame = new Float32Array(48);
      frame.set([-1e6, 1e6, 1.6, -1.6]);
      const bytes = derive(before, { frames: [frame] });
      const after = await readDicom(bytes, 'b');
      expect([...after.frames[0]!.slice(0, 4)]).toEqual(expected);
      expect(numbers(after.dataset, TAG.HighBit)).toEqual([11]);
      const extremes = [TAG.SmallestImagePixelValue, TAG.LargestImagePixelValue].map((tag) => numbers(after.dataset, tag)[0]);
      expect(extremes).toEqual(expected.slice(0, 2));
      expect(after.dataset.get(TAG.SmallestImagePixelValue)!.vr).toBe(signed ? 'SS' : 'US');
    }
  });

  it('keep frames, colour and 8 bits', async () => {
    const before = await source(
      [TAG.SamplesPerPixel, 'US', [3]],
      [TAG.PhotometricInterpretation, 'CS', 'YBR_FULL'],
      [TAG.PlanarConfiguration, 'US', [1]],
      [TAG.NumberOfFrames, 'IS', '2'],
      [TAG.BitsAllocated, 'US', [8]],
      [TAG.BitsStored, 'US', [8]],
      [TAG.HighBit, 'US', [7]],
      [TAG.PixelRepresentation, 'US', [0]],
      [TAG.PixelData, 'OB', Uint8Array.from({ length: 72 }, (_, i) => i * 3)],
    );
    const frames = repeat(before, 3);
    const after = await readDicom(derive(before, { scale: 3, frames }), 'b');
    expect(after.frames.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
    expect(text(after.dataset, TAG.PhotometricInterpretation)).toBe('RGB');
    expect(numbers(after.dataset, TAG.PlanarConfiguration)).toEqual([0]);
  });

  it('must fit', async () => {
    const before = await source();
    expect(() => derive(before, { frames: [] })).toThrow('0 frames for 1');
    expect(() => derive(before, { frames: [new Float32Array(3)] })).toThrow('3 values instead of 48');
    expect(() => derive(before, { scale: 1.3 })).toThrow('4x3 times 1.3 is not whole');
    const wide = { ...before, width: 40000, height: 1 };
    expect(() => derive(wide, { frames: [new Float32Array(160000)] })).toThrow("'a.dcm' would become 1 frames of 80000x2");
  });

  it('once lossy stay so', async () => {
    const before = await source();
    expect(text(parse(derive({ ...before, syntax: '1.2.840.10008.1.2.4.81' })).dataset, TAG.LossyImageCompression)).toBe('01');
    expect(parse(derive(before)).dataset.has(TAG.LossyImageCompression)).toBe(false);
  });
});

describe('geometry', () => {
  it('divides spacings, multiplies places, and moves the first centre towards the corner', async () => {
    const set = await derived([TAG.ImagerPixelSpacing, 'DS', '0.3\\0.3'], [TAG.CenterOfCircularShutter, 'IS', '2\\3']);
    expect(text(set, TAG.PixelSpacing)).toBe('0.3\\0.4');
    expect(text(set, TAG.ImagerPixelSpacing)).toBe('0.15\\0.15');
    expect(text(set, TAG.CenterOfCircularShutter)).toBe('4\\6');
    // A quarter of a pixel: 0.8 / 4 along the row, 0.6 / 4 down the column.
    expect(text(set, TAG.ImagePositionPatient)).toBe('-10.2\\-20.15\\5');
  });

  it('does so in oblique planes, leaving the corner where it was', async () => {
    const cosines = [0.6, 0, 0.8, 0, 1, 0];
    const before = await source([TAG.ImageOrientationPatient, 'DS', cosines.join('\\')]);
    const set = parse(derive(before, { scale: 4 })).dataset;
    const corner = (position: number[], [down, across]: number[]) =>
      position.map((p, i) => p - (across! * cosines[i]! + down! * cosines[i + 3]!) / 2);
    const after = corner(numbers(set, TAG.ImagePositionPatient), numbers(set, TAG.PixelSpacing));
    for (const [i, p] of corner([-10, -20, 5], [0.6, 0.8]).entries()) expect(after[i]).toBeCloseTo(p, 10);
  });

  it('reaches into functional groups, shared and of each frame', async () => {
    const measures = (spacing: string): Entry => [TAG.PixelMeasuresSequence, 'SQ', [[[TAG.PixelSpacing, 'DS', spacing]]]];
    const at = (position: string): Entry[] => [
      [TAG.DerivationImageSequence, 'SQ', []],
      [TAG.PlanePositionSequence, 'SQ', [[[TAG.ImagePositionPatient, 'DS', position]]]],
    ];
    const before = await source(
      [TAG.NumberOfFrames, 'IS', '2'],
      [TAG.PixelData, 'OW', [...VALUES, ...VALUES]],
      [
        TAG.SharedFunctionalGroupsSequence,
        'SQ',
        [
          [
            [TAG.CTImageFrameTypeSequence, 'SQ', [[[TAG.FrameType, 'CS', 'ORIGINAL\\PRIMARY\\VOLUME\\NONE']]]],
            [TAG.PlaneOrientationSequence, 'SQ', [[[TAG.ImageOrientationPatient, 'DS', '1\\0\\0\\0\\0\\-1']]]],
            measures('2\\4'),
          ],
        ],
      ],
      [TAG.PerFrameFunctionalGroupsSequence, 'SQ', [at('0\\0\\0'), [...at('0\\5\\0'), measures('8\\8')]]],
    );
    const set = parse(derive(before)).dataset;
    const [shared] = items(set, TAG.SharedFunctionalGroupsSequence);
    const frames = items(set, TAG.PerFrameFunctionalGroupsSequence);
    expect(text(items(shared!, TAG.PixelMeasuresSequence)[0]!, TAG.PixelSpacing)).toBe('1\\2');
    const positions = frames.map((frame) => text(items(frame, TAG.PlanePositionSequence)[0]!, TAG.ImagePositionPatient));
    expect(positions).toEqual(['-1\\0\\0.5', '-2\\5\\2']);
    expect(text(items(frames[1]!, TAG.PixelMeasuresSequence)[0]!, TAG.PixelSpacing)).toBe('4\\4');
    expect(text(items(shared!, TAG.CTImageFrameTypeSequence)[0]!, TAG.FrameType)).toBe('DERIVED\\PRIMARY\\VOLUME\\NONE');
    expect(text(set, TAG.ImageType)).toBe('DERIVED\\PRIMARY\\AXIAL');
    expect(text(items(shared!, TAG.DerivationImageSequence)[0]!, TAG.DerivationDescription)).toMatch('estimated by a model');
    expect(frames.some((frame) => frame.has(TAG.DerivationImageSequence))).toBe(false);
    const path = [TAG.SourceImageEvidenceSequence, TAG.ReferencedSeriesSequence, TAG.ReferencedSOPSequence];
    expect(text(path.reduce((at, tag) => items(at, tag)[0]!, set), TAG.ReferencedSOPInstanceUID)).toBe('1.2.3.4.5');
    // The source keeps its own.
    const [own] = items(before.dataset, TAG.SharedFunctionalGroupsSequence);
    expect(text(items(own!, TAG.PixelMeasuresSequence)[0]!, TAG.PixelSpacing)).toBe('2\\4');
  });
});

describe('everything else', () => {
  const foreign: Entry[] = [
    // A name in three scripts, as Japanese scanners write it, which no text decoder may touch.
    [0x00080005, 'CS', '\\ISO 2022 IR 87'],
    [0x00100010, 'PN', 'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B'],
    [0x00090010, 'LO', 'MAKER 1'],
    [0x00091001, 'US', [1, 513]],
    [0x00091002, 'UN', Uint8Array.of(1, 2, 3, 4)],
    [0x00091003, 'SQ', [[[0x00091010, 'DS', '0.50']], []]],
    [0x00281050, 'DS', '40.0'],
    [0x00280120, 'SS', [-32768]],
    [0x00280301, 'CS', 'NO'],
    [0x00282110, 'CS', '01'],
    [0x00283010, 'SQ', [[[0x00283002, 'US', [2, 0, 16]], [0x00283006, 'OW', [258, 772]]]]],
  ];

  it('is kept byte for byte, in whatever encoding it came', async () => {
    const kept = new Set(foreign.map(([tag]) => tag));
    const reference = encode(foreign, '1.2.840.10008.1.2.1');
    for (const syntax of UNCOMPRESSED.slice(1)) {
      const { dataset } = parse(derive(await readDicom(file(slice(...foreign), syntax), 'a')));
      const values = parse(reference).dataset;
      for (const tag of kept) expect(dataset.get(tag), tag.toString(16)).toEqual(values.get(tag));
    }
  });

  it('gets its VR from the dictionary where the file has none; what is private stays unknown', async () => {
    const before = await readDicom(file(slice(...foreign), UNCOMPRESSED[0]), 'a');
    const implicit = before.dataset;
    const vr = (tag: number) => implicit.get(tag)!.vr;
    expect([0x00100010, 0x00090010, 0x00091001, 0x00091003, 0x00280120, 0x00283010].map(vr)).toEqual(['PN', 'LO', 'UN', 'UN', 'SS', 'SQ']);
    expect(numbers(items(implicit, 0x00283010)[0]!, 0x00283002)).toEqual([2, 0, 16]);
    expect(parse(derive(before)).dataset.get(0x00091002)).toEqual(implicit.get(0x00091002));
  });

  it('goes where it no longer holds', async () => {
    const gone: Entry[] = [
      [0x00080000, 'UL', [99]],
      [0x00186011, 'SQ', [[[0x00186018, 'UL', [1]]]]],
      [0x00209161, 'UI', '1.2'],
      [0x00280109, 'SS', [9]],
      [0x4ffe0001, 'SQ', [[]]],
      [0x50000010, 'US', [1]],
      [0x60000010, 'US', [3]],
      [0x60003000, 'OW', [0]],
      [0x00880200, 'SQ', [[[0x00280010, 'US', [8]]]]],
      [0xfffafffa, 'SQ', [[]]],
      [0xfffcfffc, 'OB', new Uint8Array(4)],
    ];
    const set = await derived(...gone, [0x60010010, 'LO', 'private']);
    for (const [tag] of gone) expect(set.has(tag), tag.toString(16)).toBe(false);
    expect(text(set, 0x60010010)).toBe('private');
  });
});

// Positions by hand from what pydicom 2.3.1 prints; it and dciodvfy read these files as derived here.
const FOLDER = new URL('../../../../../shared/data/dicom/', import.meta.url);
describe.skipIf(!existsSync(FOLDER))("pydicom's files", () => {
  it.each([
    ['CT_small.dcm', '-158.30117\\-179.201164\\-75.699997', '0.330734\\0.330734'],
    ['MR_small_bigendian.dcm', '-83.984425\\-91.278125\\6.6406', '0.15625\\0.15625'],
  ])('derives from %s, whose every other element stays', async (name, position, spacing) => {
    const before = await readDicom(readFileSync(new URL(name, FOLDER)), name);
    const after = await readDicom(derive(before), name);
    expect(text(after.dataset, TAG.ImagePositionPatient)).toBe(position);
    expect(text(after.dataset, TAG.PixelSpacing)).toBe(spacing);
    const mine: number[] = Object.values(TAG);
    const others = [...before.dataset].filter(([tag]) => tag % 0x10000 && !mine.includes(tag));
    expect(others.length).toBeGreaterThan(20);
    for (const [tag, it] of others) expect(after.dataset.get(tag), tag.toString(16)).toEqual(it);
    expect(after.frames.map((frame) => [...frame])).toEqual(repeat(before, 2).map((frame) => [...frame]));
  });
});
