import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common, Display, interruptible, printError } from '../terminal.js';

export function verifyCommand(program: Command, finish: (code: number) => void): void {
  common(program.command('verify'))
    .summary('where pictures are from, as far as it can be known')
    .description('where pictures are from, as far as it can be known: credentials, watermark, metadata, likeness to what was published here')
    .argument('<files...>', 'PNG, JPEG, WebP, TIFF, AVIF, HEIC or GIF, and folders of them')
    .option('--report <file>', 'an HTML file with the pictures and what was found of them')
    .action(async (inputs: string[], options: Common & { report?: string }) => {
      const { verifyFiles } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      try {
        const { answers, failures } = await verifyFiles({ inputs, signal, onProgress: display.show, ...(options.report === undefined ? {} : { report: options.report }) });
        display.close();
        // Once, and not for each file: they are about this machine.
        for (const note of new Set(answers.flatMap(({ notes = [] }) => notes))) display.note(note);
        answer(options, answers, answers.map(({ file, verdict, summary }) => `${verdict.padEnd(9)} ${file}: ${summary}`));
        for (const { error } of failures) printError(error, options.verbose);
        if (failures.length > 0) finish(1);
        if (answers.some(({ verdict }) => verdict === 'tampered')) finish(3);
      } finally {
        display.close();
      }
    });
}
