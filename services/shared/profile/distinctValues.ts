/** The hashes that are kept. The relative error of an estimate is 1 / √254, about 6 %. */
const maxHashes = 256;
const hashRange = 2 ** 32;

/**
 * A mergeable count of distinct values: the 256 lowest of their hashes, ascending (k minimum
 * values: Bar-Yossef, Jayram, Kumar, Sivakumar, Trevisan, "Counting distinct elements in a data
 * stream", RANDOM 2002). It depends on the set of values alone, so that any order of adding and
 * merging gives the same.
 */
export type DistinctValues = number[];

/**
 * Adds a value, in place. O(log 256) for one that is not kept, else O(256).
 *
 * @param hash a 32-bit hash of the value, `fnv1a`
 */
export function addDistinct(distinct: DistinctValues, hash: number): void {
  const mixed = mixedHash(hash);
  if (distinct.length === maxHashes && mixed >= distinct[maxHashes - 1]!) return;
  insert(distinct, mixed);
}

/** Returns the count of the values of two counts, which stay as they are. O(256). */
export function mergeDistinct(left: DistinctValues, right: DistinctValues): DistinctValues {
  return [...new Set([...left, ...right])].sort((one, other) => one - other).slice(0, maxHashes);
}

/**
 * Returns about how many distinct values there are; exactly that many below 256, as far as hashes
 * differ.
 */
export function distinctCount(distinct: DistinctValues): number {
  if (distinct.length < maxHashes) return distinct.length;
  return (maxHashes - 1) / ((distinct[maxHashes - 1]! + 1) / hashRange);
}

function insert(distinct: DistinctValues, hash: number): void {
  let from = 0;
  let to = distinct.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (distinct[middle]! < hash) from = middle + 1;
    else to = middle;
  }
  if (distinct[from] === hash) return;
  distinct.splice(from, 0, hash);
  if (distinct.length > maxHashes) distinct.pop();
}

/**
 * Returns a hash whose high bits differ for similar texts, which those of FNV-1a hardly do. This is
 * the finalizer of MurmurHash3 (Appleby, 2011).
 */
export function mixedHash(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}
