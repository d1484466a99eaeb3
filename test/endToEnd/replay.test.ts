import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { connectKafka } from '../../services/shared/kafka/kafka.ts';
import { driftloop, ownInstallation } from '../commands.ts';
import { replayStream, streamStartMs } from './replayStream.ts';

const schemaFile = new URL('../../schemas/replay-report.schema.json', import.meta.url);
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const validate = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': isoTime },
}).compile(JSON.parse(readFileSync(schemaFile, 'utf8')));

let folder = '';
let servers: Record<string, string>;
/** Names that earlier replays have left on servers that the tests did not start. */
let leftBefore: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'driftloop-test-replay-'));
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL } = ownInstallation() as Record<
    string,
    string
  >;
  // A temporary folder of its own shows that nothing stays there.
  servers = {
    KAFKA_BROKERS: KAFKA_BROKERS!,
    SCHEMA_REGISTRY_URL: SCHEMA_REGISTRY_URL!,
    CLICKHOUSE_URL: CLICKHOUSE_URL!,
    TMPDIR: folder,
  };
  leftBefore = await leftovers();
});
afterAll(() => rmSync(folder, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: its contents are checked against the schema
type Report = any;

function file(name: string, lines: readonly (string | Buffer)[]): string {
  const content = Buffer.concat(lines.flatMap(line => [Buffer.from(line), Buffer.from('\n')]));
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content);
  return path;
}

async function replay(...args: string[]): Promise<Report> {
  const { exitCode, errors, content } = await runReplay(...args);
  expect(exitCode, errors).toBe(0);
  expect(content.refused).toEqual([]);
  return content;
}

async function runReplay(...args: string[]) {
  const report = join(folder, 'report.json');
  const { exitCode, errors } = await driftloop(servers, 'replay', '--report', report, ...args);
  const content: Report = JSON.parse(readFileSync(report, 'utf8'));
  validate(content);
  expect(validate.errors ?? []).toEqual([]);
  return { exitCode, errors, content };
}

/** Returns the names that replays have left on the servers and in the temporary folder. */
async function leftovers(): Promise<string[]> {
  const environment = readEnvironment(servers);
  const admin = connectKafka(environment, 'test').admin();
  const clickhouse = connectClickhouse(environment, { retry: false }, 'default');
  await admin.connect();
  try {
    const response = await fetch(`${environment.SCHEMA_REGISTRY_URL}/subjects`);
    return [
      ...(await admin.listTopics()),
      ...(await admin.listGroups()).groups.map(({ groupId }) => groupId),
      ...((await response.json()) as string[]),
      ...(await clickhouse.select<{ name: string }>('SELECT name FROM system.databases')).map(
        ({ name }) => name,
      ),
      ...readdirSync(folder),
    ].filter(name => /^replay[-_]|^driftloop-replay/.test(name) && !leftBefore.includes(name));
  } finally {
    await admin.disconnect();
    await clickhouse.close();
  }
}

/** Returns the process id of a service of a replay, which its log says. */
function serviceOf(errors: string, service: string): number {
  const [, logFolder] = /\(logs: (.*)\)/.exec(errors)!;
  const [firstLine] = readFileSync(join(logFolder!, `${service}.log`), 'utf8').split('\n');
  return JSON.parse(firstLine!).pid;
}

/** Runs a replay, and disturbs it as soon as its services are up. */
async function disturbedReplay(
  disturb: (replay: ChildProcess, errors: string) => void,
): Promise<{ exitCode: unknown; errors: string }> {
  const { predictions } = replayStream({ rows: 20_000, rowsPerHour: 300 });
  const args = [
    '--predictions',
    file('disturbed.jsonl', predictions),
    '--report',
    join(folder, 'disturbed.json'),
  ];
  const program = new URL('../../bin/driftloop.ts', import.meta.url).pathname;
  const replay = spawn(process.execPath, [program, 'replay', ...args], {
    env: { ...process.env, ...servers },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  replay.stderr.on('data', data => {
    errors += data;
    if (String(data).includes('are up')) disturb(replay, errors);
  });
  const exitCode = await new Promise(resolve => replay.once('close', resolve));
  return { exitCode, errors };
}

const hourAt = (hour: number) => new Date(streamStartMs + hour * 3_600_000).toISOString();

describe('driftloop replay', () => {
  it('counts a steady stream exactly, to the middle of its last window, and finds no drift', async () => {
    const { predictions, feedback } = replayStream({ rows: 6_150, rowsPerHour: 300 });
    const report = await replay(
      '--predictions',
      file('steady.jsonl.gz', predictions),
      '--feedback',
      file('steady-feedback.jsonl', feedback),
      '--no-retrain',
    );
    expect(report.input).toMatchObject({
      predictions: { lines: 6_150 },
      feedback: { lines: 6_150 },
    });
    expect(report.models).toHaveLength(1);
    const [model] = report.models;
    expect(model).toMatchObject({
      model: 'churn',
      version: '1',
      windowSizeMs: 3_600_000,
      counts: { predictions: 6_150, duplicates: 0, late: 0, labelled: 6_150, deadLettered: {} },
    });
    expect(model.windows.map(({ start, end, count }: Report) => ({ start, end, count }))).toEqual(
      Array.from({ length: 21 }, (_, hour) => ({
        start: hourAt(hour),
        end: hourAt(hour + 1),
        count: hour < 20 ? 300 : 150,
      })),
    );
    expect(model.windows.every(({ revision }: Report) => revision >= 1)).toBe(true);
    expect(model.performance).toHaveLength(21);
    for (const window of model.performance)
      expect(window).toMatchObject({ task: 'binary', coverage: 1, weight: window.labelled });
    expect(report).toMatchObject({ driftEvents: [], modelVersions: [], deadLettered: [] });
    expect(await leftovers()).toEqual([]);
  });

  it('reports one event for an abrupt drift, in its first window', async () => {
    const { predictions } = replayStream({ rows: 9_000, rowsPerHour: 300, shiftAtRow: 6_000 });
    const report = await replay('--predictions', file('shift.jsonl', predictions), '--no-retrain');
    expect(report.driftEvents).toEqual([
      expect.objectContaining({
        model: 'churn',
        version: '1',
        segment: '',
        cause: 'data_drift',
        feature: 'age',
        windowStart: hourAt(20),
      }),
    ]);
    expect(report.models[0].performance).toEqual([]);
  });

  it('uses every line around those that cannot be used, and reports why each of these cannot', async () => {
    const { predictions, feedback } = replayStream({ rows: 1_000, rowsPerHour: 100 });
    const first = JSON.parse(predictions[0]!);
    const line = (changes: object) => JSON.stringify({ ...first, ...changes });
    const lastMs = streamStartMs + 10 * 3_600_000 - 36_000;
    const lines = [
      ...predictions,
      // The same prediction twice, and one that is late but within the grace period.
      predictions[999]!,
      line({ id: 'late', time: streamStartMs + 1 }),
      'garbage',
      '[1, 2',
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.from([0, 0, 0, 0x7f, 0xff, 1]),
      '',
      'null',
      line({ id: '' }),
      line({ id: 'no-features', features: undefined }),
      line({ id: 'text', time: 'yesterday' }),
      line({ id: '1970', time: 1_767_571 }),
      line({ id: 'future', time: Date.now() + 2 * 86_400_000 }),
      line({ id: 'huge', features: { text: 'x'.repeat(2_000_000) } }),
      line({
        id: 'other',
        model: 'price',
        version: '7',
        time: lastMs,
        prediction: 3.5,
        score: null,
      }),
      line({ id: 'unlucky', model: 'doomed', version: '2', time: 0 }),
    ];
    const {
      exitCode,
      errors,
      content: report,
    } = await runReplay(
      '--predictions',
      file('broken.jsonl', lines),
      '--feedback',
      file('broken-feedback.jsonl', [
        ...feedback.slice(0, 600),
        feedback[0]!,
        'garbage',
        JSON.stringify({ id: 'row-1', label: null, time: lastMs }),
        JSON.stringify({ id: 'never-seen', label: 'stays', time: lastMs }),
      ]),
      '--window',
      '2h',
    );
    expect(
      report.models.map(({ model, version, counts }: Report) => ({ model, version, counts })),
    ).toEqual([
      {
        model: 'churn',
        version: '1',
        counts: {
          predictions: 1_001,
          duplicates: 1,
          late: 1,
          labelled: 600,
          setApart: 0,
          deadLettered: {
            'future-time': 1,
            'implausible-time': 1,
            'invalid-field': 3,
          },
        },
      },
      {
        model: 'doomed',
        version: '2',
        counts: {
          predictions: 0,
          duplicates: 0,
          late: 0,
          labelled: 0,
          setApart: 0,
          deadLettered: { 'implausible-time': 1 },
        },
      },
      {
        model: 'price',
        version: '7',
        counts: {
          predictions: 1,
          duplicates: 0,
          late: 0,
          labelled: 0,
          setApart: 0,
          deadLettered: {},
        },
      },
    ]);
    expect(report.models[0].windows.map(({ count }: Report) => count)).toEqual([
      201, 200, 200, 200, 200,
    ]);
    const nobodys = report.deadLettered.map((letter: Report) => [
      letter.topic,
      letter.class,
      letter.count,
    ]);
    expect(nobodys).toEqual([
      ['feedback', 'invalid-field', 1],
      ['feedback', 'malformed-json', 1],
      ['predictions', 'invalid-field', 1],
      ['predictions', 'malformed-json', 3],
      ['predictions', 'too-large', 1],
      ['predictions', 'unknown-schema-id', 1],
    ]);
    expect(exitCode).toBe(3);
    expect(errors).toMatch(/\n14 lines were refused and not counted:\n/);
    expect(errors).toMatch(
      /predictions +4 +invalid-field +expected an object with the fields of Prediction, got null\n/,
    );
    expect(
      report.refused.map(({ topic, class: name, count }: Report) => [topic, name, count]),
    ).toEqual([
      ['predictions', 'invalid-field', 4],
      ['predictions', 'malformed-json', 3],
      ['predictions', 'implausible-time', 2],
      ['feedback', 'invalid-field', 1],
      ['feedback', 'malformed-json', 1],
      ['predictions', 'future-time', 1],
      ['predictions', 'too-large', 1],
      ['predictions', 'unknown-schema-id', 1],
    ]);
    expect(await leftovers()).toEqual([]);
  });

  it('uses every line of an export that is not in the order of time, and of one with a wrong date', async () => {
    const stream = replayStream({ rows: 4_000, rowsPerHour: 10 });
    const { content, exitCode, errors } = await runReplay(
      '--predictions',
      file('newest-first.jsonl', stream.predictions.toReversed()),
      '--feedback',
      file('newest-first-feedback.jsonl', stream.feedback.toReversed()),
      '--window',
      '1d',
      '--no-retrain',
    );
    expect({ exitCode, refused: content.refused }).toEqual({ exitCode: 0, refused: [] });
    expect(content.models[0].counts).toMatchObject({
      predictions: 4_000,
      late: 0,
      labelled: 4_000,
    });
    expect(errors).toMatch(
      /newest-first\.jsonl is not in the order of time: line 4000 is 16\.7 d behind line 1, and records may be 7 d late\. The lines are sent in the order of time\.\n/,
    );

    const wrong = JSON.parse(stream.predictions[500]!);
    const predictions = stream.predictions.slice(0, 2_000);
    predictions[500] = JSON.stringify({ ...wrong, time: streamStartMs + 60 * 86_400_000 });
    const other = await replay('--predictions', file('wrong-date.jsonl', predictions));
    expect(other.models[0].counts).toMatchObject({ predictions: 2_000, late: 0 });
  });

  it('reads CSV, and records of another form by a mapping, with times as PostgreSQL prints them', async () => {
    const minute = (number: number) => String(number % 60).padStart(2, '0');
    const rows = Array.from({ length: 120 }, (_, number) => {
      const time = `2026-03-02 0${5 + Math.floor(number / 60)}:${minute(number)}:00.123456-05`;
      return { uuid: `a${number}`, time, age: 20 + (number % 50), out: number % 2 };
    });
    const predictions = file('scores.csv', [
      'uuid,at,age,out',
      ...rows.map(({ uuid, time, age, out }) => `${uuid},${time},${age},${out}`),
    ]);
    const feedback = file('outcomes.jsonl', [
      JSON.stringify({
        at: '2026-03-02T12:30:00Z',
        rows: rows.map(({ uuid, out }) => ({ uuid, truth: out === 1 })),
      }),
    ]);
    const mapping = file('mapping.yaml', [
      'inputs:',
      '  - kind: prediction',
      '    fields: { id: uuid, model: { constant: shop }, version: { constant: 1 }, time: at,',
      "              features: '*', prediction: out }",
      '  - kind: feedback',
      '    rows: rows',
      '    fields: { id: uuid, label: truth, time: at }',
    ]);
    const args = ['--predictions', predictions, '--feedback', feedback, '--mapping', mapping];
    const { models } = await replay(...args, '--window', '1h', '--no-retrain');
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({
      model: 'shop',
      version: '1',
      counts: { predictions: 120, labelled: 120 },
    });
    const windows = models[0].windows.map(({ start, count }: Report) => [start, count]);
    expect(windows).toEqual([
      ['2026-03-02T10:00:00.000Z', 60],
      ['2026-03-02T11:00:00.000Z', 60],
    ]);
  });

  it('reports nothing for an empty file', async () => {
    const report = await replay('--predictions', file('empty.jsonl', []));
    expect(report).toMatchObject({
      input: { predictions: { lines: 0 }, feedback: null },
      models: [],
      driftEvents: [],
      deadLettered: [],
    });
  });

  it('starts and removes servers of its own if none are named', async () => {
    const { predictions } = replayStream({ rows: 100, rowsPerHour: 100 });
    const named = servers;
    servers = { TMPDIR: folder, KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: '', CLICKHOUSE_URL: '' };
    try {
      const report = await replay('--predictions', file('own.jsonl', predictions));
      expect(report.models[0].counts.predictions).toBe(100);
    } finally {
      servers = named;
    }
    expect(await leftovers()).toEqual([]);
  });

  it('removes its topics, database and folders when it is stopped', async () => {
    const { exitCode, errors } = await disturbedReplay(replay => replay.kill('SIGINT'));
    expect(errors).toMatch(/\nstopped by SIGINT\n$/);
    expect(exitCode).toBe(1);
    expect(readdirSync(folder)).not.toContain('disturbed.json');
    expect(await leftovers()).toEqual([]);
  });

  it('names a damaged file in one line', async () => {
    const whole = gzipSync(replayStream({ rows: 200, rowsPerHour: 100 }).predictions.join('\n'));
    const damaged = join(folder, 'damaged.gz');
    writeFileSync(damaged, whole.subarray(0, whole.length / 2));
    const { exitCode, errors } = await driftloop(
      servers,
      'replay',
      '--predictions',
      damaged,
      '--report',
      join(folder, 'r.json'),
    );
    expect(errors).toMatch(/damaged.gz: the gzip data is damaged or cut off after line \d+\n$/);
    expect(exitCode).toBe(1);
    expect(await leftovers()).toEqual([]);
  });

  it('ends when a service dies, and keeps the logs that it names', async () => {
    const { exitCode, errors } = await disturbedReplay((_, lines) =>
      process.kill(serviceOf(lines, 'evaluator'), 'SIGKILL'),
    );
    expect(exitCode).toBe(1);
    const [, log] = /\nevaluator was killed by SIGKILL \(log: (.*)\)\n$/.exec(errors) ?? [];
    expect(readFileSync(log!, 'utf8')).toContain('ready');
    const kept = dirname(dirname(log!));
    expect(readdirSync(kept)).toEqual(['logs']);
    rmSync(kept, { recursive: true });
    // Kafka removes the group of a killed member when its session has timed out.
    expect((await leftovers()).filter(name => !name.endsWith('driftloop-evaluator'))).toEqual([]);
  });
});
