// XMP that says what a picture is (IPTC Photo Metadata, Digital Source Type): for readers that know nothing of C2PA.

const NAMESPACE = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const PROPERTY = 'Iptc4xmpExt:DigitalSourceType';
/** What no longer holds of a changed picture: where it came from, under whatever prefix, and where its credentials are (C2PA's dcterms:provenance). */
const STALE = /(?:[\w.-]{1,64}:DigitalSourceType|(?:dcterms|dct):provenance)/.source;

/** The longest packet that a JPEG holds in one piece, as sharp writes it; of a longer one nothing would be left. */
const MOST_OF_JPEG = 65_000;

/**
 * An XMP packet, UTF-8, that names a digital source type (an address of IPTC's NewsCodes), in place of whatever a packet named before: what was a
 * photograph is none once a model changed it, and credentials elsewhere are those of what it was. What else the packet holds stays, but where it is no XMP, or too long for a JPEG.
 */
export function declareSource(xmp: Buffer | undefined, sourceType: string, format?: string): Buffer {
  const said = `<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="${NAMESPACE}" ${PROPERTY}="${sourceType}"/>`;
  const before = xmp?.toString('utf8') ?? '';
  const end = before.lastIndexOf('</rdf:RDF>');
  const whole = end < 0 ? undefined : Buffer.from(`${withoutStale(before.slice(0, end))}${said}${before.slice(end)}`, 'utf8');
  if (whole && !(format === 'jpeg' && whole.length > MOST_OF_JPEG)) return whole;
  return Buffer.from(
    `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${said}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`,
    'utf8',
  );
}

/** As an attribute and as an element, under whatever prefix. In one pass: a packet may come from anybody, and be megabytes. */
function withoutStale(packet: string): string {
  const out: string[] = [];
  let at = 0;
  for (const opening of packet.matchAll(new RegExp(`<(${STALE})(?=[\\s/>])`, 'g'))) {
    if (opening.index < at) continue;
    const close = packet.indexOf('>', opening.index);
    if (close < 0) break;
    const end = packet[close - 1] === '/' ? close + 1 : packet.indexOf(`</${opening[1]}>`, close);
    // Never closed: no XMP that anybody reads.
    if (end < 0) break;
    out.push(packet.slice(at, opening.index));
    at = packet[close - 1] === '/' ? end : end + opening[1]!.length + 3;
  }
  out.push(packet.slice(at));
  return out.join('').replace(new RegExp(`\\s${STALE}\\s{0,8}=\\s{0,8}("[^"]*"|'[^']*')`, 'g'), '');
}

/** The digital source type that an XMP packet names, as IPTC's address or whatever stands there, at most 200 characters; undefined where it names none. */
export function declaredSource(xmp: Buffer | undefined): string | undefined {
  const text = xmp?.toString('utf8') ?? '';
  const [, value] = /[\s<][\w.-]{1,64}:DigitalSourceType(?:\s{0,8}=\s{0,8}["']|\s{0,8}>|\s[^>]{0,200}?rdf:resource=["'])([^"'<]{1,200})/.exec(text) ?? [];
  return value?.trim() || undefined;
}
