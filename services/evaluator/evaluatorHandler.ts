import { sourcePartition, topicsOfKind } from '../shared/config/inputs.ts';
import type { WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { checkFeedback } from '../shared/records/checkRecord.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import { RefusalBoard } from '../shared/service/refusalBoard.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type ChangedVersion, WindowEstimator } from './estimates/windowEstimator.ts';
import { evaluatorMetrics } from './evaluatorMetrics.ts';
import { MeaningPublisher } from './performance/meaningPublisher.ts';
import { OutcomeJoin, partitionKey } from './performance/outcomeJoin.ts';
import { OutputMeanings } from './performance/outputMeanings.ts';
import { OutputNoticeBoard } from './performance/outputNoticeBoard.ts';
import { type FeedbackRecord, insertFeedback } from './performance/store/insertFeedback.ts';
import { WindowEvaluation } from './performance/windowEvaluation.ts';
import {
  addWindows,
  type PartitionWindows,
  portionsOfWindows,
  type VersionWindows,
} from './windows/versionWindows.ts';

/** Windows that one announcement names. */
const maxWindowsPerUpdate = 10_000;

/** Windows that a flush has to compute, by `versionKey`. */
type ChangedWindows = Map<string, VersionWindows>;

/**
 * Joins predictions with feedback, computes the quality of the windows that change by it, and
 * estimates the quality of windows whose labels have not come.
 *
 * Invariant: `#feedback` and `#announced` hold exactly what was taken since the last flush or
 * reset. A flush writes feedback, outcomes, performance_windows and estimated_quality in this
 * order, and looks at a table only after it has written to it. Any step can be repeated without a
 * change, so a flush that is cut off is done again from the committed offsets. Whatever else is in
 * memory only saves queries.
 */
export class EvaluatorHandler implements BatchHandler {
  readonly #context: ServiceContext;
  readonly #encodeUpdate: (update: WindowUpdate) => Buffer;
  readonly #join: OutcomeJoin;
  readonly #noticeBoard: OutputNoticeBoard;
  readonly #evaluation: WindowEvaluation;
  readonly #estimator: WindowEstimator;
  readonly #refusals: RefusalBoard;
  readonly #metrics: ReturnType<typeof evaluatorMetrics>;
  #feedback: FeedbackRecord[] = [];
  /** Windows that the profiler has announced, by `partitionKey`. */
  readonly #announced = new Map<string, PartitionWindows>();

  static async create(context: ServiceContext): Promise<EvaluatorHandler> {
    const { schemas, topic } = context;
    const encode = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
    return new EvaluatorHandler(context, encode);
  }

