import type { RightsResult, StatementLine, StatementResult } from '@zeuxis/verbs';
import { type Command, InvalidArgumentError } from 'commander';
import { common } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface RightsCommandOptions extends Common {
  source?: string;
  creator?: string;
  licence?: string;
  consent?: string;
  terms?: string;
  check?: boolean;
}

/** How many, and the first three by name. */
const some = (files: readonly string[]): string => `${files.length}${files.length > 0 ? ` (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''})` : ''}`;

const lines = (result: RightsResult, check: boolean): string[] => [
  `pictures     ${result.pictures}`,
  `no right     ${some(result.lacking)}`,
  `reserved     ${result.reserved.length}`,
  ...result.reserved.map(({ file, reason }) => `  ${file}: ${reason}`),
  ...(result.unattributed.length > 0 ? [`no maker     ${some(result.unattributed)}; their licence asks for the name, where it is known`] : []),
  ...(result.unpriced.length > 0 ? [`terms        no statement can sum up ${result.unpriced.map((terms) => `'${terms}'`).join(', ')}; "0.05 EUR per picture" it can`] : []),
  ...(result.added.length > 0 ? [`new          ${some(result.added)}`] : []),
  ...(result.changed.length > 0 ? [`changed      ${some(result.changed)}; what was stated was of other bytes, and no longer counts`] : []),
  ...(result.moved.length > 0 ? [`moved        ${some(result.moved)}; what was stated stays`] : []),
  ...(result.gone.length > 0 ? [`gone         ${some(result.gone)}`] : []),
  check ? `the record ${result.matches ? 'is that of these files' : 'is not that of these files any more; `zeuxis rights` brings it up to date'}` : `record       ${result.csv}, ${result.croissant}`,
];

interface StatementCommandOptions extends Common {
  from?: string;
  to?: string;
  csv?: string;
  model?: string[];
  terms?: Record<string, string>;
}

const sums = ({ due, unpriced }: StatementLine): string => [...due.map(({ amount, currency }) => `${amount} ${currency}`), ...unpriced.map((terms) => `as agreed: ${terms}`)].join(', ') || 'nothing stated';

function statementLines({ pictures, unnamed, lines: due, totals, cut, damaged }: StatementResult): string[] {
  const cells = [['contributor', 'pictures', 'weighted', 'due'], ...due.map((line) => [line.name, String(line.pictures), line.weighted, sums(line)])];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return [
    ...cells.map(([name, count, weighted, sum]) => [name!.padEnd(widths[0]!), count!.padStart(widths[1]!), weighted!.padStart(widths[2]!), sum].join('  ')),
    `published  ${pictures}; of ${unnamed} it is not known, in whole or in part, whose pictures their models learned from`,
    ...totals.map(({ currency, amount }) => `total      ${amount} ${currency}`),
    ...cut.map(({ name, sha256, contributors }) => `missing    ${contributors} more contributors to '${name}' (SHA-256 ${sha256.slice(0, 12)}), whom its file names: --model FILE`),
    ...(damaged > 0 ? [`damaged    ${damaged} lines of the ledger: what they recorded is missing here`] : []),
  ];
}

/** "NAME=TERMS", added to those before. */
function termsOf(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [name, ...terms] = text.split('=').map((part) => part.trim());
  const said = terms.join('=');
  if (!name || !said) throw new InvalidArgumentError('It must be a name and terms, as in "Ada=0.05 EUR per picture".');
  return { ...before, [name]: said };
}

function statementCommand(rights: Command): void {
  common(rights.command('statement'))
    .description('what those are due whose pictures models learned from, for the published pictures of a period')
    .option('--from <date>', 'first day, as in 2026-01-01 (default: from the first picture on)')
    .option('--to <date>', 'last day (default: to the last picture)')
    .option('--csv <file>', 'write it to a file for a spreadsheet, too')
    .option('--terms <name=terms>', '"Ada=0.05 EUR per picture": for works whose record stated no terms; may be given more than once', termsOf)
    .option('--model <name...>', 'models whose files name contributors that the ledger has no room for')
    .action(async ({ from, to, csv, model, terms, ...options }: StatementCommandOptions) => {
      const { statement } = await import('@zeuxis/verbs');
      const given = Object.fromEntries(Object.entries({ from, to, csv, terms, models: model }).filter(([, value]) => value !== undefined));
      const result = await statement(given);
      answer(options, result, statementLines(result));
    });
}

export function rightsCommand(program: Command, finish: (code: number) => void): void {
  const command = common(program.command('rights').enablePositionalOptions())
    .summary('by what right the pictures of a folder may be trained on')
    .description('the record of by what right each picture of a folder may be trained on: rights.csv, to be filled in, and croissant.json')
    .argument('<pictures>', 'folder of JPEG, PNG, WebP, AVIF or TIFF')
    .option('--source <text>', 'where the pictures are from, for those that do not say')
    .option('--creator <name>', 'who made them, for those that do not say')
    .option('--licence <text>', 'SPDX identifier or sentence, for those that do not say')
    .option('--consent <text>', 'consent of those whom they show, for those that do not say')
    .option('--terms <text>', 'what is due for a picture made with a model of theirs, as in "0.05 EUR per picture", for those that do not say')
    .option('--check', 'change nothing; ends with 1 where a right is missing, a picture is reserved, or the files are others')
    .action(async (pictures: string, options: RightsCommandOptions) => {
      const { source, creator, licence, consent, terms, check = false } = options;
      if (check && [source, creator, licence, consent, terms].some((value) => value !== undefined)) command.error('--check changes nothing: leave --source, --creator, --licence, --consent and --terms out', { exitCode: 2 });
      const { rights } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      try {
        const signal = interruptible(display, 'stopping');
        const given = Object.fromEntries(Object.entries({ source, creator, licence, consent, terms }).filter(([, value]) => value !== undefined));
        const result = await rights(pictures, { ...given, check, signal, onProgress: display.show });
        display.close();
        answer(options, result, lines(result, check));
        if (check && (result.lacking.length > 0 || result.reserved.length > 0 || !result.matches)) finish(1);
      } finally {
        display.close();
      }
    });
  statementCommand(command);
}
