import { createInterface } from 'node:readline/promises';
import type { Lacking, TrainGanOptions, TrainGanResult, TrainUpscalerOptions } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { between, common, positive, rights, statement, whole } from '../options.js';
import { answer, type Common, Display, interruptible, plain } from '../terminal.js';

/** What every training is asked. */
interface TrainOptions extends Common {
  out: string;
  images?: number;
  minutes?: number;
  rights?: { text: string; name: string };
  batch?: number;
  seed?: string;
  rateScale?: number;
  licence?: string;
  resume?: boolean;
  statedOnly?: boolean;
  content?: string;
}

/** Adds what every training takes. @param images what `--images` counts. */
const training = (command: Command, images: string, batch: string, pictures = 'folder of JPEG, PNG, WebP, AVIF or TIFF', minutes = 30): Command =>
  common(command)
    .argument('<pictures>', pictures)
    .requiredOption('--out <dir>', 'run folder: model.onnx, report.html, checkpoint, metrics.jsonl, grids')
    .option('--images <n>', images, whole(1))
    .option('--minutes <m>', `time to train instead (default: ${minutes})`, positive)
    .option('--rights <statement>', '"TEXT, NAME": the right to train on pictures without a statement of their own, and who states it', rights)
    .option('--stated-only', 'train on those pictures alone that their rights record (`zeuxis rights`) states a right to')
    .option('--resume', 'go on from the run folder\'s checkpoint')
    .option('--batch <n>', batch, whole(1))
    .option('--seed <seed>', 'seed of every random choice (default: 0)')
    .option('--rate-scale <x>', 'multiplies the learning rate (default: 1)', positive)
    .option('--licence <text>', 'licence of the weights, for the card');

/** What a training begins with: where progress is shown, the right to train, and the signal that stops it. */
async function begin(train: Command, pictures: string, options: TrainOptions) {
  const { images, minutes, rights: given, resume, statedOnly, content } = options;
  if (images !== undefined && minutes !== undefined) train.error('give --images or --minutes, not both', { exitCode: 2 });
  const display = await Display.open(options);
  const { firstFew, hasRecord } = await import('@zeuxis/verbs');
  const recorded = await Promise.all([pictures, ...(content === undefined ? [] : [content])].map(hasRecord));
  // Where a record states rights, only the training knows whether it states all.
  const stated = given ?? (resume || statedOnly || recorded.every(Boolean) ? undefined : await askRights(train, pictures));
  const ask = async ({ folder, lacking, pictures: all }: Lacking) => {
    display.close();
    return question(`${lacking.length} of ${all} pictures in '${folder}' have no stated right (${firstFew(lacking)}). By what right do you train on them? `);
  };
  const signal = interruptible(display, 'stopping after this step; Ctrl-C again to stop at once');
  return { display, given: { pictures, ...(stated ? { rights: stated } : {}), ...(process.stdin.isTTY && process.stderr.isTTY ? { askRights: ask } : {}), signal, onProgress: display.show } };
}

interface GanOptions extends TrainOptions {
  size?: number;
  preset?: NonNullable<TrainGanOptions['preset']>;
  labels?: 'folders' | 'none';
  mirror?: boolean;
  augment: boolean;
  penaltyEvery?: number;
  gammaScale?: number;
}

export function trainCommand(program: Command, finish: (code: number) => void): void {
  const train = program.command('train').description('train a network on a folder of pictures');
  training(train.command('gan'), 'real pictures to show to the discriminator', 'pictures a step (default: 16)')
    .description('train a generator; nested folders are labels')
    .option('--size <px>', 'side of the pictures: 32, 64, 128 or 256 (default: 64)', whole(1))
    .option('--preset <name>', 'network: fast (default) or r3')
    .option('--labels <how>', 'folders (default where there are any) or none')
    .option('--mirror', 'mirror pictures by chance')
    .option('--no-augment', 'never change pictures against over-fitting')
    .option('--penalty-every <n>', 'steps from one gradient penalty to the next (default: 4)', whole(1))
    .option('--gamma-scale <x>', 'multiplies the gradient penalty (default: 1)', positive)
    .action(async (pictures: string, options: GanOptions) => {
      if (options.labels !== undefined && !['folders', 'none'].includes(options.labels))
        train.error(`--labels takes folders or none, not '${options.labels}'`, { exitCode: 2 });
      const { trainGan } = await import('@zeuxis/verbs');
      const { display, given } = await begin(train, pictures, options);
      // Commander's --no-augment is true where nobody said a word, and a resumed run keeps what it was begun with.
      const { json, quiet, verbose, augment, rights: _, ...rest } = options;
      await finished(options, display, () => trainGan({ ...rest, ...(augment ? {} : { augment }), ...given }), 'pictures', finish);
    });
  upscalerCommand(train, finish);
  styleCommand(train, finish);
}

interface StyleOptions extends TrainOptions {
  content: string;
  from?: string;
  scale?: number;
  contentWeight?: number;
  palette?: number;
  strokes?: number;
  patches?: number;
  calm?: number;
  crop?: number;
}

