import type { Card, ListedModel } from '@zeuxis/verbs';
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
        ...setsOf(card).flatMap(({ name, pictures, fingerprint, rights }) => [
          `trained on   ${name}: ${pictures} ${pictures === 1 ? 'picture' : 'pictures'}, fingerprint ${fingerprint.slice(0, 16)}`,
          `rights       ${rights.text} (stated by ${rights.name})`,
        ]),
        `training     ${card.images} ${card.task === 'gan' ? 'pictures' : 'crops'} shown, ${card.steps} steps of ${card.batch}, ${card.hours} h, seed ${card.seed}`,
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
