import type {
  ModelAlias,
  ModelVersion,
  RetrainRequest,
  VersionRequest,
  WindowUpdate,
} from '../shared/contracts.ts';
import { deterministicId } from '../shared/deterministicId.ts';
import { dayMs } from '../shared/duration.ts';
import { cloudEvent } from '../shared/kafka/cloudEvent.ts';
import {
  connectProducer,
  headerText,
  type Kafka,
  type KafkaRecord,
  type OutgoingRecord,
  sendRecords,
} from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { ReferenceProfiles } from '../shared/profile/referenceProfiles.ts';
import { requestEvent } from '../shared/records/requestEvent.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { Partition } from '../shared/service/partitionStart.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { publishedVersionKey } from '../shared/versionKey.ts';
import { publishReference } from '../shared/windows/publishReference.ts';
import { announceLineage, lineageSources } from './announceLineage.ts';
import { artifactFailure } from './artifacts/artifactFailure.ts';
import {
  type Cause,
  causeOfDriftEvent,
  causeOfRequest,
  decideOnDriftEvent,
  decideOnRequest,
  type ModelHistory,
  type TrainingDecision,
} from './causes/retrainer.ts';
import { startSchedules } from './causes/schedule.ts';
import { type ArtifactAccess, connectArtifacts } from './connectArtifacts.ts';
import { platformOf } from './external/trainingRequest.ts';
import { answerVersionRequest } from './registry/answerVersionRequest.ts';
import { checkVersionRequest } from './registry/checkVersionRequest.ts';
import { type RetrainerMetrics, retrainerMetrics } from './retrainerMetrics.ts';
import { answerOutsideRun, lateResult } from './run/outsideRun.ts';
import { causeToTakeUp } from './run/takeUpCause.ts';
import { onnxTimeoutMs } from './run/trainCandidate.ts';
import { answerCause, type TrainingRunContext } from './run/trainingRun.ts';
import { askAfterComparison } from './shadow/askAfterComparison.ts';
import { type RetrainerStore, retrainerStore } from './store/store.ts';
import type { OutsideRun } from './store/trainingRunTable.ts';
import { identityOfState } from './versions/publishedVersion.ts';

/** How often trainings outside are looked after at most. */
const pollMs = 2_000;
const pausePerPollTime = 3;
/** A result that comes so long after the deadline is recorded, though it is refused. */
const lateResultMs = 7 * dayMs;
/** A topic of a platform that is missing is tried again at the next look. */
const sendRetries = 3;

interface Encoders {
  version: (version: ModelVersion) => Buffer;
  alias: (alias: ModelAlias) => Buffer;
  request: (request: VersionRequest) => Buffer;
  update: (update: WindowUpdate) => Buffer;
}

/** @param signal stops a training */
export async function retrainerHandler(
  context: ServiceContext,
  signal: AbortSignal,
): Promise<BatchHandler> {
  const { schemas, topic } = context;
  return new RetrainerHandler(context, signal, {
    version: await schemas.encoder<ModelVersion>('ModelVersion', topic(topics.modelVersions)),
    alias: await schemas.encoder<ModelAlias>('ModelAlias', topic(topics.modelAliases)),
    request: await schemas.encoder<VersionRequest>('VersionRequest', topic(topics.versionRequests)),
    update: await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows)),
  });
}

/**
 * Answers drift events and requests with trainings, and takes up drift events again as labels come.
 *
 * Invariant: a cause is answered, and the answer published, while its record is taken. So its
 * offset is committed only after that, and between two records there is nothing in memory but dead
 * letters, and with how many rows versions were compared, which a restart may forget. The same goes
 * for requests for changes of versions.
 */
class RetrainerHandler implements BatchHandler {
  /** While a training runs, nothing asks ClickHouse. */
  readonly longWorkMs: number;
  readonly #context: ServiceContext;
  readonly #signal: AbortSignal;
  readonly #encoders: Encoders;
  readonly #store: RetrainerStore;
  readonly #artifacts: ArtifactAccess;
  readonly #metrics: RetrainerMetrics;
  /** See `ComparisonContext`. */
  readonly #comparedRows = new Map<string, number>();
  #hasAskedForAdoption = false;
  readonly #hasPlatform: boolean;
  /** Of trainings outside. Without any, they are looked for once. */
  #nextPollAtMs = 0;

  constructor(context: ServiceContext, signal: AbortSignal, encoders: Encoders) {
    const { settings } = context;
    const trainings = ['', ...settings.configuredModels].map(
      model => settings.of(model).retraining,
    );
    const local = trainings.filter(retraining => platformOf(retraining) === null);
    this.longWorkMs = Math.max(onnxTimeoutMs, ...local.map(({ timeoutMs }) => timeoutMs));
    this.#hasPlatform = local.length < trainings.length;
    this.#context = context;
    this.#signal = signal;
    this.#encoders = encoders;
    this.#store = retrainerStore(context.clickhouse);
    this.#artifacts = connectArtifacts(context, signal);
    this.#metrics = retrainerMetrics(context.metrics);
  }

