import type { Verdict } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common } from '../terminal.js';

export function verifyCommand(program: Command, finish: (code: number) => void): void {
  common(program.command('verify'))
    .description('what a picture says of where it is from, and whether that still holds')
    .argument('<files...>', 'PNG, JPEG, WebP, TIFF, AVIF, HEIC or GIF')
    .action(async (files: string[], options: Common) => {
      const { verify } = await import('@zeuxis/verbs');
      const verdicts: Verdict[] = [];
      const failures: string[] = [];
      for (const file of files)
        await verify(file).then(
          (verdict) => verdicts.push(verdict),
          (error: Error) => {
            if (error.name !== 'UserError') throw error;
            failures.push(error.message);
          },
        );
      answer(options, verdicts, verdicts.map(({ file, state, summary }) => `${state.padEnd(8)} ${file}: ${summary}`));
      for (const failure of failures) process.stderr.write(`error: ${failure}\n`);
      if (failures.length > 0) finish(1);
      if (verdicts.some(({ state }) => state === 'invalid')) finish(3);
    });
}
