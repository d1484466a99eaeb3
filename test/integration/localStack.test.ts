import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { zstdDecompressSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { parquetReadObjects } from 'hyparquet';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitUntilUsable } from '../../infra/kafka/waitUntilUsable.ts';
import { startClickhouse } from '../../infra/local/clickhouse/clickhouse.ts';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import { startServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { UserError } from '../../services/shared/userError.ts';
import { eventually } from '../eventually.ts';
import { uniqueName } from '../uniqueName.ts';

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    // The error is ESRCH, as the process does not exist any more.
    return false;
  }
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-local-stack-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('Kafka of the local stack', () => {
  it('carries records of 2 MB between a producer and a consumer group, and creates no topic by itself', async () => {
    const kafka = new kafkajs.Kafka({
      brokers: [inject('kafkaBrokers')],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 20, initialRetryTime: 50 },
    });
    const topic = uniqueName();
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: 2,
          configEntries: [{ name: 'max.message.bytes', value: '8388608' }],
        },
      ],
      waitForLeaders: false,
    });
    await waitUntilUsable(admin, [topic]);
    const producer = kafka.producer({
      idempotent: true,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    const consumer = kafka.consumer({ groupId: topic });
    await Promise.all([producer.connect(), consumer.connect()]);
    const value = Buffer.alloc(2 * 1024 ** 2, 'driftloop');
    await producer.send({ topic, messages: [{ key: 'model', value }] });

    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await new Promise<Buffer | null>((resolve, reject) => {
      consumer.run({ eachMessage: async ({ message }) => resolve(message.value) }).catch(reject);
    });
    expect(received?.equals(value)).toBe(true);
    const impatient = kafka.admin({ retry: { retries: 0 } });
    await expect(impatient.fetchTopicMetadata({ topics: [uniqueName()] })).rejects.toThrow(
      /does not host this topic/,
    );
    await Promise.all(
      [producer, consumer, admin, impatient].map(connection => connection.disconnect()),
    );
  });
});

describe('schema registry of the local stack', () => {
  const schemaOf = (fields: object[]) =>
    JSON.stringify({ type: 'record', name: 'Reading', namespace: 'test', fields });
  const identifier = { name: 'id', type: 'string' };

  it('gives a schema one id, and refuses a version that cannot read records of the one before', async () => {
    const registry = new SchemaRegistry({ host: inject('schemaRegistryUrl') });
    const subject = `${uniqueName()}-value`;
    const register = (fields: object[]) =>
      registry.register({ type: SchemaType.AVRO, schema: schemaOf(fields) }, { subject });

    const first = await register([identifier]);
    const again = await register([identifier]);
    const wider = await register([
      identifier,
      { name: 'value', type: ['null', 'double'], default: null },
    ]);
    expect(again.id).toBe(first.id);
    expect(wider.id).not.toBe(first.id);
    await expect(register([identifier, { name: 'mandatory', type: 'string' }])).rejects.toThrow(
      /incompatible/i,
    );
    const encoded = await registry.encode(wider.id, { id: 'a', value: 1.5 });
    expect(await registry.decode(encoded)).toEqual({ id: 'a', value: 1.5 });
  });
});

