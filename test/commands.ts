import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { committedOffsets } from '../infra/kafka/committedOffsets.ts';
import type { KafkaAdmin, KafkaProducer } from '../services/shared/kafka/kafka.ts';
import { uniqueName } from './uniqueName.ts';

/** Returns the variables of an installation that no other test uses, on the servers of the run. */
export function ownInstallation(): Record<string, string> {
  const name = uniqueName();
  return {
    KAFKA_BROKERS: inject('kafkaBrokers'),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    CLICKHOUSE_URL: inject('clickhouseUrl'),
    CLICKHOUSE_DATABASE: name,
    DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
  };
}

/**
 * Commits the end of a topic for a consumer group that has no member. It uses a transaction, which
 * needs no member and takes effect at once.
 * @param committer a transactional producer
 */
export async function commitAll(
  committer: KafkaProducer,
  admin: KafkaAdmin,
  groupId: string,
  topic: string,
): Promise<void> {
  // The broker loads the offsets of a group when it is first asked for them. A transaction does not
  // wait for that.
  await committedOffsets(admin, groupId, [topic]);
  const offsets = await admin.fetchTopicOffsets(topic);
  const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
  const transaction = await committer.transaction();
  await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions }] });
  await transaction.commit();
}

export interface CommandResult {
  exitCode: number | null;
  output: string;
  errors: string;
}

/** Runs the `driftloop` command as a process. */
export async function driftloop(
  variables: Record<string, string>,
  ...args: string[]
): Promise<CommandResult> {
  const program = new URL('../bin/driftloop.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>(resolve => child.once('close', resolve));
  const [output, errors, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exit,
  ]);
  return { exitCode, output, errors };
}
