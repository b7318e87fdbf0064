import type { EvaluateResult, Evaluation, Fidelity, NearPair, StyleCard, StyleEvaluation, StyleFigures, UpscalerCard, UpscalerEvaluation } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { between, common, whole } from '../options.js';
import { answer, type Common, Display, interruptible } from '../terminal.js';

interface EvaluateOptions extends Common {
  count?: number;
  features?: string;
  truncation?: number;
  seed?: string;
  against?: string;
  heldOut?: string;
  report?: string;
}

const COLUMNS = ['', 'Fréchet', 'kernel x1000', 'precision', 'recall', 'density', 'coverage', 'pictures'];

/** As many decimals as the deviation leaves meaning to, for features of any scale. */
const digits = ({ deviation }: Evaluation['kernel']): number => (deviation < 1e-4 ? 4 : 2);

const row = (name: string, { frechet, kernel, precision, recall, density, coverage, generatedCount, realCount }: Evaluation): string[] => [
  name,
  frechet.toPrecision(4),
  `${(kernel.mean * 1000).toFixed(digits(kernel))} ± ${(kernel.deviation * 1000).toFixed(digits(kernel))}`,
  ...[precision, recall, density, coverage].map((share) => share.toFixed(3)),
  `${generatedCount} against ${realCount}`,
];

/** Copies that are named in the table; `--json` names all. */
const NAMED = 10;

const pairOf = ({ index, label, file, mirrored, distance }: NearPair): string =>
  `  ${label === undefined ? '' : `${label} `}${index} and ${mirrored ? 'the mirror image of ' : ''}'${file}', distance ${distance.toPrecision(3)}`;

function copies({ memorisation: { trainingSet, threshold, calibration, median, medianRatio, copied }, generated }: EvaluateResult): string[] {
  const by = `${calibration.pictures} held-out pictures${calibration.method === 'leave-one-out' ? ', each of these in turn' : ''}${calibration.quantile === 'extrapolated' ? ', extrapolated' : ''}`;
  const named = calibration.quantile === 'none' ? 'are equal to one of these; too few distances to say how near others come' : `are nearer to one of these than all but 0.1% of others (${threshold.toPrecision(3)}, by ${by})`;
  return [
    `copies    ${copied.length} of ${generated.generatedCount} ${named}`,
    ...copied.slice(0, NAMED).map(pairOf),
    ...(copied.length > NAMED ? [`  and ${copied.length - NAMED} more, which --json names`] : []),
    ...(medianRatio === null ? [] : [`nearest   median distance ${median.toPrecision(3)}, ${medianRatio.toPrecision(3)} times that of held-out pictures`]),
    ...(calibration.duplicates > 0 ? [`equal     ${calibration.duplicates} held-out pictures have an equal among these, and were left out of the threshold`] : []),
    ...(trainingSet ? [] : ['The model was trained on other pictures than these: what it copied of those is not seen here.']),
  ];
}

function table(result: EvaluateResult): string[] {
  const { model, features, pictures, generated, floor, truncation, seed } = result;
  const lines = [COLUMNS, row(model.name, generated), row('real halves', floor)];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return [
    ...lines.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')),
    `features  ${features.name}, ${features.width} values, SHA-256 ${features.sha256.slice(0, 12)}: figures made with others do not compare`,
    `pictures  ${pictures.folder}, ${pictures.count}, fingerprint ${pictures.fingerprint.slice(0, 12)}; truncation ${truncation}, seed ${seed}`,
    'The two distances are better the smaller, and larger the fewer pictures there are; the shares are better the larger.',
    ...copies(result),
  ];
}