describe('ClickHouse of the local stack', () => {
  const database = uniqueName();
  const otherDatabase = uniqueName();
  let client: ClickHouseClient;
  let otherClient: ClickHouseClient;
  const rowCount = 100_000;
  const row = (index: number) => ({
    model: index % 2 === 0 ? 'even;' : 'odd\n;',
    id: `id-${index}`,
    event_time: 1_700_000_000_000 + index,
    features: { price: index / 8, demand: index },
    buckets: [index, -index],
  });

  beforeAll(async () => {
    const url = inject('clickhouseUrl');
    const admin = createClient({ url });
    for (const name of [database, otherDatabase])
      await admin.command({ query: `CREATE DATABASE ${name}` });
    await admin.close();
    // The tests expect errors, so they are not logged.
    const log = { level: ClickHouseLogLevel.OFF };
    client = createClient({ url, database, log, compression: { request: true, response: true } });
    otherClient = createClient({ url, database: otherDatabase });
    for (const each of [client, otherClient]) {
      await each.command({
        query: `CREATE TABLE readings
          (
            model LowCardinality(String), id String, event_time DateTime64(3, 'UTC'), features Map(LowCardinality(String), Float64),
            buckets Array(Int64), revision UInt64 DEFAULT 7
          )
          ENGINE = ReplacingMergeTree(revision) ORDER BY (model, id)`,
      });
    }
    await client.insert({
      table: 'readings',
      format: 'JSONEachRow',
      values: Array.from({ length: rowCount }, (_, index) => row(index)),
    });
    await otherClient.insert({ table: 'readings', format: 'JSONEachRow', values: [row(0)] });
  });
  afterAll(async () => {
    await otherClient.command({ query: `DROP DATABASE ${database}` });
    await otherClient.command({ query: `DROP DATABASE ${otherDatabase}` });
    await Promise.all([client.close(), otherClient.close()]);
  });

  async function select<Row>(
    query: string,
    parameters: Record<string, unknown> = {},
    settings: Record<string, string | number> = {},
  ) {
    const result = await client.query({
      query,
      query_params: parameters,
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, ...settings },
    });
    return result.json<Row>();
  }

  it('stores rows exactly as they were inserted, in one block', async () => {
    expect(
      await select(
        'SELECT count() AS count, uniqExact(id) AS ids, countIf(revision = 7) AS defaults FROM readings',
      ),
    ).toEqual([{ count: rowCount, ids: rowCount, defaults: rowCount }]);
    expect(
      await select(
        'SELECT model, id, toUnixTimestamp64Milli(event_time) AS event_time, features, buckets FROM readings WHERE id = {id: String}',
        { id: 'id-99999' },
      ),
    ).toEqual([row(99_999)]);
    const parts = await select(
      `SELECT count() AS parts FROM system.parts WHERE database = {database: String} AND active`,
      { database },
    );
    expect(parts).toEqual([{ parts: 1 }]);
  });

  it('binds parameters of every kind', async () => {
    const parameters = {
      text: `it's \\ "quoted"\n\ttab; DROP TABLE readings`,
      list: ['a', `b'c`],
      nothing: null,
      number: 9_007_199_254_740_991n,
      time: new Date(1_700_000_000_123),
      table: 'readings',
    };
    expect(
      await select(
        `SELECT {text: String} AS text, {list: Array(String)} AS list, {nothing: Nullable(String)} AS nothing, {number: Int64} AS number,
           toUnixTimestamp64Milli({time: DateTime64(3)}) AS time, count() AS count FROM {table: Identifier}`,
        parameters,
      ),
    ).toEqual([
      {
        text: parameters.text,
        list: parameters.list,
        nothing: null,
        number: 9_007_199_254_740_991,
        time: 1_700_000_000_123,
        count: rowCount,
      },
    ]);
  });

  it('keeps the code and the type of errors', async () => {
    await expect(select('SELECT * FROM absent')).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await expect(select('SELEC 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' });
    await expect(select('SELECT 1; SELECT 2')).rejects.toMatchObject({
      code: '62',
      type: 'SYNTAX_ERROR',
    });
    await expect(select('SELECT {missing: String}')).rejects.toMatchObject({ code: '456' });
    await expect(select('SELECT 1', {}, { no_such_setting: 1 })).rejects.toMatchObject({
      code: '115',
      type: 'UNKNOWN_SETTING',
    });
    await expect(
      client.insert({
        table: 'readings',
        format: 'JSONEachRow',
        values: [{ id: 'broken', revision: 'x' }],
      }),
    ).rejects.toMatchObject({ code: '27', type: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED' });
    expect(await select(`SELECT count() AS count FROM readings WHERE id = 'broken'`)).toEqual([
      { count: 0 },
    ]);
  });

  it('refuses web pages, files and other servers, and writes by GET', async () => {
    const url = inject('clickhouseUrl');
    const post = (body: string, headers = {}) => fetch(url, { method: 'POST', body, headers });
    expect((await post('SELECT 1', { origin: 'http://evil.example' })).status).toBe(403);
    for (const query of [
      "SELECT * FROM file('/etc/hostname', LineAsString)",
      'SELECT * FROM `/etc/hostname`',
      "SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV",
    ]) {
      const answer = await post(query);
      expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([
        500,
        '497',
      ]);
    }
    const byGet = (query: string) => fetch(`${url}/?query=${encodeURIComponent(query)}`);
    expect(await (await byGet('SELECT 1')).text()).toBe('1\n');
    expect((await byGet(`CREATE DATABASE ${uniqueName()}`)).status).toBe(500);
  });

  it('takes the parameters and headers of standard clients', async () => {
    const answer = await fetch(`${inject('clickhouseUrl')}/?session_id=s&compress=1`, {
      method: 'POST',
      body: 'SELECT currentDatabase() AS name',
      headers: { 'X-ClickHouse-Format': 'JSONEachRow', 'X-ClickHouse-Database': database },
    });
    expect(await answer.json()).toEqual({ name: database });
    expect(answer.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
  });

  it('returns and takes binary formats byte for byte', async () => {
    const query = 'SELECT id, revision, features FROM readings ORDER BY model, id LIMIT 20000';
    const { stream } = await client.exec({ query: `${query} FORMAT Parquet` });
    const bytes = Buffer.concat(await stream.toArray());
    const compressors = { ZSTD: (compressed: Uint8Array) => zstdDecompressSync(compressed) };
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors });
    expect(rows.length).toBe(20_000);
    expect(rows[0]).toMatchObject({ id: 'id-0', revision: 7n });

    const file = join(folder, 'readings.parquet');
    await writeFile(file, bytes);
    await client.command({ query: 'CREATE TABLE copied AS readings' });
    const upload = await fetch(
      `${inject('clickhouseUrl')}/?${new URLSearchParams({ database, query: 'INSERT INTO copied (id, revision, features) FORMAT Parquet' })}`,
      { method: 'POST', body: await readFile(file), headers: { 'X-ClickHouse-User': 'default' } },
    );
    expect(upload.status).toBe(200);
    expect(await select(`SELECT count() AS count, uniqExact(id) AS ids FROM copied`)).toEqual([
      { count: 20_000, ids: 20_000 },
    ]);
    expect(
      await select(`SELECT groupBitXor(cityHash64(id, revision)) AS hash FROM copied`),
    ).toEqual(await select(`SELECT groupBitXor(cityHash64(id, revision)) AS hash FROM (${query})`));
  });

  it('reads an INSERT whose rows follow in the body, even lines that end with a semicolon', async () => {
    await client.command({
      query: 'CREATE TABLE notes (id UInt32, text String) ENGINE = MergeTree ORDER BY id',
    });
    const body = `INSERT INTO notes FORMAT TSV\n1\ta;\n\n2\tüb\\ner;\n`.replace('\n\n', '\n');
    const response = await fetch(`${inject('clickhouseUrl')}/?database=${database}`, {
      method: 'POST',
      body,
    });
    expect(await response.text()).toBe('');
    await client.command({ query: `INSERT INTO notes VALUES (3, 'c;')` });
    expect(await select('SELECT text FROM notes ORDER BY id')).toEqual([
      { text: 'a;' },
      { text: 'üb\ner;' },
      { text: 'c;' },
    ]);
  });

  it('answers requests at the same time, each with its own database, settings and parameters', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const settings = { max_block_size: String(1_000 + index) };
        const result = await (index % 2 === 0 ? client : otherClient).query({
          query: `SELECT count() AS count, {index: UInt32} AS index, getSetting('max_block_size') AS blockSize, currentDatabase() AS database FROM readings`,
          query_params: { index },
          clickhouse_settings: { output_format_json_quote_64bit_integers: 0, ...settings },
          format: 'JSONEachRow',
        });
        return (await result.json())[0];
      }),
    );
    expect(answers).toEqual(
      Array.from({ length: 50 }, (_, index) => ({
        count: index % 2 === 0 ? rowCount : 1,
        index,
        blockSize: 1_000 + index,
        database: index % 2 === 0 ? database : otherDatabase,
      })),
    );
    expect(await select(`SELECT getSetting('max_block_size') AS blockSize`)).not.toEqual([
      { blockSize: 1_049 },
    ]);
  });
});

