/** A mistake of the person who runs Driftloop: printed as its message alone, without a stack trace, with exit code 1. */
export class UserError extends Error {
  override name = 'UserError';
}
