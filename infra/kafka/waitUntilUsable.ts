import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';

/** Errors of a broker that does not know a new topic yet. */
const notThereYet = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);
const pauseMs = 50;
const usableTimeoutMs = 30_000;

/**
 * Waits until the brokers know the new topics. They do so a moment after the controller has created
 * them; until then clients fail.
 */
export async function waitUntilUsable(admin: KafkaAdmin, names: readonly string[]): Promise<void> {
  const deadlineMs = Date.now() + usableTimeoutMs;
  for (const name of names) {
    for (;;) {
      try {
        await admin.fetchTopicOffsets(name);
        break;
      } catch (error) {
        if (!notThereYet.has((error as { type?: string }).type ?? '') || Date.now() > deadlineMs)
          throw error;
        await pause(pauseMs);
      }
    }
  }
}
