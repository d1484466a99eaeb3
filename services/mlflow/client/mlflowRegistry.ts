import { isMissing, isTaken } from './mlflowError.ts';
import type { MlflowRequests } from './mlflowRequests.ts';

/** Names and texts that people see in MLflow beside an object of it. */
export type Tags = Record<string, string>;

interface Tag {
  key: string;
  value: string;
}

export interface MlflowRun {
  id: string;
  /** Where the server keeps its files. */
  artifactUri: string;
}

export interface RegisteredModel {
  name: string;
  tags: Tags;
  /** Number of the version that each alias names. */
  aliases: Record<string, string>;
}

export interface RegisteredVersion {
  /** MLflow's number of it. */
  number: string;
  tags: Tags;
  description: string;
}

export interface RunContent {
  metrics: { key: string; value: number; timestampMs: number }[];
  parameters: Tags;
  tags: Tags;
}

export interface LoggedDataset {
  name: string;
  digest: string;
  sourceType: string;
  source: string;
  schema: string;
  profile: string;
}

interface RunAnswer {
  info: { run_id: string; artifact_uri: string };
}

interface VersionAnswer {
  version: string;
  description?: string;
  tags?: Tag[];
}

interface ModelAnswer {
  name: string;
  tags?: Tag[];
  aliases?: { alias: string; version: string }[];
}

const maxModelsOfPage = 200;

/** What Driftloop asks of MLflow's tracking server and model registry (REST API 2.0). */
export class MlflowRegistry {
  readonly requests: MlflowRequests;

  constructor(requests: MlflowRequests) {
    this.requests = requests;
  }

  /** Returns the id of an experiment, which is made or restored if it is missing. */
  async experimentId(name: string): Promise<string> {
    const found = await orNull(
      this.requests.get<{ experiment: { experiment_id: string; lifecycle_stage: string } }>(
        'experiments/get-by-name',
        { experiment_name: name },
      ),
    );
    if (found === null)
      return (await this.requests.post<{ experiment_id: string }>('experiments/create', { name }))
        .experiment_id;
    const { experiment_id: id, lifecycle_stage: stage } = found.experiment;
    if (stage === 'deleted') await this.requests.post('experiments/restore', { experiment_id: id });
    return id;
  }

  /** Returns the oldest run of an experiment with a tag, or null. */
  async findRun(experimentId: string, key: string, value: string): Promise<MlflowRun | null> {
    const { runs = [] } = await this.requests.post<{ runs?: RunAnswer[] }>('runs/search', {
      experiment_ids: [experimentId],
      filter: `tags.\`${key}\` = ${quoted(value)}`,
      order_by: ['attributes.start_time ASC'],
      max_results: 1,
    });
    return runs[0] ? runOf(runs[0]) : null;
  }

  async createRun(experimentId: string, startedAtMs: number, tags: Tags): Promise<MlflowRun> {
    const { run } = await this.requests.post<{ run: RunAnswer }>('runs/create', {
      experiment_id: experimentId,
      start_time: startedAtMs,
      tags: tagList(tags),
    });
    return runOf(run);
  }

  /** Logs what belongs to a run. What is there already stays, or is replaced by the same. */
  async logRun(id: string, { metrics, parameters, tags }: RunContent): Promise<void> {
    await this.requests.post('runs/log-batch', {
      run_id: id,
      metrics: metrics.map(({ key, value, timestampMs }) => ({
        key,
        value,
        timestamp: timestampMs,
        step: 0,
      })),
      params: tagList(parameters),
      tags: tagList(tags),
    });
  }

  async logDataset(id: string, { sourceType, ...dataset }: LoggedDataset): Promise<void> {
    await this.requests.post('runs/log-inputs', {
      run_id: id,
      datasets: [
        {
          tags: tagList({ 'mlflow.data.context': 'training' }),
          dataset: { ...dataset, source_type: sourceType },
        },
      ],
    });
  }

  async finishRun(id: string, endedAtMs: number): Promise<void> {
    await this.requests.post('runs/update', {
      run_id: id,
      status: 'FINISHED',
      end_time: endedAtMs,
    });
  }

