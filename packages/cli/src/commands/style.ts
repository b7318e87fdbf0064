import type { Command } from 'commander';
import { between } from '../options.js';
import { type EditOptions, edit, editing } from './edit.js';

interface StyleOptions extends EditOptions {
  model: string[];
  mix?: number;
  strength?: number;
  keepColour?: boolean;
  mask?: string;
  seed?: string;
}

export function styleCommand(program: Command, finish: (code: number) => void): void {
  editing(program.command('style'), 'PNG, JPEG, WebP, AVIF, TIFF or animated GIF, folders and patterns; what is animated stays so')
    .summary('paint photographs in a trained style')
    .description('paint photographs in a trained style; brushes have one width in pixels, so that large photographs are better reduced first, to 1000 px or so')
    .requiredOption('--model <name>', 'a shipped name, a .onnx file or a run folder; twice to mix two', (name: string, before: string[] = []) => [...before, name])
    .option('--mix <x>', '0 to 1: how much of the second of two models (default: 0.5)', between(0, 1))
    .option('--strength <x>', '0 to 1 (default): how much is painted', between(0, 1))
    .option('--keep-colour', "the photograph's colours, the painting's light and dark")
    .option('--mask <picture>', "a grey picture of the photograph's size: white is painted, black stays")
    .option('--seed <seed>', 'of the noise that strokes begin from (default: of each picture itself)')
    .action(async (inputs: string[], options: StyleOptions) => {
      const { style } = await import('@zeuxis/verbs');
      await edit(options, ({ model, ...rest }) => style({ inputs, model: model.length === 1 ? model[0]! : (model as [string, string]), ...rest }), finish);
    });
}
