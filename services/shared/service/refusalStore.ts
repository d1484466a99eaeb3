import { chunk } from '../chunk.ts';
import { anyOf } from '../clickhouse/anyOf.ts';
import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { VersionName } from '../versionKey.ts';
import type { Partition } from './partitionStart.ts';
import { minRefused, type RefusedRecords } from './refusals.ts';

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

  /**
   * Counts the refused records within ranges, by topic, model, version, class and field: the most
   * frequent ones, and none that are less than `minRefused`.
   */
  async refused(ranges: readonly PositionRange[]): Promise<RefusedRecords[]> {
    const found = new Map<string, RefusedRecords>();
    for (const portion of chunk(ranges, maxRangesPerQuery)) {
      for (const row of await this.#refusedIn(portion)) {
        const { topic, model, version, class: ofClass, field } = row;
        const key = JSON.stringify([topic, model, version, ofClass, field]);
        const known = found.get(key);
        found.set(key, known ? merged(known, row) : row);
      }
    }
    return [...found.values()]
      .filter(({ records }) => records >= minRefused)
      .sort((one, other) => other.records - one.records)
      .slice(0, maxGroups);
  }

  #refusedIn(ranges: readonly PositionRange[]): Promise<RefusedRecords[]> {
    const within = anyOf(
      ranges,
      ({ topic, partition, from, end }, value) =>
        `source_topic = ${value('String', topic)} AND source_partition = ${value('Int32', partition)}
         AND source_offset >= ${value('UInt64', from)} AND source_offset < ${value('UInt64', end)}`,
    );
    // What a refused record calls its model or version may be as long as the record.
    const name = (column: string) => `if(length(${column}) <= ${maxNameBytes}, ${column}, '')`;
    return this.#clickhouse.select<RefusedRecords>(
      `SELECT * EXCEPT first, first.1 AS partition, first.2 AS offset, first.3 AS message,
              sum(records) OVER (PARTITION BY model) AS ofModel,
              sum(records) OVER (PARTITION BY model, version) AS ofVersion
       FROM
       (
           SELECT source_topic AS topic, ${name('named.model')} AS model,
                  ${name('named.version')} AS version, class,
                  if(class = 'invalid-field', extract(message, '${fieldOfMessage}'), '') AS field,
                  count() AS records, toUnixTimestamp64Milli(min(record_time)) AS sinceMs,
                  argMin((source_partition, source_offset, substringUTF8(message, 1, 200)),
                         (record_time, source_partition, source_offset)) AS first
           FROM (SELECT * FROM dead_letters FINAL
                 WHERE service = {service:String} AND ${within.sql}) AS named
           GROUP BY topic, model, version, class, field
       )
       ORDER BY records DESC, topic, model, version, class, field LIMIT ${maxGroups}`,
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

/** Partitions that one query names. */
const maxRangesPerQuery = 200;
/** Reasons of models and versions that are told of at a time. */
const maxGroups = 100;
const maxNameBytes = 256;

/** Adds the counts of other partitions. The example is the earlier one. */
function merged(one: RefusedRecords, other: RefusedRecords): RefusedRecords {
  return {
    ...(other.sinceMs < one.sinceMs ? other : one),
    records: one.records + other.records,
    ofModel: one.ofModel + other.ofModel,
    ofVersion: one.ofVersion + other.ofVersion,
  };
}
