import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFolder } from '../../infra/local/libraryFolder.ts';
import { startChildProcess } from '../../infra/local/processes/childProcess.ts';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import { startServerProcess } from '../../infra/local/processes/serverProcess.ts';
import { logTail } from '../../infra/local/processes/untilReady.ts';
import { createCertificates } from '../createCertificates.ts';

const user = 'driftloop';
const password = 'secret';

/**
 * Starts a broker that asks for TLS with client certificates of an own authority, for SCRAM, and for
 * rights. A second listener without any of it is for the test itself, which may do everything.
 * @param folder receives data and certificates
 */
export async function startSecureKafka(folder: string) {
  const certificates = createCertificates(join(folder, 'certificates'));
  const [securePort, plainPort, controllerPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const configuration = join(folder, 'server.properties');
  writeFileSync(
    configuration,
    propertiesText({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      listeners: `SECURE://127.0.0.1:${securePort},PLAIN://127.0.0.1:${plainPort},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `SECURE://127.0.0.1:${securePort},PLAIN://127.0.0.1:${plainPort}`,
      'listener.security.protocol.map': 'SECURE:SASL_SSL,PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'PLAIN',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.secure.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.client.auth': 'required',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.server,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.authority,
      'log.dirs': join(folder, 'logs'),
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'transaction.state.log.num.partitions': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
      'group.min.session.timeout.ms': 1_000,
    }),
  );
  const java = (mainClass: string, ...args: string[]) => ({
    command: 'java',
    args: [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      `-Dlog4j2.configurationFile=${join(import.meta.dirname, '../../infra/local/kafka-log4j2.properties')}`,
      ...['-cp', join(libraryFolder('kafka'), '*'), mainClass, ...args],
    ],
  });
  const format = startChildProcess({
    name: 'kafka-storage',
    ...java(
      'kafka.tools.StorageTool',
      ...['format', '-t', Buffer.from('driftloop-secure').toString('base64url')],
      ...['-c', configuration, '--add-scram', `SCRAM-SHA-512=[name=${user},password=${password}]`],
    ),
    logFile: join(folder, 'format.log'),
  });
  const how = await format.exited;
  if (how !== 'ended with exit code 0') throw new Error(`${how}: ${logTail(format.logFile)}`);
  const logFile = join(folder, 'kafka.log');
  const server = await startServerProcess({
    name: 'Kafka',
    ...java('kafka.Kafka', configuration),
    logFile,
    dataFolder: folder,
    isReady: async () => logTail(logFile).includes('Kafka Server started'),
  });
  return {
    /** Address at which everything is allowed. */
    plainBrokers: `127.0.0.1:${plainPort}`,
    principal: `User:${user}`,
    /** Environment variables with which Driftloop connects. */
    variables: {
      KAFKA_BROKERS: `127.0.0.1:${securePort}`,
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: certificates.authority,
      KAFKA_SSL_CERT_FILE: certificates.clientCertificate,
      KAFKA_SSL_KEY_FILE: certificates.clientKey,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: password,
    },
    stop: () => server.stop(),
  };
}

function propertiesText(properties: Record<string, string | number>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
