import { join } from 'node:path';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { registerContracts } from '../../infra/kafka/registerContracts.ts';
import { serviceFlow } from '../../infra/kafka/serviceFlow.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { startServices } from '../../infra/local/processes/startServices.ts';
import { startLocalStack } from '../../infra/local/stack.ts';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import { connectKafka } from '../../services/shared/kafka/kafka.ts';
import type { DemoPorts } from './demoFolder.ts';

export interface LoopOptions {
  dir: string;
  ports: DemoPorts;
  note: (text: string) => void;
  /** Is given what will stop each part, in the order in which they start. */
  undo: (step: () => Promise<unknown>) => void;
  /** Told with one line when a server or a service ends. */
  onEnd: (line: string) => void;
  signal: AbortSignal;
}

/** So that a step of the replay does not wait a second in each service. */
const flushMs = '50';

/**
 * Servers, tables, topics and the four services, each as a process.
 * @returns environment variables for the processes of users
 */
export async function startLoop({
  dir,
  ports,
  note,
  undo,
  onEnd,
  signal,
}: LoopOptions): Promise<Record<string, string>> {
  note('starting Kafka, schema registry and ClickHouse');
  const stack = await startLocalStack({ dir, ports, onProgress: note });
  undo(() => stack.stop());
  stack.partEnded.then(onEnd);
  signal.throwIfAborted();

  const variables = {
    ...withoutServersOfOthers(),
    ...stack.variables,
    DRIFTLOOP_CONFIG: join(import.meta.dirname, 'driftloop.yaml'),
    DRIFTLOOP_ARTIFACTS: join(dir, 'artifacts'),
    DRIFTLOOP_FLUSH_MS: flushMs,
  };
  const environment = readEnvironment(variables);
  await prepareServers(environment);
  note('tables, topics and schemas are made');
  signal.throwIfAborted();

  const services = serviceFlow.map(({ name }) => name);
  undo(await startServices({ services, variables, logDir: join(dir, 'logs'), onExit: onEnd }));
  note(`${services.join(', ')} are up, each as a process of its own (logs: ${join(dir, 'logs')})`);
  return variables;
}

/** What the environment says of servers of the user's own is not for those of the demo. */
function withoutServersOfOthers(): Record<string, string> {
  const names = Object.keys(process.env).filter(name =>
    /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE|DRIFTLOOP)_/.test(name),
  );
  return Object.fromEntries(names.map(name => [name, '']));
}

async function prepareServers(environment: Environment): Promise<void> {
  const admin = connectKafka(environment, 'driftloop-demo').admin();
  await admin.connect();
  await ensureTopics(admin, environment).finally(() => admin.disconnect());
  await registerContracts(connectSchemaRegistry(environment), environment);
  await migrate(environment);
}
