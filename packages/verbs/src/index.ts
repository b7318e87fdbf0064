// The library: every verb as a typed function with progress events and an AbortSignal.
export { UserError } from '@zeuxis/pictures';
export {
  type Answer,
  type Contributor,
  examine,
  firstFew,
  type Generation,
  hasRecord,
  type KeyPlace,
  type KeyReport,
  type Lacking,
  licenceName,
  type RightsSummary,
  type SetRights,
  type SigningConfiguration,
  type StatedRights,
  type StatementLine,
  sayRights,
  shareOf,
  type Verdict,
  type VerifyOptions,
  verify,
} from '@zeuxis/provenance';
export { type Card, type FeatureCard, type GanCard, type ModelFile, readModel, type StyleCard, type TrainingSet, type UpscalerCard } from './card.js';
export { doctor, type Finding } from './doctor.js';
export type { BatchOptions, BatchResult, EditedFile } from './edit/batch.js';
export { type EvaluateOptions, type EvaluateResult, type Evaluation, evaluate, type Memorisation, type NearPair } from './evaluate.js';
export { type GeneratedFile, type GenerateOptions, type GenerateResult, generate, type Withheld } from './generate.js';
export { createKeys, createWatermarkKey, type KeysResult, rotateKeys, rotateWatermarkKey, showKeys, useKeys, useWatermarkKey } from './keys.js';
export { type Checked, type GuardCalibration, type NearPicture, type OpenGuard, type OpenGuardOptions, openGuard } from './memorisation.js';
export { findModel, findStyle, type ListedModel, listModels, openModel, setsOf } from './models.js';
export type { Progress, VerbOptions } from './progress.js';
export { type RightsOptions, type RightsResult, rights } from './rights.js';
export { type StatementResult, type StatementVerbOptions, statement } from './statement.js';
export { type EvaluateStyleOptions, evaluateStyle, type StyleEvaluation, type StyleFigures } from './style/evaluate.js';
export { type StyleOptions, type StyleResult, style } from './style/style.js';
export { CropSource } from './train/crops.js';
export { type TrainGanOptions, type TrainGanResult, trainGan } from './train/gan.js';
export { type TrainStyleOptions, type TrainStyleResult, trainStyle } from './train/style.js';
export { type TrainUpscalerOptions, type TrainUpscalerResult, trainUpscaler } from './train/upscaler.js';
export { evaluateUpscaler, type Fidelity, type UpscalerEvaluation } from './upscale/evaluate.js';
export { findUpscaler, type UpscalerFile } from './upscale/session.js';
export { type UpscaledFile, type UpscaleOptions, type UpscaleResult, upscale } from './upscale/upscale.js';
export { type VerifyFilesOptions, type VerifyResult, verifyFiles } from './verify.js';
export { VERSION } from './version.js';
