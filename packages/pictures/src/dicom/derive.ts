// Writing derived pictures: a source with finer pixels, told apart from it in every way that DICOM has (PS3.3, C.7.6.1.1.3,
// C.7.6.16.2.6 and C.12.1), in explicit VR little endian, uncompressed.

import { createHash, randomUUID } from 'node:crypto';
import { UserError } from '../errors.js';
import { type Dataset, type Element, element, items, numbers, text, writeDataset } from './elements.js';
import { setGeometry } from './geometry.js';
import { SYNTAX } from './parse.js';
import { isLossy } from './pixels.js';
import type { DicomPicture } from './read.js';
import { TAG } from './tags.js';

export interface Derivation {
  /** How many times finer the grid is; width and height times it must be whole. */
  scale: number;
  /** Stored values [channels, height * scale, width * scale] of each of the source's frames. Rounded and clamped here. */
  frames: Float32Array[];
  /** What was done, in ASCII. */
  description: string;
  model: { name: string; sha256: string };
  /** Zeuxis's. */
  version: string;
}

const STATEMENT = 'Detail was estimated by a model; not for primary diagnosis';
const SUFFIX = '(detail estimated)';
/** Zeuxis's implementation class: a UUID of its own as UID (PS3.5, B.2). */
const IMPLEMENTATION = uid('6d1bd0f4-3b0c-4c53-9d0e-5a2f6c8e71b9');

/**
 * A DICOM file with the source's patient, study and frame of reference, and the given pixels. It is a new object in a new series:
 * one for each source series, model and scale, so that the slices of a volume stay together.
 * What no longer holds is left out: overlays, icons, curves, ultrasound calibration, signatures, offset tables.
 * @throws UserError where the picture would be larger than an uncompressed DICOM file may be.
 * @throws Error where frames and source do not fit.
 */
export function writeDerived(source: DicomPicture, change: Derivation): Uint8Array {
  const set = copy(new Map([...source.dataset].filter(([tag]) => !isStale(tag))));
  const moment = now(set);
  setPixels(set, source, change);
  setGeometry(set, change.scale);
  setIdentity(set, change, moment);
  explain(set, source, change, moment);
  return writeFile(set, change.version);
}

const STALE = new Set<number>([
  TAG.InstanceCreatorUID,
  TAG.SequenceOfUltrasoundRegions,
  TAG.SOPInstanceUIDOfConcatenationSource,
  TAG.ConcatenationUID,
  TAG.InConcatenationNumber,
  TAG.InConcatenationTotalNumber,
  TAG.ConcatenationFrameOffsetNumber,
  TAG.SmallestPixelValueInSeries,
  TAG.LargestPixelValueInSeries,
  TAG.IconImageSequence,
  TAG.MACParametersSequence,
  TAG.ExtendedOffsetTable,
  TAG.ExtendedOffsetTableLengths,
  TAG.EncapsulatedPixelDataValueTotalLength,
  TAG.DigitalSignaturesSequence,
  TAG.DataSetTrailingPadding,
]);

/** A copy all the way down, as the source is not ours to change. Bytes are shared: they are only ever replaced. */
const copy = (set: Dataset): Dataset =>
  new Map([...set].map(([tag, it]): [number, Element] => [tag, 'items' in it ? sequence(...it.items.map(copy)) : it]));

/** Curves (50xx) and overlays (60xx) lie on the old grid. */
const isStale = (tag: number) => STALE.has(tag) || /^(50|60).[02468ace]$/.test((tag >>> 16).toString(16).padStart(4, '0'));

// Pixels.

