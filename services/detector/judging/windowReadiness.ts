/** How far a model version has been read, per partition of predictions that carries it. */
export interface Readiness {
  partitions: ReadonlyMap<number, PartitionProgress>;
  /** No more predictions will come. */
  ended: boolean;
}

export interface PartitionProgress {
  /** Highest event time seen there minus the setting outOfOrderness. */
  watermarkMs: number;
  /** Wall clock when it was last heard of. */
  heardAtMs: number;
}

export const nothingRead: Readiness = { partitions: new Map(), ended: false };

/** News of a partition; its watermark never goes back. */
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
 * Windows that end up to here can be evaluated: the minimum over the partitions that are not idle, the furthest of all
 * when all of them are, the end of time when the stream has ended, and nothing before it was heard of.
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
