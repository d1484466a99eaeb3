import { Gauge, type Registry } from 'prom-client';
import { headerBytes, type KafkaRecord } from '../kafka/kafka.ts';

/**
 * Counts what was taken from Kafka and is not durable yet, and shows it as gauges. It has to be
 * bounded, or the service would run out of memory.
 *
 * Invariant: records, bytes and age are those of all `add`s since the last `clear`.
 */
export class UnflushedRecords {
  #records = 0;
  #bytes = 0;
  #sinceMs = 0;

  constructor(registers: Registry[]) {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge(
      'driftloop_unflushed_records',
      'Records taken that are not durable yet',
      () => this.#records,
    );
    gauge(
      'driftloop_unflushed_bytes',
      'Bytes of keys, values and headers of records that are not durable yet',
      () => this.#bytes,
    );
    gauge(
      'driftloop_unflushed_age_seconds',
      'Time since the first record was taken that is not durable yet',
      () => (this.#records === 0 ? 0 : (performance.now() - this.#sinceMs) / 1000),
    );
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(taken: readonly KafkaRecord[]): void {
    if (this.#records === 0) this.#sinceMs = performance.now();
    this.#records += taken.length;
    for (const { key, value, headers } of taken)
      this.#bytes += (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers);
  }

  clear(): void {
    this.#records = 0;
    this.#bytes = 0;
  }
}
