import { createHash } from 'node:crypto';

/** 32 hexadecimal digits that follow from the parts alone, so that a replay gives the same ids. */
export function deterministicId(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
