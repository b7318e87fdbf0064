// Credentials and keys; `publish`, `publishEdited` and `publishDicom` are the one door out.
export { configFolder, type Identity, localRoot, openIdentity } from './identity.js';
export {
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
