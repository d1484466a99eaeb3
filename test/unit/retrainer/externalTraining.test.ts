import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchFiles } from '../../../services/retrainer/external/fetchFiles.ts';
import { missingSecrets } from '../../../services/retrainer/external/missingSecrets.ts';
import { sendRequest } from '../../../services/retrainer/external/sendRequest.ts';
import {
  platformName,
  trainingRequest,
} from '../../../services/retrainer/external/trainingRequest.ts';
import { readTrainingResult } from '../../../services/retrainer/external/trainingResult.ts';
import { fileArtifactStore } from '../../../services/shared/artifacts/fileArtifactStore.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { OutgoingRecord } from '../../../services/shared/kafka/kafka.ts';

const sha = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const files = { 'model/a/b.bin': sha, 'predictions.jsonl': sha };
const read = (content: object | string) =>
  readTrainingResult(
    Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    'run',
  );

describe('readTrainingResult', () => {
  it('reads what was trained, why a training failed, and that nothing is there', () => {
    expect(read({ runId: 'run', status: 'succeeded', files, codeVersion: 'git 5f2e' })).toEqual({
      kind: 'trained',
      trained: { files, codeVersion: 'git 5f2e' },
    });
    expect(read({ runId: 'run', status: 'failed', reason: 'no GPU' })).toEqual({
      kind: 'failed',
      reason: 'The training outside failed: no GPU',
    });
    expect(readTrainingResult(null, 'run')).toEqual({
      kind: 'none',
      found: 'There was no result.json.',
    });
    // The file may be in the middle of being written.
    expect(read('{"runId":"ru')).toMatchObject({
      kind: 'none',
      found: expect.stringMatching(/^result\.json is not JSON: /),
    });
  });

  const succeeded = { runId: 'run', status: 'succeeded', files };
  it.each([
    ['another run', { ...succeeded, runId: 'other' }, 'runId: expected run, got "other"'],
    ['no status', { runId: 'run' }, 'status: Invalid discriminator value'],
    ['no files', { runId: 'run', status: 'succeeded' }, 'files: Invalid input'],
    ['no hash', { ...succeeded, files: { ...files, 'model/x': 'abc' } }, 'files.model/x: expected'],
    ['no predictions', { ...succeeded, files: { 'model/x': sha } }, 'files: predictions.jsonl is'],
    [
      'no model',
      { ...succeeded, files: { 'predictions.jsonl': sha } },
      'files: a file below model/',
    ],
    ...['../a', 'model/../../a', 'model//a', 'model', '/etc/passwd', 'model/..\\a', 'other/a'].map(
      path =>
        [
          `path ${path}`,
          { ...succeeded, files: { ...files, [path]: sha } },
          `files: expected predictions.jsonl, and paths below model/, got ${JSON.stringify(path)}`,
        ] as const,
    ),
  ] as const)('refuses %s', (_, content, mistake) => {
    expect(read(content)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining(`The result was refused: result.json: ${mistake}`),
    });
  });
});

