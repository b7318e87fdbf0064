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
  if (UNKNOWN.test(said) || /^(unlicensed|proprietary)$/i.test(said)) return false;
  if (/\b(CC[ -]?(BY|0)|licen[cs]ed? (under|by|for|to)|permission|public domain)\b|creativecommons\.org/i.test(said)) return true;
  return !/^(©|\(c\)|copyright\b)|all rights reserved/i.test(said);
}

/** Words that say nothing: what they stand in for is unknown. */
const UNKNOWN = /^(|none|no|unknown|unstated|noassertion|n\/?a|[?.-]+)$/i;

/** Whether a licence's words say that nothing is granted, rather than nothing at all. */
export const withholds = (licence: string): boolean => !UNKNOWN.test(licence.trim()) && !grants(licence);

/** Whether a consent is one to training, by whoever may give it: 'yes, to training; Ada Lovelace, 2026-01-02'. Consent to be shown is none. */
export const consentsToTraining = (consent: string): boolean => /\btrain(ing|ed)?\b/i.test(consent) && !/\b(not?|never|except|without|refus\w*|pending|asked)\b/i.test(consent);

/** Why a statement of consent forbids, where it does. */
export const refusedBy = (consent: string): string | undefined =>
  /^(no|false|n)\s*([,.;:(-]|$)|^(no consent|not given|without consent|refused|withdrawn|revoked|denied|declined)\b|\b(no|not|never)\b.*\btrain/i.test(consent.trim()) ? `the rights record says of consent: ${consent.trim()}` : undefined;

/** Licences that ask for their makers' names. */
export const needsNames = (licence: string): boolean => /^CC-BY\b/.test(licence);
