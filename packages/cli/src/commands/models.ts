import type { Card, ListedModel, SetRights } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common } from '../terminal.js';

const describe = ({ name, shipped, path, sha256, card, bytes }: ListedModel) => ({ name, shipped, path, sha256, bytes: bytes.length, card });

/** What a model is, in a few words. */
const kind = (card: Card): string => {
  if (card.task === 'gan') return `${card.preset}, ${card.size} px`;
  if (card.task === 'upscaler') return `${card.preset}, ${card.scale} times${card.channels === 1 ? ', grey' : ''}`;
  if (card.task === 'style') return `brush ${(card.painted / 480).toFixed(1)}`;
  return `version ${card.version}, ${card.size} px`;
};

const summary = (card: Card): string => {
  if (card.task === 'gan') return `${kind(card)}, ${card.labels.length > 0 ? card.labels.join(' ') : 'no labels'}`;
  return card.task === 'features' ? `${kind(card)}, ${card.features} values, for \`zeuxis evaluate\`` : kind(card);
};

const counted = (pictures: number): string => `${pictures} ${pictures === 1 ? 'picture' : 'pictures'}`;

/** Makers and texts that are shown; `--json` has them all. */
const SHOWN = 20;

/** How the rights to a set are shown: in a sentence, then whose pictures they are, and what their licences want to be said. */
async function rightsPrinter(): Promise<(of: SetRights) => string[]> {
  const { sayRights, shareOf } = await import('@zeuxis/verbs');
  return (of) => {
    const lines = [`rights       ${sayRights(of)}`];
    const { record } = of;
    if (!record) return lines;
    const list = (name: string, all: readonly string[], more = 0) => {
      lines.push(...all.slice(0, SHOWN).map((text) => `${name.padEnd(12)} ${text}`));
      const rest = Math.max(0, all.length - SHOWN) + more;
      if (rest > 0) lines.push(`${' '.repeat(13)}and ${rest} more${more < rest ? ', which --json names' : ''}`);
    };
    const share = (weight: string) => `${shareOf(weight, record).percent}`;
    list('by', record.contributors.map(({ name, pictures, weight, terms }) => `${name}: ${counted(pictures)}, ${share(weight)}${terms === undefined ? '' : `, ${terms}`}`), record.more?.contributors);
    list('attribution', record.attributions, record.more?.attributions);
    return lines;
  };
}

export function modelsCommand(program: Command): void {
  const models = program.command('models').description('list the shipped models and those given by path');
  common(models.command('list', { isDefault: true }))
    .description('names, sizes and labels')
    .argument('[paths...]', 'further .onnx files or run folders')
    .action(async (paths: string[], options: Common) => {
      const { listModels } = await import('@zeuxis/verbs');
      const list = await listModels(paths);
      const lines = list.map(({ name, card }) => `${name.padEnd(16)} ${card.task} ${summary(card)}`);
      answer(options, list.map(describe), lines.length > 0 ? lines : ['no models are shipped with this build']);
    });
  common(models.command('show'))
    .description('the whole card of a model')
    .argument('<model>', 'a shipped name, a .onnx file or a run folder')
    .action(async (nameOrPath: string, options: Common) => {
      const { findModel, setsOf } = await import('@zeuxis/verbs');
      const rightsLines = await rightsPrinter();
      const model = await findModel(nameOrPath);
      const { card } = model;
      const sharpened = card.task === 'upscaler' ? card.sharpened : undefined;
      const figures =
        card.task !== 'features'
          ? Object.entries(card.measures ?? {})
          : Object.entries(card.heldOut).map(([set, { pictures, accuracy }]) => [
              'accuracy',
              `${(100 * accuracy).toFixed(1)}% of ${pictures} held-out pictures of ${set}`,
            ]);
      answer(options, describe(model), [
        `${model.name}: ${card.task}, ${kind(card)}`,
        `file         ${model.path} (${(model.bytes.length / 1e6).toFixed(1)} MB)`,
        `sha256       ${model.sha256}`,
        ...('labels' in card ? [`labels       ${card.labels.join(' ') || 'none'}`] : []),
        ...setsOf(card).flatMap(({ name, pictures, fingerprint, ...rights }) => [
          `trained on   ${name}: ${counted(pictures)}, fingerprint ${fingerprint.slice(0, 16)}`,
          ...rightsLines(rights),
        ]),
        `training     ${card.images} ${card.task === 'gan' ? 'pictures' : 'crops'} shown, ${card.steps} steps of ${card.batch}, ${card.hours} h, seed ${card.seed}`,
        ...(card.task === 'style' && card.from ? [`began with   the style ${card.from.name}, licence ${card.from.licence}, SHA-256 ${card.from.sha256.slice(0, 16)}`] : []),
        ...(sharpened ? [`sharpened    ${sharpened.images} crops shown, ${sharpened.steps} steps, ${sharpened.hours} h, seed ${sharpened.seed}`] : []),
        `licence      ${card.licence}`,
        ...figures.map(([name, value]) => `${String(name).padEnd(12)} ${value}`),
      ]);
    });
}

export function doctorCommand(program: Command, finish: (code: number) => void): void {
  common(program.command('doctor'))
    .description('what this machine offers, and what is missing')
    .action(async (options: Common) => {
      const { doctor } = await import('@zeuxis/verbs');
      const findings = await doctor();
      const marks = { good: 'ok', note: '--', missing: '!!' };
      answer(options, findings, findings.map(({ name, state, detail }) => `${marks[state]}  ${name.padEnd(14)} ${detail}`));
      if (findings.some(({ state }) => state === 'missing')) finish(1);
    });
}
