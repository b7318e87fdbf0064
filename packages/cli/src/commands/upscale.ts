import type { Command } from 'commander';
import { between, whole } from '../options.js';
import { type EditOptions, edit, editing } from './edit.js';

interface UpscaleOptions extends EditOptions {
  scale?: number;
  model?: string;
  detail?: number;
}

export function upscaleCommand(program: Command, finish: (code: number) => void): void {
  editing(program.command('upscale'), 'PNG, JPEG, WebP, AVIF, TIFF or DICOM, folders and patterns')
    .summary('enlarge pictures')
    .description('enlarge pictures; detail is estimated, and the files say so')
    .option('--scale <n>', 'how many times larger: 2, 3 or 4 (default: the model\'s, or 2)', whole(1))
    .option('--model <name>', 'a shipped name, a .onnx file or a run folder (default: photo-x and the scale, for DICOM medical-x)')
    .option('--detail <x>', '0 (default) to 1: from the most likely to the sharpest, for models that were sharpened', between(0, 1))
    .action(async (inputs: string[], options: UpscaleOptions) => {
      const { upscale } = await import('@zeuxis/verbs');
      await edit(options, (rest) => upscale({ inputs, ...rest }), finish);
    });
}