function upscalerTable({ model, scale, border, each, mean, pictures }: UpscalerEvaluation): string[] {
  const cells = ({ psnr, ssim }: Fidelity) => [psnr.toFixed(2), ssim.toFixed(4)];
  const lines = [
    ['', 'PSNR', 'SSIM', 'bicubic', 'SSIM'],
    ...[...each, { name: 'mean', ...mean }].map(({ name, ...row }) => [name, ...cells(row.model), ...cells(row.bicubic)]),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return [
    ...lines.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')),
    `${model.name}, ${scale} times, on ${pictures.folder}; dB and similarity on luma (BT.601), ${border} px left out at each border; bicubic is MATLAB's`,
  ];
}

function styleTable({ model, pictures, against, strength, each, mean }: StyleEvaluation): string[] {
  const cells = ({ patches, colour, ssim, edges, flicker }: StyleFigures) => [patches, colour, ssim, edges, flicker].map((figure) => figure.toFixed(3));
  const rows = [...each.map(({ name, painted }) => [name, ...cells(painted)]), ...(['painted', 'untouched', 'transferred'] as const).map((of) => [TITLES[of], ...cells(mean[of])])];
  const lines = [['', 'patches', 'colours', 'SSIM', 'edges', 'flicker'], ...rows];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return [
    ...lines.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')),
    `${model.name} at strength ${strength}, on ${pictures.folder}, against ${against}: distances of patches and colours to the painting, better the smaller;`,
    "SSIM and edges say how much of the photograph is left, at most 1; flicker how far two frames of a still scene differ for a camera's noise.",
  ];
}
const TITLES = { painted: 'mean', untouched: 'the photographs untouched', transferred: "with the painting's colours" };

export function evaluateCommand(program: Command): void {
  common(program.command('evaluate'))
    .summary('measure a model against pictures')
    .description(
      'measure a model: a generator against real pictures (Fréchet and kernel distance, precision, recall, density, coverage, copies), ' +
        'an upscaler on pairs NAME-lr.png and NAME-hr.png (PSNR and SSIM, beside bicubic), ' +
        'a style on photographs, against its paintings (distance of patches and colours, and what is left of the photograph)',
    )
    .argument('<model>', 'a shipped name, a .onnx file or a run folder')
    .argument('<pictures>', 'folder of real pictures, whose first folders are labels, of pairs for an upscaler, of photographs for a style')
    .option('--against <painting>', 'of a style: a painting, or a folder of those, which are measured against as one (default: what the model keeps of its own)')
    .option('--count <n>', 'pictures to generate; distances compare between equal counts only (default: 2000)', whole(6))
    .option(
      '--features <file>',
      'an ONNX network from pictures [n, 3, h, w] to features [n, f] or, averaged over places, [n, f, h, w] (default: the shipped one). ' +
        'A float input is given -1 to 1, unless the metadata key zeuxis.range says 0..1 or 0..255, a uint8 input 0 to 255. ' +
        'Pictures are scaled to h x w bilinearly, with antialiasing',
    )
    .option('--truncation <x>', '0 to 1: less is safer and more alike (default: 1)', between(0, 1))
    .option('--seed <seed>', 'seed of the pictures and of random subsets (default: 0)')
    .option('--held-out <folder>', 'of a generator: pictures that were not trained on, to say how near strangers come (default: each training picture in turn)')
    .option('--report <file>', 'of a generator: an HTML file of the pictures that are nearest to training pictures, side by side with those')
    .action(async (model: string, pictures: string, options: EvaluateOptions) => {
      const { evaluate, evaluateStyle, evaluateUpscaler, findModel } = await import('@zeuxis/verbs');
      const display = await Display.open(options);
      const signal = interruptible(display, 'stopping');
      const { json, quiet, verbose, ...rest } = options;
      try {
        const found = await findModel(model);
        if (found.card.task !== 'gan' && (options.heldOut !== undefined || options.report !== undefined))
          program.error('copies are looked for in what a generator makes: --held-out and --report do not go with other models', { exitCode: 2 });
        if (found.card.task === 'upscaler') {
          const figures = await evaluateUpscaler({ ...found, card: found.card as UpscalerCard }, pictures, { ...rest, signal, onProgress: display.show });
          display.close();
          answer(options, figures, upscalerTable(figures));
          return;
        }
        if (found.card.task === 'style') {
          const figures = await evaluateStyle({ ...found, card: found.card as StyleCard }, pictures, { ...rest, signal, onProgress: display.show });
          display.close();
          answer(options, figures, styleTable(figures));
          return;
        }
        const result = await evaluate({ model, pictures, ...rest, signal, onProgress: display.show });
        display.close();
        answer(options, result, [...table(result), ...(options.report === undefined ? [] : [`report    ${options.report}`])]);
      } finally {
        display.close();
      }
    });
}
