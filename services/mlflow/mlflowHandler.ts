import { isTransientS3Error } from '../shared/artifacts/s3ArtifactStore.ts';
import type { VersionRequest } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { requestEvent } from '../shared/records/requestEvent.ts';
import { retryTransient } from '../shared/retryTransient.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { Partition } from '../shared/service/partitionStart.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import { isTransientMlflowError, MlflowError } from './client/mlflowError.ts';
import { MlflowRegistry } from './client/mlflowRegistry.ts';
import { MlflowRequests, uploadTimeoutMs } from './client/mlflowRequests.ts';
import { tags } from './content/names.ts';
import { type MlflowMetrics, mlflowMetrics } from './mlflowMetrics.ts';
import { MlflowStore } from './store/mlflowStore.ts';
import { type AliasContext, keepAliases, type NumberCache } from './sync/keepAliases.ts';
import { keepVersion } from './sync/keepVersion.ts';

/** MLflow tells nobody that an alias was moved, so it is asked. */
const pollMs = 2_000;
/** A look at many models takes time, of which MLflow should have most for others. */
const pausePerPollTime = 5;
/** A version that MLflow did not have is looked for again after this. */
const numbersAreKnownMs = 60_000;
const maxRefused = 1_000;

/** @param signal ends the waiting for MLflow */
export async function mlflowHandler(
  context: ServiceContext,
  signal: AbortSignal,
): Promise<BatchHandler> {
  const requests = new MlflowRequests(context.environment, signal);
  const topic = context.topic(topics.versionRequests);
  const encode = await context.schemas.encoder<VersionRequest>('VersionRequest', topic);
  return new MlflowHandler(context, new MlflowRegistry(requests), encode, signal);
}

const artifactStore = 'the store of artifacts';

/**
 * Keeps MLflow in step with the versions and aliases that the retrainer publishes.
 *
 * Invariant: records only say which versions have changed. What goes to MLflow is read from the
 * tables, which are written before records are sent, and it goes there before the offset is
 * committed. Aliases are compared again and again. So what is brought twice changes nothing, and
 * after an outage nothing is missing.
 */
class MlflowHandler implements BatchHandler {
  /** A large model takes long to upload, and nothing asks ClickHouse meanwhile. */
  readonly longWorkMs = uploadTimeoutMs;
  readonly #context: ServiceContext;
  readonly #registry: MlflowRegistry;
  readonly #encode: (request: VersionRequest) => Buffer;
  readonly #signal: AbortSignal;
  readonly #store: MlflowStore;
  readonly #metrics: MlflowMetrics;
  readonly #changed = new Map<string, VersionName>();
  /** See `AliasContext`. */
  readonly #asked = new Set<string>();
  readonly #numbers: NumberCache = new Map();
  #numbersSinceMs = 0;
  #nextPollAtMs = 0;
  /** What MLflow refuses now, by what it is, so that the log says it once. */
  readonly #refused = new Map<string, string>();

  constructor(
    context: ServiceContext,
    registry: MlflowRegistry,
    encode: (request: VersionRequest) => Buffer,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#registry = registry;
    this.#encode = encode;
    this.#signal = signal;
    this.#store = new MlflowStore(context.clickhouse);
    this.#metrics = mlflowMetrics(context.metrics);
  }

  reset(): void {
    this.#changed.clear();
    this.#context.deadLetters.clear();
  }

  async take(records: KafkaRecord[]): Promise<void> {
    const versions = await decodeOrDeadLetter(records, 'ModelVersion', this.#context);
    for (const { value } of versions) this.#changed.set(versionKey(value), value);
  }

  async flush(): Promise<void> {
    for (const { model, version } of this.#changed.values())
      await this.#inMlflow(`version ${version} of ${model}`, async () => {
        const stored = await this.#store.selectVersion(model, version);
        if (stored) await keepVersion(stored, this.#registry);
      });
    this.#changed.clear();
    this.#numbers.clear();
    this.#nextPollAtMs = 0;
    await this.#context.deadLetters.flush();
  }

  /**
   * Compares the aliases of all models. The member that has the first partition does it for all, so
   * that no two write the same.
   */
  async tick(assigned: readonly Partition[]): Promise<void> {
    const startMs = performance.now();
    if (startMs < this.#nextPollAtMs || !assigned.some(({ partition }) => partition === 0)) return;
    if (startMs - this.#numbersSinceMs > numbersAreKnownMs) {
      this.#numbers.clear();
      this.#numbersSinceMs = startMs;
    }
    await this.#inMlflow('the aliases', () => this.#compareAliases());
    const endMs = performance.now();
    this.#nextPollAtMs = endMs + Math.max(pollMs, pausePerPollTime * (endMs - startMs));
  }

  async #compareAliases(): Promise<void> {
    const registered = await this.#registry.modelsWithTag(tags.model);
    const models = await this.#store.selectModels();
    const aliases = Map.groupBy(await this.#store.selectAliases(), row => row.model);
    const context: AliasContext = {
      registry: this.#registry,
      store: this.#store,
      numbers: this.#numbers,
      ask: request => this.#ask(request),
      asked: this.#asked,
    };
    for (const one of registered) {
      const model = one.tags[tags.model]!;
      // Another installation may use the same server.
      if (!models.has(model)) continue;
      const rows = aliases.get(model) ?? [];
      await this.#unlessRefused(`the aliases of ${model}`, () =>
        keepAliases(model, one, rows, context),
      );
    }
  }

  /**
   * Does something in MLflow, and does it again from its beginning for as long as MLflow, or the
   * bucket with the files, is away.
   */
  #inMlflow(what: string, work: () => Promise<void>): Promise<void> {
    const { metrics, log } = this.#context;
    return retryTransient(
      () => this.#unlessRefused(what, work),
      error => isTransientMlflowError(error) || isTransientS3Error(error),
      (error, attempt) => {
        this.#metrics.retries.inc();
        metrics.waits.failed(error instanceof MlflowError ? 'MLflow' : artifactStore, error);
        metrics.loop.progressed();
        log.warn({ err: error, attempt }, `${what} is not in MLflow yet; trying again`);
      },
      () => {
        metrics.waits.answered('MLflow');
        metrics.waits.answered(artifactStore);
      },
      this.#signal,
    );
  }

  /**
   * What MLflow refuses for its content stays undone until something changes, because it would be
   * refused for ever and hold up everything else.
   */
  async #unlessRefused(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#refused.delete(what);
    } catch (error) {
      if (!(error instanceof MlflowError) || isTransientMlflowError(error)) throw error;
      this.#numbers.clear();
      if (this.#refused.get(what) === error.message) return;
      if (this.#refused.size === maxRefused) this.#refused.clear();
      this.#refused.set(what, error.message);
      this.#metrics.refusals.inc();
      this.#context.log.error({ err: error }, `MLflow refuses ${what}`);
    }
  }

  async #ask(request: VersionRequest): Promise<void> {
    const { topic, producer, log } = this.#context;
    const { model, action, version } = request;
    const value = this.#encode(request);
    const of = { topic: topic(topics.versionRequests), source: 'mlflow', value };
    await sendRecords(producer, [requestEvent('version-request', request, of)]);
    log.info({ model, action, version }, 'an alias was moved in MLflow; this was asked for');
  }
}
