// `keys`: who signs the pictures that are made here, and what marks them.

import {
  configFolder,
  createWatermarkKey as createMark,
  ensureLocal,
  type KeyReport,
  reportKeys,
  rotateLocal,
  rotateWatermarkKey as rotateMark,
  type SigningConfiguration,
  useWatermarkKey as useMark,
  useSigning,
  type WatermarkPlace,
} from '@zeuxis/provenance';

/** The report, and what was done. */
export interface KeysResult extends KeyReport {
  done?: 'created' | 'rotated' | 'root rotated' | 'changed' | 'watermark created' | 'watermark rotated' | 'watermark changed';
}

/** Says who signs. Makes nothing. @throws UserError for what is there and damaged. */
export const showKeys = (folder = configFolder()): Promise<KeysResult> => reportKeys(folder);

/** Makes a root and a signing certificate where there are none; what is there stays. */
export async function createKeys(folder = configFolder()): Promise<KeysResult> {
  const { created } = await ensureLocal(folder);
  return { ...(await reportKeys(folder)), ...(created ? { done: 'created' } : {}) };
}

/**
 * A new signing key in place of this machine's own, under the same root or a new one. Pictures signed before stay trusted here: the old root
 * is kept, the old key is not.
 * @throws UserError where there is none.
 */
export async function rotateKeys({ root = false, folder = configFolder() }: { root?: boolean; folder?: string } = {}): Promise<KeysResult> {
  await rotateLocal(folder, root);
  return { ...(await reportKeys(folder)), done: root ? 'root rotated' : 'rotated' };
}

/**
 * Signs with a certificate of one's own from now on, or, with none given, with this machine's again; with a time-stamp where an authority is named.
 * @throws UserError for a certificate, a key or an authority that cannot serve; nothing is changed then.
 */
export async function useKeys(configuration: SigningConfiguration, folder = configFolder()): Promise<KeysResult> {
  await useSigning(configuration, folder);
  return { ...(await reportKeys(folder)), done: 'changed' };
}

/** Marks pictures with a key of one's own, made where there is none: then nobody else sees the watermark. */
export async function createWatermarkKey(folder = configFolder()): Promise<KeysResult> {
  const created = await createMark(folder);
  return { ...(await reportKeys(folder)), ...(created ? { done: 'watermark created' } : {}) };
}

/** Marks pictures with a new key. The old one is still looked for. @throws UserError where there is none of one's own. */
export async function rotateWatermarkKey(folder = configFolder()): Promise<KeysResult> {
  await rotateMark(folder);
  return { ...(await reportKeys(folder)), done: 'watermark rotated' };
}

/**
 * Marks pictures with a key that was brought along, with the newest that was made here, or with the one that every Zeuxis knows. What was one's own before
 * is still looked for.
 * @throws UserError for a key that cannot serve; nothing is changed then.
 */
export async function useWatermarkKey(use: WatermarkPlace | 'own' | 'public', folder = configFolder()): Promise<KeysResult> {
  await useMark(use, folder);
  return { ...(await reportKeys(folder)), done: 'watermark changed' };
}
