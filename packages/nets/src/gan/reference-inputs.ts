// For tests: a preset's networks with the weights and inputs of scripts/reference/gan.py, and PyTorch's numbers for them.

import { readFileSync } from 'node:fs';
import { bytes, type Feeds, floats, sizeOf } from '@zeuxis/graph';
import { fill, type Summary } from '../../../graph/src/reference-cases.js';
import type { Weight } from '../network.js';
import { defineGan, LATENT, type Preset } from './networks.js';

export type ByName = Record<string, Summary>;
export interface Steps {
  losses: number[];
  moved: ByName;
  moment: ByName;
  average?: ByName;
}
export interface Reference {
  settings: Record<'inputs' | 'size' | 'classes' | 'batch' | 'rate' | 'beta2' | 'gamma' | 'decay', number>;
  pictures: Summary;
  logits: Summary;
  discriminator: ByName;
  penalty: ByName;
  generator: ByName;
  'discriminator steps': Steps;
  'generator steps': Steps;
}

export const readReference = (name: string) =>
  JSON.parse(readFileSync(new URL(`./reference-${name}.json`, import.meta.url), 'utf8'));
export const scalar = (value: number) => floats([value], []);
export const vector = (data: Float32Array) => floats(data, [data.length]);

/** Weights go by their names, so that the order of the table is free; those that start at zero are filled too. */
const weightsOf = (table: Weight[]) =>
  Float32Array.from(
    table.flatMap(({ name, shape, deviation, mean }) => [...fill(name, sizeOf(shape)).map((v) => v * (deviation || 0.1) + mean)]),
  );

/** The networks, the weights they start from, and feeds for their steps but for moment, average and correction. */
export function referenceInputs(preset: Preset) {
  const reference: Reference = readReference(preset);
  const { inputs, size, classes, batch, rate, beta2, gamma, decay } = reference.settings;
  const gan = defineGan({ preset, size, classes });
  const start = { generator: weightsOf(gan.generator.table), discriminator: weightsOf(gan.discriminator.table) };
  const pixels = Uint8Array.from(fill(`real${inputs}`, batch * 3 * size * size), (v) => Math.floor((v / Math.sqrt(3) + 1) * 128));
  const oneHot = Array.from({ length: batch }, (_, i) => Array.from({ length: classes }, (_, k) => Number(i % classes === k)));
  const feeds: Feeds = {
    real: bytes(pixels, [batch, 3, size, size]),
    z: floats(fill(`z${inputs}`, batch * LATENT), [batch, LATENT]),
    labels: floats(oneHot.flat(), [batch, classes]),
    generator: vector(start.generator),
    discriminator: vector(start.discriminator),
    rate: scalar(rate),
    beta2: scalar(beta2),
    gamma: scalar(gamma),
    decay: scalar(decay),
  };
  return { reference, gan, start, pixels, feeds };
}