function setPixels(set: Dataset, source: DicomPicture, { scale, frames }: Derivation): void {
  const { channels, bitsStored, signed, name } = source;
  const [width, height] = [source.width * scale, source.height * scale];
  if (!Number.isInteger(width) || !Number.isInteger(height))
    throw new Error(`${source.width}x${source.height} times ${scale} is not whole`);
  const count = width * height * channels;
  if (frames.length !== source.frames.length) throw new Error(`${frames.length} frames for ${source.frames.length} of the source`);
  for (const { length } of frames) if (length !== count) throw new Error(`a frame of ${length} values instead of ${count}`);
  const bits = numbers(set, TAG.BitsAllocated)[0] === 8 ? 8 : 16;
  // Rows and columns are 16 bits; lengths are 32 bits, and even.
  if (Math.max(width, height) > 0xffff || (count * frames.length * bits) / 8 > 0xfffffffe)
    throw new UserError(
      `'${name}' would become ${frames.length} frames of ${width}x${height}: more than a DICOM file holds; use a smaller scale`,
    );

  const cells = new (bits === 8 ? (signed ? Int8Array : Uint8Array) : signed ? Int16Array : Uint16Array)(count * frames.length);
  const [least, most] = signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
  const plane = width * height;
  let [smallest, largest] = [most, least];
  for (const [f, frame] of frames.entries())
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++) {
        const value = Math.min(most, Math.max(least, Math.round(frame[c * plane + i]!)));
        cells[f * count + i * channels + c] = value;
        if (value < smallest) smallest = value;
        if (value > largest) largest = value;
      }

  set.set(TAG.PixelData, { vr: bits === 8 ? 'OB' : 'OW', bytes: new Uint8Array(cells.buffer) });
  set.set(TAG.Rows, element('US', height));
  set.set(TAG.Columns, element('US', width));
  set.set(TAG.BitsAllocated, element('US', bits));
  set.set(TAG.BitsStored, element('US', bitsStored));
  set.set(TAG.HighBit, element('US', bitsStored - 1));
  set.set(TAG.PhotometricInterpretation, element('CS', source.photometric));
  if (channels === 3) set.set(TAG.PlanarConfiguration, element('US', 0));
  const extreme = (value: number) => element(signed ? 'SS' : 'US', value);
  if (set.has(TAG.SmallestImagePixelValue)) set.set(TAG.SmallestImagePixelValue, extreme(smallest));
  if (set.has(TAG.LargestImagePixelValue)) set.set(TAG.LargestImagePixelValue, extreme(largest));
  // Once lossy, always lossy (PS3.3, C.7.6.1.1.5).
  if (isLossy(source.syntax) && !set.has(TAG.LossyImageCompression)) set.set(TAG.LossyImageCompression, element('CS', '01'));
}

// Identity.

/** A new object in a new series, of the same study and frame of reference. */
function setIdentity(set: Dataset, { model, scale }: Derivation, { date, time }: Moment): void {
  set.set(TAG.SOPInstanceUID, element('UI', uid(randomUUID())));
  set.set(TAG.SeriesInstanceUID, element('UI', uid(nameUuid(text(set, TAG.SeriesInstanceUID)!, model.sha256, scale))));
  // The series' own date and time stay: its slices must agree on them, and in PET doses are reckoned from them.
  set.set(TAG.InstanceCreationDate, element('DA', date));
  set.set(TAG.InstanceCreationTime, element('TM', time));
  append(set, TAG.SeriesDescription, 'LO', ' ', SUFFIX, 64);
  setType(set, TAG.ImageType, set.has(TAG.SharedFunctionalGroupsSequence));
}

/** DERIVED\SECONDARY and whatever followed; in enhanced objects the second value can only be PRIMARY (PS3.3, C.8.16.1.2). */
function setType(set: Dataset, tag: number, enhanced: boolean): void {
  const [, second, ...more] = (text(set, tag) ?? '').split('\\');
  set.set(tag, element('CS', 'DERIVED', enhanced ? second || 'PRIMARY' : 'SECONDARY', ...more));
}

// Explanation.

/** An item of a sequence of codes of DCM, DICOM's own terms. */
const code = (value: string, meaning: string): Dataset =>
  new Map([
    [TAG.CodeValue, element('SH', value)],
    [TAG.CodingSchemeDesignator, element('SH', 'DCM')],
    [TAG.CodeMeaning, element('LO', meaning)],
  ]);

const sequence = (...sets: Dataset[]): Element => ({ vr: 'SQ', items: sets });
/** Adds an item to a sequence, which need not be there yet. */
const add = (set: Dataset, tag: number, item: Dataset) => set.set(tag, sequence(...items(set, tag), item));

/** From what, how, by what and with which reservation the picture was made: for people in text, for programs in codes (PS3.16). */
function explain(set: Dataset, source: DicomPicture, { description, model, version }: Derivation, { date, time, zone }: Moment): void {
  const by = `model ${plain(model.name, 64)}, sha256 ${plain(model.sha256, 64)}`;
  append(set, TAG.DerivationDescription, 'ST', '; ', `${plain(description, 700)}; ${STATEMENT}; ${by}`, 1024);
  append(set, TAG.ImageComments, 'LT', '; ', STATEMENT, 10240);
  set.set(TAG.SyntheticData, element('CS', 'YES'));
  add(set, TAG.DerivationCodeSequence, code('113085', 'Spatial resampling'));
  const reference: Dataset = new Map([
    [TAG.ReferencedSOPClassUID, element('UI', text(source.dataset, TAG.SOPClassUID)!)],
    [TAG.ReferencedSOPInstanceUID, element('UI', text(source.dataset, TAG.SOPInstanceUID)!)],
    [TAG.PurposeOfReferenceCodeSequence, sequence(code('121322', 'Source image for image processing operation'))],
  ]);
  set.set(TAG.SourceImageSequence, sequence(reference));
  const equipment: Dataset = new Map([
    [TAG.PurposeOfReferenceCodeSequence, sequence(code('109102', 'Processing Equipment'))],
    [TAG.Manufacturer, element('LO', 'Zeuxis')],
    [TAG.ManufacturerModelName, element('LO', plain(model.name, 64))],
    [TAG.SoftwareVersions, element('LO', plain(version, 64))],
    [TAG.ContributionDateTime, element('DT', date + time + zone)],
    [TAG.ContributionDescription, element('ST', `${plain(description, 700)}; ${by}`)],
  ]);
  add(set, TAG.ContributingEquipmentSequence, equipment);
  explainFrames(set, source, reference);
}

