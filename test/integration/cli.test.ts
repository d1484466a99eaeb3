import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntilUsable } from '../../infra/kafka/waitUntilUsable.ts';
import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import {
  connectKafka,
  connectProducer,
  type KafkaAdmin,
} from '../../services/shared/kafka/kafka.ts';
import { commitAll, driftloop, ownInstallation } from '../commands.ts';
import { uniqueName } from '../uniqueName.ts';

let variables: Record<string, string>;
let environment: Environment;
let admin: KafkaAdmin;
let clickhouse: Clickhouse;

beforeAll(async () => {
  variables = ownInstallation();
  environment = readEnvironment(variables);
  admin = connectKafka(environment, 'test').admin();
  clickhouse = connectClickhouse(environment, { retry: false });
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await clickhouse.close();
});

describe('driftloop topics', () => {
  it('creates the topics and registers their contracts, and finds them the second time', async () => {
    const first = await driftloop(variables, 'topics');
    expect(first).toMatchObject({ exitCode: 0, errors: '' });
    expect(first.output).toContain(
      `created  ${variables.DRIFTLOOP_TOPIC_PREFIX}predictions (4 partitions)`,
    );
    expect(first.output).toContain(
      `created  ${variables.DRIFTLOOP_TOPIC_PREFIX}model-versions (1 partition)`,
    );
    const second = await driftloop(variables, 'topics');
    expect(second).toMatchObject({ exitCode: 0, errors: '' });
    expect(second.output).not.toContain('created');

    const response = await fetch(
      `${variables.SCHEMA_REGISTRY_URL}/subjects/${variables.DRIFTLOOP_TOPIC_PREFIX}predictions-value/versions/latest`,
    );
    const registered = (await response.json()) as { schema: string };
    expect(JSON.parse(registered.schema)).toMatchObject({
      name: 'Prediction',
      namespace: 'io.driftloop',
    });
  });

  it('creates no topic of the setting inputs, and says which one is missing', async () => {
    const own = ownInstallation();
    const folder = await mkdtemp(join(tmpdir(), 'driftloop-topics-'));
    const file = join(folder, 'settings.yaml');
    const [here, missing] = ['here', 'missing'].map(name => `${uniqueName()}-${name}`);
    const inputs = [here, missing].map(topic => `  - { topic: ${topic}, kind: prediction }`);
    await writeFile(file, ['inputs:', ...inputs].join('\n'));
    await admin.createTopics({ topics: [{ topic: here! }] });
    const { exitCode, output, errors } = await driftloop(
      { ...own, DRIFTLOOP_CONFIG: file },
      'topics',
    );
    expect(exitCode).toBe(1);
    expect(output).toContain(`exists   ${here} (of the setting inputs)`);
    expect(output).toContain(`MISSING  ${missing} (of the setting inputs)`);
    expect(errors).toContain(`do not exist; their producers have to create them: ${missing}\n`);
    expect(await admin.listTopics()).not.toContain(missing);
    await rm(folder, { recursive: true });
  });

  it('reports how an existing topic differs from the expected one, and changes nothing', async () => {
    const other = ownInstallation();
    const name = `${other.DRIFTLOOP_TOPIC_PREFIX}model-versions`;
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: name, numPartitions: 3 }],
    });
    await waitUntilUsable(admin, [name]);
    const { exitCode, output, errors } = await driftloop(other, 'topics');
    expect(exitCode).toBe(1);
    expect(output).toContain(`exists   ${name} (3 partitions)`);
    expect(output).toContain('note: has 3 partitions, Driftloop would create 1');
    expect(output).toContain('WRONG: cleanup.policy is delete, expected compact');
    expect(errors).toBe(`these topics are not as Driftloop needs them, see WRONG above: ${name}\n`);
  });
});

describe('driftloop migrate', () => {
  it('applies every migration once', async () => {
    const first = await driftloop(variables, 'migrate');
    expect(first).toMatchObject({ exitCode: 0, errors: '' });
    expect(first.output).toMatch(/^applied {2}0001_predictions.sql\n/);
    const second = await driftloop(variables, 'migrate');
    expect(second.output).toBe(`database ${variables.CLICKHOUSE_DATABASE} is up to date\n`);
  });
});

