import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { committedOffsets } from './committedOffsets.ts';

export interface CommittedOptions {
  admin: KafkaAdmin;
  groupId: string;
  topic: string;
  /** By partition: where the group starts if it has committed nothing yet, and the end to reach. */
  ranges: ReadonlyMap<number, { from: number; to: number }>;
  /** Ends the wait with its reason. */
  signal?: AbortSignal;
  /** Receives before each pause how many records are left. */
  onWaiting?: (records: number) => void;
}

/** Kafka does not announce commits, so the offsets are read again after a pause. */
const pauseMs = 100;

/**
 * Waits until a group has committed given offsets of a topic. Records behind them are not waited
 * for.
 * @throws the reason of `signal`
 */
export async function untilCommitted(options: CommittedOptions): Promise<void> {
  const { admin, groupId, topic, ranges, signal, onWaiting } = options;
  for (;;) {
    signal?.throwIfAborted();
    const committed = (await committedOffsets(admin, groupId, [topic])).get(topic);
    let left = 0;
    for (const [partition, { from, to }] of ranges)
      left += Math.max(0, to - Math.max(from, committed?.get(partition) ?? -1));
    if (left === 0) return;
    onWaiting?.(left);
    await pause(pauseMs);
  }
}