/** The same in the functional groups of enhanced objects, where programs that read frames look for it (PS3.3, C.7.6.16.2.6). */
function explainFrames(set: Dataset, source: DicomPicture, reference: Dataset): void {
  const [shared] = items(set, TAG.SharedFunctionalGroupsSequence);
  const frames = items(set, TAG.PerFrameFunctionalGroupsSequence);
  if (!shared) return;
  const derivation = [TAG.DerivationDescription, TAG.SourceImageSequence, TAG.DerivationCodeSequence];
  shared.set(TAG.DerivationImageSequence, sequence(new Map(derivation.map((tag) => [tag, set.get(tag)!]))));
  for (const frame of frames) frame.delete(TAG.DerivationImageSequence);
  for (const group of [shared, ...frames])
    for (const kind of [TAG.MRImageFrameTypeSequence, TAG.CTImageFrameTypeSequence].flatMap((tag) => items(group, tag)))
      setType(kind, TAG.FrameType, true);
  // What the frames refer to, gathered by study and series.
  const within = (uid: number, tag: number, item: Dataset): Dataset =>
    new Map([
      [uid, source.dataset.get(uid)!],
      [tag, sequence(item)],
    ]);
  const object: Dataset = new Map([TAG.ReferencedSOPClassUID, TAG.ReferencedSOPInstanceUID].map((tag) => [tag, reference.get(tag)!]));
  const series = within(TAG.SeriesInstanceUID, TAG.ReferencedSOPSequence, object);
  set.set(TAG.SourceImageEvidenceSequence, sequence(within(TAG.StudyInstanceUID, TAG.ReferencedSeriesSequence, series)));
}

/** Printable ASCII, which every character set of DICOM contains, without the backslash that parts values. */
const plain = (text: string, limit: number) => text.replace(/[^\x20-\x7e]/g, '?').replaceAll('\\', '/').slice(0, limit);

/**
 * Adds ASCII to a text, whatever its character set, unless it is there already. Where both are too long together the old text is cut
 * or, as characters of several bytes must not be cut, left out.
 */
function append(set: Dataset, tag: number, vr: string, between: string, addition: string, limit: number): void {
  const old = text(set, tag) ?? '';
  if (old.includes(addition)) return;
  const room = limit - between.length - addition.length;
  const kept = old.length <= room ? old : /^[\x20-\x7e\r\n]*$/.test(old) ? old.slice(0, room) : '';
  set.set(tag, element(vr, kept ? kept + between + addition : addition));
}

// The file.

/** PS3.10, 7.1. */
function writeFile(set: Dataset, version: string): Uint8Array {
  const meta: Dataset = new Map([
    [TAG.FileMetaInformationVersion, { vr: 'OB', bytes: Uint8Array.of(0, 1) }],
    [TAG.MediaStorageSOPClassUID, set.get(TAG.SOPClassUID)!],
    [TAG.MediaStorageSOPInstanceUID, set.get(TAG.SOPInstanceUID)!],
    [TAG.TransferSyntaxUID, element('UI', SYNTAX.explicit)],
    [TAG.ImplementationClassUID, element('UI', IMPLEMENTATION)],
    [TAG.ImplementationVersionName, element('SH', plain(`ZEUXIS ${version}`, 16))],
  ]);
  const bytes = writeDataset(meta);
  const length = writeDataset(new Map([[TAG.FileMetaInformationGroupLength, element('UL', bytes.length)]]));
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, bytes, writeDataset(set)]);
}

/** A UUID as UID (PS3.5, B.2). */
function uid(uuid: string): string {
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`;
}

/** The UUID of a name, version 8 (RFC 9562): the same for the same parts. */
function nameUuid(...parts: (string | number)[]): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex');
  return `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
}

interface Moment {
  date: string;
  time: string;
  /** Offset from UTC, as in +0100. */
  zone: string;
}

/** Now, in the zone that the data set's own times are in, or this machine's. */
function now(set: Dataset): Moment {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(text(set, TAG.TimezoneOffsetFromUTC) ?? '') ?? [];
  const offset = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : -new Date().getTimezoneOffset();
  const digits = new Date(Date.now() + offset * 60_000).toISOString().replace(/[-:TZ]/g, '');
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  return { date: digits.slice(0, 8), time: digits.slice(8), zone };
}