describe('driftloop status', () => {
  it('shows services, models, open drift events and dead letters', async () => {
    await driftloop(variables, 'topics');
    await driftloop(variables, 'migrate');
    const prefix = environment.DRIFTLOOP_TOPIC_PREFIX;
    const committer = await connectProducer(
      connectKafka(environment, 'test'),
      `${prefix}committer`,
    );
    await commitAll(committer, admin, `${prefix}driftloop-profiler`, `${prefix}predictions`);
    await committer.disconnect();
    await clickhouse.insert('stream_progress', [
      {
        model: 'churn',
        version: '3',
        source_partition: 0,
        last_offset: 9,
        predictions: 10,
        max_event_time: '2026-01-02 00:00:00.000',
      },
      {
        model: 'churn',
        version: '3',
        source_partition: 1,
        last_offset: 5,
        predictions: 6,
        max_event_time: '2026-01-01 12:00:00.000',
      },
    ]);
    await clickhouse.insert(
      'evaluated_windows',
      [1, 2].map(hour => ({
        model: 'churn',
        version: '3',
        segment: '',
        window_start: `2026-01-01 0${hour}:00:00.000`,
        window_end: `2026-01-01 0${hour + 1}:00:00.000`,
        revision: hour,
        records: 7,
        status: 'steady',
      })),
    );
    await clickhouse.insert('drift_events', [
      {
        id: 'd1',
        revision: 1,
        status: 'open',
        model: 'churn',
        version: '3',
        cause: 'data_drift',
        explanation: 'age rose',
      },
      {
        id: 'd2',
        revision: 2,
        status: 'closed',
        model: 'churn',
        version: '3',
        cause: 'data_drift',
      },
    ]);
    await clickhouse.insert('notices', [
      {
        id: 'n1',
        model: 'churn',
        version: '1',
        code: 'labels-never-match',
        family: 'labels',
        status: 'open',
        since: '2026-01-01 00:00:00.000',
        message: 'No label matches a prediction.',
        evidence: '500 labels.',
        advice: 'Check the ids.',
      },
    ]);
    await clickhouse.insert('dead_letters', [
      {
        source_topic: 'predictions',
        source_partition: 0,
        source_offset: 3,
        class: 'malformed-json',
        model: '',
      },
    ]);

    const { exitCode, output, errors } = await driftloop(variables, 'status', '--json');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const status = JSON.parse(output);
    expect(status.services.map(({ service }: { service: string }) => service)).toEqual([
      'profiler',
      'evaluator',
      'detector',
      'retrainer',
    ]);
    expect(status.services[0]).toMatchObject({
      state: 'Empty',
      members: 0,
      lag: { [`${variables.DRIFTLOOP_TOPIC_PREFIX}predictions`]: 0 },
    });
    expect(status.models).toEqual([
      expect.objectContaining({
        model: 'churn',
        version: '3',
        predictions: 16,
        openDriftEvents: 1,
        watermark: '2026-01-01T11:59:00.000Z',
        lastWindow: {
          start: '2026-01-01T02:00:00.000Z',
          end: '2026-01-01T03:00:00.000Z',
          records: 7,
          status: 'steady',
          revision: 2,
        },
      }),
    ]);
    expect(status.openDriftEvents).toEqual([
      expect.objectContaining({ id: 'd1', cause: 'data_drift', explanation: 'age rose' }),
    ]);
    expect(status.notices).toEqual([
      expect.objectContaining({ code: 'labels-never-match', since: '2026-01-01T00:00:00.000Z' }),
    ]);
    expect(status.deadLetters).toEqual([
      { topic: 'predictions', class: 'malformed-json', model: '', count: 1 },
    ]);

    const table = (await driftloop(variables, 'status')).output;
    for (const shown of [
      'SERVICES',
      'profiler',
      'MODELS',
      'churn',
      'OPEN DRIFT EVENTS',
      'age rose',
      'NOTICES',
      'No label matches a prediction. 500 labels. Check the ids.',
      'DEAD LETTERS',
    ]) {
      expect(table).toContain(shown);
    }
  });
});

