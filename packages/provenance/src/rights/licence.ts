// What a statement of licence says: which licence it is, and whether it grants anything.

/** Creative Commons' addresses and names to SPDX identifiers; other texts stay as they are. */
export function licenceOf(text: string): string {
  const said = text.trim();
  const cc = /creativecommons\.org\/(?:licenses\/(by(?:-nc)?(?:-nd|-sa)?)\/(\d\.\d)|publicdomain\/(zero)\/1\.0)/i.exec(said);
  if (cc) return cc[3] ? 'CC0-1.0' : `CC-${cc[1]!.toUpperCase()}-${cc[2]}`;
  const named = /^CC[ -](BY(?:-NC)?(?:-ND|-SA)?)[ -](\d\.\d)$/i.exec(said);
  if (named) return `CC-${named[1]!.toUpperCase()}-${named[2]}`;
  return /^CC[ -]?0([ -]1\.0)?$/i.test(said) ? 'CC0-1.0' : said;
}

/** A licence's address, where it is one that has one. */
export function addressOf(licence: string): string | undefined {
  if (/^https?:\/\/\S+$/.test(licence)) return licence;
  const cc = /^CC-(BY(?:-NC)?(?:-ND|-SA)?)-(\d\.\d)$/.exec(licence);
  if (cc) return `https://creativecommons.org/licenses/${cc[1]!.toLowerCase()}/${cc[2]}/`;
  return licence === 'CC0-1.0' ? 'https://creativecommons.org/publicdomain/zero/1.0/' : undefined;
}

/** A notice of copyright alone grants nothing, and neither does a word for 'unknown'. */
export function grants(licence: string): boolean {
  const said = licence.trim();
  if (/^(|none|no|unknown|unstated|noassertion|unlicensed|proprietary|n\/?a|[?.-]+)$/i.test(said) && said !== 'Unlicense') return false;
  if (/\b(CC[ -]?(BY|0)|licen[cs]ed? (under|by|for|to)|permission|public domain)\b|creativecommons\.org/i.test(said)) return true;
  return !/^(©|\(c\)|copyright\b)|all rights reserved/i.test(said);
}

/** Why a statement of consent forbids, where it does. */
export const refusedBy = (consent: string): string | undefined =>
  /^(no|false|n)\s*([,.;:(-]|$)|^(no consent|not given|without consent|refused|withdrawn|revoked|denied|declined)\b/i.test(consent.trim()) ? `the rights record says of consent: ${consent.trim()}` : undefined;

/** Licences that ask for their makers' names. */
export const needsNames = (licence: string): boolean => /^CC-BY\b/.test(licence);
