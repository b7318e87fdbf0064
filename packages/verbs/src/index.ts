// The library: every verb as a typed function with progress events and an AbortSignal.
export { UserError } from '@zeuxis/pictures';
export { type Generation, type Verdict, type VerifyOptions, verify } from '@zeuxis/provenance';
export { type Card, type FeatureCard, type GanCard, type ModelFile, type Rights, readModel, type StyleCard, type TrainingSet, type UpscalerCard } from './card.js';
export { doctor, type Finding } from './doctor.js';
export type { BatchOptions, BatchResult, EditedFile } from './edit/batch.js';
export { type EvaluateOptions, type EvaluateResult, type Evaluation, evaluate } from './evaluate.js';
export { type GeneratedFile, type GenerateOptions, type GenerateResult, generate } from './generate.js';
export { findModel, type ListedModel, listModels, openModel } from './models.js';
export type { Progress, VerbOptions } from './progress.js';
export { type EvaluateStyleOptions, evaluateStyle, type StyleEvaluation, type StyleFigures } from './style/evaluate.js';
export { findStyle, type StyleOptions, type StyleResult, style } from './style/style.js';
export { type TrainGanOptions, type TrainGanResult, trainGan } from './train/gan.js';
export { type TrainStyleOptions, type TrainStyleResult, trainStyle } from './train/style.js';
export { type TrainUpscalerOptions, type TrainUpscalerResult, trainUpscaler } from './train/upscaler.js';
export { evaluateUpscaler, type Fidelity, type UpscalerEvaluation } from './upscale/evaluate.js';
export { findUpscaler } from './upscale/session.js';
export { type UpscaledFile, type UpscaleOptions, type UpscaleResult, upscale } from './upscale/upscale.js';
export { VERSION } from './version.js';
