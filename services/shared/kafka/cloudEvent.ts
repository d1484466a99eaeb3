import { deterministicId } from '../deterministicId.ts';
import type { OutgoingRecord } from './kafka.ts';

export interface EventOptions {
  topic: string;
  /**
   * Kafka key: records of one key stay in order, and a compacted topic keeps the last of each key.
   */
  key: string;
  /** io.driftloop.drift-event and the like. */
  type: string;
  /** Service that emits it. */
  source: string;
  /** Identity of what the event is about, and its revision. A replay gives the same. */
  identity: (string | number)[];
  subject: string;
  timeMs: number;
  /** Value in the Confluent wire format. */
  value: Buffer;
}

/**
 * Returns a Kafka record that is a CloudEvent in binary mode (CloudEvents 1.0.2, Kafka protocol
 * binding, section 3.2).
 */
export function cloudEvent(options: EventOptions): OutgoingRecord {
  return {
    topic: options.topic,
    key: options.key,
    value: options.value,
    headers: {
      ce_specversion: '1.0',
      ce_id: deterministicId(options.type, ...options.identity),
      ce_source: `/driftloop/${options.source}`,
      ce_type: options.type,
      ce_subject: options.subject,
      ce_time: new Date(options.timeMs).toISOString(),
      'content-type': 'application/avro',
    },
  };
}
