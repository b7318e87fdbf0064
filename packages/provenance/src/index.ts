// Credentials and keys; `publish` is the one door out.
export { configFolder, type Identity, localRoot, openIdentity } from './identity.js';
export { type Generation, type Published, type PublishOptions, publish } from './publish.js';
export { type Verdict, type VerifyOptions, verify } from './verify.js';
