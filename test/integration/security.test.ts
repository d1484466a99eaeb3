import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import {
  serviceScript,
  startServiceProcess,
} from '../../infra/local/processes/serviceProcesses.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { startSecureKafka } from '../kafkaProtocol/secureKafka.ts';

const {
  AclOperationTypes: operation,
  AclPermissionTypes: permission,
  AclResourceTypes: resource,
  ResourcePatternTypes: pattern,
} = kafkajs;

let folder: string;
let kafka: Awaited<ReturnType<typeof startSecureKafka>>;
let installation: Installation;
let secured: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-security-'));
  kafka = await startSecureKafka(join(folder));
  installation = await freshInstallation({ KAFKA_BROKERS: kafka.plainBrokers });
  secured = { ...installation.variables, ...kafka.variables };
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await kafka.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Grants operations on everything whose name begins with the prefix of the installation. */
async function grant(resourceType: number, ...operations: number[]): Promise<void> {
  await installation.admin.createAcls({
    acl: operations.map(one => ({
      resourceType,
      resourceName: installation.environment.DRIFTLOOP_TOPIC_PREFIX,
      resourcePatternType: pattern.PREFIXED,
      principal: kafka.principal,
      host: '*',
      operation: one,
      permissionType: permission.ALLOW,
    })),
  });
}

it('a command says in one line which certificate or right is missing', async () => {
  const untrusting = await driftloop({ ...secured, KAFKA_SSL_CA_FILE: '' }, 'status');
  expect(untrusting.exitCode).toBe(1);
  expect(untrusting.errors).toMatch(/^Kafka does not answer at .*KAFKA_SSL_CA_FILE.*\n$/);
  const nameless = await driftloop({ ...secured, KAFKA_SSL_CA_FILE: '/nowhere' }, 'status');
  expect(nameless.errors).toMatch(/^environment variable KAFKA_SSL_CA_FILE: \/nowhere.*\n$/);
  const rightless = await driftloop(secured, 'status');
  expect(rightless.exitCode).toBe(1);
  expect(rightless.errors).toMatch(/^Kafka .*\n$/);
});

it('a service reads, writes and sets aside with the rights that the operators’ page lists', async () => {
  await grant(resource.TOPIC, operation.READ, operation.WRITE, operation.DESCRIBE);
  await grant(resource.GROUP, operation.READ, operation.DESCRIBE);
  const profiler = await startServiceProcess({
    name: 'profiler',
    script: serviceScript('profiler'),
    env: { ...secured, DRIFTLOOP_HTTP_PORT: String(await freePort()) },
    logFile: join(folder, 'profiler.log'),
  });
  const prediction = { model: 'm', version: '1', time: Date.now(), features: {}, prediction: 1 };
  await installation.producer.send({
    topic: `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`,
    messages: [
      { value: JSON.stringify({ id: 'a', ...prediction }) },
      { value: 'nope' },
      { value: JSON.stringify({ id: 'b', ...prediction }) },
    ],
  });
  await installation.untilQuiet('profiler');
  await profiler.stop();
  const [row] = await installation.clickhouse.select(
    'SELECT toUInt32(count()) AS predictions, (SELECT toUInt32(count()) FROM dead_letters FINAL) AS letters FROM predictions FINAL',
  );
  expect(row).toEqual({ predictions: 2, letters: 1 });
  expect((await driftloop(secured, 'status')).errors).toBe('');
});

it('dead letters are replayed with the right on the transactional id, and refused without', async () => {
  const refused = await driftloop(secured, 'dead-letters', 'replay');
  expect(refused.errors).toMatch(/^Kafka refuses: .*transactional id.*\n$/);
  await grant(resource.TRANSACTIONAL_ID, operation.WRITE, operation.DESCRIBE);
  const { output, errors } = await driftloop(secured, 'dead-letters', 'replay');
  expect([output, errors]).toEqual([
    'sent again: 1; already sent earlier: 0; other classes or models: 0\n',
    '',
  ]);
});