  private constructor(context: ServiceContext, encodeUpdate: (update: WindowUpdate) => Buffer) {
    const { clickhouse, settings, metrics, notices } = context;
    this.#context = context;
    this.#encodeUpdate = encodeUpdate;
    this.#join = new OutcomeJoin(clickhouse, settings);
    this.#noticeBoard = new OutputNoticeBoard(clickhouse, notices);
    const meanings = new OutputMeanings(clickhouse, settings, new MeaningPublisher(context));
    this.#evaluation = new WindowEvaluation(
      clickhouse,
      settings,
      metrics,
      meanings,
      this.#noticeBoard,
    );
    this.#estimator = new WindowEstimator(clickhouse, settings, metrics);
    this.#refusals = new RefusalBoard(context, {
      service: 'evaluator',
      topics: [context.topic(topics.feedback), ...topicsOfKind(settings.inputs, 'feedback')],
    });
    this.#metrics = evaluatorMetrics(metrics);
    metrics.observeCaches(() => ({
      joined_windows: this.#join.size,
      decisions: this.#evaluation.size,
      calibrations: this.#estimator.calibrations,
    }));
  }

  reset(): void {
    this.#feedback = [];
    this.#announced.clear();
    this.#context.deadLetters.clear();
    this.#join.reset();
    this.#noticeBoard.reset();
    this.#evaluation.reset();
    this.#estimator.reset();
    this.#refusals.reset();
  }

  take(records: KafkaRecord[]): Promise<void> {
    return records[0]!.topic === this.#context.topic(topics.windows)
      ? this.#takeUpdates(records)
      : this.#takeFeedback(records);
  }

  async flush(): Promise<void> {
    const { clickhouse, metrics, deadLetters } = this.#context;
    const changed: ChangedWindows = new Map();
    await insertFeedback(clickhouse, this.#feedback);
    metrics.rows.inc({ table: 'feedback' }, this.#feedback.length);
    const waitingModels = await this.#joinFeedback(changed);
    await this.#joinAnnounced(changed);
    const refused = await deadLetters.flush();
    await this.#refusals.state(refused > 0);
    const written = await this.#evaluation.evaluate([...changed.values()]);
    this.#metrics.setApart.set(this.#noticeBoard.setApart);
    if (waitingModels.size > 0) await this.#noticeBoard.stateLabels(waitingModels);
    await this.#context.notices.flush();
    await this.#announceWindows(written);
    await this.#estimator.estimate(this.#versionsToEstimate(changed));
    this.#feedback = [];
    this.#announced.clear();
  }

  async #takeFeedback(records: readonly KafkaRecord[]): Promise<void> {
    this.#refusals.note(records);
    const nowMs = this.#context.clock.nowMs();
    const usable = await decodeOrDeadLetter(records, 'Feedback', this.#context, value =>
      checkFeedback(value, nowMs),
    );
    const ownTopic = this.#context.topic(topics.feedback);
    for (const { value, record } of usable) {
      const partition = sourcePartition(record, ownTopic);
      this.#feedback.push({ feedback: value, partition, offset: record.offset });
    }
  }

  async #takeUpdates(records: readonly KafkaRecord[]): Promise<void> {
    const usable = await decodeOrDeadLetter(records, 'WindowUpdate', this.#context);
    for (const { value: update } of usable) {
      if (update.kind !== 'profile') continue;
      const key = partitionKey(update);
      const { model, version, sourcePartition } = update;
      const windows = this.#announced.get(key) ?? {
        model,
        version,
        sourcePartition,
        startsMs: new Set<number>(),
      };
      this.#announced.set(key, windows);
      for (const startMs of update.windowStarts) windows.startsMs.add(startMs);
    }
  }

  /** @returns models of feedback that waits for its prediction */
  async #joinFeedback(changed: ChangedWindows): Promise<Set<string>> {
    const { windows, waitingIds, waitingModels } = await this.#join.joinFeedback(
      this.#feedback.map(({ feedback }) => feedback),
    );
    for (const ofVersion of windows) addWindows(changed, ofVersion, ofVersion.startsMs);
    this.#metrics.waitingFeedback.inc(waitingIds);
    return waitingModels;
  }

  async #joinAnnounced(changed: ChangedWindows): Promise<void> {
    const announced = [...this.#announced.values()];
    await this.#join.joinPredictions(announced);
    for (const windows of announced) addWindows(changed, windows, windows.startsMs);
  }

  /** Tells the detector which windows have new rows in performance_windows. */
  async #announceWindows(written: readonly VersionWindows[]): Promise<void> {
    const { producer, settings, topic } = this.#context;
    const portions = written.flatMap(version =>
      [...portionsOfWindows([version], maxWindowsPerUpdate)].flat(),
    );
    await sendRecords(
      producer,
      portions.map(({ model, version, startsMs }) => ({
        topic: topic(topics.windows),
        key: model,
        value: this.#encodeUpdate({
          kind: 'performance',
          model,
          version,
          sourcePartition: -1,
          watermark: null,
          windowSizeMs: settings.of(model).windowSizeMs,
          windowStarts: [...startsMs],
        }),
      })),
    );
  }

  #versionsToEstimate(changed: ChangedWindows): ChangedVersion[] {
    const predicted: ChangedWindows = new Map();
    for (const windows of this.#announced.values())
      addWindows(predicted, windows, windows.startsMs);
    return [...changed].flatMap(([key, { model, version, startsMs }]) => {
      const meaning = this.#evaluation.meaningOf({ model, version });
      if (meaning === undefined) return [];
      const predictedMs = predicted.get(key)?.startsMs ?? new Set();
      const earliestMs = [...startsMs].reduce(
        (earliest, startMs) => Math.min(earliest, startMs),
        Number.POSITIVE_INFINITY,
      );
      return [{ model, version, meaning, predictedMs, earliestMs }];
    });
  }
}