  reset(): void {
    this.#comparedRows.clear();
    this.#context.deadLetters.clear();
  }

  take(records: KafkaRecord[]): Promise<void> {
    const { topic } = this.#context;
    switch (records[0]!.topic) {
      case topic(topics.driftEvents):
        return this.#takeDriftEvents(records);
      case topic(topics.windows):
        return this.#takeUpdates(records);
      case topic(topics.versionRequests):
        return this.#takeVersionRequests(records);
      default:
        return this.#takeRequests(records);
    }
  }

  async flush(): Promise<void> {
    await this.#context.deadLetters.flush();
  }

  /** Not before the first tick are all topics there. */
  async tick(assigned: readonly Partition[]): Promise<void> {
    await this.#askForAdoption();
    await this.#answerOutsideRuns(assigned);
  }

  /** Asks once for what Driftloop 0.1 approved to be taken over, so that it has aliases. */
  async #askForAdoption(): Promise<void> {
    if (this.#hasAskedForAdoption) return;
    const models = await this.#store.versions.selectModelsBeforeSteps();
    for (const model of models)
      await this.#ask({
        id: deterministicId('adopt', model),
        model,
        action: 'adopt',
        version: null,
        expectedChampion: null,
        requestedBy: 'retrainer',
        note: null,
        time: Date.now(),
      });
    this.#hasAskedForAdoption = true;
  }

  /**
   * Looks after the trainings outside. The member that has the first partition of the requests does
   * it for all. A platform that does not answer takes a small part of the time only.
   */
  async #answerOutsideRuns(assigned: readonly Partition[]): Promise<void> {
    const requests = this.#context.topic(topics.retrainRequests);
    const isFirst = assigned.some(({ topic, partition }) => topic === requests && partition === 0);
    const startMs = performance.now();
    if (!isFirst || startMs < this.#nextPollAtMs) return;
    const { runs } = this.#store;
    const waiting = await runs.selectOutside(Date.now() - lateResultMs, lateResult);
    for (const run of waiting) await this.#answerOutsideRun(run);
    const endMs = performance.now();
    this.#nextPollAtMs =
      this.#hasPlatform || waiting.length > 0
        ? endMs + Math.max(pollMs, pausePerPollTime * (endMs - startMs))
        : Number.POSITIVE_INFINITY;
  }

  async #answerOutsideRun(run: OutsideRun): Promise<void> {
    const { settings, log, kafka } = this.#context;
    try {
      const status = await answerOutsideRun(run, settings.of(run.model), {
        ...this.#runContext(),
        send: record => sendToPlatform(record, kafka),
      });
      if (status !== null) this.#metrics.runs.inc({ status });
    } catch (error) {
      const reason = artifactFailure(error);
      if (reason === null) throw error;
      log.error({ run: run.id, reason }, 'a training outside cannot be looked after; trying again');
    }
  }

  async #takeDriftEvents(records: readonly KafkaRecord[]): Promise<void> {
    const events = await decodeOrDeadLetter(records, 'DriftEvent', this.#context);
    for (const { value: event, record } of events) {
      const opened = causeOfDriftEvent(event);
      if (!opened) continue;
      const cause = { ...opened, changedAtMs: event.windowStart };
      const settings = this.#context.settings.of(event.model);
      const sentAtMs = Date.parse(headerText(record.headers, 'ce_time') ?? '');
      const atMs = sentAtMs || event.detectedAtEventTime;
      await this.#answer(cause, history => decideOnDriftEvent(event, atMs, settings, history));
    }
  }

  async #takeRequests(records: readonly KafkaRecord[]): Promise<void> {
    const requests = await decodeOrDeadLetter(records, 'RetrainRequest', this.#context);
    for (const { value: request } of requests) {
      const settings = this.#context.settings.of(request.model);
      await this.#answer(causeOfRequest(request), () => decideOnRequest(settings));
    }
  }

  /**
   * Takes up causes again of models whose labels have come, and asks for what the comparison of
   * versions on what was served says. The updates of a model are in one partition, so one replica
   * does it.
   */
  async #takeUpdates(records: readonly KafkaRecord[]): Promise<void> {
    const updates = await decodeOrDeadLetter(records, 'WindowUpdate', this.#context);
    const newestMs = new Map<string, number>();
    for (const { value } of updates) {
      const { kind, model, windowStarts, windowSizeMs } = value;
      const endsMs = windowStarts.map(startMs => startMs + windowSizeMs);
      if (kind === 'performance' && endsMs.length > 0)
        newestMs.set(model, Math.max(newestMs.get(model) ?? 0, ...endsMs));
    }
    for (const [model, nowMs] of newestMs) {
      const settings = this.#context.settings.of(model);
      const cause = await causeToTakeUp(model, nowMs, settings, this.#store);
      if (cause !== null) await this.#answer(cause, () => ({ train: true }));
      const { log } = this.#context;
      const request = await askAfterComparison(model, settings, {
        store: this.#store,
        log,
        comparedRows: this.#comparedRows,
      });
      if (request !== null) await this.#ask(request);
    }
  }

  async #answer(cause: Cause, decide: (history: ModelHistory) => TrainingDecision): Promise<void> {
    const { settings } = this.#context;
    const stopTimer = this.#metrics.runSeconds.startTimer();
    const status = await answerCause(cause, settings.of(cause.model), decide, this.#runContext());
    // What waits for a training outside is handed over at once.
    this.#nextPollAtMs = 0;
    if (status === null) return;
    this.#metrics.runs.inc({ status });
    stopTimer();
  }

  #runContext(): TrainingRunContext {
    return {
      store: this.#store,
      artifacts: this.#artifacts.artifacts,
      workFolder: this.#artifacts.workFolder,
      lineage: lineageSources(this.#context),
      announce: event => announceLineage(event, this.#context),
      publish: version => this.#publish(version),
      publishReference: (...of) => this.#publishReference(...of),
      submit: request => this.#ask(request),
      log: this.#context.log,
      signal: this.#signal,
    };
  }

  async #takeVersionRequests(records: readonly KafkaRecord[]): Promise<void> {
    const { settings, log } = this.#context;
    const requests = await decodeOrDeadLetter(
      records,
      'VersionRequest',
      this.#context,
      checkVersionRequest,
    );
    for (const { value: request, record } of requests) {
      const answer = await answerVersionRequest(
        request,
        record.timestampMs,
        settings.of(request.model),
        {
          store: this.#store,
          publish: version => this.#publish(version),
          publishAliases: aliases => this.#publishAliases(aliases),
          repeat: this.#artifacts.repeat,
          log,
        },
      );
      if (answer)
        this.#metrics.versionRequests.inc({ status: answer.accepted ? 'accepted' : 'refused' });
    }
  }

  async #publish(version: ModelVersion): Promise<void> {
    const { topic, producer } = this.#context;
    const { model, version: name, time: timeMs } = version;
    const event = cloudEvent({
      topic: topic(topics.modelVersions),
      // The topic is compacted: a rejected candidate must not displace an approved version.
      key: publishedVersionKey({ model, version: name }),
      type: 'io.driftloop.model-version',
      source: 'retrainer',
      identity: identityOfState(version),
      subject: `${model}:${name}`,
      timeMs,
      value: this.#encoders.version(version),
    });
    await sendRecords(producer, [event]);
  }

  async #publishAliases(aliases: readonly ModelAlias[]): Promise<void> {
    const { topic, producer } = this.#context;
    const events = aliases.map(alias => {
      const { model, alias: name, sequence, time: timeMs } = alias;
      return cloudEvent({
        topic: topic(topics.modelAliases),
        key: publishedVersionKey({ model, version: name }),
        type: 'io.driftloop.model-alias',
        source: 'retrainer',
        identity: [model, name, sequence],
        subject: `${model}:${name}`,
        timeMs,
        value: this.#encoders.alias(alias),
      });
    });
    await sendRecords(producer, events);
  }

  async #ask(request: VersionRequest): Promise<void> {
    const { topic, producer } = this.#context;
    const value = this.#encoders.request(request);
    const of = { topic: topic(topics.versionRequests), source: 'retrainer', value };
    await sendRecords(producer, [requestEvent('version-request', request, of)]);
  }

  async #publishReference(
    reference: ReferenceProfiles,
    model: string,
    version: string,
  ): Promise<void> {
    const { settings, clickhouse, producer, topic } = this.#context;
    await publishReference(
      reference,
      { model, version, source: 'training', windowSizeMs: settings.of(model).windowSizeMs },
      { clickhouse, producer, topic: topic(topics.windows), encode: this.#encoders.update },
    );
  }
}

/** Writes a record for a platform. Unlike others it is given up when the topic is missing. */
async function sendToPlatform(record: OutgoingRecord, kafka: Kafka): Promise<void> {
  const producer = await connectProducer(kafka, undefined, sendRetries);
  try {
    await sendRecords(producer, [record]);
  } finally {
    await producer.disconnect();
  }
}

/**
 * Starts the schedules. They send requests as people do, so that all trainings take the same path.
 * @returns a function that stops them
 */
export async function startRequests(context: ServiceContext): Promise<() => void> {
  const { settings, clickhouse, schemas, producer, log } = context;
  const { history } = retrainerStore(clickhouse);
  const topic = context.topic(topics.retrainRequests);
  const encode = await schemas.encoder<RetrainRequest>('RetrainRequest', topic);
  const send = (requests: RetrainRequest[]) =>
    sendRecords(
      producer,
      requests.map(request =>
        requestEvent('retrain-request', request, {
          topic,
          source: 'retrainer',
          value: encode(request),
        }),
      ),
    );
  return startSchedules(
    settings,
    () => history.selectModels(),
    send,
    error =>
      log.error(
        { err: error },
        'a scheduled training could not be requested; the next one will be requested',
      ),
  );
}
