/**
 * A mistake of the person who runs Driftloop. Its message is printed alone, without a stack trace,
 * and the exit code is 1.
 */
export class UserError extends Error {
  override name = 'UserError';
}
