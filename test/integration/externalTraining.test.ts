import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import type { TrainingRequest } from '../../services/retrainer/external/trainingRequest.ts';
import { readHandover } from '../../services/retrainer/run/handOver.ts';
import { lateResult } from '../../services/retrainer/run/outsideRun.ts';
import { answerCause } from '../../services/retrainer/run/trainingRun.ts';
import { retrainerStore } from '../../services/retrainer/store/store.ts';
import type { TrainingRunTable } from '../../services/retrainer/store/trainingRunTable.ts';
import { openArtifactStore } from '../../services/shared/artifacts/openArtifactStore.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { eventually } from '../eventually.ts';
import { fencedBlocks } from '../fencedBlocks.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { askForTraining, logRows, onX } from './logRows.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const secret = `whsec_${Buffer.from('a secret of the platform').toString('base64')}`;

/** The platform: it takes requests by HTTP, if they are signed, and by a topic. */
const received: TrainingRequest[] = [];
const platform = createServer(async (incoming, answer) => {
  const body = await text(incoming);
  received.push(
    new Webhook(secret).verify(body, incoming.headers as Record<string, string>) as TrainingRequest,
  );
  answer.writeHead(202).end();
});
const requestFor = (model: string) =>
  eventually(`a request for ${model}`, () => received.find(({ subject }) => subject === model));

/** Trains as a job of the platform does. */
async function train(request: TrainingRequest): Promise<void> {
  const script = path('../../examples/platform/run_training.py');
  const trainer = ['python3', path('./retrainer-trainer.py')];
  const job = spawn('python3', [script, ...trainer], { stdio: ['pipe', 'inherit', 'inherit'] });
  job.stdin.end(JSON.stringify(request));
  expect(await once(job, 'close')).toEqual([0, null]);
}

let installation: Installation;
async function requestInTopic(): Promise<TrainingRequest> {
  const consumer = installation.kafka.consumer({ groupId: `${trainingsTopic}-platform` });
  await consumer.connect();
  await consumer.subscribe({ topic: trainingsTopic, fromBeginning: true });
  const record = Promise.withResolvers<string>();
  await consumer.run({ eachMessage: async ({ message }) => record.resolve(String(message.value)) });
  const request = JSON.parse(await record.promise);
  await consumer.disconnect();
  return request;
}

let retrainer: ServiceProcess;
let trainingsTopic: string;
beforeAll(async () => {
  await new Promise<void>(resolve => platform.listen(0, '127.0.0.1', resolve));
  installation = await freshInstallation({ TRAININGS_SECRET: secret });
  trainingsTopic = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}trainings`;
  const url = `http://127.0.0.1:${(platform.address() as AddressInfo).port}/`;
  const webhook = `webhook: { url: "${url}", secretEnv: TRAININGS_SECRET }`;
  const config = join(installation.folder, 'driftloop.yaml');
  await writeFile(
    config,
    `models:
  posted: { retraining: { ${webhook} } }
  hostile: { retraining: { ${webhook} } }
  late: { retraining: { ${webhook}, timeout: 4s } }
  queued: { retraining: { topic: ${trainingsTopic} } }
  local: { retraining: { command: [python3, ${JSON.stringify(path('./retrainer-trainer.py'))}] } }
`,
  );
  installation.variables.DRIFTLOOP_CONFIG = config;
  for (const model of ['posted', 'hostile', 'late', 'queued', 'local', 'cutOff'])
    await logRows(installation, model, onX);
  retrainer = await installation.startService('retrainer');
});
afterAll(async () => {
  await installation.admin.deleteTopics({ topics: [trainingsTopic] });
  await installation[Symbol.asyncDispose]();
  platform.close();
});

const runOf = async (model: string) =>
  (
    await installation.clickhouse.select<{
      id: string;
      status: string;
      reasons: string[];
      trainer: string;
      candidate_version: string;
      handed_over_at: string | null;
    }>('SELECT * FROM training_runs FINAL WHERE model = {model:String}', { model })
  )[0];
const ended = (model: string) =>
  eventually(`the end of the run of ${model}`, async () => {
    const run = await runOf(model);
    return run && run.status !== 'started' ? run : null;
  });

/** The run of the first test, when it has ended. */
let posted: Awaited<ReturnType<typeof runOf>>;

