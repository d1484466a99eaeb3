import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { committedOffsets } from '../../../infra/kafka/committedOffsets.ts';
import { wireHeaderBytes } from '../../../services/shared/avro/schemaRegistry.ts';
import { connectClickhouse } from '../../../services/shared/clickhouse/clickhouse.ts';
import { connectProducer } from '../../../services/shared/kafka/kafka.ts';
import {
  consumedTopics,
  consumerGroup,
  wantedServices,
} from '../../../services/shared/kafka/serviceFlow.ts';
import { connectTopicIds } from '../../../services/shared/kafka/topicIds.ts';
import { topics } from '../../../services/shared/kafka/topics.ts';
import type { Installation } from '../../freshInstallation.ts';

/** A record of a topic as recordInstallation.ts writes it. */
export interface RecordedLine {
  partition: number;
  key: string | null;
  headers: Record<string, string>;
  /** Text, or in a topic with an Avro schema what is encoded with it. */
  value: unknown;
}

/**
 * Puts an installation back to what a release has left behind: its tables and their rows, its
 * topics with the same records at the same offsets, the schemas of its subjects, and the committed
 * offsets of its services, which are stopped.
 * @param installation without records; its tables are dropped
 * @param folder written by recordInstallation.ts
 */
export async function restoreInstallation(
  installation: Installation,
  folder: string,
): Promise<void> {
  await restoreTopics(installation, folder);
  await commitEnds(installation);
  await restoreTables(installation, folder);
}

async function restoreTopics(
  { environment, producer }: Installation,
  folder: string,
): Promise<void> {
  const schemas = JSON.parse(readFileSync(join(folder, 'schemas.json'), 'utf8'));
  const registry = new SchemaRegistry({ host: environment.SCHEMA_REGISTRY_URL });
  for (const file of readdirSync(join(folder, 'topics'))) {
    const recorded = basename(file, '.jsonl.gz');
    const topic = environment.DRIFTLOOP_TOPIC_PREFIX + recorded;
    const schema = schemas[recorded];
    const encode = schema && (await encoderOf(registry, `${topic}-value`, schema));
    const messages = linesOf(join(folder, 'topics', file)).map(line => {
      const { value, ...others } = JSON.parse(line) as RecordedLine;
      return { ...others, value: encode ? encode(value) : Buffer.from(value as string) };
    });
    await producer.send({ topic, messages });
  }
}

/** Registers a schema, and returns an encoder to the Confluent wire format. */
async function encoderOf(
  registry: SchemaRegistry,
  subject: string,
  schema: avro.Schema,
): Promise<(value: unknown) => Buffer> {
  const text = JSON.stringify(schema);
  const { id } = await registry.register({ type: SchemaType.AVRO, schema: text }, { subject });
  const header = Buffer.alloc(wireHeaderBytes);
  header.writeInt32BE(id, 1);
  const type = avro.Type.forSchema(schema);
  return value => Buffer.concat([header, type.toBuffer(value)]);
}

/** Commits the ends of all topics for the services that read them. */
async function commitEnds({ admin, environment, kafka }: Installation): Promise<void> {
  const prefix = environment.DRIFTLOOP_TOPIC_PREFIX;
  const committer = await connectProducer(kafka, `${prefix}restore`);
  // One transaction for all, because the next one would have to wait until this one has ended.
  const transaction = await committer.transaction();
  for (const name of wantedServices(environment)) {
    const consumes = consumedTopics(name);
    const ends = consumes.map(async consumed => {
      const topic = prefix + consumed;
      const offsets = await admin.fetchTopicOffsets(topic);
      const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
      return { topic, partitions };
    });
    const consumerGroupId = consumerGroup(environment, name);
    // The broker loads the offsets of a group when it is first asked for them. A transaction does not
    // wait for that.
    await committedOffsets(admin, consumerGroupId, [prefix + consumes[0]!]);
    await transaction.sendOffsets({ consumerGroupId, topics: await Promise.all(ends) });
  }
  await transaction.commit();
  await committer.disconnect();
}

async function restoreTables(
  { clickhouse, environment, kafka }: Installation,
  folder: string,
): Promise<void> {
  const { CLICKHOUSE_DATABASE: database, DRIFTLOOP_TOPIC_PREFIX: prefix } = environment;
  const anyDatabase = connectClickhouse(environment, { retry: false }, 'default');
  await anyDatabase.command(`DROP DATABASE ${database} SYNC`);
  await anyDatabase.command(`CREATE DATABASE ${database}`);
  await anyDatabase.close();
  const statements = readFileSync(join(folder, 'tables.sql'), 'utf8').split(/;\n/);
  for (const statement of statements.filter(text => text.trim() !== ''))
    await clickhouse.command(statement.replaceAll('{database}', database));

  const topicIds = connectTopicIds(kafka);
  const ids = await topicIds.of(Object.values(topics).map(topic => prefix + topic));
  await topicIds.disconnect();
  for (const file of readdirSync(join(folder, 'rows'))) {
    const rows = linesOf(join(folder, 'rows', file)).map(line => {
      const row = JSON.parse(line.replaceAll('{prefix}', prefix));
      return 'topic_id' in row ? { ...row, topic_id: ids.get(row.topic) } : row;
    });
    await clickhouse.insert(basename(file, '.jsonl.gz'), rows);
  }
}

function linesOf(file: string): string[] {
  return gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
}
