import { createHash } from 'node:crypto';

/**
 * Returns an id of 32 hexadecimal digits that depends on the parts alone, so that a replay gives
 * the same ids.
 */
export function deterministicId(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
