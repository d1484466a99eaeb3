const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/**
 * Returns the 32-bit FNV-1a hash of a text, an integer from 0 to 2^32 − 1. It is taken over UTF-16
 * code units and never seeded, so that profiles of any process, machine and year agree. For an
 * ASCII text it is the FNV-1a hash of its bytes. O(length).
 *
 * Source: Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm", RFC 9923.
 *
 * @example fnv1a('foobar').toString(16) // 'bf9cf968'
 */
export function fnv1a(text: string): number {
  let hash = offsetBasis;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  return hash >>> 0;
}

/**
 * Returns the hash bucket of a category, 0 to 255. It is FNV-1a with its four bytes folded into one
 * by xor, as its authors advise for short hashes, because the lowest byte alone depends only on the
 * lowest bits of each character. O(length).
 *
 * @example categoryHash('Rome') // 132
 */
export function categoryHash(category: string): number {
  const hash = fnv1a(category);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff;
}
