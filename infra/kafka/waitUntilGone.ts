import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';

const pauseMs = 50;
const goneTimeoutMs = 30_000;

/**
 * Waits until the broker lists none of the topics, which were deleted. It does so a moment after the
 * controller has deleted them.
 * @throws Error if it still lists one after a while
 */
export async function waitUntilGone(admin: KafkaAdmin, names: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + goneTimeoutMs;
  for (;;) {
    const existing = new Set(await admin.listTopics());
    const left = names.filter(name => existing.has(name));
    if (left.length === 0) return;
    if (performance.now() > deadlineMs)
      throw new Error(`deleted topics are still listed by Kafka: ${left.join(', ')}`);
    await pause(pauseMs);
  }
}