describe('driftloop retrain', () => {
  it('refuses a model that has no predictions', async () => {
    await driftloop(variables, 'migrate');
    const { exitCode, errors } = await driftloop(variables, 'retrain', 'chrun');
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^no prediction of model "chrun" has been seen; known: .*\n$/);
  });

  it('publishes a request that names the person', async () => {
    await driftloop(variables, 'topics');
    await driftloop(variables, 'migrate');
    await clickhouse.insert('stream_progress', [
      { model: 'price', version: '1', source_partition: 0, last_offset: 1, predictions: 1 },
    ]);
    const { exitCode, output, errors } = await driftloop(variables, 'retrain', 'price');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(output).toMatch(/^asked for a new version of price: request [0-9a-f-]{36}\n$/);
    const offsets = await admin.fetchTopicOffsets(
      `${variables.DRIFTLOOP_TOPIC_PREFIX}retrain-requests`,
    );
    expect(offsets.reduce((records, { high }) => records + Number(high), 0)).toBe(1);
  });
});

describe('driftloop with wrong arguments', () => {
  it.each([
    [
      { KAFKA_BROKERS: '127.0.0.1:1' },
      ['topics'],
      'Kafka does not answer at 127.0.0.1:1 (ECONNREFUSED): start it, or set KAFKA_BROKERS\n',
    ],
    [
      { KAFKA_BROKERS: 'kafka' },
      ['status'],
      'Kafka does not answer at kafka (expected host:port): start it, or set KAFKA_BROKERS\n',
    ],
    [
      { CLICKHOUSE_URL: 'http://127.0.0.1:1' },
      ['migrate'],
      'ClickHouse does not answer at http://127.0.0.1:1 (ECONNREFUSED): start it, or set CLICKHOUSE_URL\n',
    ],
    [
      { CLICKHOUSE_DATABASE: 'absent' },
      ['dead-letters', 'list'],
      'database absent of ClickHouse has no Driftloop tables: run "driftloop migrate", or set CLICKHOUSE_DATABASE\n',
    ],
    [
      { DRIFTLOOP_TOPIC_PREFIX: 'absent-' },
      ['status'],
      /^Kafka at \S+ lacks Driftloop topics \(DRIFTLOOP_TOPIC_PREFIX is "absent-"\): run "driftloop topics"\n$/,
    ],
    [
      { KAFKA_SSL: 'maybe' },
      ['status'],
      'environment variable KAFKA_SSL: expected true or false (got "maybe")\n',
    ],
    [{}, ['config', 'check', '/nowhere.yaml'], /^settings file \/nowhere.yaml: ENOENT.*\n$/],
    [{}, ['dead-letters', 'list', '--limit', 'many'], /expected a whole number of at least 1/],
    [
      {},
      ['replay', '--predictions', '/nowhere.jsonl', '--report', 'r.json'],
      '--predictions /nowhere.jsonl: there is no such file\n',
    ],
    [
      {},
      ['replay', '--predictions', '/etc/hostname', '--report', '/nowhere/r.json'],
      '--report /nowhere/r.json: there is no folder /nowhere that could be written to\n',
    ],
    [
      { CLICKHOUSE_URL: '' },
      ['replay', '--predictions', '/etc/hostname', '--report', '/tmp/r.json'],
      /^KAFKA_BROKERS and SCHEMA_REGISTRY_URL set, but not CLICKHOUSE_URL: .*\n$/,
    ],
    [{}, ['replays'], /unknown command 'replays'/],
    [{}, ['versions', 'rollback', 'churn'], /required option '--note <text>' not specified/],
    [
      {},
      ['versions', 'search', '--metric', 'small loss'],
      /expected a condition such as 'challengerLoss<0.2'/,
    ],
  ])('exits with code 1 and one line for %j %j', async (wrong, args, message) => {
    const { exitCode, errors } = await driftloop(
      { ...variables, ...wrong } as Record<string, string>,
      ...args,
    );
    if (typeof message === 'string') expect(errors).toBe(message);
    else expect(errors).toMatch(message);
    expect(errors).not.toContain('    at ');
    expect(exitCode).toBe(1);
  });
});
