import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { modelFolder } from '../../services/retrainer/artifacts/modelFolder.ts';
import { folderChecksum } from '../../services/shared/artifacts/folderChecksum.ts';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type {
  DriftEvent,
  ModelAlias,
  ModelVersion,
  VersionRequest,
} from '../../services/shared/contracts.ts';
import type { Kafka, KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { checkVersionLife, type StoredStep } from './versionLife.ts';

interface StoredVersion {
  model: string;
  version: string;
  state: string;
  run_id: string;
}

interface Run {
  id: string;
  model: string;
  cause_type: 'drift_event' | 'manual';
  cause_id: string;
  status: 'started' | 'skipped' | 'failed' | 'approved' | 'rejected';
  reasons: string[];
  candidate_version: string;
  dataset_id: string;
  rows_since_change: number;
}

export interface Trainings {
  /** Number of runs by the type of their cause and their result. */
  counts: Map<string, number>;
  /** One line for each violation. */
  differences: string[];
}

/**
 * Checks that no training ran twice for one cause, and that no cause was forgotten. Each request has
 * one run, and a drift event further ones with more rows as long as it is not mended. A run that judged a challenger has one result, with one version, one content and one
 * artifact; other runs have none of these.
 * @param requested ids of the requests that were sent
 */
export async function checkTrainings(
  {
    kafka,
    admin,
    clickhouse,
    environment,
  }: {
    kafka: Kafka;
    admin: KafkaAdmin;
    clickhouse: Clickhouse;
    environment: Environment;
  },
  requested: readonly string[],
): Promise<Trainings> {
  const topic = (name: string) => prefixed(environment, name);
  const runs = await clickhouse.select<Run>('SELECT * FROM training_runs FINAL');
  const versions = await clickhouse.select<StoredVersion>(
    `SELECT v.model AS model, v.version AS version, s.state AS state, v.run_id AS run_id
     FROM (SELECT * FROM model_versions FINAL) AS v LEFT JOIN version_states AS s USING (model, version)`,
  );
  const published = await valuesOf<ModelVersion>(
    kafka,
    admin,
    topic(topics.modelVersions),
    'ModelVersion',
  );
  const events = await valuesOf<DriftEvent>(kafka, admin, topic(topics.driftEvents), 'DriftEvent');
  const opened = events.filter(({ status }) => status === 'open').map(({ id }) => id);

  const found: string[] = [
    ...onePerCause(runs, 'manual', requested, versions),
    ...onePerCause(runs, 'drift_event', opened, versions),
    ...runs.flatMap(run => versionsOfRun(run, versions)),
    ...versionsWithOneContent(published, versions),
    ...checkVersionLife({
      requests: await valuesOf<VersionRequest>(
        kafka,
        admin,
        topic(topics.versionRequests),
        'VersionRequest',
      ),
      steps: await clickhouse.select<StoredStep>('SELECT * FROM version_steps FINAL'),
      aliases: await valuesOf<ModelAlias>(kafka, admin, topic(topics.modelAliases), 'ModelAlias'),
    }),
    ...(await artifacts(runs, published, environment.DRIFTLOOP_ARTIFACTS)),
    ...(await datasets(clickhouse)),
    ...(await references(clickhouse, published)),
  ];
  const counts = Map.groupBy(runs, ({ cause_type, status }) => `${cause_type} ${status}`);
  return {
    counts: new Map([...counts].map(([name, members]) => [name, members.length])),
    differences: found,
  };
}

function onePerCause(
  runs: readonly Run[],
  type: Run['cause_type'],
  causes: readonly string[],
  versions: readonly StoredVersion[],
): string[] {
  const ofType = Map.groupBy(
    runs.filter(run => run.cause_type === type),
    run => run.cause_id,
  );
  const expected = new Set(causes);
  return [
    ...[...expected]
      .filter(id => !ofType.has(id))
      .map(id => `training_runs: there is no run for ${type} ${id}`),
    ...[...ofType].flatMap(([id, same]) => [
      ...(areRepeated(type, same, versions)
        ? [`training_runs: there are ${same.length} runs for ${type} ${id}`]
        : []),
      ...(expected.has(id)
        ? []
        : [`training_runs: there is a run for ${type} ${id}, which was never sent`]),
    ]),
  ];
}

/** Returns whether one of several runs of a cause should not be. */
function areRepeated(
  type: Run['cause_type'],
  runs: readonly Run[],
  versions: readonly StoredVersion[],
): boolean {
  if (type === 'manual') return runs.length > 1;
  const tries = runs.map(run => run.rows_since_change).sort((one, other) => one - other);
  const hasEnoughMore = tries.every((rows, index) => index === 0 || rows > tries[index - 1]!);
  // What was taken back mends nothing, so the cause is taken up again.
  const isTakenBack = (run: Run) =>
    versions.some(
      ({ run_id, state }) => run_id === run.id && ['rejected', 'rolled_back'].includes(state),
    );
  const approved = runs.find(run => run.status === 'approved' && !isTakenBack(run));
  const isLast = approved === undefined || approved.rows_since_change === tries.at(-1);
  return !hasEnoughMore || !isLast;
}

function versionsOfRun(run: Run, versions: readonly StoredVersion[]): string[] {
  const mine = versions.filter(({ run_id }) => run_id === run.id);
  const name = `training_runs: ${run.model} ${run.cause_type} ${run.cause_id}`;
  if (run.status === 'started') return [`${name} has not ended`];
  if (run.status === 'failed' && !/ENOSPC|no space left/i.test(run.reasons.join()))
    return [`${name} failed although the disk was not full: ${run.reasons}`];
  if (run.status === 'failed' || run.status === 'skipped')
    return mine.map(({ version }) => `${name} was ${run.status}, but has version ${version}`);
  if (mine.length === 1 && mine[0]!.version === run.candidate_version) return [];
  return [
    `${name} was ${run.status} as ${run.candidate_version}, but model_versions has ${JSON.stringify(mine)}`,
  ];
}

/**
 * Checks that each version was published as a candidate first and in its present state last, with one
 * content for each of its states. A crash may publish the same content again, but no other content under the
 * same id.
 */
function versionsWithOneContent(
  published: readonly ModelVersion[],
  versions: readonly StoredVersion[],
): string[] {
  const found: string[] = [];
  const byVersion = Map.groupBy(published, ({ model, version }) => `${model} ${version}`);
  for (const [name, revisions] of byVersion) {
    const contents = new Set(revisions.map(revision => JSON.stringify(revision)));
    const ids = new Set(revisions.map(({ id }) => id));
    const states = revisions.map(({ state }) => state);
    const present = versions.find(({ model, version }) => `${model} ${version}` === name)?.state;
    if (contents.size !== ids.size || states[0] !== 'candidate' || states.at(-1) !== present)
      found.push(
        `topic model-versions: ${name} has ${contents.size} different contents of ${ids.size} ids with the states ${states}, and is ${present}`,
      );
  }
  for (const { model, version } of versions)
    if (!byVersion.has(`${model} ${version}`))
      found.push(`topic model-versions: ${model} ${version} is missing`);
  return found;
}

/** Checks that the artifacts on disk are complete and are those that were published. */
async function artifacts(
  runs: readonly Run[],
  published: readonly ModelVersion[],
  artifactsFolder: string,
): Promise<string[]> {
  const found: string[] = [];
  const byRun = new Map(published.map(version => [version.runId, version]));
  for (const [model, ofModel] of Map.groupBy(runs, run => run.model)) {
    const folder = modelFolder(artifactsFolder, model);
    const kept = new Set(await namesIn(join(folder, 'versions')));
    for (const { id } of ofModel) {
      const version = byRun.get(id);
      if (!version) continue;
      if (!kept.delete(id))
        found.push(`artifacts: ${model} ${version.version} (run ${id}) is missing`);
      else if (
        (await folderChecksum(fileURLToPath(version.artifactUri))) !== version.artifactChecksum
      )
        found.push(
          `artifacts: ${model} ${version.version} (run ${id}) differs from what was published`,
        );
    }
    for (const id of kept)
      found.push(`artifacts: ${model} has a model of run ${id} that was not published`);
    for (const name of await namesIn(join(folder, 'runs')))
      found.push(`artifacts: ${model} still has the run folder ${name}`);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Checks that the dataset files have their recorded checksums. */
async function datasets(clickhouse: Clickhouse): Promise<string[]> {
  const rows = await clickhouse.select<{
    model: string;
    id: string;
    uri: string;
    checksum: string;
  }>('SELECT model, id, uri, checksum FROM datasets FINAL');
  const found: string[] = [];
  for (const { model, id, uri, checksum } of rows) {
    const bytes = await readFile(fileURLToPath(uri)).catch(() => Buffer.alloc(0));
    if (createHash('sha256').update(bytes).digest('hex') !== checksum)
      found.push(`datasets: the file ${uri} of ${model} ${id} has another checksum`);
  }
  return found;
}

/** Checks that each published version has its own reference and no other. */
async function references(
  clickhouse: Clickhouse,
  published: readonly ModelVersion[],
): Promise<string[]> {
  const rows = await clickhouse.select<{ model: string; version: string; ids: string[] }>(
    'SELECT model, version, groupUniqArray(reference_id) AS ids FROM reference_profiles GROUP BY model, version',
  );
  return published.flatMap(({ model, version, referenceId }) => {
    const ids = rows.find(row => row.model === model && row.version === version)?.ids ?? [];
    return ids.length === 1 && ids[0] === referenceId
      ? []
      : [`reference_profiles: ${model} ${version} has ${ids} instead of ${referenceId}`];
  });
}

async function valuesOf<T>(
  kafka: Kafka,
  admin: KafkaAdmin,
  topic: string,
  contract: string,
): Promise<T[]> {
  const values: T[] = [];
  await readTopic(kafka, admin, topic, async records => {
    for (const { value } of records)
      values.push(contractType(contract).fromBuffer(value!.subarray(wireHeaderBytes)));
  });
  return values;
}
