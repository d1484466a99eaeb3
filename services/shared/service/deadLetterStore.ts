import { type Clickhouse, clickhouseTime } from '../clickhouse/clickhouse.ts';
import type { DeadLetter } from './deadLetters.ts';

/** Writes the index of dead letters, table dead_letters. */
export class DeadLetterStore {
  readonly #clickhouse: Clickhouse;
  readonly #service: string;

  /** @param service name of the service that could not use the records */
  constructor(clickhouse: Clickhouse, service: string) {
    this.#clickhouse = clickhouse;
    this.#service = service;
  }

  async insert(letters: readonly DeadLetter[]): Promise<void> {
    await this.#clickhouse.insert(
      'dead_letters',
      letters.map(({ record, rejection }) => ({
        source_topic: record.topic,
        source_partition: record.partition,
        source_offset: record.offset,
        service: this.#service,
        class: rejection.class,
        // A shortened quotation may end in the middle of a character.
        message: rejection.message.toWellFormed(),
        model: rejection.model ?? '',
        version: rejection.version ?? '',
        record_time: clickhouseTime(Math.max(0, record.timestampMs)),
      })),
    );
  }
}
