import type { RightsResult } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface RightsCommandOptions extends Common {
  source?: string;
  creator?: string;
  licence?: string;
  consent?: string;
  check?: boolean;
}

/** How many, and the first three by name. */
const some = (files: readonly string[]): string => `${files.length}${files.length > 0 ? ` (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''})` : ''}`;

const lines = (result: RightsResult, check: boolean): string[] => [
  `pictures     ${result.pictures}`,
  `no right     ${some(result.lacking)}`,
  `reserved     ${result.reserved.length}`,
  ...result.reserved.map(({ file, reason }) => `  ${file}: ${reason}`),
  ...(result.added.length > 0 ? [`new          ${some(result.added)}`] : []),
  ...(result.changed.length > 0 ? [`changed      ${some(result.changed)}; what was stated was of other bytes, and no longer counts`] : []),
  ...(result.moved.length > 0 ? [`moved        ${some(result.moved)}; what was stated stays`] : []),
  ...(result.gone.length > 0 ? [`gone         ${some(result.gone)}`] : []),
  check ? `the record ${result.matches ? 'is that of these files' : 'is not that of these files any more; `zeuxis rights` brings it up to date'}` : `record       ${result.csv}, ${result.croissant}`,
];

export function rightsCommand(program: Command, finish: (code: number) => void): void {
  const command = common(program.command('rights'))
    .summary('by what right the pictures of a folder may be trained on')
    .description('the record of by what right each picture of a folder may be trained on: rights.csv, to be filled in, and croissant.json')
    .argument('<pictures>', 'folder of JPEG, PNG, WebP, AVIF or TIFF')
    .option('--source <text>', 'where the pictures are from, for those that do not say')
    .option('--creator <name>', 'who made them, for those that do not say')
    .option('--licence <text>', 'SPDX identifier or sentence, for those that do not say')
    .option('--consent <text>', 'consent of those whom they show, for those that do not say')
    .option('--check', 'change nothing; ends with 1 where a right is missing, a picture is reserved, or the files are others')
    .action(async (pictures: string, options: RightsCommandOptions) => {
      const { source, creator, licence, consent, check = false } = options;
      if (check && [source, creator, licence, consent].some((value) => value !== undefined)) command.error('--check changes nothing: leave --source, --creator, --licence and --consent out', { exitCode: 2 });
      const { rights } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      try {
        const signal = interruptible(display, 'stopping');
        const given = Object.fromEntries(Object.entries({ source, creator, licence, consent }).filter(([, value]) => value !== undefined));
        const result = await rights(pictures, { ...given, check, signal, onProgress: display.show });
        display.close();
        answer(options, result, lines(result, check));
        if (check && (result.lacking.length > 0 || result.reserved.length > 0 || !result.matches)) finish(1);
      } finally {
        display.close();
      }
    });
}
