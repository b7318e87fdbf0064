// What is written into the pixels of a picture before it is encoded: the label that everybody sees, where it is asked for, and the watermark that
// nobody does; and what the manifest and the ledger say of both.

import { createHash, type KeyObject } from 'node:crypto';
import { type MarkLanguage, markVisibly, type Raster, type Region, type VisibleMark } from '@zeuxis/pictures';
import { WATERMARK, writeWatermark } from './watermark/index.js';

export interface Marking {
  /** false leaves the watermark out, which the manifest then says. */
  watermark?: boolean;
  /** A label that says what the picture is, none by default. */
  visible?: { language: MarkLanguage; avoid?: readonly Region[] };
}

/** What came of it. */
export interface Marks {
  id: string;
  watermark: 0 | 16 | 64;
  visibleMark?: VisibleMark;
  actions: { action: string; [parameter: string]: unknown }[];
  assertions: { label: string; data: object }[];
}

type Pixels = Pick<Raster, 'width' | 'height' | 'channels' | 'alpha' | 'depth' | 'data'>;

/**
 * Marks a picture in place.
 * @param said what the manifest says of it: same picture and same words, same id, so that same seeds make same files.
 * @param frames of an animation, whose data lie one below the other.
 * @throws UserError where there is no place for the label.
 */
export async function mark(picture: Pixels, { kind, said, frames = 1 }: { kind: 'generated' | 'edited'; said: object; frames?: number }, { watermark = true, visible, identity }: Marking & { identity: { watermark?: KeyObject } }): Promise<Marks> {
  const { data } = picture;
  const id = createHash('sha256')
    .update(JSON.stringify(said))
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
    .slice(0, 16);
  const each = data.length / frames;
  const frame = (n: number): Pixels => ({ ...picture, data: data.subarray(n * each, (n + 1) * each) });
  let visibleMark: VisibleMark | undefined;
  if (visible)
    // All frames bear it at the place that the first one leaves: it must not jump about.
    for (let n = 0; n < frames; n++) visibleMark = await markVisibly(frame(n), { ...visible, kind, ...(visibleMark ? { at: visibleMark.box } : {}) });
  const bits = watermark ? await writeWatermark(picture, id, { frames, ...(identity.watermark ? { key: identity.watermark } : {}) }) : 0;
  return {
    id,
    watermark: bits,
    ...(visibleMark ? { visibleMark } : {}),
    actions: [
      ...(visibleMark ? [{ action: 'c2pa.edited', description: `labelled '${visibleMark.text}', to be seen by everybody`, parameters: { 'org.zeuxis.visible-mark': visibleMark } }] : []),
      ...(bits > 0 ? [{ action: 'c2pa.watermarked.bound', description: `an invisible watermark of ${bits} bits` }] : []),
    ],
    assertions: bits > 0 ? [{ label: 'c2pa.soft-binding', data: { alg: WATERMARK, blocks: [{ scope: {}, value: id.slice(0, bits / 4) }] } }] : [],
  };
}
