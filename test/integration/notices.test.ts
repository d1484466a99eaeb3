import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { Notice as NoticeRecord } from '../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { headerText } from '../../services/shared/kafka/kafka.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { decodeRecord } from '../../services/shared/records/decodeRecord.ts';
import type { Notice } from '../../services/shared/service/notice.ts';
import { NoticeSink } from '../../services/shared/service/noticeSink.ts';
import { NoticeStore } from '../../services/shared/service/noticeStore.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const version = { model: 'churn', version: '1' };
const notice: Notice = {
  code: 'labels-never-match',
  subject: '',
  sinceMs: Date.UTC(2026, 0, 10),
  message: 'No label matches a prediction.',
  evidence: '500 labels, such as that of id "a-1", and 800 predictions, such as "1".',
  advice: 'Send feedback with the id of the prediction.',
};

describe('notices of a running installation', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await freshInstallation();
  });
  afterAll(() => installation[Symbol.asyncDispose]());

  function newSink(): NoticeSink {
    const { producer, schemas, clickhouse, environment } = installation;
    const topic = environment.DRIFTLOOP_TOPIC_PREFIX + topics.notices;
    const store = new NoticeStore(clickhouse);
    return new NoticeSink({ topic, service: 'evaluator', producer, schemas, store });
  }

  async function published(): Promise<{ record: KafkaRecord; value: NoticeRecord }[]> {
    const { kafka, admin, schemas, environment } = installation;
    const records: KafkaRecord[] = [];
    const topic = environment.DRIFTLOOP_TOPIC_PREFIX + topics.notices;
    await readTopic(kafka, admin, topic, async some => void records.push(...some));
    await schemas.prepare(records);
    return records.map(record => {
      const { value, rejection } = decodeRecord(record, 'Notice', schemas);
      expect(rejection).toBeUndefined();
      return { record, value: value! };
    });
  }

  it('are opened once, and closed by another process when they hold no longer', async () => {
    const first = newSink();
    for (const progress of [500, 600]) {
      first.state(version, 'labels', [notice], progress);
      await first.flush();
    }
    const second = newSink();
    second.state(version, 'labels', [], 700);
    second.state(version, 'output', [], 700);
    await second.flush();
    await second.flush();

    const records = await published();
    expect(records.map(({ value }) => value.status)).toEqual(['open', 'closed']);
    expect(records[0]!.value).toMatchObject({
      ...version,
      code: notice.code,
      since: notice.sinceMs,
      message: notice.message,
      evidence: notice.evidence,
      advice: notice.advice,
    });
    const keys = records.map(({ record }) => record.key!.toString());
    expect(new Set(keys)).toEqual(new Set(['["churn","1","labels-never-match",""]']));
    const ids = records.map(({ record }) => headerText(record.headers, 'ce_id'));
    expect(new Set(ids).size).toBe(2);
    const rows = await installation.clickhouse.select<object>(
      'SELECT model, version, code, toString(status) AS status, progress FROM notices FINAL',
    );
    expect(rows).toEqual([
      { model: 'churn', version: '1', code: 'labels-never-match', status: 'closed', progress: 700 },
    ]);
  });
});
