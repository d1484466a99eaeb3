import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestVersion } from '../../bin/versions/requestVersion.ts';
import { type MlflowServer, startMlflow } from '../../infra/local/mlflow.ts';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { runCommand } from '../../infra/python/runCommand.ts';
import { MlflowRegistry } from '../../services/mlflow/client/mlflowRegistry.ts';
import { MlflowRequests } from '../../services/mlflow/client/mlflowRequests.ts';
import { experimentName, registeredName, tags } from '../../services/mlflow/content/names.ts';
import { type AliasRow, MlflowStore } from '../../services/mlflow/store/mlflowStore.ts';
import { keepAliases } from '../../services/mlflow/sync/keepAliases.ts';
import { keepVersion } from '../../services/mlflow/sync/keepVersion.ts';
import { revisions } from '../../services/retrainer/store/modelVersionTable.ts';
import { type RetrainerStore, retrainerStore } from '../../services/retrainer/store/store.ts';
import { recordOfGates } from '../../services/retrainer/versions/publishedVersion.ts';
import { folderChecksum } from '../../services/shared/artifacts/folderChecksum.ts';
import type { VersionRequest } from '../../services/shared/contracts.ts';
import { deterministicId } from '../../services/shared/deterministicId.ts';
import { type FaultProxy, startFaultProxy } from '../chaos/faultProxy.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const judgedMs = Date.UTC(2026, 0, 1);
const model = 'fraud/eu';
const name = registeredName(model);
/** A clean clone installs the server first. */
const startTimeoutMs = 300_000;