describe('servers of the local stack', () => {
  it('keep every row that ClickHouse acknowledged before it was killed', async () => {
    const options = { dir: join(folder, 'clickhouse'), port: 0, logDir: join(folder, 'logs') };
    const first = await startClickhouse(options);
    const client = createClient({ url: first.url, database: 'durable' });
    await createClient({ url: first.url }).command({ query: 'CREATE DATABASE durable' });
    await client.command({ query: 'CREATE TABLE t (id UInt32) ENGINE = MergeTree ORDER BY id' });
    await client.insert({
      table: 't',
      format: 'JSONEachRow',
      values: Array.from({ length: 1000 }, (_, id) => ({ id })),
    });
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toBe('was killed by SIGKILL');

    const second = await startClickhouse(options);
    const result = await createClient({ url: second.url, database: 'durable' }).query({
      query: 'SELECT count() FROM t',
      format: 'TabSeparated',
    });
    expect(await result.text()).toBe('1000\n');
    await second.stop();
    expect(await second.exited).toBe('ended with exit code 0');
  });

  it('say in one line which port is taken, and how to choose another one', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const started = startClickhouse({
      dir: join(folder, 'unused'),
      port,
      logDir: join(folder, 'logs'),
    });
    await expect(started).rejects.toThrow(UserError);
    await expect(started).rejects.toThrow(
      `port ${port} for ClickHouse is taken by another program: stop that program, or choose another port with DRIFTLOOP_CLICKHOUSE_PORT`,
    );
    taken.close();
  });

  it('let ClickHouse finish the queries that it has begun before it stops', async () => {
    const server = await startClickhouse({
      dir: join(folder, 'stopping'),
      port: 0,
      logDir: join(folder, 'logs'),
    });
    const client = createClient({ url: server.url });
    const ask = async (query: string) =>
      (await client.query({ query, format: 'TabSeparated' })).text();
    const slow = ask('SELECT sum(sleepEachRow(0.1)) FROM numbers(10)');
    // One of the two is the counting query itself.
    const running = `SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%'`;
    await eventually('the slow query to run', async () => (await ask(running)) === '2\n');
    await server.stop();
    expect(await slow).toBe('0\n');
    expect(await server.exited).toBe('ended with exit code 0');
    await client.close();
  });

  it('never share a data folder', async () => {
    const options = { dir: join(folder, 'owned'), port: 0, logDir: join(folder, 'logs') };
    const first = await startClickhouse(options);
    await expect(startClickhouse(options)).rejects.toThrow(
      `${options.dir} is in use by another ClickHouse (process ${first.pid}): stop that one, or choose another folder`,
    );
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
  });

  it('end with the process that started them, even if that is killed with SIGKILL', async () => {
    const starter = join(folder, 'starter.ts');
    const module = JSON.stringify(
      new URL('../../infra/local/processes/childProcess.ts', import.meta.url).href,
    );
    const log = JSON.stringify(join(folder, 'logs', 'child.log'));
    await writeFile(
      starter,
      `import { startChildProcess } from ${module};
       const child = startChildProcess({ name: 'child', command: 'sleep', args: ['600'], logFile: ${log} });
       console.log(child.pid);`,
    );
    const parent = spawn(process.execPath, [starter], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await eventually('the end of the child', () => !isAlive(pid));
  });
});

