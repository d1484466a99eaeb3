import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../services/shared/userError.ts';
import { libraryFolder } from './libraryFolder.ts';
import { type ChildProcess, startChildProcess } from './processes/childProcess.ts';
import { claimPort, freePort, localHost } from './processes/claimPort.ts';
import { untilUnowned } from './processes/dataFolderOwner.ts';
import { startServerProcess } from './processes/serverProcess.ts';
import type { StartOptions } from './processes/startOptions.ts';
import { logTail, tellingLine } from './processes/untilReady.ts';

export interface KafkaServer extends ChildProcess {
  /** host:port */
  brokers: string;
}

const smallJvm = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Kafka wants 16 bytes in this form. */
const clusterId = Buffer.from('driftloop--local').toString('base64url');

/** Starts one Kafka broker that is its own controller (KRaft). @throws UserError if it cannot */
export async function startKafka({ dir, port, logDir }: StartOptions): Promise<KafkaServer> {
  const classPath = join(libraryFolder('kafka'), '*');
  const dataFolder = resolve(dir);
  await untilUnowned('Kafka', dataFolder);
  const brokerPort = await claimPort('Kafka', port, 'DRIFTLOOP_KAFKA_PORT');
  const configuration = join(dataFolder, 'server.properties');
  writeFileSync(
    configuration,
    serverProperties(join(dataFolder, 'logs'), brokerPort, await freePort()),
  );
  await formatOnce(classPath, dataFolder, configuration, logDir);

  const logging = join(import.meta.dirname, 'kafka-log4j2.properties');
  const logFile = join(logDir, 'kafka.log');
  const child = await startServerProcess({
    name: 'Kafka',
    command: 'java',
    args: [
      ...smallJvm,
      `-Dlog4j2.configurationFile=${logging}`,
      '-cp',
      classPath,
      'kafka.Kafka',
      configuration,
    ],
    logFile,
    dataFolder,
    isReady: async () => logTail(logFile).includes('Kafka Server started'),
  });
  return { ...child, brokers: `${localHost}:${brokerPort}` };
}

/**
 * Writes the identity of the cluster into an empty data folder. Kafka does not start without it.
 */
async function formatOnce(
  classPath: string,
  dataFolder: string,
  configuration: string,
  logDir: string,
): Promise<void> {
  if (existsSync(join(dataFolder, 'logs', 'meta.properties'))) return;
  const format = startChildProcess({
    name: 'kafka-storage',
    command: 'java',
    args: [
      ...smallJvm,
      '-cp',
      classPath,
      'kafka.tools.StorageTool',
      'format',
      '--ignore-formatted',
      '-t',
      clusterId,
      '-c',
      configuration,
    ],
    logFile: join(logDir, 'kafka-format.log'),
  });
  const how = await format.exited;
  if (how === 'ended with exit code 0') return;
  throw new UserError(
    `the data folder of Kafka, ${dataFolder}, could not be prepared: kafka-storage ${how}: ${tellingLine(logTail(format.logFile))} (log: ${format.logFile})`,
  );
}

function serverProperties(logFolder: string, brokerPort: number, controllerPort: number): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${localHost}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${localHost}:${brokerPort},CONTROLLER://${localHost}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${localHost}:${brokerPort}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logFolder,
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'message.max.bytes': 8 * 1024 ** 2,
    // Kafka takes the age of a record from its timestamp, and replayed streams are decades old. So
    // the logs are limited by size instead.
    'log.retention.ms': -1,
    'log.retention.bytes': 2 * 1024 ** 3,
    // A stack that was down for weeks goes on where it stopped.
    'offsets.retention.minutes': 365 * 24 * 60,
    // The default of 128 MB is too much for the small heap.
    'log.cleaner.dedupe.buffer.size': 16 * 1024 ** 2,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
