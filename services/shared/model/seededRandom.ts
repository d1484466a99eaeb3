/**
 * Returns a generator of uniform numbers in [0, 1) that depend on the seed alone. It is mulberry32,
 * a 32-bit counter that goes through a mixing function, with a period of 2^32; not for
 * cryptography. O(1) for each number.
 *
 * Source: Tommy Ettinger, 2017 (public domain); passes gjrand.
 *
 * @param seed its lowest 32 bits are used
 * @example seededRandom(1)() // 0.62707
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Returns the numbers 0 to length − 1 in random order, each order as probable as any other.
 * O(length).
 *
 * Source: Fisher, Yates, 1938; Knuth, The Art of Computer Programming 2, 3rd ed., section 3.4.2,
 * algorithm P.
 *
 * @param random returns uniform numbers in [0, 1)
 * @example [...randomPermutation(4, seededRandom(1))] // [3, 1, 0, 2]
 */
export function randomPermutation(length: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    const kept = order[last]!;
    order[last] = order[chosen]!;
    order[chosen] = kept;
  }
  return order;
}
