import { type Command, Option } from 'commander';
import { between, common, quality, whole } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface GenerateOptions extends Common {
  out: string;
  count: number;
  label?: string[];
  truncation?: number;
  seed?: string;
  sheet?: boolean | 'only';
  format?: 'png' | 'jpeg' | 'webp';
  quality?: number;
}

export function generateCommand(program: Command): void {
  common(program.command('generate'))
    .description('generate signed pictures')
    .argument('<model>', 'a shipped name, a .onnx file or a run folder')
    .requiredOption('--out <dir>', 'folder for the files')
    .option('--count <n>', 'number of pictures', whole(1), 1)
    .option('--label <name...>', 'label of the pictures; several are taken in turn (default: all the model has)')
    .option('--truncation <x>', '0 to 1: less is safer and more alike (default: 1)', between(0, 1))
    .option('--seed <seed>', 'equal seeds give equal pictures (default: 0)')
    .addOption(new Option('--sheet [only]', 'a contact sheet as well, or only one').choices(['only']))
    .addOption(new Option('--format <name>', 'default: png').choices(['png', 'jpeg', 'webp']))
    .option('--quality <q>', '1 to 100, for jpeg and webp (default: 90)', quality)
    .action(async (model: string, options: GenerateOptions) => {
      const { generate } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      const { json, quiet, verbose, ...rest } = options;
      try {
        const result = await generate({ model, ...rest, signal, onProgress: display.show });
        display.close();
        const { files, sheet } = result;
        answer(options, result, [...(files.length === 1 ? [files[0]!.path] : files.length > 1 ? [`${files.length} pictures in ${options.out}`] : []), ...(sheet ? [sheet.path] : [])]);
      } finally {
        display.close();
      }
    });
}
