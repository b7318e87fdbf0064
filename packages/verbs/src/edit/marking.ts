// How what a verb makes is marked: options that all of them share.

import { languageOf, type MarkLanguage, type Region } from '@zeuxis/pictures';
import type { Marking } from '@zeuxis/provenance';

export interface MarkingOptions {
  /** false leaves the invisible watermark out, which the manifest then says. */
  watermark?: boolean;
  /** A small label that says to everybody that a model made or changed the picture; true speaks the user's language. None by default. */
  visibleMark?: boolean | MarkLanguage;
  /** What the label must not cover, faces or text, in px of the result. */
  markAvoid?: readonly Region[];
}

export const markingOf = ({ watermark = true, visibleMark = false, markAvoid = [] }: MarkingOptions): Marking => ({
  ...(watermark ? {} : { watermark }),
  ...(visibleMark === false ? {} : { visible: { language: visibleMark === true ? languageOf(process.env) : visibleMark, avoid: markAvoid } }),
});
