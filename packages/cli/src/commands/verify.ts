import type { Verdict } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common, Display, interruptible, printError } from '../terminal.js';

export function verifyCommand(program: Command, finish: (code: number) => void): void {
  common(program.command('verify'))
    .description('what a picture says of where it is from, and whether that still holds')
    .argument('<files...>', 'PNG, JPEG, WebP, TIFF, AVIF, HEIC or GIF')
    .action(async (files: string[], options: Common) => {
      const { verify } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      const verdicts: Verdict[] = [];
      const failures: unknown[] = [];
      for (const file of files)
        await verify(file, { signal }).then(
          (verdict) => verdicts.push(verdict),
          (error) => {
            signal.throwIfAborted();
            // Also where the fault is ours: the verdicts on the other files are not to be lost by one strange file.
            failures.push(error);
          },
        );
      // Once, and not for each file: they are about this machine.
      for (const note of new Set(verdicts.flatMap(({ notes = [] }) => notes))) display.note(note);
      answer(options, verdicts, verdicts.map(({ file, state, summary }) => `${state.padEnd(8)} ${file}: ${summary}`));
      for (const failure of failures) printError(failure, options.verbose);
      if (failures.length > 0) finish(1);
      if (verdicts.some(({ state }) => state === 'invalid')) finish(3);
    });
}
