// The library: every verb as a typed function with progress events and an AbortSignal.
export { UserError } from '@zeuxis/pictures';
export { type GanCard, type ModelFile, readModel, type TrainingSet } from './card.js';
export type { Progress, VerbOptions } from './progress.js';
export { type TrainGanOptions, type TrainGanResult, trainGan } from './train/gan.js';
export { VERSION } from './version.js';