  /** Makes a registered model. @returns false if there is one of that name */
  async createModel(name: string, tags: Tags, description: string): Promise<boolean> {
    try {
      await this.requests.post('registered-models/create', {
        name,
        tags: tagList(tags),
        description,
      });
      return true;
    } catch (error) {
      if (!isTaken(error)) throw error;
      return false;
    }
  }

  async model(name: string): Promise<RegisteredModel | null> {
    const found = await orNull(
      this.requests.get<{ registered_model: ModelAnswer }>('registered-models/get', { name }),
    );
    return found && modelOf(found.registered_model);
  }

  /** Returns all registered models that have a tag. */
  async modelsWithTag(key: string): Promise<RegisteredModel[]> {
    const models: RegisteredModel[] = [];
    let token = '';
    do {
      const answer: { registered_models?: ModelAnswer[]; next_page_token?: string } =
        await this.requests.get('registered-models/search', {
          filter: `tags.\`${key}\` LIKE '%'`,
          max_results: String(maxModelsOfPage),
          ...(token !== '' && { page_token: token }),
        });
      models.push(...(answer.registered_models ?? []).map(modelOf));
      token = answer.next_page_token ?? '';
    } while (token !== '');
    return models;
  }

  /** Returns the oldest version of a registered model with a tag, or null. */
  async findVersion(name: string, key: string, value: string): Promise<RegisteredVersion | null> {
    const answer = await this.requests.get<{ model_versions?: VersionAnswer[] }>(
      'model-versions/search',
      { filter: `name = '${name}' AND tags.\`${key}\` = ${quoted(value)}` },
    );
    const [first] = (answer.model_versions ?? [])
      .map(versionOf)
      .sort((a, b) => Number(a.number) - Number(b.number));
    return first ?? null;
  }

  async version(name: string, number: string): Promise<RegisteredVersion | null> {
    const found = await orNull(
      this.requests.get<{ model_version: VersionAnswer }>('model-versions/get', {
        name,
        version: number,
      }),
    );
    return found && versionOf(found.model_version);
  }

  async createVersion(
    name: string,
    version: { source: string; runId: string; tags: Tags; description: string },
  ): Promise<void> {
    const { source, runId, tags, description } = version;
    await this.requests.post('model-versions/create', {
      name,
      source,
      run_id: runId,
      tags: tagList(tags),
      description,
    });
  }

  async describeVersion(name: string, number: string, description: string): Promise<void> {
    await this.requests.patch('model-versions/update', { name, version: number, description });
  }

  async setVersionTag(name: string, number: string, key: string, value: string): Promise<void> {
    await this.requests.post('model-versions/set-tag', { name, version: number, key, value });
  }

  async setModelTag(name: string, key: string, value: string): Promise<void> {
    await this.requests.post('registered-models/set-tag', { name, key, value });
  }

  async deleteModelTag(name: string, key: string): Promise<void> {
    await this.requests.delete('registered-models/delete-tag', { name, key });
  }

  /** Lets an alias name a version, or none. */
  async setAlias(name: string, alias: string, number: string | null): Promise<void> {
    if (number === null) await this.requests.delete('registered-models/alias', { name, alias });
    else await this.requests.post('registered-models/alias', { name, alias, version: number });
  }
}

/** MLflow knows no escapes in its filters. */
function quoted(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

async function orNull<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return null;
  }
}

function runOf({ info }: RunAnswer): MlflowRun {
  return { id: info.run_id, artifactUri: info.artifact_uri };
}

function modelOf({ name, tags = [], aliases = [] }: ModelAnswer): RegisteredModel {
  const named = aliases.map(({ alias, version }) => [alias, version] as const);
  return { name, tags: tagsOf(tags), aliases: Object.fromEntries(named) };
}

function versionOf({ version, description = '', tags = [] }: VersionAnswer): RegisteredVersion {
  return { number: version, description, tags: tagsOf(tags) };
}

function tagsOf(tags: readonly Tag[]): Tags {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

function tagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
