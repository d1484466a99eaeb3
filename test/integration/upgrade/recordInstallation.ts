import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import avro from 'avsc';
import { readTopic } from '../../../infra/kafka/readTopic.ts';
import { wireHeaderBytes, wireSchemaId } from '../../../services/shared/avro/schemaRegistry.ts';
import {
  type Clickhouse,
  connectClickhouse,
} from '../../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../../services/shared/config/environment.ts';
import {
  connectKafka,
  headerText,
  type KafkaRecord,
} from '../../../services/shared/kafka/kafka.ts';
import { topics } from '../../../services/shared/kafka/topics.ts';
import type { RecordedLine } from './restoreInstallation.ts';
import { hourOfStream, oldWindows } from './stream.ts';

/*
 * Records what a release leaves behind, for the test that upgrades it. It runs the stream through
 * the code of that release and writes what is then in ClickHouse, Kafka and the schema registry to
 * the folder of the release, beside its settings file. Folder 0.1.0 was made so, with the servers
 * named by KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL:
 *
 *   git worktree add ../driftloop-0.1.0 4d59d0d
 *   (cd ../driftloop-0.1.0 && npm ci)
 *   node test/integration/upgrade/recordInstallation.ts ../driftloop-0.1.0 0.1.0
 *   npx biome check --write test/integration/upgrade
 *
 * Columns that ClickHouse fills by itself are left out: the wall clock, from which retention
 * counts, and what follows from other columns. Names of this one installation are replaced by
 * placeholders, which restoreInstallation.ts fills in.
 */

const [checkout, release] = process.argv.slice(2);
if (!checkout || !release)
  throw new Error('expected the checkout of a release, and the name of its folder');
const folder = join(import.meta.dirname, release);

const { database, prefix } = replayStream(checkout);
const environment = readEnvironment({
  ...process.env,
  CLICKHOUSE_DATABASE: database,
  DRIFTLOOP_TOPIC_PREFIX: prefix,
});
const clickhouse = connectClickhouse(environment, { retry: false });
try {
  await recordTables(clickhouse);
} finally {
  await clickhouse.close();
}
await recordTopics(environment);

/** Runs the stream through the services of the release, and returns where it has left its data. */
function replayStream(checkout: string): { database: string; prefix: string } {
  const files = mkdtempSync(join(tmpdir(), 'driftloop-record-'));
  try {
    const hours = Array.from({ length: oldWindows }, (_, window) => hourOfStream(window));
    writeLines(
      join(files, 'predictions.jsonl'),
      hours.flatMap(({ predictions }) => predictions),
    );
    writeLines(
      join(files, 'feedback.jsonl'),
      hours.flatMap(({ feedback }) => feedback),
    );
    const program = join(checkout, 'bin', 'driftloop.mjs');
    const file = (name: string) => join(files, name);
    const replay = [program, 'replay', '--keep', '--no-retrain'];
    replay.push('--config', join(folder, 'settings.yaml'), '--report', file('report.json'));
    replay.push('--predictions', file('predictions.jsonl'), '--feedback', file('feedback.jsonl'));
    const { stderr } = spawnSync(process.execPath, replay, { encoding: 'utf8' });
    const kept = /kept: database (\S+), topics (\S+)\*/.exec(stderr);
    if (!kept) throw new Error(`the replay has failed:\n${stderr}`);
    return { database: kept[1]!, prefix: kept[2]! };
  } finally {
    rmSync(files, { recursive: true });
  }
}

/** Writes the statements that create all tables, each view after those that it reads. */
async function recordTables(clickhouse: Clickhouse): Promise<void> {
  const created = await clickhouse.select<{ name: string; engine: string; statement: string }>(
    `SELECT name, engine,
            replaceAll(create_table_query, concat(database, '.'), '{database}.') AS statement
     FROM system.tables WHERE database = currentDatabase() ORDER BY name`,
  );
  const views = created.filter(({ engine }) => engine === 'View');
  const viewsIn = (text: string) =>
    views.filter(({ name }) => new RegExp(`\\{database\\}\\.${name}\\b`).test(text)).length;
  const inOrder = created
    .map(one => ({ ...one, step: one.engine.endsWith('View') ? viewsIn(one.statement) + 1 : 0 }))
    .sort((left, right) => left.step - right.step);
  const statements = inOrder.map(({ statement }) => `${statement};\n`);
  writeFileSync(join(folder, 'tables.sql'), statements.join('\n'));
  mkdirSync(join(folder, 'rows'), { recursive: true });
  const writtenByView = new Set(
    created.map(({ statement }) => / TO \{database\}\.(\w+)/.exec(statement)?.[1]),
  );
  for (const { name, engine } of created)
    if (!engine.endsWith('View') && !writtenByView.has(name)) await recordRows(clickhouse, name);
}

async function recordRows(clickhouse: Clickhouse, table: string): Promise<void> {
  const columns = await clickhouse.select<{ name: string }>(
    `SELECT name FROM system.columns
     WHERE database = currentDatabase() AND table = {table:String} AND default_kind = ''`,
    { table },
  );
  const names = columns.map(({ name }) => name).join(', ');
  const rows = await buffer(
    await clickhouse.export(
      `SELECT ${names} FROM ${table} FINAL ORDER BY ALL
       SETTINGS output_format_json_quote_64bit_integers = 1 FORMAT JSONEachRow`,
    ),
  );
  if (rows.length === 0) return;
  const text = rows.toString().replaceAll(prefix, '{prefix}');
  writeFileSync(join(folder, 'rows', `${table}.jsonl.gz`), gzipSync(text, { level: 9 }));
}

async function recordTopics(environment: Environment): Promise<void> {
  const kafka = connectKafka(environment, 'record');
  const admin = kafka.admin();
  await admin.connect();
  mkdirSync(join(folder, 'topics'), { recursive: true });
  const schemas: Record<string, avro.Schema> = {};
  try {
    for (const topic of Object.values(topics)) {
      const records: KafkaRecord[] = [];
      await readTopic(kafka, admin, prefix + topic, async part => void records.push(...part));
      if (records.length === 0) continue;
      const schemaId = wireSchemaId(records[0]!.value!);
      if (schemaId !== null) schemas[topic] = await schemaOf(environment, schemaId);
      const lines = records.map(record => recordedLine(record, schemas[topic]));
      const text = gzipSync(linesOf(lines), { level: 9 });
      writeFileSync(join(folder, 'topics', `${topic}.jsonl.gz`), text);
    }
  } finally {
    await admin.disconnect();
  }
  writeFileSync(join(folder, 'schemas.json'), `${JSON.stringify(schemas, null, 2)}\n`);
}

/** @param schema of an Avro value; other values are texts */
function recordedLine(record: KafkaRecord, schema: avro.Schema | undefined): RecordedLine {
  const { partition, key, value, headers } = record;
  return {
    partition,
    key: key?.toString() ?? null,
    headers: Object.fromEntries(
      Object.keys(headers).map(name => [name, headerText(headers, name)!]),
    ),
    value: schema
      ? avro.Type.forSchema(schema).fromBuffer(value!.subarray(wireHeaderBytes))
      : value!.toString(),
  };
}

async function schemaOf(
  { SCHEMA_REGISTRY_URL: url }: Environment,
  id: number,
): Promise<avro.Schema> {
  const answer = await fetch(`${url}/schemas/ids/${id}`);
  return JSON.parse(((await answer.json()) as { schema: string }).schema);
}

function writeLines(file: string, lines: readonly object[]): void {
  writeFileSync(file, linesOf(lines));
}

function linesOf(lines: readonly object[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join('');
}
