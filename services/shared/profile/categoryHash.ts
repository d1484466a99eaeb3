const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * FNV-1a, 32 bits, over the UTF-16 code units of a text: never seeded, so that profiles of any process, machine and
 * year agree. For ASCII texts it is the FNV-1a of their bytes. O(length).
 *
 * Source: Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm", RFC 9923.
 *
 * @example fnv1a('foobar').toString(16); // 'bf9cf968'
 */
export function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  return hash >>> 0;
}

/**
 * The hash bucket, 0 to 255, of a category: FNV-1a with its four bytes folded into one by xor, as its authors advise
 * for short hashes (the lowest byte alone sees only the lowest bits of each character).
 */
export function categoryHash(category: string): number {
  const hash = fnv1a(category);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff;
}
