import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { selectKeptArtifacts, selectMadeVersion } from '../../bin/versions/artifactQueries.ts';
import { exportToDvc, objectPath } from '../../bin/versions/exportToDvc.ts';
import { readFileOfVersion } from '../../bin/versions/fileOfVersion.ts';
import { reproduceVersion } from '../../bin/versions/reproduceVersion.ts';
import { type S3Server, startS3Server } from '../../infra/local/s3Server.ts';
import type { StoredVersion } from '../../services/mlflow/content/storedVersion.ts';
import { sourceOf, uploadModel } from '../../services/mlflow/sync/uploadModel.ts';
import type { LineageEvent } from '../../services/retrainer/run/lineageEvent.ts';
import type { ArtifactStore } from '../../services/shared/artifacts/artifactStore.ts';
import { folderChecksum, hashFiles } from '../../services/shared/artifacts/folderChecksum.ts';
import { openArtifactStore } from '../../services/shared/artifacts/openArtifactStore.ts';
import {
  artifactDifference,
  withArtifactFolder,
} from '../../services/shared/artifacts/readArtifact.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { RetrainRequest } from '../../services/shared/contracts.ts';
import { driftloop } from '../commands.ts';
import { eventually } from '../eventually.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const bucket = 'models';
let folder: string;
let server: S3Server;
const startServer = (port = 0) =>
  startS3Server(bucket, { dir: join(folder, 's3'), port, logDir: folder });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-s3-'));
  server = await startServer();
  for (const [name, value] of Object.entries(server.variables)) vi.stubEnv(name, value);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

/** Makes a folder with a model and what makes it whole, as a run leaves it. */
async function madeFolder(name: string, weights: string): Promise<string> {
  const made = join(folder, 'made', name);
  await mkdir(join(made, 'model/layers'), { recursive: true });
  await writeFile(join(made, 'model/layers/weights'), weights);
  await writeFile(join(made, 'model/rule.json'), '{}');
  const files = await hashFiles({ store: openArtifactStore(made), path: 'model' });
  await writeFile(join(made, 'model.files.json'), JSON.stringify(files));
  await writeFile(join(made, 'result.json'), name);
  return made;
}

describe.each(['file', 's3'])('a store of artifacts: %s', kind => {
  let store: ArtifactStore;
  beforeAll(() => {
    store = openArtifactStore(kind === 's3' ? `s3://${bucket}/all/of it` : join(folder, 'store'));
  });

  it('creates a file once, whoever asks at the same moment', async () => {
    const asked = Array.from({ length: 6 }, (_, index) => store.create('names/2', `run${index}`));
    const created = await Promise.all(asked);
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(String(await store.read('names/2'))).toBe(`run${created.indexOf(true)}`);
    expect(await store.read('names/3')).toBeNull();
  });

  it('keeps the first folder, and reads it with its checksum', async () => {
    const first = await madeFolder(`${kind}-first`, 'weights');
    const checksum = await folderChecksum(join(first, 'model'));
    await store.keepFolder('versions/run', first, 'result.json');
    const second = await madeFolder(`${kind}-second`, 'weights');
    await store.keepFolder('versions/run', second, 'result.json');
    expect(String(await store.read('versions/run/result.json'))).toBe(`${kind}-first`);
    expect(await store.list('versions/run')).toEqual([
      'model.files.json',
      'model/layers/weights',
      'model/rule.json',
      'result.json',
    ]);
    const uri = store.uri('versions/run/model');
    const read = await withArtifactFolder(uri, checksum, local => folderChecksum(local));
    expect(read).toBe(checksum);
    expect(await artifactDifference(uri, checksum)).toBeNull();
  });

  it('names the file that is not what it was, with what was expected and what was found', async () => {
    const uri = store.uri('versions/run/model');
    const checksum = await withArtifactFolder(uri, undefined, local => folderChecksum(local));
    const others = join(folder, 'others');
    await writeFile(others, 'others');
    await store.putFile('versions/run/model/layers/weights', others);
    const difference = await artifactDifference(uri, checksum);
    expect(difference?.replace(/[0-9a-f]{64}/g, '…')).toBe(
      `${uri}: layers/weights has 6 bytes with SHA-256 …, expected 7 bytes with SHA-256 …`,
    );
    await expect(withArtifactFolder(uri, checksum, async () => {})).rejects.toThrow(difference!);
    await store.remove('versions/run/model/layers');
    expect(await artifactDifference(uri, checksum)).toMatch(/layers\/weights is missing, expected/);
    await store.remove('versions');
    expect(await store.list('')).toEqual(['names/2']);
    await expect(artifactDifference(uri, checksum)).rejects.toThrow(`${uri} has no files`);
  });
});

