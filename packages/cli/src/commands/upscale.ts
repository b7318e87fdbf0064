import { type Command, Option } from 'commander';
import { between, common, positive, quality, whole } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface UpscaleOptions extends Common {
  out: string;
  scale?: number;
  model?: string;
  detail?: number;
  format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' | 'same';
  quality?: number;
  overwrite?: boolean;
  maxPixels?: number;
}

export function upscaleCommand(program: Command, finish: (code: number) => void): void {
  common(program.command('upscale'))
    .description('enlarge pictures; detail is estimated, and the files say so')
    .argument('<files...>', 'PNG, JPEG, WebP, AVIF, TIFF or DICOM, folders and patterns')
    .requiredOption('--out <dir>', 'folder for the results; a file keeps its name')
    .option('--scale <n>', 'how many times larger: 2, 3 or 4 (default: the model\'s, or 2)', whole(1))
    .option('--model <name>', 'a shipped name, a .onnx file or a run folder (default: photo-x and the scale, for DICOM medical-x)')
    .option('--detail <x>', '0 (default) to 1: from the most likely to the sharpest, for models that were sharpened', between(0, 1))
    .addOption(new Option('--format <name>', 'default: png; same keeps each picture\'s own').choices(['png', 'jpeg', 'webp', 'avif', 'tiff', 'same']))
    .option('--quality <q>', '1 to 100, for jpeg, webp and avif', quality)
    .option('--overwrite', 'replace files that are there (default: they are kept)')
    .option('--max-pixels <millions>', 'the most megapixels of a picture before it is enlarged (default: 268)', positive)
    .action(async (inputs: string[], options: UpscaleOptions) => {
      const { upscale } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      const { json, quiet, verbose, maxPixels, ...rest } = options;
      try {
        const limit = maxPixels === undefined ? {} : { maximumPixels: maxPixels * 1e6 };
        const result = await upscale({ inputs, ...rest, ...limit, signal, onProgress: display.show });
        display.close();
        const { files, kept, failures } = result;
        answer(options, result, [
          ...files.map(({ path, width, height }) => `${path}  ${width}x${height}`),
          ...(kept.length > 0 ? [`${kept.length} done before and kept`] : []),
        ]);
        for (const { message } of failures) display.error(`error: ${message}`);
        if (failures.length === 0) return;
        if (files.length + kept.length + failures.length > 1) display.error(`${failures.length} of ${files.length + kept.length + failures.length} files failed`);
        finish(1);
      } finally {
        display.close();
      }
    });
}
