import { type Command, Option } from 'commander';
import { type AuthoringFlags, authoring, between, common, type MarkingFlags, marking, quality, whole } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface GenerateOptions extends Common, MarkingFlags, AuthoringFlags {
  out: string;
  count: number;
  pick?: number[];
  label?: string[];
  truncation?: number;
  seed?: string;
  sheet?: boolean | 'only';
  format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff';
  quality?: number;
  guard?: string;
  heldOut?: string;
}

export function generateCommand(program: Command, finish: (code: number) => void): void {
  authoring(marking(common(program.command('generate'))))
    .description('generate signed pictures')
    .argument('<model>', 'a shipped name, a .onnx file or a run folder')
    .requiredOption('--out <dir>', 'folder for the files')
    .option('--count <n>', 'number of pictures', whole(1), 1)
    .option('--pick <n...>', 'of these the ones that you picked, by the numbers in their names; no others are made', (text: string, before: number[] = []) => [...before, whole(0)(text)])
    .option('--label <name...>', 'label of the pictures; several are taken in turn (default: all the model has)')
    .option('--truncation <x>', '0 to 1: less is safer and more alike (default: 1)', between(0, 1))
    .option('--seed <seed>', 'equal seeds give equal pictures (default: 0)')
    .addOption(new Option('--sheet [only]', 'a contact sheet as well, or only one').choices(['only']))
    .addOption(new Option('--format <name>', 'default: png').choices(['png', 'jpeg', 'webp', 'avif', 'tiff']))
    .option('--quality <q>', '1 to 100, for jpeg and webp (default: 90) and avif (80)', quality)
    .option('--guard <pictures>', 'the folder that the model was trained on: copies of its pictures are named, and not written')
    .option('--held-out <folder>', 'with --guard: pictures that were not trained on, to say how near strangers come (default: each training picture in turn)')
    .action(async (model: string, options: GenerateOptions) => {
      const { generate } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      const { json, quiet, verbose, ...rest } = options;
      try {
        const result = await generate({ model, ...rest, signal, onProgress: display.show });
        display.close();
        const { files, sheet, withheld = [] } = result;
        // With --quiet too: files are missing that were asked for.
        const asked = options.pick ? new Set(options.pick).size : options.count;
        if (withheld.length > 0) display.error(`withheld ${withheld.length} of ${asked} pictures: nearer to training pictures than all but 0.1% of others, or equal to one`);
        if (withheld.length === asked) {
          display.error('error: every picture was a copy of a training picture, and none was written; try another seed, or a model that was trained on more pictures');
          finish(1);
        }
        answer(options, result, [...(files.length === 1 ? [files[0]!.path] : files.length > 1 ? [`${files.length} pictures in ${options.out}`] : []), ...(sheet ? [sheet.path] : [])]);
      } finally {
        display.close();
      }
    });
}