it('says what is wrong with a bucket or a key that is refused', async () => {
  const store = openArtifactStore('s3://nobody-has-this/prefix');
  await expect(store.create('a', 'b')).rejects.toThrow(
    /^s3:\/\/nobody-has-this\/prefix\/a: NoSuchBucket: /,
  );
});

describe('a retrainer with a bucket', () => {
  let installation: Installation;
  const posted: LineageEvent[] = [];
  const lineageServer = createServer(async (request, response) => {
    posted.push((await json(request)) as LineageEvent);
    response.writeHead(request.url === '/api/v1/lineage' ? 201 : 404).end();
  });
  beforeAll(async () => {
    const trainer = fileURLToPath(new URL('./retrainer-trainer.py', import.meta.url));
    const config = join(folder, 'driftloop.yaml');
    await writeFile(
      config,
      `defaults: { retraining: { command: [python3, ${JSON.stringify(trainer)}] } }\n`,
    );
    await new Promise<void>(resolve => lineageServer.listen(0, '127.0.0.1', resolve));
    installation = await freshInstallation({
      DRIFTLOOP_ARTIFACTS: `s3://${bucket}/retrainer`,
      DRIFTLOOP_CONFIG: config,
      OPENLINEAGE_URL: `http://127.0.0.1:${(lineageServer.address() as AddressInfo).port}`,
      ...server.variables,
    });
    const { predictions, outcomes, progress } = rows('churn');
    await installation.clickhouse.insert('predictions', predictions);
    await installation.clickhouse.insert('outcomes', outcomes);
    await installation.clickhouse.insert('stream_progress', [progress]);
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    lineageServer.close();
  });

  async function request(id: string): Promise<void> {
    const topic = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}retrain-requests`;
    const encode = await installation.schemas.encoder<RetrainRequest>('RetrainRequest', topic);
    const from = { model: 'churn', reason: 'manual', requestedBy: 'test', time: 0 } as const;
    const messages = [{ key: 'churn', value: encode({ id, ...from }) }];
    await installation.producer.send({ topic, messages });
  }

  const versions = () =>
    installation.clickhouse.select<{
      version: string;
      state: string;
      uri: string;
      checksum: string;
    }>(
      `SELECT version, toString(state) AS state, artifact_uri AS uri, artifact_checksum AS checksum
       FROM model_versions FINAL ORDER BY version`,
    );

  it('trains one version in the end while the bucket is away for a time', async () => {
    const { port } = new URL(server.variables.AWS_ENDPOINT_URL_S3!);
    await server.stop();
    const retrainer = await installation.startService('retrainer');
    await request('first');
    await eventually('the retrainer to wait for the bucket', async () => {
      const text = await (await fetch(`${retrainer.healthUrl}/metrics`)).text();
      const [, waited] =
        /^driftloop_waiting_seconds\{[^}]*server="the store of artifacts"[^}]*\} (\S+)/m.exec(
          text,
        ) ?? [];
      return Number(waited) > 0;
    });
    server = await startServer(Number(port));
    await request('first');
    await installation.untilQuiet('retrainer');

    const made = await versions();
    expect(made).toMatchObject([{ version: '2', state: 'champion' }]);
    const { uri, checksum } = made[0]!;
    expect(uri).toMatch(/^s3:\/\/models\/retrainer\/churn\/versions\/[^/]+\/model-[0-9a-f]{16}$/);
    expect(await artifactDifference(uri, checksum)).toBeNull();
    expect(posted.map(({ eventType, job }) => [eventType, job.name])).toEqual([
      ['START', 'train.churn'],
      ['COMPLETE', 'train.churn'],
    ]);
    expect(posted[1]!.outputs).toMatchObject([{}, { namespace: 's3://models' }]);
    const kept = await openArtifactStore(`s3://${bucket}/retrainer/churn`).list('');
    expect(kept.map(name => name.replace(/[0-9a-f][0-9a-f-]{15,}/g, '…'))).toEqual([
      'datasets/…/rows.parquet',
      'logs/….log',
      'names/2',
      'versions/…/model-….files.json',
      'versions/…/model-…/rule.json',
      'versions/…/model-card.md',
      'versions/…/result.json',
      'versions/…/task.json',
    ]);
  });

  it('gives the files to MLflow', async () => {
    const { uri, checksum } = (await versions())[0]!;
    const version: StoredVersion = {
      ...{ model: 'churn', version: '2', status: 'approved', state: 'champion', reasons: [] },
      ...{ metrics: {}, championVersion: '1', runId: 'run', codeVersion: 'python3 train.py' },
      ...{ artifactUri: uri, artifactChecksum: checksum, judgedAtMs: 0, changedBy: '' },
      ...{ note: null, causeType: 'manual', causeId: 'first', startedAtMs: 0 },
      ...{ datasetId: '', dataset: null },
    };
    const run = { id: 'r', artifactUri: 'mlflow-artifacts:/1/r/artifacts' };
    const source = sourceOf(version, run);
    expect(source).toEqual({ uri: `${run.artifactUri}/model`, target: '1/r/artifacts/model' });
    const taken: Record<string, string> = {};
    const requests = {
      uploadFile: async (path: string, file: string) => {
        taken[path] = await readFile(file, 'utf8');
      },
      uploadText: async (path: string, content: string) => {
        taken[path] = content;
      },
    };
    expect(await uploadModel(version, run.id, source.target!, requests)).toBeNull();
    expect(Object.keys(taken)).toEqual([
      '1/r/artifacts/model/rule.json',
      '1/r/artifacts/model/MLmodel',
    ]);
    expect(JSON.parse(taken['1/r/artifacts/model/rule.json']!)).toHaveProperty('threshold');
    const other = { ...version, artifactChecksum: '0'.repeat(64) };
    expect(await uploadModel(other, run.id, source.target!, requests)).toMatch(
      /^model s3:.* has checksum .*, expected 0+: it was changed or damaged$/,
    );
    expect(sourceOf(version, { ...run, artifactUri: 's3://elsewhere' })).toEqual({
      ...{ uri, target: null, files: `in ${uri}` },
    });
  });

  it('keeps a model card, and trains the same version again', async () => {
    const { clickhouse } = installation;
    const made = (await selectMadeVersion(clickhouse, 'churn', '2'))!;
    expect(await readFileOfVersion(made, 'model-card.md')).toMatch(
      /^# Model card: churn, version 2/,
    );
    const settings = readSettings(installation.variables.DRIFTLOOP_CONFIG).of('churn');
    const { artifactUri: uri, artifactChecksum: checksum } = made;
    expect(await reproduceVersion(made, settings)).toEqual({ checksum, differences: [] });

    const remote = `s3://${bucket}/dvc`;
    await exportToDvc(made, remote, join(folder, 'rows.parquet.dvc'));
    const { outs } = parse(await readFile(join(folder, 'rows.parquet.dvc'), 'utf8'));
    const object = await openArtifactStore(remote).read(objectPath(outs[0].md5));
    expect(createHash('md5').update(object!).digest('hex')).toBe(outs[0].md5);
    expect(outs).toMatchObject([{ size: object!.length, hash: 'md5', path: 'rows.parquet' }]);

    const store = openArtifactStore(uri.slice(0, uri.lastIndexOf('/')));
    const task = JSON.parse(await readFileOfVersion(made, 'task.json'));
    const others = join(folder, 'task.json');
    const train = { ...task.splits.train, end: 50 };
    await writeFile(others, JSON.stringify({ ...task, splits: { ...task.splits, train } }));
    await store.putFile('task.json', others);
    const { differences } = await reproduceVersion(made, settings);
    expect(differences).toEqual([
      expect.stringMatching(/^The checksum is /),
      expect.stringMatching(/^rule\.json: SHA-256 /),
    ]);
    await expect(reproduceVersion({ ...made, trainer: 'another' }, settings)).rejects.toThrow(
      /was trained by "another", but the trainer here is "python3 /,
    );
    await expect(reproduceVersion({ ...made, datasetId: 'd' }, settings)).rejects.toThrow(
      /has the rows of dataset [0-9a-f]{64}, expected d/,
    );
  });

  it('prunes what nothing needs, and says so', async () => {
    for (const id of ['second', 'third']) await request(id);
    await installation.untilQuiet('retrainer');
    const [two, three] = await versions();
    const { exitCode, output } = await driftloop(
      installation.variables,
      ...['versions', 'prune', '--all', '--keep', '1'],
    );
    expect(exitCode).toBe(0);
    expect(output).toMatch(
      /version 2 +removed +It is superseded, and none of the newest 1 that have served\./,
    );
    expect(output).toMatch(/version 4 +kept +The alias champion names it\./);
    expect(output).toMatch(/dataset [0-9a-f]{12} +kept +Version .* was trained on it\./);
    await expect(artifactDifference(two!.uri, two!.checksum)).rejects.toThrow('has no files');
    expect(await artifactDifference(three!.uri, three!.checksum)).toBeNull();
    expect(await versions()).toMatchObject([
      { version: '2', state: 'retired' },
      { version: '3', state: 'superseded' },
      { version: '4', state: 'champion' },
    ]);
    const { clickhouse } = installation;
    expect(
      await clickhouse.select('SELECT version, uri, reason FROM removed_artifacts FINAL'),
    ).toMatchObject([{ version: '2', uri: two!.uri }]);
    expect(await selectMadeVersion(clickhouse, 'churn', '2')).toMatchObject({
      removedAt: expect.stringMatching(/^20/),
    });
    const left = await selectKeptArtifacts(clickhouse, 'churn');
    expect(left.versions.map(({ version }) => version).sort()).toEqual(['3', '4']);
  });
});

