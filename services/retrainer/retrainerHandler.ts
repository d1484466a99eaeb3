import type { ModelVersion, RetrainRequest, WindowUpdate } from '../shared/contracts.ts';
import { cloudEvent } from '../shared/kafka/cloudEvent.ts';
import { headerText, type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { retrainRequestEvent } from '../shared/records/retrainRequestEvent.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { publishReference } from '../shared/windows/publishReference.ts';
import {
  type Cause,
  causeOfDriftEvent,
  causeOfRequest,
  type Decision,
  decideOnDriftEvent,
  decideOnRequest,
  type ModelHistory,
} from './causes/retrainer.ts';
import { startSchedules } from './causes/schedule.ts';
import { retrainerMetrics } from './retrainerMetrics.ts';
import { answerCause } from './run/trainingRun.ts';
import { retrainerStore } from './store/store.ts';

/** Trains while taking records, so that the offset of a cause is committed only when its answer has been published. */
export async function retrainerHandler(
  context: ServiceContext,
  signal: AbortSignal,
): Promise<BatchHandler> {
  const { environment, settings, schemas, deadLetters, clickhouse, producer, metrics, topic, log } =
    context;
  const store = retrainerStore(clickhouse);
  const encode = await schemas.encoder<ModelVersion>('ModelVersion', topic(topics.modelVersions));
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  const { runs, runSeconds } = retrainerMetrics(metrics);

  async function publish(version: ModelVersion): Promise<void> {
    const { model, version: name, status, time: timeMs } = version;
    const event = {
      topic: topic(topics.modelVersions),
      // The topic is compacted: a rejected candidate must not displace an approved version.
      key: `${model}:${name}`,
      type: 'io.driftloop.model-version',
      source: 'retrainer',
      identity: [model, name, status],
      subject: `${model}:${name}`,
      timeMs,
      value: encode(version),
    };
    await sendRecords(producer, [cloudEvent(event)]);
  }

  async function answer(cause: Cause, decide: (history: ModelHistory) => Decision): Promise<void> {
    const stopTimer = runSeconds.startTimer();
    const artifactsFolder = environment.DRIFTLOOP_ARTIFACTS;
    const status = await answerCause(cause, settings.of(cause.model), decide, {
      store,
      artifactsFolder,
      publish,
      publishReference: (reference, model, version) =>
        publishReference(
          reference,
          { model, version, source: 'training', windowSizeMs: settings.of(model).windowSizeMs },
          { clickhouse, producer, topic: topic(topics.windows), encode: encodeUpdate },
        ),
      log,
      signal,
    });
    if (status === null) return;
    runs.inc({ status });
    stopTimer();
  }

  async function takeDriftEvents(records: readonly KafkaRecord[]): Promise<void> {
    for (const { value: event, record } of await decodeOrDeadLetter(
      records,
      'DriftEvent',
      context,
    )) {
      const cause = causeOfDriftEvent(event);
      const atMs =
        Date.parse(headerText(record.headers, 'ce_time') ?? '') || event.detectedAtEventTime;
      if (cause)
        await answer(cause, history =>
          decideOnDriftEvent(event, atMs, settings.of(event.model), history),
        );
    }
  }

  async function takeRequests(records: readonly KafkaRecord[]): Promise<void> {
    for (const { value: request } of await decodeOrDeadLetter(records, 'RetrainRequest', context)) {
      await answer(causeOfRequest(request), () => decideOnRequest(settings.of(request.model)));
    }
  }

  return {
    reset: () => deadLetters.clear(),
    take: records =>
      records[0]!.topic === topic(topics.driftEvents)
        ? takeDriftEvents(records)
        : takeRequests(records),
    flush: () => deadLetters.flush(),
    // While a training runs, nothing asks ClickHouse.
    longWorkMs: Math.max(
      ...['', ...settings.configuredModels].map(model => settings.of(model).retraining.timeoutMs),
    ),
  };
}

/** Schedules ask in the same way as people do: one path for all trainings. */
export async function startRequests(context: ServiceContext): Promise<() => void> {
  const { settings, clickhouse, schemas, producer, topic, log } = context;
  const encode = await schemas.encoder<RetrainRequest>(
    'RetrainRequest',
    topic(topics.retrainRequests),
  );
  return startSchedules(
    settings,
    retrainerStore(clickhouse).models,
    requests =>
      sendRecords(
        producer,
        requests.map(request =>
          retrainRequestEvent(request, {
            topic: topic(topics.retrainRequests),
            source: 'retrainer',
            value: encode(request),
          }),
        ),
      ),
    error =>
      log.error(
        { err: error },
        'a scheduled training could not be requested; the next one will be',
      ),
  );
}
