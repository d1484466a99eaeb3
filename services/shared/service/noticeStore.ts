import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import { inVersions } from '../clickhouse/conditions.ts';
import { clickhouseTime } from '../clickhouse/timeExpressions.ts';
import { deterministicId } from '../deterministicId.ts';
import type { NoticeFamily, StatedNotice } from './notice.ts';

/** Reads and writes the table notices. */
export class NoticeStore {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns all notices of some families of versions, open and closed. */
  ofFamilies(families: readonly NoticeFamily[]): Promise<StatedNotice[]> {
    const { sql, parameters } = inVersions(families);
    return this.#clickhouse.select<StatedNotice>(
      `SELECT model, version, family, code, subject, toString(status) AS status,
              toUnixTimestamp64Milli(since) AS sinceMs, message, evidence, advice, progress
       FROM notices FINAL
       WHERE ${sql} AND family IN {families:Array(String)}`,
      { ...parameters, families: [...new Set(families.map(({ family }) => family))] },
    );
  }

  async insert(notices: readonly StatedNotice[]): Promise<void> {
    await this.#clickhouse.insert(
      'notices',
      notices.map(({ sinceMs, ...notice }) => ({
        id: noticeId(notice),
        ...notice,
        since: clickhouseTime(sinceMs),
      })),
    );
  }
}

/** Returns the id of a notice, which is the same in every run over the same stream. */
export function noticeId({
  model,
  version,
  code,
  subject,
}: Pick<StatedNotice, 'model' | 'version' | 'code' | 'subject'>): string {
  return deterministicId('notice', model, version, code, subject);
}
