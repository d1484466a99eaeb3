import { anyOf } from '../clickhouse/anyOf.ts';
import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { VersionName } from '../versionKey.ts';
import type { Partition } from './partitionStart.ts';
import type { RefusedRecords } from './refusals.ts';

/** Positions of a partition from one to another. */
export interface PositionRange extends Partition {
  from: number;
  /** Exclusive. */
  end: number;
}

/** Reads which of the newest records were refused. */
export class RefusalStore {
  readonly #clickhouse: Clickhouse;
  readonly #service: string;

  /** @param service name of the service that refuses the records */
  constructor(clickhouse: Clickhouse, service: string) {
    this.#clickhouse = clickhouse;
    this.#service = service;
  }

  /** Counts the refused records within ranges, by topic, model, version, class and field. */
  refused(ranges: readonly PositionRange[]): Promise<RefusedRecords[]> {
    const within = anyOf(
      ranges,
      ({ topic, partition, from, end }, value) =>
        `source_topic = ${value('String', topic)} AND source_partition = ${value('Int32', partition)}
         AND source_offset >= ${value('UInt64', from)} AND source_offset < ${value('UInt64', end)}`,
    );
    return this.#clickhouse.select<RefusedRecords>(
      `SELECT source_topic AS topic, model, version, class,
              if(class = 'invalid-field', extract(reason, '${fieldOfMessage}'), '') AS field,
              count() AS records, toUnixTimestamp64Milli(min(record_time)) AS sinceMs,
              argMin((source_partition, source_offset, reason),
                     (record_time, source_partition, source_offset)) AS first,
              first.1 AS partition, first.2 AS offset, first.3 AS message
       FROM (SELECT *, message AS reason FROM dead_letters FINAL WHERE service = {service:String} AND ${within.sql})
       GROUP BY topic, model, version, class, field ORDER BY topic, model, version, class, field`,
      { ...within.parameters, service: this.#service },
    );
  }

  /** Returns the versions that have an open notice of a family. */
  openVersions(family: string): Promise<VersionName[]> {
    return this.#clickhouse.select<VersionName>(
      `SELECT DISTINCT model, version FROM notices FINAL
       WHERE family = {family:String} AND status = 'open'`,
      { family },
    );
  }
}

/** Reasons begin with the field that they are about, behind the row of a mapped record. */
const fieldOfMessage = '^(?:row [0-9]+: )?([A-Za-z]+)[.:]';
