// Credentials and keys; `publish`, `publishEdited` and `publishDicom` are the one door out.
export { configFolder, type Identity, type KeyReport, openIdentity, ownAnchors, reportKeys, type SigningConfiguration, useSigning } from './identity.js';
export { ensureLocal, rotateLocal } from './keys/local.js';
export type { KeyPlace } from './keys/signer.js';
export { type Ledger, type LedgerDamage, type LedgerRecord, type NewRecord, newId, openLedger, shortId } from './ledger.js';
export {
  COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
  type Edit,
  type EditAction,
  type EditRecord,
  type EditSettings,
  type Generation,
  type NamedModel,
  type Published,
  type PublishOptions,
  publish,
  publishDicom,
  publishEdited,
  type Signing,
} from './publish.js';
export { type Verdict, type VerifyOptions, verify } from './verify.js';
