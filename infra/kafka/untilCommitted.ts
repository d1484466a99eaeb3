import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';

export interface CommittedOptions {
  admin: KafkaAdmin;
  groupId: string;
  topic: string;
  /** By partition: where the group begins if it has committed nothing yet, and up to where it must come. */
  ranges: ReadonlyMap<number, { from: number; to: number }>;
  /** Ends the wait with its reason. */
  signal?: AbortSignal;
  /** Told before each pause how many records are left. */
  onWaiting?: (records: number) => void;
}

/** Kafka has no signal for commits, so it is asked again after a pause. */
const pauseMs = 100;

/** Waits until a group has committed a topic up to given offsets, whatever is written behind them meanwhile. @throws the reason of `signal` */
export async function untilCommitted(options: CommittedOptions): Promise<void> {
  const { admin, groupId, topic, ranges, signal, onWaiting } = options;
  for (;;) {
    signal?.throwIfAborted();
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const committed = new Map(
      found!.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    );
    let left = 0;
    for (const [partition, { from, to }] of ranges)
      left += Math.max(0, to - Math.max(from, committed.get(partition) ?? -1));
    if (left === 0) return;
    onWaiting?.(left);
    await pause(pauseMs);
  }
}
