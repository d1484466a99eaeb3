/** How far the predictions of a model version have been read in each source partition. */
export interface Readiness {
  partitions: ReadonlyMap<number, PartitionProgress>;
  /** Whether the stream has ended: no more predictions will come. */
  ended: boolean;
}

export interface PartitionProgress {
  /** Highest event time seen there minus the allowed lateness. */
  watermarkMs: number;
  /** Wall clock at the last announcement for the partition. */
  heardAtMs: number;
}

export const nothingRead: Readiness = { partitions: new Map(), ended: false };

/** Returns the readiness after an announcement for a partition. Its watermark never goes back. */
export function withWatermark(
  readiness: Readiness,
  partition: number,
  watermarkMs: number,
  nowMs: number,
): Readiness {
  const known = readiness.partitions.get(partition);
  const progress = {
    watermarkMs: Math.max(watermarkMs, known?.watermarkMs ?? watermarkMs),
    heardAtMs: nowMs,
  };
  return { ...readiness, partitions: new Map(readiness.partitions).set(partition, progress) };
}

/**
 * Returns the watermark of a version: windows that end by then can be judged. It is the minimum
 * over the partitions that are not idle. When all are idle it is their maximum, when the stream has
 * ended Infinity, and when nothing has been read -Infinity.
 */
export function combinedWatermarkMs(
  { partitions, ended }: Readiness,
  nowMs: number,
  idleMs: number,
): number {
  if (ended) return Number.POSITIVE_INFINITY;
  const all = [...partitions.values()];
  const active = all.filter(({ heardAtMs }) => nowMs - heardAtMs < idleMs);
  if (active.length > 0) return Math.min(...active.map(({ watermarkMs }) => watermarkMs));
  return all.length > 0
    ? Math.max(...all.map(({ watermarkMs }) => watermarkMs))
    : Number.NEGATIVE_INFINITY;
}
