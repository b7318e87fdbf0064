// XMP that says what a picture is (IPTC Photo Metadata, Digital Source Type): for readers that know nothing of C2PA.

const NAMESPACE = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const PROPERTY = 'Iptc4xmpExt:DigitalSourceType';

/**
 * An XMP packet, UTF-8, that names a digital source type (an address of IPTC's NewsCodes), in place of whatever a packet named before: what was a
 * photograph is none once a model changed it. What else the packet holds stays; one that is no XMP is left out.
 */
export function declareSource(xmp: Buffer | undefined, sourceType: string): Buffer {
  const said = `<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="${NAMESPACE}" ${PROPERTY}="${sourceType}"/>`;
  const before = xmp?.toString('utf8') ?? '';
  const end = before.lastIndexOf('</rdf:RDF>');
  const packet =
    end < 0
      ? `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${said}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
      : `${withoutSource(before.slice(0, end))}${said}${before.slice(end)}`;
  return Buffer.from(packet, 'utf8');
}

/** As an attribute and as an element, under whatever prefix. */
const withoutSource = (packet: string): string =>
  packet.replace(/\s[\w.-]+:DigitalSourceType\s*=\s*("[^"]*"|'[^']*')/g, '').replace(/<([\w.-]+:DigitalSourceType)\b[^>]*?(\/>|>[\s\S]*?<\/\1\s*>)/g, '');
