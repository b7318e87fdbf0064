// What a person did for a picture that a model made: what was chosen, and what was edited. It becomes actions of the manifest, so that a designer's part is visible.

import { UserError } from '@zeuxis/pictures';
import { isObject, isText, oneLine } from './values.js';

/** What a person did, as whoever signs the picture says; the person's own signature it is not. */
export interface HumanWork {
  author: string;
  /** What was chosen, as in "the label 'dress'". */
  chose?: string[];
  /** What was changed by hand, or by tools that make nothing up, as in 'the mask'. */
  edited?: string[];
}

/** IPTC NewsCodes, digital source type: corrected or enhanced by people, with tools that generate nothing. */
const HUMAN_EDITS = 'http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits';
/** A choice changes nothing in the picture; none of C2PA's own actions says it. */
const CHOSEN = 'org.zeuxis.chosen';
const AUTHOR = 'org.zeuxis.author';
const [LONGEST, MOST] = [300, 20];

/**
 * Both lists as they may stand in a manifest: in one line each, without what is empty.
 * @throws UserError for more or longer texts than there is room for.
 */
export function humanWork(author: string, { chose = [], edited = [] }: { chose?: readonly string[]; edited?: readonly string[] }): HumanWork {
  const lists = { chose: chose.map(oneLine).filter(Boolean), edited: edited.map(oneLine).filter(Boolean) };
  const name = oneLine(author);
  if (name === '') throw new UserError('the author of a picture has no name; say who chose and edited');
  const all = [name, ...lists.chose, ...lists.edited];
  const long = all.find(({ length }) => length > LONGEST);
  if (long) throw new UserError(`'${long.slice(0, 40)}…' is longer than the ${LONGEST} letters that a manifest has for it; say it in fewer`);
  if (all.length > MOST + 1) throw new UserError(`a manifest names at most ${MOST} things that a person did, not ${all.length - 1}`);
  return { author: name, ...(lists.chose.length > 0 ? { chose: lists.chose } : {}), ...(lists.edited.length > 0 ? { edited: lists.edited } : {}) };
}

/**
 * As actions (C2PA 2.2, 18.15): an edit is `c2pa.edited` with the source type humanEdits. Neither has a software agent, which would say
 * that a program did it; who did is a name in the parameters, as version 2 of the specification knows no actors.
 */
export function humanActions(work: HumanWork | undefined): { action: string; [parameter: string]: unknown }[] {
  if (!work) return [];
  const { author, chose = [], edited = [] } = work;
  const parameters = { [AUTHOR]: author };
  return [
    ...edited.map((what) => ({ action: 'c2pa.edited', digitalSourceType: HUMAN_EDITS, description: `${author} edited ${what}`, parameters })),
    ...chose.map((what) => ({ action: CHOSEN, description: `${author} chose ${what}`, parameters })),
  ];
}

/** In a sentence. */
export function sayHuman({ author, chose = [], edited = [] }: HumanWork): string {
  const parts = [edited.length > 0 ? `edited ${edited.join(', ')}` : '', chose.length > 0 ? `chose ${chose.join(', ')}` : ''].filter(Boolean);
  return `${author} ${parts.join(' and ') || 'had a part in it'}`;
}

const isTexts = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length <= MOST && value.every(isText));

/** Whether a value from a file is such a record: anyone may have written it. */
export function isHumanWork(value: unknown): value is HumanWork {
  if (!isObject(value)) return false;
  const { author, chose, edited } = value;
  return isText(author) && isTexts(chose) && isTexts(edited);
}

/** Whether two say the same. */
export const sameHuman = (a: HumanWork | undefined, b: HumanWork | undefined): boolean =>
  JSON.stringify([a?.author, a?.chose ?? [], a?.edited ?? []]) === JSON.stringify([b?.author, b?.chose ?? [], b?.edited ?? []]);
