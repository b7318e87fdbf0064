// Model files from strangers: a card is believed only where the graph says the same.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceMetadata } from '@zeuxis/graph';
import { defineGan, generatorModel, LATENT, Random } from '@zeuxis/nets';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cardMetadata, type GanCard, readModel } from './card.js';

let home: string;
let path: string;
const rights = { text: 'drawn by this test', name: 'the test' };
const trainingSet = { name: 'drawn', pictures: 32, fingerprint: '00', skipped: 0, reserved: 0, rights };
const card: GanCard = { card: 1, task: 'gan', name: 'own', preset: 'fast', size: 32, channels: 3, latent: LATENT, labels: ['a', 'b'], trainingSet, seed: 0, images: 0, steps: 0, batch: 1, hours: 0, licence: 'CC0-1.0', zeuxis: '0.1.0' };
const gan = defineGan({ preset: 'fast', size: 32, classes: 2 });
const bytes = generatorModel(gan, gan.generator.initialise(new Random(1)), cardMetadata(card));
const carrying = async (text: string) => {
  await writeFile(path, replaceMetadata(bytes, { 'zeuxis.card': text }));
  return readModel(path);
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'zeuxis-card-'));
  path = join(home, 'model.onnx');
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('reads a card that the graph bears out', async () => {
  expect((await carrying(JSON.stringify(card))).card).toEqual(card);
});

it.each<[string, string, RegExp]>([
  ['half a document', '{', /it is no JSON/],
  ['nothing', 'null', /it is no object/],
  ['a list', '[]', /it has no version/],
  ['a version to come', '{"card":2}', /newer zeuxis/],
  ['a version and no more', '{"card":1,"task":"gan"}', /states no name/],
  ['no rights', JSON.stringify({ ...card, trainingSet: { name: 'x' } }), /what the model was trained on/],
  ['labels that are no text', JSON.stringify({ ...card, labels: [1, 2] }), /lists no labels/],
  ['a size of its own', JSON.stringify({ ...card, size: 64 }), /pictures of 64 px, which the graph does not draw/],
  ['more labels than the graph', JSON.stringify({ ...card, labels: ['a', 'b', 'c'] }), /3 labels, and the graph takes others/],
  ['another latent', JSON.stringify({ ...card, latent: 65 }), /latents of 65 values/],
  ['a task of its own', JSON.stringify({ ...card, task: 'alchemy' }), /no task that this version knows/],
])('does not believe %s', async (_, text, message) => {
  await expect(carrying(text)).rejects.toThrow(message);
});
