/** A point in a fold after `ordinal` windows. */
interface Placed {
  ordinal: number;
}

/**
 * Leaves out checkpoints, the oldest first, so that their distances grow with their age. A fold
 * that goes back n windows finds a checkpoint after at most about (1 + s) n windows, and n windows
 * need about 2 log n / log (1 + s) checkpoints.
 * @param spread s
 */
export function thinnedCheckpoints<C extends Placed>(checkpoints: readonly C[], spread = 1): C[] {
  const newest = checkpoints.at(-1)?.ordinal ?? 0;
  const kept: C[] = [];
  for (const [index, checkpoint] of checkpoints.entries()) {
    const earlier = kept.at(-1);
    const later = checkpoints[index + 1];
    const spare =
      earlier && later && later.ordinal - earlier.ordinal <= spread * (newest - later.ordinal);
    if (!spare) kept.push(checkpoint);
  }
  return kept;
}
