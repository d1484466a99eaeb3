import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

/**
 * Returns a name that nothing else has: for a database, a topic, a group or a subject. It starts
 * with the prefix of the run, so that the end of the run removes what the test leaves behind.
 */
export function uniqueName(): string {
  return `${inject('runPrefix')}${randomBytes(4).toString('hex')}`;
}