function styleCommand(train: Command, finish: (code: number) => void): void {
  training(train.command('style'), 'crops to paint', 'crops a step (default: 1)', 'a painting, or a folder of paintings that make one style', 60)
    .description('train a style on paintings, which `zeuxis style` paints photographs in; its weights may be turned with --resume')
    .requiredOption('--content <pictures>', 'folder of photographs to learn to paint')
    .option('--from <style>', 'begin with the weights of a style: a shipped name, a .onnx file or a run folder')
    .option('--scale <x>', 'how wide a brush is (default: 1.5)', positive)
    .option('--content-weight <x>', "weight of the photograph's structure (default: 1.5)", between(0, 1000))
    .option('--palette <x>', "weight of the painting's colours (default: 42)", between(0, 1000))
    .option('--strokes <x>', 'weight of the run of the brush (default: 1)', between(0, 1000))
    .option('--patches <x>', "weight of the painting's small patches (default: 1)", between(0, 1000))
    .option('--calm <x>', 'weight of flat places staying flat: more keeps blotches out of skies (default: 30)', between(0, 1000))
    .option('--crop <px>', 'side of a crop, a multiple of 32 (default: 448)', whole(32))
    .action(async (pictures: string, options: StyleOptions) => {
      const { trainStyle } = await import('@zeuxis/verbs');
      const { display, given } = await begin(train, pictures, options);
      const { json, quiet, verbose, rights: _, ...rest } = options;
      await finished(options, display, () => trainStyle({ ...rest, ...given }), 'crops', finish);
    });
}

interface UpscalerOptions extends TrainOptions {
  scale?: number;
  preset?: NonNullable<TrainUpscalerOptions['preset']>;
  degrade?: NonNullable<TrainUpscalerOptions['degrade']>;
  sharpen?: string;
  adversarial?: number;
  grey?: boolean;
  crop?: number;
}

function upscalerCommand(train: Command, finish: (code: number) => void): void {
  training(train.command('upscaler'), 'crops to show', 'crops a step (default: 8)')
    .description('train an upscaler on pictures, which it learns to bring back from reduced ones')
    .option('--scale <n>', 'how many times larger: 2, 3 or 4', whole(1))
    .option('--preset <name>', 'network: best (default) or fast')
    .option('--degrade <how>', 'how reduced pictures are made: bicubic (default), or photo, with blur, noise and JPEG to be undone')
    .option('--sharpen <run>', 'sharpen the upscaler of that run folder against a discriminator, for `upscale --detail`')
    .option('--adversarial <x>', 'weight of the discriminator in sharpening (default: 0.02)', positive)
    .option('--grey', 'one channel of luma, for grey pictures')
    .option('--crop <px>', 'side of a crop of the reduced picture (default: 32)', whole(8))
    .action(async (pictures: string, options: UpscalerOptions) => {
      if (!options.resume && options.scale === undefined && options.sharpen === undefined) train.error("error: required option '--scale <n>' not specified", { exitCode: 2 });
      const { trainUpscaler } = await import('@zeuxis/verbs');
      const { display, given } = await begin(train, pictures, options);
      const { json, quiet, verbose, rights: _, ...rest } = options;
      await finished(options, display, () => trainUpscaler({ ...rest, ...given }), 'crops', finish);
    });
}

/** Does the training and says what became of it. */
async function finished(
  options: Common,
  display: Display,
  train: () => Promise<Pick<TrainGanResult, 'finished' | 'images' | 'seconds' | 'picturesPerSecond' | 'model' | 'report'>>,
  unit: string,
  finish: (code: number) => void,
): Promise<void> {
  try {
    const result = await train();
    display.close();
    const time = result.seconds < 90 ? `${result.seconds.toFixed(0)} s` : `${(result.seconds / 60).toFixed(1)} minutes`;
    answer(options, result, [
      `${result.finished ? 'trained on' : 'stopped after'} ${result.images} ${unit} in ${time} (${Number(result.picturesPerSecond.toPrecision(2))} a second)`,
      `model   ${result.model}`,
      `report  ${result.report}`,
    ]);
    if (!result.finished) {
      display.note('go on with --resume');
      finish(130);
    }
  } finally {
    display.close();
  }
}

/** In a terminal, asks once; elsewhere a missing statement is wrong usage, and so is an empty answer. Ctrl-C ends it as an abort. */
export async function askRights(
  command: Command,
  pictures: string,
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<{ text: string; name: string }> {
  const usage = `error: state the right to train on these pictures: --rights "LICENCE OR SENTENCE, NAME", or picture by picture in a record, which \`zeuxis rights\` begins`;
  if (!input.isTTY || !output.isTTY) command.error(usage, { exitCode: 2 });
  return (await question(`By what right do you train on the pictures in '${pictures}'? (a licence, or a sentence) `, input, output)) ?? command.error(usage, { exitCode: 2 });
}

/** Undefined where an answer is empty. */
async function question(text: string, input: NodeJS.ReadStream = process.stdin, output: NodeJS.WriteStream = process.stderr) {
  const terminal = createInterface({ input, output });
  try {
    const right = await terminal.question(plain(text));
    // Kept apart: a text and a name may both hold commas, which the option cannot tell from its own.
    return statement(right, await terminal.question('Who states it? '));
  } finally {
    terminal.close();
  }
}
