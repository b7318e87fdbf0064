// What the visible mark says, and in whose language.

/**
 * 'Artificial intelligence' in the official languages of the EU, as two letters: those of each language's own term, where it goes by them
 * (künstliche Intelligenz, intelligence artificielle, mesterséges intelligencia, τεχνητή νοημοσύνη, изкуствен интелект). Czech, Danish, Dutch,
 * Polish, Slovak and Swedish write AI; Finnish and Irish have no settled letters of their own, and fall back to it.
 */
export const ACRONYMS = {
  bg: 'ИИ',
  cs: 'AI',
  da: 'AI',
  de: 'KI',
  el: 'ΤΝ',
  en: 'AI',
  es: 'IA',
  et: 'TI',
  fi: 'AI',
  fr: 'IA',
  ga: 'AI',
  hr: 'UI',
  hu: 'MI',
  it: 'IA',
  lt: 'DI',
  lv: 'MI',
  mt: 'IA',
  nl: 'AI',
  pl: 'AI',
  pt: 'IA',
  ro: 'IA',
  sk: 'AI',
  sl: 'UI',
  sv: 'AI',
} as const;
export type MarkLanguage = keyof typeof ACRONYMS;

/** The two letters of a language that the mark knows, of a tag such as 'de-AT' or a locale such as 'pt_PT.UTF-8'; of any other, English. */
export function markLanguage(tag: string): MarkLanguage {
  const code = tag.toLowerCase().split(/[-_.@]/)[0]!;
  return Object.hasOwn(ACRONYMS, code) ? (code as MarkLanguage) : 'en';
}

/**
 * The user's language: the one asked for, else the locale of messages (POSIX, 8.2: LC_ALL before LC_MESSAGES before LANG, empty ones not
 * counting), else that of the machine. The locales C and POSIX are English.
 */
export function languageOf(environment: Readonly<Record<string, string | undefined>>, asked?: string): MarkLanguage {
  const { LC_ALL, LC_MESSAGES, LANG } = environment;
  return markLanguage(asked || LC_ALL || LC_MESSAGES || LANG || new Intl.DateTimeFormat().resolvedOptions().locale);
}
