// Credentials, keys, watermark and ledger; `publish`, `publishEdited` and `publishDicom` are the one door out.
export { type Answer, examine, type Finding } from './examine.js';
export { configFolder, type Identity, type KeyReport, openIdentity, ownAnchors, reportKeys, type SigningConfiguration, useSigning } from './identity.js';
export { ensureLocal, rotateLocal } from './keys/local.js';
export type { KeyPlace } from './keys/signer.js';
export { createWatermarkKey, rotateWatermarkKey, useWatermarkKey, type WatermarkKeys, type WatermarkPlace, type WatermarkReport, watermarkKeys } from './keys/watermark.js';
export { type Ledger, type LedgerDamage, type LedgerRecord, type NewRecord, newId, openLedger, shortId } from './ledger.js';
export type { Marking } from './mark.js';
export {
  COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
  type Edit,
  type EditAction,
  type EditRecord,
  type EditSettings,
  type Generation,
  type NamedModel,
  type PublishEditedOptions,
  type Published,
  type PublishOptions,
  publish,
  publishDicom,
  publishEdited,
  type Signing,
  type Written,
} from './publish.js';
export { CROISSANT, croissant } from './rights/croissant.js';
export { type Row, writeCsv } from './rights/csv.js';
export { grants } from './rights/licence.js';
export { judge, RIGHTS_CSV, readRecord, reservedBy, type Statement, surveyRights } from './rights/record.js';
export { type Verdict, type VerifyOptions, verify } from './verify.js';
export { type FoundWatermark, readWatermark, WATERMARK, writeWatermark } from './watermark/index.js';
