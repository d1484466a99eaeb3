import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

const groupRights = [operation.READ, operation.DESCRIBE];
const serviceRights = [operation.READ, operation.WRITE, operation.DESCRIBE];
const topicsRights = [operation.CREATE, operation.DESCRIBE, operation.DESCRIBE_CONFIGS];

interface Rights {
  topics?: readonly number[];
  groups?: readonly number[];
  transactionalIds?: readonly number[];
}

/**
 * Allows these operations, and no others, on everything whose name begins with the prefix of the
 * installation.
 */
async function allowOnly({ topics = [], groups = [], transactionalIds = [] }: Rights) {
  await installation.admin.deleteAcls({
    filters: [
      {
        resourceType: resource.ANY,
        resourcePatternType: pattern.ANY,
        operation: operation.ANY,
        permissionType: permission.ANY,
      },
    ],
  });
  const allowed = [
    ...topics.map(one => ({ resourceType: resource.TOPIC, operation: one })),
    ...groups.map(one => ({ resourceType: resource.GROUP, operation: one })),
    ...transactionalIds.map(one => ({ resourceType: resource.TRANSACTIONAL_ID, operation: one })),
  ];
  if (allowed.length === 0) return;
  await installation.admin.createAcls({
    acl: allowed.map(one => ({
      ...one,
      resourceName: installation.environment.DRIFTLOOP_TOPIC_PREFIX,
      resourcePatternType: pattern.PREFIXED,
      principal: kafka.principal,
      host: '*',
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
  await allowOnly({ topics: serviceRights, groups: groupRights });
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
  await allowOnly({
    topics: serviceRights,
    groups: serviceRights,
    transactionalIds: serviceRights,
  });
  const { output, errors } = await driftloop(secured, 'dead-letters', 'replay');
  expect([output, errors]).toEqual([
    'sent again: 1; already sent earlier: 0; other classes or models: 0\n',
    '',
  ]);
});

it('`status` needs to describe topics and groups, and nothing else', async () => {
  await allowOnly({ topics: [operation.DESCRIBE], groups: [operation.DESCRIBE] });
  expect((await driftloop(secured, 'status')).errors).toBe('');
});

it('`topics` creates and compares topics with its rights, and says which one is missing', async () => {
  const prefix = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}second-`;
  const second = { ...secured, DRIFTLOOP_TOPIC_PREFIX: prefix };
  await allowOnly({ topics: [operation.DESCRIBE, operation.DESCRIBE_CONFIGS] });
  const refused = await driftloop(second, 'topics');
  expect([refused.exitCode, refused.errors]).toEqual([
    1,
    expect.stringMatching(/^Kafka refuses: .*CREATE.*\n$/),
  ]);
  await allowOnly({ topics: topicsRights });
  const created = await driftloop(second, 'topics');
  expect([created.exitCode, created.errors]).toEqual([0, '']);
  expect(created.output).toContain(`created  ${prefix}predictions`);
  const compared = await driftloop(second, 'topics');
  expect([compared.exitCode, compared.errors]).toEqual([0, '']);
  expect(compared.output).toContain(`exists   ${prefix}predictions`);
});

it('`retrain` and `reference` write with their rights, and say which one is missing', async () => {
  const file = join(folder, 'reference.jsonl');
  const row = { id: 'r', model: 'm', version: '1', time: 0, features: { a: 1 }, prediction: 1 };
  const rows = Array.from({ length: 200 }, (_, index) => ({
    ...row,
    id: `r${index}`,
    time: Date.UTC(2026, 0, 1) + index * 60_000,
  }));
  await writeFile(file, rows.map(value => `${JSON.stringify(value)}\n`).join(''));
  const commands = [
    ['retrain', 'm'],
    ['reference', 'm', '1', file],
  ];
  await allowOnly({ topics: [operation.DESCRIBE] });
  for (const command of commands) {
    const { exitCode, errors } = await driftloop(secured, ...command);
    expect([exitCode, errors]).toEqual([1, expect.stringMatching(/^Kafka refuses: .*WRITE.*\n$/)]);
  }
  await allowOnly({ topics: [operation.WRITE, operation.DESCRIBE] });
  for (const command of commands) {
    const { exitCode, errors } = await driftloop(secured, ...command);
    expect([exitCode, errors]).toEqual([0, '']);
  }
});

it('`versions` writes requests with its rights, and says which one is missing', async () => {
  const command = ['versions', 'reject', 'm', '1', '--note', 'try', '--timeout', '1'];
  await allowOnly({ topics: [operation.DESCRIBE] });
  const refused = await driftloop(secured, ...command);
  expect(refused.errors).toMatch(/^Kafka refuses: .*WRITE.*\n$/);
  await allowOnly({ topics: [operation.WRITE, operation.DESCRIBE] });
  const sent = await driftloop(secured, ...command);
  expect(sent.errors).toMatch(/^no answer within 1 s to request /);
  expect([refused.exitCode, sent.exitCode]).toEqual([1, 1]);
});

it('`rebuild` reads again with its rights, and leaves nothing behind', async () => {
  await allowOnly({
    topics: [...serviceRights, ...topicsRights, operation.DELETE],
    groups: [...groupRights, operation.DELETE],
  });
  const { exitCode, errors } = await driftloop(secured, 'rebuild', '--from', 'beginning');
  expect(exitCode, errors).toBe(0);
  const { groups } = await installation.admin.listGroups();
  const names = [...(await installation.admin.listTopics()), ...groups.map(one => one.groupId)];
  expect(names.filter(name => name.includes('-rebuild-'))).toEqual([]);
});
