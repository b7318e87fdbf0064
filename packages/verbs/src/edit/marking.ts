// How what a verb makes is marked: options that all of them share.

import { languageOf, type Region } from '@zeuxis/pictures';
import type { Marking } from '@zeuxis/provenance';

export interface MarkingOptions {
  /** false leaves the invisible watermark out, which the manifest then says. */
  watermark?: boolean;
  /** A small label that says to everybody that a model made or changed the picture; true speaks the user's language, a text one by its two letters. None by default. */
  visibleMark?: boolean | string;
  /** What the label must not cover, faces or text, in px of the result. */
  markAvoid?: readonly Region[];
}

export const markingOf = ({ watermark = true, visibleMark = false, markAvoid = [] }: MarkingOptions): Marking => ({
  ...(watermark ? {} : { watermark }),
  ...(visibleMark === false ? {} : { visible: { language: languageOf(process.env, visibleMark === true ? undefined : visibleMark), avoid: markAvoid } }),
});
