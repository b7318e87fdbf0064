// The one door out: whatever picture a user may keep is encoded, signed and written here, and nowhere else.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { encodePicture, type PictureFormat, type Pixels, writeWhole } from '@zeuxis/pictures';
import type { Identity } from './identity.js';
import { type Manifest, signFile } from './sign.js';

/** IPTC NewsCodes, digital source type: made by a trained model. */
export const TRAINED_ALGORITHMIC_MEDIA = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
/** The assertion that says how a picture came about. */
export const GENERATION = 'org.zeuxis.generation';

/** How a picture came about; kept in its manifest. */
export interface Generation {
  model: {
    name: string;
    /** Hexadecimal SHA-256 of the model file. */
    sha256: string;
  };
  seed: number | string;
  /** Position in the series of the seed. */
  index?: number;
  label?: string;
  truncation?: number;
}

export interface PublishOptions {
  identity: Identity;
  /** Version of zeuxis, for the claim's generator. */
  version: string;
  format: PictureFormat;
  /** 1 to 100 for jpeg and webp, 90 by default. */
  quality?: number;
}

export interface Published {
  path: string;
  /** Hexadecimal SHA-256 of the file. */
  sha256: string;
  bytes: number;
}

/**
 * Writes a made picture as a signed file. A file of that name is replaced, at once and as a whole.
 * The manifest follows C2PA 2.x: the action `c2pa.created` with the digital source type trainedAlgorithmicMedia, and
 * the assertion `org.zeuxis.generation`.
 * @throws UserError where the file cannot be written.
 */
export async function publish(pixels: Pixels, path: string, generation: Generation, options: PublishOptions): Promise<Published> {
  const { identity, version, format, quality } = options;
  const encoded = await encodePicture(pixels, format, quality);
  const manifest: Manifest = {
    claim_generator_info: [{ name: 'zeuxis', version }],
    title: basename(path),
    format: `image/${format}`,
    assertions: [
      {
        label: 'c2pa.actions.v2',
        data: {
          actions: [
            {
              action: 'c2pa.created',
              digitalSourceType: TRAINED_ALGORITHMIC_MEDIA,
              softwareAgent: { name: 'zeuxis', version },
              description: `made by the model '${generation.model.name}'`,
            },
          ],
        },
      },
      { label: GENERATION, data: generation },
    ],
  };
  const file = await signFile(encoded, `image/${format}`, manifest, identity);
  await writeWhole(path, file);
  return { path, sha256: createHash('sha256').update(file).digest('hex'), bytes: file.length };
}
