/** A number that stopped being one. The state before the step is kept. */
export class DivergedError extends Error {
  override name = 'DivergedError';
}
