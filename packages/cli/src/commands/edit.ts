// What the commands share that change pictures file by file.

import type { BatchResult } from '@zeuxis/verbs';
import { type Command, Option } from 'commander';
import { type AuthoringFlags, authoring, common, type MarkingFlags, marking, positive, quality } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

export interface EditOptions extends Common, MarkingFlags, AuthoringFlags {
  out: string;
  format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' | 'same';
  quality?: number;
  overwrite?: boolean;
  maxPixels?: number;
}

/** Adds what every such command takes. */
export const editing = (command: Command, files: string): Command =>
  authoring(marking(common(command)))
    .argument('<files...>', files)
    .requiredOption('--out <dir>', 'folder for the results, all beside one another; a file keeps its name')
    .addOption(new Option('--format <name>', 'default: png; same keeps each picture\'s own').choices(['png', 'jpeg', 'webp', 'avif', 'tiff', 'same']))
    .option('--quality <q>', '1 to 100, for jpeg, webp and avif', quality)
    .option('--overwrite', 'replace files that are there (default: they are kept)')
    .option('--max-pixels <millions>', 'the most megapixels of a picture as it comes (default: 268)', positive);

/** Does the work and says what became of each file; the command ends with 1 where one failed. */
export async function edit<Options extends EditOptions>(
  options: Options,
  work: (options: Omit<Options, 'json' | 'quiet' | 'verbose' | 'maxPixels'> & { maximumPixels?: number; signal: AbortSignal; onProgress: Display['show'] }) => Promise<BatchResult>,
  finish: (code: number) => void,
): Promise<void> {
  const display = await Display.open(options);
  const signal = interruptible(display, 'stopping');
  const { json, quiet, verbose, maxPixels, ...rest } = options;
  try {
    const limit = maxPixels === undefined ? {} : { maximumPixels: maxPixels * 1e6 };
    const result = await work({ ...rest, ...limit, signal, onProgress: display.show });
    display.close();
    const { files, kept, failures } = result;
    answer(options, result, [
      ...files.map(({ path, width, height }) => `${path}  ${width}x${height}`),
      ...(kept.length > 0 ? [`${kept.length} done before and kept`] : []),
    ]);
    for (const { message } of failures) display.error(`error: ${message}`);
    if (failures.length === 0) return;
    const all = files.length + kept.length + failures.length;
    if (all > 1) display.error(`${failures.length} of ${all} files failed`);
    finish(1);
  } finally {
    display.close();
  }
}
