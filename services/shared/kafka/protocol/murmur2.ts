const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * Returns the 32-bit hash by which Kafka's Java clients choose the partition of a key: MurmurHash2
 * of Austin Appleby, with Kafka's seed. Takes time that is linear in the key.
 *
 * https://github.com/apache/kafka/blob/4.0.0/clients/src/main/java/org/apache/kafka/common/utils/Utils.java#L511
 */
export function murmur2(key: Buffer): number {
  let hash = seed ^ key.length;
  const end = key.length - (key.length % 4);
  for (let index = 0; index < end; index += 4) {
    const word = Math.imul(key.readInt32LE(index), multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(word ^ (word >>> 24), multiplier);
  }
  const rest = key.length - end;
  if (rest > 2) hash ^= key[end + 2]! << 16;
  if (rest > 1) hash ^= key[end + 1]! << 8;
  if (rest > 0) hash = Math.imul(hash ^ key[end]!, multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
