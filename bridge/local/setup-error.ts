/** What keeps the local stack from starting and what to do about it: one sentence, printed as it is. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
