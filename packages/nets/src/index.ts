// Networks as functions of flat weight vectors. Nothing here touches files or Node.
export * from './adam.js';
export { DivergedError } from './diverged.js';
export * from './features/network.js';
export { featureJudge, featureStep } from './features/step.js';
export { drawViews, SOURCE_SIDE } from './features/views.js';
export * from './gan/augment.js';
export { generatorModel } from './gan/model.js';
export * from './gan/networks.js';
export { type Schedule, schedule } from './gan/schedule.js';
export * from './gan/steps.js';
export * from './gan/trainer.js';
export * from './layers.js';
export * from './metrics/index.js';
export * from './network.js';
export { Random } from './random.js';