describe('service processes', () => {
  const service = `
    import { createServer } from 'node:http';
    if (process.env.BROKEN) throw new Error('no such topic');
    createServer((request, response) => response.end(process.env.GREETING)).listen(process.env.DRIFTLOOP_HTTP_PORT, '127.0.0.1');
    process.once('SIGTERM', () => process.exit(0));
  `;
  const start = async (env: Record<string, string>, onExit?: (line: string) => void) => {
    const script = join(folder, 'main.ts');
    await writeFile(script, service);
    const logFile = join(folder, 'logs', 'profiler.log');
    const port = String(await freePort());
    return startServiceProcess({
      name: 'profiler',
      script,
      env: { ...env, DRIFTLOOP_HTTP_PORT: port },
      logFile,
      onExit,
    });
  };

  it('start, answer and stop on request', async () => {
    const exits: string[] = [];
    const running = await start({ GREETING: 'hello' }, line => exits.push(line));
    expect(await (await fetch(`${running.healthUrl}/live`)).text()).toBe('hello');
    await running.stop();
    expect(isAlive(running.pid)).toBe(false);
    expect(exits).toEqual([]);
  });

  it('are reported when they end by themselves', async () => {
    const { promise: exit, resolve } = Promise.withResolvers<string>();
    const running = await start({}, resolve);
    process.kill(running.pid, 'SIGKILL');
    expect(await exit).toMatch(/^profiler was killed by SIGKILL \(log: /);
  });

  it('fail with the error of their log when they do not get ready', async () => {
    await expect(start({ BROKEN: '1' })).rejects.toThrow(
      /^profiler ended with exit code 1: Error: no such topic \(log: /,
    );
  });
});
