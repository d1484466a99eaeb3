/** Something that stands after so many windows. */
interface Placed {
  ordinal: number;
}

/**
 * Leaves out checkpoints, oldest first, so that their distance grows with their age: whoever goes
 * back n windows finds one after at most about 2n, and n windows need some 2 log₂ n of them.
 */
export function thinnedCheckpoints<C extends Placed>(checkpoints: readonly C[]): C[] {
  const newest = checkpoints.at(-1)?.ordinal ?? 0;
  const kept: C[] = [];
  for (const [index, checkpoint] of checkpoints.entries()) {
    const earlier = kept.at(-1);
    const later = checkpoints[index + 1];
    const spare = earlier && later && later.ordinal - earlier.ordinal <= newest - later.ordinal;
    if (!spare) kept.push(checkpoint);
  }
  return kept;
}