it('judges what a webhook trained, though the retrainer was killed and others trained meanwhile', async () => {
  for (const model of ['posted', 'hostile', 'late', 'queued'])
    await askForTraining(installation, model, 'please');
  const request = await requestFor('posted');
  await eventually('the note that it was handed over', async () =>
    Boolean((await runOf('posted'))?.handed_over_at),
  );
  retrainer.kill();
  retrainer = await installation.startService('retrainer');
  await askForTraining(installation, 'posted', 'please');
  await askForTraining(installation, 'local', 'please');
  await installation.untilQuiet('retrainer');
  // A topic that is missing is waited for.
  await installation.admin.createTopics({ topics: [{ topic: trainingsTopic, numPartitions: 1 }] });
  expect(await runOf('local')).toMatchObject({ status: 'approved' });
  expect(await runOf('posted')).toMatchObject({ status: 'started', id: request.id });
  const page = readFileSync(path('../../docs/training/README.md'), 'utf8');
  const [waiting] = fencedBlocks(page).filter(({ kind }) => kind === 'sql');
  expect(await installation.clickhouse.select(waiting!.text)).toContainEqual(
    expect.objectContaining({ model: 'posted', id: request.id }),
  );

  await train(request);
  await train(await requestInTopic());
  posted = await ended('posted');
  expect(posted).toMatchObject({
    status: 'approved',
    candidate_version: '2',
    trainer: expect.stringMatching(/^webhook http:\/\/127\.0\.0\.1:\d+\/$/),
  });
  const [version] = await installation.clickhouse.select<{ uri: string }>(
    "SELECT artifact_uri AS uri FROM model_versions FINAL WHERE model = 'posted'",
  );
  const rule = await readFile(join(fileURLToPath(version!.uri), 'rule.json'), 'utf8');
  expect(JSON.parse(rule).threshold).toBeCloseTo(5, 0);
  const ofPosted = received.filter(({ subject }) => subject === 'posted');
  expect(ofPosted.map(({ id }) => id)).toEqual([request.id]);
});

it('refuses a result that is another one than it says, and one that comes too late', async () => {
  // Once more, when the run has ended.
  await train(await requestFor('posted'));
  const request = await requestFor('hostile');
  const output = fileURLToPath(request.data.outputUri);
  await mkdir(join(output, 'model'), { recursive: true });
  await writeFile(join(output, 'model/rule.json'), 'something else');
  await writeFile(join(output, 'predictions.jsonl'), '');
  const files = { 'model/rule.json': '0'.repeat(64), 'predictions.jsonl': '0'.repeat(64) };
  const result = { runId: request.id, status: 'succeeded', files };
  await writeFile(join(output, 'result.json'), JSON.stringify(result));
  expect(await ended('hostile')).toMatchObject({
    status: 'failed',
    reasons: [
      expect.stringMatching(/^The result was refused: model\/rule\.json has SHA-256 .*, expected /),
    ],
  });

  const late = await ended('late');
  const reason = expect.stringMatching(
    /^The training outside has left no result before .*Z \(retraining\.timeout\)\. There was no result\.json\.$/,
  );
  expect(late).toMatchObject({ status: 'failed', reasons: [reason] });
  await train(await requestFor('late'));
  const refused = await eventually('the refusal', async () => {
    const run = await runOf('late');
    return run!.reasons.length > 1 && run;
  });
  expect(refused).toMatchObject({ status: 'failed', reasons: [reason, lateResult] });
});

it('keeps one request for a run that was cut off before it was noted', async () => {
  const store = retrainerStore(installation.clickhouse);
  const answer = (runs: Pick<TrainingRunTable, 'selectState' | 'insert'>) =>
    answerCause(
      { type: 'manual', id: 'cut off', model: 'cutOff' },
      parseSettings('defaults: { retraining: { topic: nowhere } }', 'test').of('cutOff'),
      () => ({ train: true }),
      {
        store: { ...store, runs: runs as TrainingRunTable },
        artifacts: openArtifactStore(installation.environment.DRIFTLOOP_ARTIFACTS),
        workFolder: installation.environment.DRIFTLOOP_ARTIFACTS,
        lineage: { namespace: '', kafkaNamespace: '', topics: [] },
        announce: async () => {},
        publish: async () => {},
        publishReference: async () => {},
        submit: async () => {},
        log: pino({ level: 'silent' }),
        signal: new AbortController().signal,
      },
    );
  const { runs } = store;
  const cutOff = answer({
    selectState: (...of) => runs.selectState(...of),
    insert: row => (row.deadlineMs ? Promise.reject(new Error('killed')) : runs.insert(row)),
  });
  await expect(cutOff).rejects.toThrow('killed');
  const { id } = (await runOf('cutOff'))!;
  const kept = openArtifactStore(installation.environment.DRIFTLOOP_ARTIFACTS).below('cutOff');
  const handover = await readHandover({ runId: id, artifacts: kept });
  expect(await answer(runs)).toBeNull();
  const [row] = await runs.selectOutside(0, '').then(rows => rows.filter(one => one.id === id));
  expect(row).toMatchObject({
    status: 'started',
    deadlineMs: Date.parse(handover!.request.data.deadline),
  });
  expect(await readHandover({ runId: id, artifacts: kept })).toEqual(handover);
});

it('has handed over by a topic, and taken each result once', async () => {
  expect(await ended('queued')).toMatchObject({
    status: 'approved',
    trainer: `topic ${trainingsTopic}`,
  });
  expect(await runOf('posted')).toEqual(posted);
  expect(
    await installation.clickhouse.select(
      'SELECT model, version FROM model_versions FINAL ORDER BY model',
    ),
  ).toEqual([
    { model: 'local', version: '2' },
    { model: 'posted', version: '2' },
    { model: 'queued', version: '2' },
  ]);
});