/** Labelled rows of a champion that guesses; the label says whether x is above 5. */
function rows(model: string) {
  const count = 600;
  const startMs = Date.UTC(2026, 0, 1);
  const at = (minute: number) => new Date(startMs + minute * 60_000).toISOString();
  const all = Array.from({ length: count }, (_, index) => {
    const x = (index * 7) % 11;
    return {
      model,
      version: '1',
      id: `p${index}`,
      event_time: at(index),
      prediction: String(index % 2),
      prediction_value: index % 2,
      score: null,
      segments: {},
      numeric_features: { x },
      code_version: '',
      source_partition: 0,
      source_offset: index,
      label: String(Number(x > 5)),
      label_value: Number(x > 5),
      observed_at: at(index + 60),
      precedence: index,
    };
  });
  const of = (names: string[]) =>
    all.map(row =>
      Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name))),
    );
  const common = [
    'model',
    'version',
    'id',
    'event_time',
    'prediction',
    'prediction_value',
    'segments',
  ];
  return {
    predictions: of([...common, 'numeric_features', 'source_partition', 'source_offset']),
    outcomes: of([...common, 'label', 'label_value', 'observed_at', 'precedence']),
    progress: {
      model,
      version: '1',
      source_partition: 0,
      last_offset: count,
      first_event_time: at(0),
      max_event_time: at(count),
      deduplicated_from: at(0),
      predictions: count,
    },
  };
}
