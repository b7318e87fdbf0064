// Networks as functions of flat weight vectors. Nothing here touches files or Node.
export * from './adam.js';
export * from './gan/networks.js';
export * from './gan/steps.js';
export * from './network.js';
export { Random } from './random.js';
