import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import {
  type Partition,
  partitionKey,
  type ReadPosition,
  type TopicBreak,
} from './partitionStart.ts';

/** A partition whose records before `position` are all durable. */
export interface ReadPartition extends Partition {
  position: number;
  /** Position of the record that Kafka will write next. */
  end: number;
}

/** The SQL of read positions: tables topic_positions, topic_breaks and rebuild_holds. */
export class PositionStore {
  readonly #clickhouse: Clickhouse;
  readonly #service: string;

  /** @param service name of the service whose positions these are */
  constructor(clickhouse: Clickhouse, service: string) {
    this.#clickhouse = clickhouse;
    this.#service = service;
  }

  /**
   * Returns how far the topics have been read, by `partitionKey`. A partition that was never read
   * is absent.
   */
  async positions(topics: readonly string[]): Promise<Map<string, ReadPosition>> {
    const rows = await this.#clickhouse.select<
      Partition & { position: number; topic_id: string; end_position: number }
    >(
      `SELECT topic, partition, position, topic_id, end_position FROM topic_positions FINAL
       WHERE service = {service:String} AND topic IN {topics:Array(String)}`,
      { service: this.#service, topics },
    );
    return new Map(
      rows.map(row => [
        partitionKey(row),
        { position: row.position, topicId: row.topic_id, end: row.end_position },
      ]),
    );
  }

  /** @param hold id of the rebuild for which the service has paused, or '' */
  async savePositions(
    partitions: readonly (ReadPartition & { topicId: string })[],
    hold: string,
  ): Promise<void> {
    await this.#clickhouse.insert(
      'topic_positions',
      partitions.map(({ topic, partition, position, end, topicId }) => ({
        service: this.#service,
        topic,
        partition,
        position,
        topic_id: topicId,
        end_position: end,
        hold,
      })),
    );
  }

  async saveBreaks(breaks: readonly (Partition & TopicBreak)[]): Promise<void> {
    await this.#clickhouse.insert(
      'topic_breaks',
      breaks.map(({ topic, partition, reason, fromPosition, toPosition, lostRecords }) => ({
        service: this.#service,
        topic,
        partition,
        reason,
        from_position: fromPosition,
        to_position: toPosition,
        lost_records: lostRecords,
      })),
    );
  }

  /** Returns the id of a rebuild that wants the services to pause now, or null. */
  async activeHold(): Promise<string | null> {
    const [hold] = await this.#clickhouse.select<{ id: string }>(
      'SELECT id FROM rebuild_holds FINAL WHERE held_until > now64(3) ORDER BY id LIMIT 1',
    );
    return hold?.id ?? null;
  }
}
