// What is due for a picture, in the words of a rights record.

import { Fraction } from './exact.js';

/** '0.05 EUR per picture', or 'EUR 0.05 per picture'. */
const TERMS = /^(?:(\d[\d.,]*)\s*([A-Za-z]{3})|([A-Za-z]{3})\s*(\d[\d.,]*))\s+(?:per|a|for (?:each|every)|each)\s+(?:published\s+)?picture$/i;

/** The terms that a sum can be made of; undefined for others, which are quoted as they stand. */
export function readTerms(text: string): { rate: Fraction; currency: string } | undefined {
  const [, first, after, before, last] = TERMS.exec(text.trim()) ?? [];
  const rate = Fraction.read(first ?? last ?? '');
  return rate && { rate, currency: (after ?? before)!.toUpperCase() };
}
