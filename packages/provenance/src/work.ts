// The picture as a work: which models made it, what those learned from, whose that was, and which people had a part in it. In C2PA's own
// terms the models are ingredients; for other readers of metadata the same stands in CAWG's assertion, in the words of schema.org.

import { type HumanWork, isHumanWork, sayHuman } from './human.js';
import type { LedgerRecord } from './ledger/record.js';
import type { NamedModel, TrainedOn } from './publish.js';
import { addressOf } from './rights/licence.js';
import { licenceName, sayMakers, sayNames, sayRights } from './rights/summary.js';
import type { Ingredient } from './sign.js';
import { counted, isObject, isText } from './values.js';

/** CAWG, Metadata Assertion 1.1: JSON-LD of any vocabulary. */
export const METADATA = 'cawg.metadata';

export const labelOf = (i: number): string => `model${i === 0 ? '' : i + 1}`;

/** A model as something that went in (C2PA 2.2, `inputTo`), with its hash and what it was trained on. */
export function modelIngredient({ name, sha256, trained = [] }: NamedModel, i: number): Ingredient {
  const sets = trained.map((set) => `trained on ${counted(set.pictures)} ('${set.name}'${sayMakers(set)}, fingerprint ${set.fingerprint}; ${sayRights(set)})`);
  return { title: name, relationship: 'inputTo', label: labelOf(i), description: [`SHA-256 ${sha256}`, ...sets].join('; '), data_types: [{ type: 'c2pa.types.model.onnx' }] };
}

const person = (name: string, description?: string) => ({ '@type': 'schema:Person', 'schema:name': name, ...(description ? { 'schema:description': description } : {}) });

function dataset({ name, pictures, fingerprint, rights, record }: TrainedOn) {
  const { licences = [], contributors = [], attributions = [], more = {} } = record ?? {};
  const further = (count: number | undefined): string[] => (count ? [`and ${count} more, in the model's card`] : []);
  const licence = [...licences.map((of) => addressOf(of.licence) ?? licenceName(of.licence)), ...further(more.licences), ...(rights ? [`${rights.text} (stated by ${rights.name})`] : [])];
  const credit = [...attributions, ...further(more.attributions)];
  return {
    '@type': 'schema:Dataset',
    'schema:name': name,
    'schema:size': counted(pictures),
    'schema:identifier': fingerprint,
    ...(licence.length > 0 ? { 'schema:license': licence } : {}),
    ...(contributors.length > 0 ? { 'schema:contributor': contributors.map((of) => person(of.name, [counted(of.pictures), of.terms].filter(Boolean).join('; '))) } : {}),
    ...(more.contributors ? { 'schema:description': `${more.contributors} more contributors, in the model's card` } : {}),
    ...(credit.length > 0 ? { 'schema:creditText': credit } : {}),
  };
}

/** What the manifest says of the picture as a work; undefined where there is nothing to say. */
export function workMetadata(models: readonly NamedModel[], human: HumanWork | undefined): { label: string; data: object } | undefined {
  const learned = models.filter(({ trained = [] }) => trained.length > 0);
  if (learned.length === 0 && !human) return undefined;
  const based = learned.map(({ name, sha256, trained = [] }) => ({ '@type': 'schema:SoftwareApplication', 'schema:name': name, 'schema:identifier': `sha256:${sha256}`, 'schema:isBasedOn': trained.map(dataset) }));
  return {
    label: METADATA,
    data: {
      '@context': { schema: 'https://schema.org/' },
      ...(based.length > 0 ? { 'schema:isBasedOn': based } : {}),
      ...(human ? { 'schema:contributor': [person(human.author)] } : {}),
    },
  };
}

const listed = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value : [value]).filter(isObject);

export interface Credits {
  /** Whose pictures the models learned from, as far as they are named. */
  learnedFrom?: string[];
  /** What a person chose and edited, as the signer says. */
  human?: HumanWork;
}

/** What may follow a sentence about a picture. */
export const sayCredits = ({ learnedFrom, human }: Credits): string => `${learnedFrom ? `; learned from pictures by ${sayNames(learnedFrom)}` : ''}${human ? `; ${sayHuman(human)}` : ''}`;

/** The same of a picture that the ledger knows, and what a person did for it. */
export function creditsOf({ models, generation }: Pick<LedgerRecord, 'models' | 'generation'>): Credits {
  const names = [...new Set(models.flatMap(({ trained = [] }) => trained).flatMap(({ record }) => record?.contributors.map(({ name }) => name) ?? []))];
  return { ...(names.length > 0 ? { learnedFrom: names } : {}), ...(isHumanWork(generation.human) ? { human: generation.human } : {}) };
}

/** Of a stranger's manifest. */
const MOST = 100;

/** The names of those whose pictures the models of a picture learned from, as its metadata assertion says; anyone may have written it. */
export function learnedFrom(data: unknown): string[] {
  if (!isObject(data)) return [];
  const sets = listed(data['schema:isBasedOn']).flatMap((model) => listed(model['schema:isBasedOn']));
  const names = sets.flatMap((set) => listed(set['schema:contributor'])).map((of) => of['schema:name']);
  return [...new Set(names.filter(isText))].slice(0, MOST);
}
