import type { Command } from 'commander';
import { registerContracts } from '../../infra/kafka/registerContracts.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { UserError } from '../../services/shared/userError.ts';
import { requireServer } from '../servers/requireServer.ts';
import { withKafka } from '../servers/withServers.ts';

export function addTopicsCommand(program: Command): void {
  program
    .command('topics')
    .description(
      'Create the topics and register their schemas, or check those that exist. Safe to repeat.',
    )
    .addHelpText(
      'after',
      `
An existing topic is never changed. Topics of the setting inputs (DRIFTLOOP_CONFIG) are somebody
else's, so they are not created. The exit code is 1 if one of them would lose or refuse records.

Examples:
  KAFKA_BROKERS=kafka-1:9092 SCHEMA_REGISTRY_URL=http://registry:8081 driftloop topics
  DRIFTLOOP_REPLICATION_FACTOR=3 driftloop topics     instead of the default of the broker
  DRIFTLOOP_TOPIC_PREFIX=staging- driftloop topics    a second set of topics beside the first`,
    )
    .action(runTopics);
}

async function runTopics(): Promise<void> {
  const environment = readEnvironment();
  const inputs = readSettings(environment.DRIFTLOOP_CONFIG).inputs.map(({ topic }) => topic);
  const { states, missing } = await withKafka(environment, async (_, admin) => ({
    states: await ensureTopics(admin, environment),
    missing: await missingTopics(admin, inputs),
  }));
  for (const { name, partitions, created, notes, mistakes } of states) {
    const size = `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`;
    console.log(`${created ? 'created' : 'exists '}  ${name} (${size})`);
    for (const note of notes) console.log(`         note: ${note}`);
    for (const mistake of mistakes) console.log(`         WRONG: ${mistake}`);
  }
  for (const name of new Set(inputs))
    console.log(
      `${missing.includes(name) ? 'MISSING' : 'exists '}  ${name} (of the setting inputs)`,
    );
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const subjects = await registerContracts(connectSchemaRegistry(environment), environment);
  for (const subject of subjects) console.log(`schema   ${subject}`);
  const wrong = states.filter(({ mistakes }) => mistakes.length > 0);
  if (wrong.length > 0) {
    throw new UserError(
      `these topics are not as Driftloop needs them, see WRONG above: ${wrong.map(({ name }) => name).join(', ')}`,
    );
  }
  if (missing.length > 0)
    throw new UserError(
      `these topics of the setting inputs do not exist; their producers have to create them: ${missing.join(', ')}`,
    );
}

async function missingTopics(admin: KafkaAdmin, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const existing = await admin.listTopics();
  return [...new Set(names)].filter(name => !existing.includes(name));
}
