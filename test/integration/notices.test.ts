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

  describe('on refused records', () => {
    const startMs = Date.UTC(2026, 0, 1);
    let sent = 0;
    beforeAll(async () => {
      await Promise.all([
        installation.startService('profiler'),
        installation.startService('evaluator'),
      ]);
    });

    /** Sends records to one partition, so that its newest ones are known. */
    async function send(topic: string, values: readonly (object | string)[]): Promise<void> {
      const messages = values.map(value => ({
        partition: 0,
        value: typeof value === 'string' ? value : JSON.stringify(value),
      }));
      const name = installation.environment.DRIFTLOOP_TOPIC_PREFIX + topic;
      await installation.producer.send({ topic: name, messages });
      await installation.untilQuiet('profiler', 'evaluator');
    }

    const predictions = (count: number, fieldsOf: (index: number) => object) =>
      Array.from({ length: count }, (_, index) => ({
        ...{ id: `r${sent++}`, model: 'm', version: '1', time: startMs + index },
        ...{ features: { x: 1 }, prediction: 'yes' },
        ...fieldsOf(index),
      }));

    const notices = (status: string) =>
      installation.clickhouse.select<Record<string, string>>(
        `SELECT model, version, code, subject, message, evidence, advice FROM notices FINAL
         WHERE code = 'records-refused' AND status = {status:String}
         ORDER BY model, version, subject`,
        { status },
      );

    it('tell what share is refused, of whom, why, and what to do, and close when it is mended', async () => {
      // Of model m 23 % have no version, of its version 2 a tenth a wrong weight.
      await send('predictions', [
        ...predictions(200, index => (index % 100 < 23 ? { version: undefined } : {})),
        ...predictions(100, index => ({ version: '2', weight: index % 10 ? 1 : -1 })),
        // Two of 1,000 are no considerable share.
        ...predictions(100, index => ({ model: 'fine', ...(index < 2 && { prediction: null }) })),
        ...['{', '[', '{"id"', '{"model"', '{{', '[[', 'null', '7'],
      ]);
      await send('feedback', ['{', '{{', '{{{', { id: 'r0', label: 'yes', time: startMs }]);
      const code = 'records-refused';
      const open = await notices('open');
      expect(open).toMatchObject([
        { model: '', version: '', subject: 'feedback malformed-json' },
        { model: '', version: '', subject: 'predictions malformed-json' },
        { model: 'm', version: '', subject: 'predictions invalid-field version', code },
        { model: 'm', version: '2', subject: 'predictions invalid-field weight', code },
      ]);
      const [feedback, ofTopic, ofModel, ofVersion] = open;
      expect(feedback!.evidence).toMatch(/^75 % of the newest records of the topic: 3 of 4\./);
      expect(ofTopic!.message).toBe(
        'Records of the topic are refused as malformed-json (predictions).',
      );
      expect(ofModel!.message).toBe(
        'Records of the model are refused because of their field version (predictions).',
      );
      expect(ofModel!.evidence).toBe(
        '15 % of the newest records of the model: 46 of 300. ' +
          'Such as offset 0 of partition 0: "version: is missing".',
      );
      expect(ofModel!.advice).toMatch(/^Log the field as the contract says/);
      expect(ofVersion!.evidence).toMatch(
        /^10 % of the newest records of the version: 10 of 100\./,
      );

      await send(
        'predictions',
        predictions(700, () => ({})),
      );
      await send(
        'predictions',
        predictions(700, () => ({})),
      );
      expect(await notices('open')).toMatchObject([{ subject: 'feedback malformed-json' }]);
      expect(await notices('closed')).toHaveLength(3);
      const told = (await published()).filter(({ value }) => value.model === 'm');
      expect(told.map(({ value }) => `${value.status} ${value.version}`).sort()).toEqual([
        'closed ',
        'closed 2',
        'open ',
        'open 2',
      ]);
    });

    it('stay within bounds whatever names refused records have', async () => {
      const names = Array.from({ length: 400 }, (_, index) => `${index}\u0000'\\${'é'.repeat(90)}`);
      const long = 'x'.repeat(200_000);
      await send('predictions', [
        ...names.flatMap(model => predictions(3, () => ({ model, version: undefined }))),
        ...predictions(3, () => ({ model: long, version: long, weight: -1 })),
      ]);
      const open = await notices('open');
      expect(open.length).toBeGreaterThan(50);
      expect(open.length).toBeLessThanOrEqual(101);
      expect(open.every(({ model }) => model!.length <= 256)).toBe(true);
    });
  });
});
