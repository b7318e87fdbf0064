// Credentials, keys, watermark and ledger; `publish`, `publishEdited` and `publishDicom` are the one door out.
export { type Answer, examine, type Finding } from './examine.js';
export { type HumanWork, humanWork, sameHuman, sayHuman } from './human.js';
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
  type TrainedOn,
  type Written,
} from './publish.js';
export { CROISSANT, croissant } from './rights/croissant.js';
export { type Row, writeCsv, writeTable } from './rights/csv.js';
export { grants } from './rights/licence.js';
export { type Judgement, judge, RIGHTS_CSV, type RowStatement, readRecord, reservedBy, STATED, surveyRights } from './rights/record.js';
export { firstFew, hasRecord, type Lacking, type SettledRights, type StatedRights, TrainingRights, type TrainingRightsOptions } from './rights/settle.js';
export { type Due, type Statement, type StatementLine, stateDues } from './rights/statement.js';
export { type Contributor, inShort, isSetRights, licenceName, type RightsSummary, type SetRights, sayMakers, sayNames, sayRights, shareOf } from './rights/summary.js';
export { readTerms } from './rights/terms.js';
export { type Verdict, type VerifyOptions, verify } from './verify.js';
export { type FoundWatermark, readWatermark, WATERMARK, writeWatermark } from './watermark/index.js';