describe('MLflow', () => {
  let folder: string;
  let server: MlflowServer;
  /** Between the service and the server. */
  let proxy: FaultProxy;
  let isAway = false;
  let installation: Installation;
  let service: ServiceProcess;
  let store: RetrainerStore;
  let requests: MlflowRequests;
  let registry: MlflowRegistry;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftloop-mlflow-'));
    server = await startMlflow({ dir: join(folder, 'data'), logDir: folder });
    proxy = await startFaultProxy(server.url, (url, answer) => {
      // One part of the requests gets nothing but a page.
      if (isAway) answer.writeHead(url.includes('registered') ? 200 : 503).end('<p>Back soon');
      return isAway;
    });
    installation = await freshInstallation({ MLFLOW_TRACKING_URI: proxy.url });
    const config = join(installation.folder, 'driftloop.yaml');
    await writeFile(config, 'defaults: { retraining: { approval: manual } }\n');
    installation.variables.DRIFTLOOP_CONFIG = config;
    store = retrainerStore(installation.clickhouse);
    const environment = { ...installation.environment, MLFLOW_TRACKING_URI: server.url };
    requests = new MlflowRequests(environment, new AbortController().signal);
    registry = new MlflowRegistry(requests);
    await installation.startService('retrainer');
    service = await installation.startService('mlflow');
  }, startTimeoutMs);
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await proxy.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }, startTimeoutMs);

  /** Makes a version as a training does, up to the verdict of the gates. */
  async function train(ofModel: string, version: string): Promise<void> {
    const artifact = join(installation.folder, 'artifacts', encodeURIComponent(ofModel), version);
    await mkdir(join(artifact, 'deep'), { recursive: true });
    await writeFile(join(artifact, 'weights.bin'), `weights of ${version}`);
    await writeFile(join(artifact, 'deep', 'labels.json'), '["no", "yes"]');
    const datasetId = deterministicId('rows', ofModel, version).padEnd(64, '0');
    const runId = deterministicId('run', ofModel, version);
    const [train, select, gate] = [
      { start: 0, end: 700 },
      { start: 700, end: 800 },
      { start: 800, end: 1000 },
    ];
    await store.datasets.insert({
      id: datasetId,
      model: ofModel,
      split: { train, select, gate },
      fromMs: 0,
      toMs: judgedMs,
      features: [
        { name: 'amount', type: 'number' },
        { name: 'city', type: 'text' },
      ],
      task: 'binary',
      uri: 'file:///rows.parquet',
      checksum: 'c',
    });
    await store.runs.insert({
      id: runId,
      revision: 1,
      cause: { type: 'manual', id: 'the request', model: ofModel },
      status: 'approved',
      reasons: [],
      datasetId,
      rowsSinceChange: 0,
      championVersion: '1',
      candidateVersion: version,
      metrics: {},
      trainer: 'python3 train.py',
      seed: 1,
      startedAtMs: judgedMs - 1_000,
      finishedAtMs: judgedMs,
    });
    const facts = {
      model: ofModel,
      version,
      reasons: ['Comparison: a lower loss.', 'Verdict: promote.'],
      metrics: { challengerLoss: 0.25, rows: 200 },
      championVersion: '1',
      runId,
      causeType: 'manual',
      causeId: 'the request',
      datasetId,
      codeVersion: 'python3 train.py',
      artifactUri: pathToFileURL(artifact).href,
      artifactChecksum: await folderChecksum(artifact),
      referenceId: 'reference',
      verdict: 'promote',
    } as const;
    const record = recordOfGates({ ...facts, reasons: [...facts.reasons] }, 'candidate', judgedMs);
    await store.versions.insert(record, revisions.judged, judgedMs);
  }

  const ask = (action: VersionRequest['action'], version: string | null) =>
    requestVersion(
      installation.environment,
      { action, model, version, expectedChampion: null, note: 'by hand' },
      30_000,
    );

  /** What a person does in the pages of MLflow. */
  const move = (alias: string, number: string | null) => registry.setAlias(name, alias, number);

  const aliases = async (ofModel = model) =>
    (await registry.model(registeredName(ofModel)))?.aliases;
  const inTime = { timeout: 30_000, interval: 200 };

  async function counts(ofModel: string): Promise<{ runs: number; versions: number }> {
    const id = await registry.experimentId(experimentName(ofModel));
    const { runs = [] } = await requests.post<{ runs?: unknown[] }>('runs/search', {
      experiment_ids: [id],
    });
    const { model_versions: versions = [] } = await requests.get<{ model_versions?: unknown[] }>(
      'model-versions/search',
      { filter: `name = '${registeredName(ofModel)}'` },
    );
    return { runs: runs.length, versions: versions.length };
  }

  it('has a version with its training, its files and its signature', async () => {
    await train(model, '2');
    await ask('submit', '2');
    await expect.poll(() => aliases(), inTime).toEqual({ challenger: '1' });
    const version = await registry.version(name, '1');
    expect(version!.tags).toMatchObject({
      'driftloop.version': '2',
      'driftloop.state': 'waiting_for_approval',
      'driftloop.verdict': 'promote',
      'driftloop.cause': 'manual',
      'driftloop.dataset': expect.stringMatching(/^[0-9a-f]{64}$/),
      'driftloop.files': expect.stringMatching(/^uploaded from file:/),
    });
    const runId = version!.tags[tags.run]!;
    const experiment = await registry.experimentId(experimentName(model));
    const { id } = (await registry.findRun(experiment, tags.run, runId))!;
    const { run } = await requests.get<{ run: { data: object; inputs: object; info: object } }>(
      'runs/get',
      { run_id: id },
    );
    expect(run.info).toMatchObject({ status: 'FINISHED', start_time: judgedMs - 1_000 });
    expect(run.data).toMatchObject({
      metrics: expect.arrayContaining([
        expect.objectContaining({ key: 'challengerLoss', value: 0.25 }),
      ]),
      params: expect.arrayContaining([
        { key: 'trainer', value: 'python3 train.py' },
        { key: 'trainRows', value: '700' },
      ]),
    });
    expect(run.inputs).toMatchObject({ dataset_inputs: [{ dataset: { name: model } }] });
    // MLflow's own client finds all of it.
    const program = `
import mlflow, sys
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.artifacts.download_artifacts(f"models:/{sys.argv[2]}/1", dst_path=sys.argv[3])
print(open(found + "/weights.bin").read(), open(found + "/deep/labels.json").read())
print(mlflow.models.get_model_info(f"models:/{sys.argv[2]}@challenger").signature)
`;
    const python = join(server.programs, 'python');
    const output = await runCommand(python, ['-c', program, server.url, name, folder]);
    expect(output).toContain('weights of 2 ["no", "yes"]');
    expect(output).toMatch(/'amount': double \(optional\), 'city': string \(optional\)/);
  });

  it('takes a moved alias for a request, and lets it stand when that is accepted', async () => {
    await move('champion', '1');
    await expect.poll(() => aliases(), inTime).toEqual({ champion: '1' });
    await train(model, '3');
    await ask('submit', '3');
    await ask('approve', '3');
    await expect.poll(() => aliases(), inTime).toEqual({ champion: '2', previous: '1' });
    await move('champion', '1');
    const requested = () =>
      installation.clickhouse.select<Record<string, string>>(
        `SELECT action, version, requested_by, expected_champion, outcome FROM version_requests
         WHERE model = {model:String} AND requested_by = 'mlflow' ORDER BY sequence`,
        { model },
      );
    await expect.poll(() => aliases(), inTime).toEqual({ champion: '1' });
    expect(await requested()).toEqual([
      {
        action: 'approve',
        version: '2',
        requested_by: 'mlflow',
        expected_champion: null,
        outcome: 'accepted',
      },
      {
        action: 'rollback',
        version: '2',
        requested_by: 'mlflow',
        expected_champion: '3',
        outcome: 'accepted',
      },
    ]);
    expect((await registry.version(name, '2'))!.tags['driftloop.state']).toBe('rolled_back');
  });

  it('sets an alias back that cannot stand, and says why', async () => {
    const refused = async (alias: 'champion' | 'previous') =>
      (await registry.model(name))!.tags[tags.refused(alias)];
    await move('champion', '2');
    await expect
      .poll(() => refused('champion'), inTime)
      .toMatch(/Z: Version 3 does not wait for approval; it is rolled back\.$/);
    await move('previous', '2');
    await expect.poll(() => refused('previous'), inTime).toMatch(/follows the champion before/);
    await expect.poll(() => aliases(), inTime).toEqual({ champion: '1' });
    await move('champion', null);
    await expect.poll(() => aliases(), inTime).toEqual({ champion: '1' });
  });

  it(
    'catches up after MLflow was away and the service was killed',
    async () => {
      const before = await counts(model);
      isAway = true;
      await train(model, '4');
      await ask('submit', '4');
      await ask('approve', '4');
      const ready = async () => (await fetch(`${service.healthUrl}/ready`)).text();
      await expect.poll(ready, inTime).toMatch(/waiting for MLflow for \d+ s: .*Back soon/);
      service.kill();
      const started = installation.startService('mlflow');
      isAway = false;
      service = await started;
      await expect.poll(() => aliases(), inTime).toEqual({ champion: '3', previous: '1' });
      await installation.untilQuiet('mlflow');
      expect(await counts(model)).toEqual({ runs: before.runs + 1, versions: before.versions + 1 });
    },
    startTimeoutMs,
  );

  it('doubles and loses nothing, wherever it is cut off', async () => {
    await service.stop();
    const cut = 'cut off here';
    const sut = 'cut off';
    const database = new MlflowStore(installation.clickhouse);
    let done = 0;
    /** A client whose process ends when a number of requests that change something is done. */
    const cutAfter = (limit: number) =>
      new MlflowRegistry(
        new Proxy(requests, {
          get: (target, key) => {
            const method = Reflect.get(target, key);
            return async (...args: unknown[]) => {
              const answer = await Reflect.apply(method, target, args);
              if (key !== 'get' && args[0] !== 'runs/search') done++;
              if (done === limit) throw new Error(cut);
              return answer;
            };
          },
        }),
      );
    const untilCut = async (limit: number, work: (registry: MlflowRegistry) => Promise<void>) => {
      done = 0;
      return work(cutAfter(limit)).then(
        () => false,
        error => {
          expect((error as Error).message).toBe(cut);
          return true;
        },
      );
    };
    let versions = 0;
    for (let limit = 1, isCut = true; isCut; limit++) {
      await train(sut, String(limit));
      const stored = (await database.selectVersion(sut, String(limit)))!;
      isCut = await untilCut(limit, one => keepVersion(stored, one));
      await keepVersion(stored, registry);
      versions++;
    }
    expect(versions).toBeGreaterThan(8);
    expect(await counts(sut)).toEqual({ runs: versions, versions });

    const asked: VersionRequest[] = [];
    const row = (version: number): AliasRow => ({
      ...{ model: sut, alias: 'champion', version: String(version), sequence: version },
      isMade: true,
    });
    let moved = 0;
    for (let limit = 1, isCut = true; isCut; limit++) {
      const keep = async (one: MlflowRegistry, wanted: AliasRow) =>
        keepAliases(sut, (await one.model(sut))!, [wanted], {
          registry: one,
          store: database,
          numbers: new Map(),
          ask: async request => void asked.push(request),
          asked: new Set(),
        });
      moved = 2 * limit;
      isCut = await untilCut(limit, one => keep(one, row(moved - 1)));
      // Meanwhile the champion is another one.
      await keep(registry, row(moved));
      expect(await aliases(sut)).toEqual({
        champion: (await registry.findVersion(sut, tags.version, String(moved)))!.number,
      });
    }
    expect(moved).toBeGreaterThan(6);
    expect(asked).toEqual([]);
  });
});
