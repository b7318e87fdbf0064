// What the presets have in common: a generator and a discriminator for a picture side and a set of classes.

import { input, type Tensor } from '@zeuxis/graph';
import { Network, type Weights } from '../network.js';
import { fastDiscriminator, fastGenerator } from './fast.js';
import { r3Discriminator, r3Generator } from './r3.js';

export const PRESETS = ['fast', 'r3'] as const;
export type Preset = (typeof PRESETS)[number];
export const SIZES = [32, 64, 128, 256] as const;
/** Values in a latent. */
export const LATENT = 64;

export interface GanShape {
  preset: Preset;
  /** Side of the pictures in px, one of SIZES. */
  size: number;
  /** Number of classes; 0 trains without labels. */
  classes: number;
}

/** z [n, LATENT], one-hot labels [n, classes] or undefined -> pictures [n, 3, size, size], black -1 to white 1. */
export type Generator = (p: Weights, z: Tensor, labels: Tensor | undefined) => Tensor;
/** Pictures and labels -> one logit a picture, [n]. */
export type Discriminator = (p: Weights, x: Tensor, labels: Tensor | undefined) => Tensor;

export interface Gan {
  shape: GanShape;
  generator: Network<[Tensor, Tensor | undefined]>;
  discriminator: Network<[Tensor, Tensor | undefined]>;
}

/** @throws RangeError for a preset or size that there is none of. */
export function defineGan(shape: GanShape): Gan {
  if (!PRESETS.includes(shape.preset))
    throw new RangeError(`there is no preset '${shape.preset}'; choose ${PRESETS.join(' or ')}`);
  if (!(SIZES as readonly number[]).includes(shape.size))
    throw new RangeError(`there is no network for ${shape.size} px; choose ${SIZES.join(', ')}`);
  const [g, d]: [Generator, Discriminator] =
    shape.preset === 'fast' ? [fastGenerator(shape.size), fastDiscriminator] : [r3Generator(shape.size), r3Discriminator];
  const labels = shape.classes > 0 ? input('labels', [1, shape.classes]) : undefined;
  return {
    shape,
    generator: new Network(g, [input('z', [1, LATENT]), labels]),
    discriminator: new Network(d, [input('x', [1, 3, shape.size, shape.size]), labels]),
  };
}