describe('fetchFiles', () => {
  it('names the file that is missing or another one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'driftloop-fetch-'));
    try {
      const store = fileArtifactStore(join(folder, 'store'));
      await store.create('model/a', 'abc');
      const copy = join(folder, 'copy');
      expect(await fetchFiles(store, { 'model/a': sha }, copy)).toBeNull();
      expect(await readFile(join(copy, 'model/a'), 'utf8')).toBe('abc');
      const other = '0'.repeat(64);
      expect(await fetchFiles(store, { 'model/a': other }, copy)).toBe(
        `model/a has SHA-256 ${sha}, expected ${other}`,
      );
      expect(await fetchFiles(store, { 'model/b': sha }, copy)).toBe(
        `model/b is not in ${store.uri('')}`,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('sendRequest', () => {
  const request = trainingRequest(
    {
      ...{ runId: 'run', model: 'churn', championVersion: '3', seed: 7 },
      ...{ datasetUri: 's3://b/rows.parquet', datasetChecksum: sha, taskUri: 's3://b/task.json' },
      ...{ outputUri: 's3://b/output', deadline: '2026-01-02T00:00:00.000Z' },
    },
    0,
  );
  const secret = `whsec_${Buffer.from('a secret of the platform').toString('base64')}`;
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 202;
  const server = createServer(async (incoming, answer) => {
    received.push({ headers: incoming.headers, body: await text(incoming) });
    answer.writeHead(status, { location: '/elsewhere' }).end('says so');
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/trainings?key=hidden`;
    process.env.TEST_TRAININGS_SECRET = secret;
  });
  afterAll(() => {
    delete process.env.TEST_TRAININGS_SECRET;
    server.close();
  });
  const noKafka = () => Promise.reject(new Error('there is no topic'));
  const ask = (secretEnv?: string) =>
    sendRequest(request, { webhook: { url, ...(secretEnv && { secretEnv }) } }, noKafka);

  it('posts a CloudEvent with a signature that Standard Webhooks verifies', async () => {
    expect(await ask('TEST_TRAININGS_SECRET')).toEqual({ kind: 'accepted' });
    const { headers, body } = received.at(-1)!;
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(headers['webhook-id']).toBe('run');
    const verified = new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(verified).toMatchObject({
      ...{ specversion: '1.0', id: 'run', type: 'io.driftloop.training-request', subject: 'churn' },
      data: { seed: 7, outputUri: 's3://b/output' },
    });
    await ask();
    expect(received.at(-1)!.headers).not.toHaveProperty('webhook-signature');
  });

  it.each([
    [200, 'accepted'],
    [409, 'accepted'],
    [302, 'refused'],
    [401, 'refused'],
    [429, 'away'],
    [503, 'away'],
  ])('takes status %i as %s', async (code, kind) => {
    status = code;
    const acceptance = await ask();
    expect(acceptance.kind).toBe(kind);
    if (acceptance.kind !== 'accepted')
      expect(acceptance.reason).toBe(
        `webhook ${url.replace('?key=hidden', '')} answered with status ${code}: says so`,
      );
  });

  it('sends nothing without the secret, and says so at the start', async () => {
    const mistake =
      'retraining.webhook.secretEnv: expected a secret such as whsec_… with Base64 in the environment variable NO_SUCH_SECRET; the retrainers need it.';
    const before = received.length;
    expect(await ask('NO_SUCH_SECRET')).toEqual({
      kind: 'away',
      reason: `The request is not sent. ${mistake}`,
    });
    expect(received).toHaveLength(before);
    const settings = `models: { a: { retraining: { webhook: { url: http://x, secretEnv: NO_SUCH_SECRET } } } }`;
    expect(missingSecrets(parseSettings(settings, 'test'))).toEqual([mistake]);
  });

  it('writes the same to a topic', async () => {
    const records: OutgoingRecord[] = [];
    const platform = { topic: 'trainings' };
    const send = async (record: OutgoingRecord) => void records.push(record);
    expect(await sendRequest(request, platform, send)).toEqual({ kind: 'accepted' });
    expect(records[0]).toMatchObject({ topic: 'trainings', key: 'churn' });
    expect(JSON.parse(String(records[0]!.value))).toEqual(request);
    expect(await sendRequest(request, platform, noKafka)).toEqual({
      kind: 'away',
      reason: 'topic trainings does not answer: there is no topic',
    });
    expect(platformName(platform)).toBe('topic trainings');
  });
});

describe('parseSettings', () => {
  const trainerOf = (yaml: string) => {
    const { command, webhook, topic } = parseSettings(yaml, 'f').of('a').retraining;
    return { command, webhook, topic };
  };
  it('lets the trainer of a model take the place of the one of all models', () => {
    const text = 'defaults: { retraining: { command: [x] } }\nmodels: { a: { retraining: ';
    expect(trainerOf(`${text}{ topic: t } } }`)).toEqual({ topic: 't' });
    expect(trainerOf(`${text}{ timeout: 1h } } }`)).toEqual({ command: ['x'] });
  });

  it.each([
    ['webhook: { url: ftp://x }', 'webhook.url: expected a URL without a password'],
    ['webhook: { url: "https://me:you@x" }', 'webhook.url: expected a URL without a password'],
    ['webhook: { url: http://x, secretEnv: a b }', 'webhook.secretEnv: expected the name of an'],
    ['webhook: http://x', 'webhook: expected url:, and perhaps secretEnv:'],
    ['webhook: { url: http://x, secret: y }', 'webhook.secret: is not a setting'],
    ['topic: two words', 'topic: expected the full name of a topic'],
    ['topic: t, command: [x]', 'expected only one of command, webhook, topic'],
  ])('refuses %s', (retraining, mistake) => {
    expect(() => parseSettings(`models: { a: { retraining: { ${retraining} } } }`, 'f')).toThrow(
      mistake,
    );
  });
});
