// XMP with a digital source type, as another reader finds it: sharp carries it, and the packet stays well-formed.

import sharp from 'sharp';
import { expect, it } from 'vitest';
import { declareSource } from './xmp.js';

const TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
const packet = (inner: string) =>
  Buffer.from(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${inner}</rdf:RDF></x:xmpmeta>`);
const said = (xmp: Buffer) => [...xmp.toString('utf8').matchAll(/DigitalSourceType(?:="|>|[^>]*resource=")([^"<]+)/g)].map(([, value]) => value);
/** Elements are closed in the order in which they were opened. */
function wellFormed(xmp: Buffer): boolean {
  const open: string[] = [];
  for (const [, end, name, own] of xmp.toString('utf8').matchAll(/<(\/?)([A-Za-z][\w:.-]*)[^>]*?(\/?)>/g)) {
    if (end) {
      if (open.pop() !== name) return false;
    } else if (!own) open.push(name!);
  }
  return open.length === 0;
}

it('makes a packet where there is none, or none that is one', async () => {
  for (const before of [undefined, Buffer.from('no XMP'), Buffer.alloc(0)]) {
    const xmp = declareSource(before, TYPE);
    expect(said(xmp)).toEqual([TYPE]);
    expect(wellFormed(xmp)).toBe(true);
  }
  const file = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).withXmp(declareSource(undefined, TYPE).toString('utf8')).png().toBuffer();
  expect((await sharp(file).metadata()).xmp!.toString('utf8')).toContain(TYPE);
});

it.each([
  ['an attribute', '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/>'],
  ['an element', '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><e:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</e:DigitalSourceType></rdf:Description>'],
  ['credentials elsewhere', '<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="https://example.com/a.c2pa"><dcterms:provenance>self#jumbf=c2pa/a</dcterms:provenance></rdf:Description>'],
  ['a reference', '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><e:DigitalSourceType rdf:resource="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/></rdf:Description>'],
])('takes the place of what %s said before, and leaves the rest', (_, before) => {
  const title = '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></rdf:Description>';
  const xmp = declareSource(packet(`${before}${title}`), TYPE);
  expect(said(xmp)).toEqual([TYPE]);
  expect(xmp.toString('utf8')).toContain(title);
  expect(xmp.toString('utf8')).not.toMatch(/provenance|digitalCapture/);
  expect(wellFormed(xmp)).toBe(true);
});

it('takes a packet of megabytes that was never closed, and one that a JPEG cannot hold, in its stride', () => {
  // Looked at for each opening anew it would take longer than a test may.
  const evil = declareSource(packet('<a:DigitalSourceType>'.repeat(200_000)), TYPE);
  expect(evil.toString('utf8')).toContain(TYPE);
  const long = packet(`<rdf:Description><dc:description>${'x'.repeat(70_000)}</dc:description></rdf:Description>`);
  expect(declareSource(long, TYPE).length).toBeGreaterThan(70_000);
  expect(declareSource(long, TYPE, 'jpeg').length).toBeLessThan(1_000);
  expect(said(declareSource(long, TYPE, 'jpeg'))).toEqual([TYPE]);
});
