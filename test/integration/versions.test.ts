import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestVersion } from '../../bin/versions/requestVersion.ts';
import { selectVersions, type VersionFilter } from '../../bin/versions/versionQueries.ts';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { answerVersionRequest } from '../../services/retrainer/registry/answerVersionRequest.ts';
import { revisions } from '../../services/retrainer/store/modelVersionTable.ts';
import { type RetrainerStore, retrainerStore } from '../../services/retrainer/store/store.ts';
import { trainerCodeVersion } from '../../services/retrainer/trainer/trainerCodeVersion.ts';
import {
  recordOfGates,
  type VersionFacts,
} from '../../services/retrainer/versions/publishedVersion.ts';
import { folderChecksum } from '../../services/shared/artifacts/folderChecksum.ts';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { ModelAlias, ModelVersion, VersionRequest } from '../../services/shared/contracts.ts';
import { deterministicId } from '../../services/shared/deterministicId.ts';
import { writeModel } from '../../services/shared/model/modelArtifact.ts';
import { trainModel } from '../../services/shared/model/trainModel.ts';
import { type CommandResult, driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const judgedMs = Date.UTC(2026, 0, 1);

interface Row {
  version: string;
  state: string;
}

describe('the life of versions', () => {
  let installation: Installation;
  let retrainer: ServiceProcess;
  let store: RetrainerStore;
  let encodeRequest: (request: VersionRequest) => Buffer;
  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('retrainer');

  beforeAll(async () => {
    installation = await freshInstallation();
    const config = join(installation.folder, 'driftloop.yaml');
    const manual = ['asked', 'approve-first', 'rollback-first'];
    const models = manual.map(model => `  ${model}: { retraining: { approval: manual } }`);
    await writeFile(config, ['models:', ...models, ''].join('\n'));
    installation.variables.DRIFTLOOP_CONFIG = config;
    store = retrainerStore(installation.clickhouse);
    encodeRequest = await installation.schemas.encoder<VersionRequest>(
      'VersionRequest',
      topic('version-requests'),
    );
    // Driftloop 0.1 has left these.
    await insertFormer('former', '2', judgedMs);
    await insertFormer('former', '3', judgedMs + 1);
    retrainer = await installation.startService('retrainer');
  });
  afterAll(() => installation[Symbol.asyncDispose]());

  const artifactFolder = (model: string, version: string) =>
    join(installation.environment.DRIFTLOOP_ARTIFACTS, model, 'versions', version, 'model');

  /** Makes a version as a training does, up to the verdict of the gates. */
  async function train(
    model: string,
    version: string,
    fields: Partial<VersionFacts> = {},
  ): Promise<VersionFacts> {
    const folder = artifactFolder(model, version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'weights'), `weights of ${version}`);
    const facts: VersionFacts = {
      model,
      version,
      reasons: ['Comparison: passed.'],
      metrics: { championLoss: 0.3, challengerLoss: Number(version) / 100 },
      championVersion: '1',
      runId: `run of ${version}`,
      causeType: 'manual',
      causeId: `cause of ${version}`,
      datasetId: `rows of ${model} ${version}`,
      codeVersion: 'trainer',
      artifactUri: pathToFileURL(folder).href,
      artifactChecksum: await folderChecksum(folder),
      referenceId: 'reference',
      verdict: 'promote',
      ...fields,
    };
    await store.versions.insert(
      recordOfGates(facts, 'candidate', judgedMs),
      revisions.judged,
      judgedMs,
    );
    return facts;
  }

  async function insertFormer(model: string, version: string, atMs: number): Promise<void> {
    const facts = await train(model, version);
    const approved = { ...recordOfGates(facts, 'candidate', atMs), status: 'approved' as const };
    await store.versions.insert({ ...approved, state: null }, revisions.judged + 1, atMs);
  }

  /** Inserts the training that a version came from. */
  async function insertTraining(model: string, version: string, datasetId: string): Promise<void> {
    await store.datasets.insert({
      id: datasetId,
      model,
      split: {
        train: { start: 0, end: 700 },
        select: { start: 700, end: 800 },
        gate: { start: 800, end: 1000 },
      },
      fromMs: 0,
      toMs: judgedMs,
      features: [],
      task: 'binary',
      uri: '',
      checksum: '',
    });
    await store.runs.insert({
      id: `run of ${version}`,
      revision: 1,
      cause: { type: 'manual', id: `cause of ${version}`, model },
      status: 'approved',
      reasons: [],
      datasetId,
      rowsSinceChange: 0,
      championVersion: '2',
      candidateVersion: version,
      metrics: {},
      trainer: '',
      seed: 1,
      startedAtMs: judgedMs,
      finishedAtMs: judgedMs,
    });
  }

  const submission = (model: string, version: string): VersionRequest => ({
    id: deterministicId('submit', model, version),
    model,
    action: 'submit',
    version,
    expectedChampion: null,
    requestedBy: 'retrainer',
    note: null,
    time: judgedMs,
  });

  async function send(...requests: VersionRequest[]): Promise<void> {
    await installation.producer.send({
      topic: topic('version-requests'),
      messages: requests.map(request => ({ key: request.model, value: encodeRequest(request) })),
    });
    await quiet();
  }

  async function trainAndSubmit(
    model: string,
    version: string,
    fields: Partial<VersionFacts> = {},
  ): Promise<void> {
    await train(model, version, fields);
    await send(submission(model, version));
  }

  const command = (...args: string[]): Promise<CommandResult> =>
    driftloop(installation.variables, 'versions', ...args);

  const ask = (action: VersionRequest['action'], model: string, version: string | null) =>
    requestVersion(
      installation.environment,
      { action, model, version, expectedChampion: null, note: 'try' },
      30_000,
    );

  async function states(model: string): Promise<Record<string, string>> {
    const rows = await installation.clickhouse.select<Row>(
      'SELECT version, state FROM version_states WHERE model = {model:String}',
      { model },
    );
    return Object.fromEntries(rows.map(({ version, state }) => [version, state]));
  }

  /** Returns the values of a topic of one model, in their order. */
  async function published<T extends { model: string }>(
    name: string,
    contract: string,
    model: string,
  ): Promise<{ key: string; value: T }[]> {
    const found: { key: string; value: T }[] = [];
    const { kafka, admin } = installation;
    await readTopic(kafka, admin, topic(name), async records => {
      for (const { key, value } of records) {
        const decoded = contractType(contract).fromBuffer(value!.subarray(wireHeaderBytes)) as T;
        if (decoded.model === model) found.push({ key: String(key), value: decoded });
      }
    });
    return found;
  }

  /** Returns what a reader of the compacted topic knows in the end. */
  async function aliases(model: string): Promise<Record<string, string | null>> {
    const records = await published<ModelAlias>('model-aliases', 'ModelAlias', model);
    return Object.fromEntries(records.map(({ key, value }) => [key, value.version]));
  }

  it('takes over what Driftloop 0.1 approved, and gives it aliases', async () => {
    await expect
      .poll(() => states('former'), { timeout: 20_000 })
      .toEqual({ 2: 'approved', 3: 'champion' });
    await quiet();
    expect(await aliases('former')).toEqual({ 'former:champion': '3', 'former:previous': '2' });
    expect((await command('rollback', 'former', '--note', 'as before')).output).toBe(
      'Version 2 is the champion again, instead of version 3.\n',
    );
    expect(await states('former')).toEqual({ 2: 'champion', 3: 'rolled_back' });
  });

  it('promotes what has passed the gates, and moves the aliases', async () => {
    await trainAndSubmit('plain', '2');
    await trainAndSubmit('plain', '3', { championVersion: '2' });
    expect(await states('plain')).toEqual({ 1: 'superseded', 2: 'superseded', 3: 'champion' });
    expect(await aliases('plain')).toEqual({ 'plain:champion': '3', 'plain:previous': '2' });
    const records = await published<ModelAlias>('model-aliases', 'ModelAlias', 'plain');
    const ofChampion = records.filter(({ key }) => key === 'plain:champion');
    expect(ofChampion.map(({ value }) => [value.version, value.sequence])).toEqual([
      ['2', 1],
      ['3', 2],
    ]);
    expect(ofChampion[1]!.value).toMatchObject({
      artifactUri: pathToFileURL(artifactFolder('plain', '3')).href,
      changedBy: 'retrainer',
    });
    const versions = await published<ModelVersion>('model-versions', 'ModelVersion', 'plain');
    expect(versions.map(({ key, value }) => `${key} ${value.state} (${value.status})`)).toEqual([
      'plain:2 approved (approved)',
      'plain:2 champion (approved)',
      'plain:2 superseded (approved)',
      'plain:3 approved (approved)',
      'plain:3 champion (approved)',
    ]);
    expect(new Set(versions.map(({ value }) => value.id)).size).toBe(5);
  });

  it('waits for a person where approval is manual', async () => {
    await trainAndSubmit('asked', '2');
    await trainAndSubmit('asked', '3');
    expect(await states('asked')).toEqual({
      2: 'waiting_for_approval',
      3: 'waiting_for_approval',
    });
    const versions = await published<ModelVersion>('model-versions', 'ModelVersion', 'asked');
    expect(versions.every(({ value }) => value.status === 'candidate')).toBe(true);
    expect(await aliases('asked')).toEqual({ 'asked:challenger': '3' });

    expect(await command('approve', 'asked', '2', '--note', 'looks good')).toEqual({
      exitCode: 0,
      output: 'Version 2 is the champion, instead of version 1.\n',
      errors: '',
    });
    expect(await command('reject', 'asked', '3', '--note', 'too slow')).toMatchObject({
      exitCode: 0,
      output: 'Version 3 was rejected.\n',
    });
    expect(await aliases('asked')).toEqual({
      'asked:challenger': null,
      'asked:champion': '2',
      'asked:previous': '1',
    });
    const history = await installation.clickhouse.select<Record<string, string>>(
      `SELECT state, note, changed_by, state_before FROM version_history
       WHERE model = 'asked' AND version = '2'`,
    );
    expect(history.map(({ state }) => state)).toEqual([
      'waiting_for_approval',
      'approved',
      'champion',
    ]);
    expect(history[2]).toMatchObject({
      note: 'looks good',
      changed_by: expect.stringContaining('@'),
      state_before: 'approved',
    });
  });

  it('refuses with a reason, keeps the answer, and moves nothing', async () => {
    await trainAndSubmit('asked', '4');
    await trainAndSubmit('asked', '5');
    await rm(artifactFolder('asked', '4'), { recursive: true });
    await writeFile(join(artifactFolder('asked', '5'), 'weights'), 'others');
    const before = await aliases('asked');
    const refusals: [VersionRequest['action'], string, string | null, RegExp][] = [
      ['approve', 'asked', '9', /^refused: Version 9 of asked is not known\.$/],
      [
        ...(['approve', 'asked', '3'] as const),
        /^refused: Version 3 does not wait for approval; it is rejected\.$/,
      ],
      [
        ...(['approve', 'asked', '4'] as const),
        /^refused: The artifact of version 4, file:.* cannot be read: /,
      ],
      [
        ...(['approve', 'asked', '5'] as const),
        /^refused: The artifact of version 5, file:.* has changed since it was published: /,
      ],
      ['rollback', 'asked', '3', /^refused: Version 3 cannot be gone back to, /],
      ['rollback', 'nobody', null, /^refused: There is no earlier champion to go back to\.$/],
    ];
    for (const [action, model, version, expected] of refusals) {
      await expect(ask(action, model, version)).rejects.toThrow(expected);
    }
    const { exitCode, errors, output } = await command('approve', 'asked', '2', '--note', 'try');
    expect({ exitCode, output, errors }).toEqual({
      exitCode: 1,
      output: '',
      errors: 'refused: Version 2 is the champion already.\n',
    });
    expect(await aliases('asked')).toEqual(before);
    expect(
      await installation.clickhouse.select(
        `SELECT outcome, note, count() AS count FROM version_requests
         WHERE note = 'try' GROUP BY outcome, note`,
      ),
    ).toEqual([{ outcome: 'refused', note: 'try', count: refusals.length + 1 }]);
  });

  it('goes back, and promotes nothing that was trained on the same rows', async () => {
    await trainAndSubmit('back', '2');
    await trainAndSubmit('back', '3', { datasetId: 'bad rows' });
    await insertTraining('back', '3', 'bad rows');
    const isMended = async () => (await store.evidence.selectTrainings('back'))[0]!.approved;
    expect(await isMended()).toBe(true);
    const { output } = await command('rollback', 'back', '--note', 'complaints');
    expect(output).toBe('Version 2 is the champion again, instead of version 3.\n');
    // The drift that version 3 was trained for is there as before.
    expect(await isMended()).toBe(false);
    await trainAndSubmit('back', '4', { datasetId: 'bad rows' });
    expect(await states('back')).toEqual({
      1: 'superseded',
      2: 'champion',
      3: 'rolled_back',
      4: 'rejected',
    });
    expect(await aliases('back')).toEqual({ 'back:champion': '2', 'back:previous': '1' });
    // Whoever knows nothing of states serves the last approved record.
    const versions = await published<ModelVersion>('model-versions', 'ModelVersion', 'back');
    expect(versions.findLast(({ value }) => value.status === 'approved')!.value).toMatchObject({
      version: '2',
      state: 'champion',
    });
    // Version 1 is none of the retrainer's. Only aliases name it.
    await command('rollback', 'back', '--note', 'further');
    const champion = (await published<ModelAlias>('model-aliases', 'ModelAlias', 'back')).findLast(
      ({ key }) => key === 'back:champion',
    )!;
    expect(champion.value).toMatchObject({ version: '1', artifactUri: null, note: 'further' });
  });

  it.each([
    {
      first: 'approve',
      states: { 2: 'superseded', 3: 'champion' },
      refusals: ['Version 3 is the champion now, but version 2 was when this was asked for.'],
    },
    {
      first: 'rollback',
      states: { 1: 'superseded', 2: 'rolled_back', 3: 'champion' },
      refusals: [],
    },
  ])(
    'gives two people who act at the same moment the order of the topic, first $first',
    async expected => {
      const model = `${expected.first}-first`;
      await train(model, '2');
      await train(model, '3');
      const approve = (version: string): VersionRequest => ({
        ...{ ...submission(model, version), id: `approve ${version}`, action: 'approve' as const },
        requestedBy: 'alice',
      });
      await send(submission(model, '2'), submission(model, '3'), approve('2'));
      const rollback: VersionRequest = {
        ...{ ...submission(model, '2'), id: 'rollback', action: 'rollback', version: null },
        ...{ requestedBy: 'bob', expectedChampion: '2' },
      };
      const both = [approve('3'), rollback];
      await send(...(expected.first === 'approve' ? both : both.toReversed()));
      expect(await states(model)).toMatchObject(expected.states);
      const answers = await installation.clickhouse.select<{ sequence: number; answer: string }>(
        `SELECT sequence, if(outcome = 'refused', answer, '') AS answer FROM version_requests
       WHERE model = {model:String}`,
        { model },
      );
      expect(answers.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(answers.flatMap(({ answer }) => answer || [])).toEqual(expected.refusals);
      expect((await aliases(model))[`${model}:champion`]).toBe('3');
    },
  );

  it('gives commands that run at the same moment one order and clear answers', async () => {
    const model = 'asked';
    await trainAndSubmit(model, '6');
    await trainAndSubmit(model, '7');
    const before = (await store.steps.selectAnswered(model)).length;
    const results = await Promise.all([
      command('approve', model, '6', '--note', 'one'),
      command('approve', model, '7', '--note', 'other'),
      command('rollback', model, '--note', 'third'),
    ]);
    const answered = (await store.steps.selectAnswered(model)).slice(before);
    expect(answered.map(({ sequence }) => sequence)).toEqual([1, 2, 3].map(one => before + one));
    for (const [index, note] of ['one', 'other', 'third'].entries()) {
      const { accepted, answer } = answered.find(({ request }) => request.note === note)!;
      expect(results[index]).toEqual(
        accepted
          ? { exitCode: 0, output: `${answer}\n`, errors: '' }
          : { exitCode: 1, output: '', errors: `refused: ${answer}\n` },
      );
    }
    const champions = Object.values(await states(model)).filter(state => state === 'champion');
    expect(champions).toHaveLength(1);
    const [last] = answered.filter(({ accepted }) => accepted).slice(-1);
    expect((await aliases(model))[`${model}:champion`]).toBe(
      last!.steps.find(({ state }) => state === 'champion')!.version,
    );
  });

  it('answers a request once, after a restart and after later requests', async () => {
    await trainAndSubmit('again', '2');
    await trainAndSubmit('again', '3');
    retrainer.kill();
    retrainer = await installation.startService('retrainer');
    await send(submission('again', '3'));
    await trainAndSubmit('again', '4');
    const before = {
      states: await states('again'),
      aliases: await aliases('again'),
      steps: await store.steps.selectAnswered('again'),
    };
    await send(submission('again', '2'), submission('again', '3'));
    expect({
      states: await states('again'),
      aliases: await aliases('again'),
      steps: await store.steps.selectAnswered('again'),
    }).toEqual(before);
    expect(before.steps).toHaveLength(3);
    const versions = await published<ModelVersion>('model-versions', 'ModelVersion', 'again');
    const last = new Map(versions.map(({ key, value }) => [key, value.state]));
    expect(Object.fromEntries(last)).toEqual({
      'again:2': 'superseded',
      'again:3': 'superseded',
      'again:4': 'champion',
    });
    expect(versions.findLast(({ value }) => value.status === 'approved')!.key).toBe('again:4');
  });

  /** Logs rows that one version serves and another one answers in shadow, and then their labels. */
  async function serve(
    rows: { model: string; from: number; count: number },
    served: { version: string; isWrong(row: number): boolean },
    shadow: typeof served | null,
  ): Promise<void> {
    const { model } = rows;
    const numbers = Array.from({ length: rows.count }, (_, index) => rows.from + index);
    const truth = (row: number) => (row % 2 === 0 ? 'yes' : 'no');
    const timeOf = (row: number) => judgedMs + 86_400_000 + row * 60_000;
    const predictionOf = (row: number, of: typeof served, isShadow: boolean) => ({
      key: `${model} ${row}`,
      value: JSON.stringify({
        id: `${model} ${row}`,
        model,
        version: of.version,
        time: timeOf(row),
        features: isShadow ? {} : { side: row % 2 },
        prediction: of.isWrong(row) ? truth(row + 1) : truth(row),
        ...(isShadow && { shadow: true }),
      }),
    });
    await installation.producer.send({
      topic: topic('predictions'),
      messages: numbers.flatMap(row => [
        predictionOf(row, served, false),
        ...(shadow === null ? [] : [predictionOf(row, shadow, true)]),
      ]),
    });
    await installation.untilQuiet('profiler');
    await installation.producer.send({
      topic: topic('feedback'),
      messages: numbers.map(row => ({
        key: `${model} ${row}`,
        value: JSON.stringify({
          id: `${model} ${row}`,
          model,
          label: truth(row),
          time: timeOf(row),
        }),
      })),
    });
    await installation.untilQuiet('profiler', 'evaluator', 'retrainer');
  }

  it('promotes what is better in shadow, rolls back what does worse, and computes answers', async () => {
    const model = 'shadowed';
    await installation.startService('profiler');
    await installation.startService('evaluator');
    await insertTraining(model, '2', 'rows of 2');
    await trainAndSubmit(model, '2', { verdict: 'inconclusive', datasetId: 'rows of 2' });
    expect(await states(model)).toEqual({ 2: 'shadow' });
    expect(await aliases(model)).toEqual({ [`${model}:challenger`]: '2' });

    const often = (row: number) => row % 3 === 0;
    const seldom = (row: number) => row % 20 === 0;
    const one = (isWrong: typeof often) => ({ version: '1', isWrong });
    const two = (isWrong: typeof often) => ({ version: '2', isWrong });
    await serve({ model, from: 0, count: 700 }, one(often), two(seldom));
    expect(await states(model)).toEqual({ 1: 'superseded', 2: 'champion' });
    // Shadow predictions are in no window, so that nothing is judged by them.
    const counted = await installation.clickhouse.select(
      `SELECT DISTINCT version FROM window_profiles WHERE model = {model:String}
       UNION DISTINCT SELECT version FROM performance_windows WHERE model = {model:String}`,
      { model },
    );
    expect(counted).toEqual([{ version: '1' }]);

    await serve({ model, from: 700, count: 700 }, two(often), one(seldom));
    expect(await states(model)).toEqual({ 1: 'champion', 2: 'rolled_back' });

    // The service logs nothing in shadow, and the retrainer has the model and the features.
    const rows = Array.from({ length: 100 }, (_, row) => row % 2);
    const learned = {
      features: rows.map(side => ({ side })),
      labels: rows.map(side => (side === 0 ? 'yes' : 'no')),
    };
    const network = await trainModel({
      ...{ task: 'binary', classes: ['no', 'yes'], features: ['side'], seed: 1 },
      ...{ train: learned, select: learned },
    });
    const about = { datasetId: 'rows of 3', seed: 1, backend: 'wasm', codeVersion: '' } as const;
    await writeModel(artifactFolder(model, '3'), network, about);
    await insertTraining(model, '3', 'rows of 3');
    const builtIn = { codeVersion: trainerCodeVersion(), datasetId: 'rows of 3' };
    await trainAndSubmit(model, '3', { verdict: 'inconclusive', ...builtIn });
    await serve({ model, from: 1400, count: 700 }, one(often), null);
    expect(await states(model)).toMatchObject({ 1: 'superseded', 3: 'champion' });

    const requests = await installation.clickhouse.select<{ action: string; note: string }>(
      `SELECT action, note FROM version_requests
       WHERE model = {model:String} AND requested_by = 'driftloop'`,
      { model },
    );
    expect(requests).toEqual([
      {
        action: 'approve',
        note: expect.stringMatching(
          /^Better in shadow\. On the same \d+ rows, its error rate is 0\.0/,
        ),
      },
      {
        action: 'rollback',
        note: expect.stringMatching(
          /^Worse than its predecessor\. .* and its predecessor's would be 0\.0/,
        ),
      },
      {
        action: 'approve',
        note: expect.stringMatching(/^Better in shadow\. .* its error rate is 0, /),
      },
    ]);
  });

  it('ends the same wherever it is cut off', async () => {
    const requests = (model: string): VersionRequest[] => [
      submission(model, '2'),
      submission(model, '3'),
      { ...submission(model, '3'), id: 'back', action: 'rollback', version: null },
    ];
    /** @param cutAfter number of writes after which the process dies, for each request */
    async function run(model: string, cutAfter: number) {
      await train(model, '2');
      await train(model, '3');
      const told = { versions: [] as ModelVersion[], aliases: [] as ModelAlias[] };
      let writes = 0;
      const write = async (work: () => unknown) => {
        if (writes++ === cutAfter) throw new Error('killed');
        await work();
      };
      const dying = new Proxy(store, {
        get: (tables, name: keyof RetrainerStore) =>
          new Proxy(tables[name], {
            get(table, method) {
              const original = Reflect.get(table, method).bind(table);
              return method === 'insert'
                ? (...args: unknown[]) => write(() => original(...args))
                : original;
            },
          }),
      });
      const context = {
        store: dying,
        publish: (version: ModelVersion) => write(() => told.versions.push(version)),
        publishAliases: (moved: ModelAlias[]) => write(() => told.aliases.push(...moved)),
        log: pino({ level: 'silent' }),
      };
      const settings = readSettings(undefined).of(model);
      let deaths = 0;
      for (const request of requests(model)) {
        writes = 0;
        await answerVersionRequest(request, judgedMs, settings, context).catch(error => {
          if (error.message !== 'killed') throw error;
          deaths++;
        });
        writes = Number.NEGATIVE_INFINITY;
        await answerVersionRequest(request, judgedMs, settings, context);
      }
      const withoutNames = JSON.stringify({
        told: {
          versions: distinct(told.versions.map(({ version, state }) => `${version} ${state}`)),
          aliases: Object.fromEntries(
            told.aliases.map(({ alias, version, sequence }) => [alias, [version, sequence]]),
          ),
        },
        states: await states(model),
        steps: (await store.steps.selectAnswered(model)).map(({ steps }) => steps),
      });
      return { result: withoutNames, deaths };
    }
    const undisturbed = await run('whole', Number.NaN);
    expect(undisturbed.deaths).toBe(0);
    let deaths = 0;
    for (let cutAfter = 0; cutAfter < 12; cutAfter++) {
      const cut = await run(`cut-${cutAfter}`, cutAfter);
      expect(cut.result).toBe(undisturbed.result);
      deaths += cut.deaths;
    }
    expect(deaths).toBeGreaterThan(20);
  });

  it('ends with the present state if a process that was frozen publishes late', async () => {
    const model = 'frozen';
    await train(model, '2');
    await train(model, '3');
    const told: (ModelVersion | ModelAlias)[] = [];
    const back: VersionRequest = { ...submission(model, '2'), id: 'back', action: 'rollback' };
    const answer = (request: VersionRequest, beforePublishing?: () => Promise<void>) => {
      let isFrozen = beforePublishing !== undefined;
      return answerVersionRequest(request, judgedMs, readSettings(undefined).of(model), {
        store,
        async publish(version) {
          if (isFrozen) {
            isFrozen = false;
            await beforePublishing!();
          }
          told.push(version);
        },
        publishAliases: async moved => void told.push(...moved),
        log: pino({ level: 'silent' }),
      });
    };
    await answer(submission(model, '2'));
    // Meanwhile another process gets the same request, and the next one.
    await answer(submission(model, '3'), async () => {
      await answer(submission(model, '3'));
      await answer(back);
    });
    expect(await states(model)).toEqual({ 1: 'superseded', 2: 'champion', 3: 'rolled_back' });
    const present = new Map(
      told.map(record => ['alias' in record ? record.alias : record.version, record]),
    );
    expect(present.get('champion')).toMatchObject({ version: '2', sequence: 3 });
    expect(present.get('previous')).toMatchObject({ version: '1' });
    expect(present.get('3')).toMatchObject({ state: 'rolled_back' });
    const approved = told.findLast(record => 'status' in record && record.status === 'approved');
    expect(approved).toMatchObject({ version: '2', state: 'champion' });
  });

  it('compares challengers with the champion as soon as it has predicted', async () => {
    const predicted = (model: string, ...versions: string[]) =>
      installation.clickhouse.insert(
        'stream_progress',
        versions.map(version => ({
          ...{ model, version, source_partition: 0, last_offset: 1, predictions: 1 },
          max_event_time: `2026-01-0${version} 00:00:00.000`,
        })),
      );
    const champion = async (model: string) =>
      (await store.history.selectHistory(model)).championVersion;
    await predicted('plain', '1', '2');
    expect(await champion('plain')).toBe('2');
    await predicted('plain', '3');
    expect(await champion('plain')).toBe('3');
    // The champion of this one was rolled back, and so was the one before.
    await predicted('back', '2', '3');
    expect(await champion('back')).toBe('3');
    await predicted('back', '1');
    expect(await champion('back')).toBe('1');
  });

  it('shows and finds versions', async () => {
    const { exitCode, output } = await command('list', 'plain', '--json');
    expect(exitCode).toBe(0);
    const rows = output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows).toHaveLength(3);
    expect(rows.find(({ version }) => version === '3')).toMatchObject({
      state: 'champion',
      aliases: ['champion'],
      datasetId: 'rows of plain 3',
      metrics: { challengerLoss: 0.03 },
    });
    expect(rows.find(({ version }) => version === '1')).toMatchObject({
      state: 'superseded',
      judgedAt: null,
      artifactUri: null,
      datasetRows: null,
    });
    expect((await command('search', '--metric', 'challengerLoss<0.025')).output).toMatch(
      /^plain +2 +superseded /m,
    );
    const found = async (filter: Partial<VersionFilter>) => {
      const { clickhouse } = installation;
      const fitting = await selectVersions(clickhouse, { model: 'plain', limit: 9, ...filter });
      return fitting.map(({ version }) => version);
    };
    const atLeast = { metric: 'challengerLoss', operator: '>=', value: 0.03 } as const;
    expect(await found({ metric: atLeast })).toEqual(['3']);
    expect(await found({ state: 'champion' })).toEqual(['3']);
    expect(await found({ dataset: 'rows of plain 2' })).toEqual(['2']);
    expect(await found({ feature: 'age' })).toEqual([]);
    // No run is stored for these, so nothing is known of their cause.
    expect(await found({ cause: 'drift_event' })).toEqual([]);
    expect(await found({ until: judgedMs })).toEqual([]);
    expect(await found({ since: judgedMs })).toHaveLength(3);
    expect((await command('list', 'asked')).output).toMatch(/^model +version +state +aliases/);

    const shown = await command('show', 'asked', '2');
    expect(shown.output).toMatch(/HISTORY[\s\S]*waiting_for_approval[\s\S]*looks good/);
    expect(shown.output).toMatch(/REQUESTS[\s\S]*Version 2 is the champion already/);
    expect(await command('show', 'asked', '99')).toMatchObject({
      exitCode: 1,
      errors: expect.stringMatching(/^no version "99" of model "asked" is known; /),
    });
  });

  it('says when no retrainer answers', async () => {
    await retrainer.stop();
    const { exitCode, errors } = await command(
      ...['approve', 'asked', '2', '--note', 'hello?', '--timeout', '1'],
    );
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^no answer within 1 s to request [0-9a-f-]{36}; it stands, /);
    retrainer = await installation.startService('retrainer');
    await quiet();
    expect(
      await installation.clickhouse.select(
        "SELECT answer FROM version_requests WHERE note = 'hello?'",
      ),
    ).toHaveLength(1);
  });
});

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
