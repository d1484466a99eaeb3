import { join } from 'node:path';
import { connectSchemaRegistry } from '../../../services/shared/avro/schemaRegistry.ts';
import { type Environment, readEnvironment } from '../../../services/shared/config/environment.ts';
import { connectKafka } from '../../../services/shared/kafka/kafka.ts';
import { wantedServices } from '../../../services/shared/kafka/serviceFlow.ts';
import { prepareInstallation } from '../../installation/prepareInstallation.ts';
import { registerContracts } from '../../kafka/registerContracts.ts';
import type { LocalStackPorts } from '../processes/localStackPorts.ts';
import type { ServiceProcess } from '../processes/serviceProcesses.ts';
import { startServices } from '../processes/startServices.ts';
import { type LocalStack, startLocalStack } from '../stack.ts';
import {
  createLoopRecord,
  type LoopPart,
  type LoopRecord,
  recordedProcess,
  removeLoopRecord,
  replaceLoopRecord,
} from './loopRecord.ts';

export interface LoopOptions {
  /** Absolute path of the folder for data, models and logs. */
  dir: string;
  ports: LocalStackPorts;
  /** Environment variables of the services, such as DRIFTLOOP_CONFIG. */
  variables: Record<string, string>;
  onProgress: (line: string) => void;
  /** Called with one line when a server or a service ends by itself. */
  onEnd: (line: string) => void;
  /** Ends the start. */
  signal: AbortSignal;
}

export interface Loop {
  /** Environment variables for processes that use the loop. */
  variables: Record<string, string>;
  record: LoopRecord;
  /** Stops everything. Resolves when no process is left. */
  stop(): Promise<void>;
}

/**
 * Starts the servers, prepares topics and tables, and starts the services, each as a process. They
 * end with this process. The data folder has a record of what runs until everything has stopped.
 * @throws UserError if a part cannot start, or the reason of `signal`; nothing is left running then
 */
export async function startLoop(options: LoopOptions): Promise<Loop> {
  const { dir, ports, onProgress, onEnd, signal } = options;
  const logDir = join(dir, 'logs');
  const started = {
    starter: recordedProcess(process.pid),
    startedAt: new Date().toISOString(),
  };
  createLoopRecord(dir, { ...started, variables: null, parts: [] });
  const undoSteps: (() => Promise<void>)[] = [async () => removeLoopRecord(dir)];
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    for (const undo of undoSteps.splice(0).reverse()) await undo();
  };
  const onExit = (line: string) => {
    if (!isStopping) onEnd(line);
  };

  try {
    onProgress('starting Kafka, the schema registry and ClickHouse');
    const stack = await startLocalStack({ dir, ports, onProgress });
    undoSteps.push(stack.stop);
    void stack.partEnded.then(onExit);
    signal.throwIfAborted();

    const variables = {
      ...withoutOtherServers(),
      ...stack.variables,
      DRIFTLOOP_ARTIFACTS: join(dir, 'artifacts'),
      ...options.variables,
    };
    const environment = readEnvironment({ ...process.env, ...variables });
    await prepareServers(environment);
    onProgress('the tables, topics and schemas are there');
    signal.throwIfAborted();

    const names = wantedServices(environment);
    const services = await startServices({ services: names, variables, logDir, onExit });
    undoSteps.push(services.stop);
    onProgress(`${names.join(', ')} are up, each as a process of its own (logs: ${logDir})`);

    const parts = partsOf(stack, services.processes);
    const record = { ...started, variables: stack.variables, parts };
    replaceLoopRecord(dir, record);
    return { variables, record, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Returns empty values for all variables of this process that speak of other servers, or of
 * another installation on them.
 */
function withoutOtherServers(): Record<string, string> {
  const names = Object.keys(process.env).filter(name =>
    /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE|DRIFTLOOP_HTTP)_|^DRIFTLOOP_(TOPIC_PREFIX|\w+_TOPIC|REPLICATION_FACTOR)$/.test(
      name,
    ),
  );
  return Object.fromEntries(names.map(name => [name, '']));
}

async function prepareServers(environment: Environment): Promise<void> {
  const admin = connectKafka(environment, 'driftloop-local').admin();
  await admin.connect();
  await prepareInstallation(admin, environment).finally(() => admin.disconnect());
  await registerContracts(connectSchemaRegistry(environment), environment);
}

function partsOf(
  { kafka, registry, clickhouse }: LocalStack,
  services: readonly ServiceProcess[],
): LoopPart[] {
  const servers = [
    { ...kafka, address: kafka.brokers },
    { ...registry, address: registry.url },
    { ...clickhouse, address: clickhouse.url },
  ];
  return [
    ...servers,
    ...services.map(service => ({ ...service, address: `${service.healthUrl}/metrics` })),
  ].map(({ name, pid, address, logFile }) => ({ ...recordedProcess(pid), name, address, logFile }));
}
