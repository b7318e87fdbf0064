// What a picture's own metadata says of its maker, title, licence and source.

import { oneLine } from '../values.js';
import { licenceOf } from './licence.js';

export interface Embedded {
  creator?: string;
  licence?: string;
  source?: string;
  title?: string;
}

/** Nothing is thrown for metadata that cannot be read: there is nothing in it then that anybody states. */
export async function readEmbedded(file: Buffer): Promise<Embedded> {
  // Asked for by few, and as long to load as all the rest of this package.
  const { default: ExifReader } = await import('exifreader');
  try {
    // Bytes only: a text would be fetched.
    const { xmp, iptc, exif } = await ExifReader.load(file, { expanded: true, async: true });
    const of = (tags: object | undefined, name: string) => textOf((tags as Record<string, unknown> | undefined)?.[name]);
    const creator = of(xmp, 'creator') ?? of(iptc, 'By-line') ?? of(exif, 'Artist');
    const statement = of(xmp, 'WebStatement');
    // A web statement may be any page; only a known licence's address grants something.
    const licence = of(xmp, 'license') ?? (statement && licenceOf(statement) !== statement ? statement : undefined);
    const source = of(xmp, 'Source') ?? of(iptc, 'Source') ?? of(xmp, 'Credit') ?? of(iptc, 'Credit');
    const title = of(xmp, 'title') ?? of(iptc, 'Object Name');
    return { ...(title ? { title } : {}), ...(creator ? { creator } : {}), ...(licence ? { licence: licenceOf(licence) } : {}), ...(source ? { source } : {}) };
  } catch {
    return {};
  }
}

const LONGEST = 500;
function textOf(tag: unknown): string | undefined {
  const { description, attributes } = (tag ?? {}) as { description?: unknown; attributes?: Record<string, string> };
  const said = typeof description === 'string' && description !== '' ? description : attributes?.['rdf:resource'];
  return oneLine(said ?? '').slice(0, LONGEST) || undefined;
}
