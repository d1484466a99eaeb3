import type { Command } from 'commander';
import { registerContracts } from '../../infra/kafka/registerContracts.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
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
An existing topic is never changed. The exit code is 1 if one of them would lose or refuse records.

Examples:
  KAFKA_BROKERS=kafka-1:9092 SCHEMA_REGISTRY_URL=http://registry:8081 driftloop topics
  DRIFTLOOP_REPLICATION_FACTOR=3 driftloop topics     instead of the default of the broker
  DRIFTLOOP_TOPIC_PREFIX=staging- driftloop topics    a second set of topics beside the first`,
    )
    .action(runTopics);
}

async function runTopics(): Promise<void> {
  const environment = readEnvironment();
  const states = await withKafka(environment, (_, admin) => ensureTopics(admin, environment));
  for (const { name, partitions, created, notes, mistakes } of states) {
    const size = `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`;
    console.log(`${created ? 'created' : 'exists '}  ${name} (${size})`);
    for (const note of notes) console.log(`         note: ${note}`);
    for (const mistake of mistakes) console.log(`         WRONG: ${mistake}`);
  }
  await requireServer(environment, 'SCHEMA_REGISTRY_URL');
  const subjects = await registerContracts(connectSchemaRegistry(environment), environment);
  for (const subject of subjects) console.log(`schema   ${subject}`);
  const wrong = states.filter(({ mistakes }) => mistakes.length > 0);
  if (wrong.length > 0) {
    throw new UserError(
      `these topics are not as Driftloop needs them, see WRONG above: ${wrong.map(({ name }) => name).join(', ')}`,
    );
  }
}
