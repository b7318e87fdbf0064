// What a person did for what a verb makes: options that all of them share. Settings alone claim nothing, as a script may have given them;
// who names an author says that a person did.

import { UserError } from '@zeuxis/pictures';
import { type HumanWork, humanWork } from '@zeuxis/provenance';

export interface AuthorOptions {
  /** The person who chose the settings that are given. The manifest then says so. */
  author?: string;
  /** What else that person chose, in words. */
  chose?: readonly string[];
  /** What that person changed by hand, in words. */
  edited?: readonly string[];
}

/** What may have been done: said only where it was. */
export type Deed = string | false | undefined;

/** @throws UserError for deeds of nobody, and for texts that are too long. */
export function humanOf({ author, chose = [], edited = [] }: AuthorOptions, did: { chose?: readonly Deed[]; edited?: readonly Deed[] }): { human?: HumanWork } {
  const said = (deeds: readonly Deed[] = []) => deeds.filter((deed): deed is string => typeof deed === 'string');
  if (author !== undefined) return { human: humanWork(author, { chose: [...said(did.chose), ...chose], edited: [...said(did.edited), ...edited] }) };
  if (chose.length > 0 || edited.length > 0) throw new UserError('say who chose or edited: --author NAME');
  return {};
}
