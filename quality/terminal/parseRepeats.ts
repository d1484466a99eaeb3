import { UserError } from '../../services/shared/userError.ts';

/** Reads the option --repeats. @throws UserError if it is no whole number above 0 */
export function parseRepeats(text: string): number {
  const repeats = Number(text);
  if (Number.isInteger(repeats) && repeats > 0) return repeats;
  throw new UserError(`--repeats ${text}: expected a whole number above 0`);
}
