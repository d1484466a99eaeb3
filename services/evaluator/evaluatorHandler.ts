import { queryPortions } from '../shared/clickhouse/queryPortions.ts';
import type { WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { checkFeedback } from '../shared/records/checkRecord.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { usableRecords } from '../shared/service/usableRecords.ts';
import { decideTask, type TaskDecision } from '../shared/task.ts';
import { versionKey } from '../shared/versionKey.ts';
import { windowEstimator } from './estimates/windowEstimator.ts';
import { evaluatorMetrics } from './evaluatorMetrics.ts';
import type { FeedbackRecord } from './performance/feedbackBlock.ts';
import { type AnnouncedWindows, type Evaluation, evaluatorStore } from './performance/store.ts';
import {
  addWindows,
  portionsOfWindows,
  type VersionWindows,
} from './performance/versionWindows.ts';

const mostWindowsPerQuery = 500;
const mostWindowsPerUpdate = 10_000;
/** Past this many, what is remembered only to save queries is forgotten. */
export const mostRemembered = 100_000;

/**
 * Joins predictions with feedback, from both sides: whichever is stored last finds the other, as each is stored before it looks.
 * Then computes the windows that changed. Several evaluators may work on the same windows: each writes its outcomes before it reads
 * those of a window, so the last to read has seen all, and its row has the highest progress.
 */
export async function evaluatorHandler(context: ServiceContext): Promise<BatchHandler> {
  const { settings, clickhouse, schemas, deadLetters, producer, metrics, topic } = context;
  const store = evaluatorStore(clickhouse);
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  const { waitingFeedback } = evaluatorMetrics(metrics);
  const estimator = windowEstimator(clickhouse, settings, metrics);
  let feedback: FeedbackRecord[] = [];
  /** By version and partition. */
  const announced = new Map<string, VersionWindows & { sourcePartition: number }>();
  /** Offset up to which the predictions of a window (of a version and partition) have met the feedback that was there before them. */
  const joinedOffsets = new Map<string, number>();
  /** Versions of which every stored window was computed under the decision. */
  const settledDecisions = new Map<string, TaskDecision>();
  metrics.observeCaches(() => ({
    joined_windows: joinedOffsets.size,
    decisions: settledDecisions.size,
    ...estimator.held(),
  }));

  async function takeFeedback(records: readonly KafkaRecord[]): Promise<void> {
    const nowMs = Date.now();
    const usable = await usableRecords(records, 'Feedback', context, value =>
      checkFeedback(value, nowMs),
    );
    for (const { value, record } of usable) {
      feedback.push({ feedback: value, partition: record.partition, offset: record.offset });
    }
  }

  async function takeUpdates(records: readonly KafkaRecord[]): Promise<void> {
    for (const { value: update } of await usableRecords(records, 'WindowUpdate', context)) {
      if (update.kind !== 'profile') continue;
      const key = partitionKey(update);
      const { model, version, sourcePartition } = update;
      const windows = announced.get(key) ?? {
        model,
        version,
        sourcePartition,
        startsMs: new Set<number>(),
      };
      announced.set(key, windows);
      for (const startMs of update.windowStarts) windows.startsMs.add(startMs);
    }
  }

  function take(records: KafkaRecord[]): Promise<void> {
    return records[0]!.topic === topic(topics.feedback)
      ? takeFeedback(records)
      : takeUpdates(records);
  }

  async function flush(): Promise<void> {
    const changed = new Map<string, VersionWindows>();
    await store.insertFeedback(feedback);
    metrics.rows.inc({ table: 'feedback' }, feedback.length);
    await joinFeedback(changed);
    await joinAnnouncedWindows(changed);
    await deadLetters.flush();
    await announce(await evaluate([...changed.values()]));
    await estimate(changed);
    feedback = [];
    announced.clear();
  }

  async function joinFeedback(changed: Map<string, VersionWindows>): Promise<void> {
    // Of an id that comes several times, the windows are found once.
    const distinct = new Map(
      feedback.map(({ feedback: value }) => [`${value.model ?? ''} ${value.id}`, value]),
    );
    for (const portion of queryPortions(
      distinct.values(),
      ({ id, model }) => `${id}${model ?? ''}`,
    )) {
      await store.joinIds(portion.map(({ id }) => id));
      const met = await store.predictionsOf(
        portion,
        settings.configuredModels,
        model => settings.of(model).window,
      );
      for (const { startMs, ...version } of met.windows) addWindows(changed, version, [startMs]);
      waitingFeedback.inc(Math.max(0, portion.length - met.ids));
    }
  }

  async function joinAnnouncedWindows(changed: Map<string, VersionWindows>): Promise<void> {
    if (announced.size === 0) return;
    // Read before the join: the predictions up to these offsets are stored already.
    const storedOffsets = new Map(
      (await store.storedOffsets([...announced.values()])).map(row => [
        partitionKey({ ...row, sourcePartition: row.source_partition }),
        row.last_offset,
      ]),
    );
    const unjoined: AnnouncedWindows[] = [];
    for (const [key, windows] of announced) {
      addWindows(changed, windows, windows.startsMs);
      const byOffset = Map.groupBy(
        windows.startsMs,
        startMs => joinedOffsets.get(`${key}${startMs}`) ?? -1,
      );
      for (const [joinedOffset, startsMs] of byOffset)
        unjoined.push({ ...windows, joinedOffset, startsMs: new Set(startsMs) });
    }
    const bySize = Map.groupBy(unjoined, ({ model }) => settings.of(model).window);
    for (const [windowSizeMs, windows] of bySize) {
      for (const portion of portionsOfWindows(windows, mostWindowsPerQuery))
        await store.joinAnnounced(portion, windowSizeMs);
    }
    if (joinedOffsets.size > mostRemembered) joinedOffsets.clear();
    for (const [key, { startsMs }] of announced) {
      const offset = storedOffsets.get(key);
      if (offset === undefined) continue;
      for (const startMs of startsMs) joinedOffsets.set(`${key}${startMs}`, offset);
    }
  }

  async function decide(versions: readonly VersionWindows[]): Promise<Map<string, TaskDecision>> {
    const decisions = new Map<string, TaskDecision>();
    const summaries = await store.labelSummaries(versions);
    for (const version of versions) {
      const key = versionKey(version);
      const summary = summaries.get(key);
      if (summary)
        decisions.set(key, decideTask(summary, settings.of(version.model).positiveLabel));
    }
    return decisions;
  }

  /**
   * Computes windows, and all others of a version when its labels have come to mean something else. The decision is looked at again
   * after the rows are written: another evaluator may have stored a new class meanwhile, and have missed rows that were not there yet.
   * @returns the windows that have rows
   */
  async function evaluate(changed: VersionWindows[]): Promise<VersionWindows[]> {
    const written = new Map<string, VersionWindows>();
    let pending = changed;
    while (pending.length > 0) {
      const decisions = await decide(pending);
      pending = pending.filter(version => decisions.has(versionKey(version)));
      await addWindowsDecidedOtherwise(pending, decisions);
      await computeAndWrite(pending, decisions, written);
      const decisionsNow = await decide(pending);
      pending = pending.filter(version => {
        const key = versionKey(version);
        return !sameDecision(decisions.get(key), decisionsNow.get(key));
      });
    }
    return [...written.values()];
  }

  async function addWindowsDecidedOtherwise(
    pending: readonly VersionWindows[],
    decisions: ReadonlyMap<string, TaskDecision>,
  ): Promise<void> {
    for (const windows of pending) {
      const key = versionKey(windows);
      const decision = decisions.get(key)!;
      if (sameDecision(settledDecisions.get(key), decision)) continue;
      const windowSizeMs = settings.of(windows.model).window;
      const startsMs = await store.windowsDecidedOtherwise(windows, decision, windowSizeMs);
      for (const startMs of startsMs) windows.startsMs.add(startMs);
    }
  }

  async function computeAndWrite(
    pending: readonly VersionWindows[],
    decisions: ReadonlyMap<string, TaskDecision>,
    written: Map<string, VersionWindows>,
  ): Promise<void> {
    const evaluationOf = (windows: VersionWindows): Evaluation => {
      const { window, segments } = settings.of(windows.model);
      return {
        windowSizeMs: window,
        segmentNames: segments,
        decision: decisions.get(versionKey(windows))!,
      };
    };
    const alike = Map.groupBy(pending, windows => JSON.stringify(evaluationOf(windows)));
    for (const versions of alike.values()) {
      const evaluation = evaluationOf(versions[0]!);
      for (const portion of portionsOfWindows(versions, mostWindowsPerQuery)) {
        const rows = await store.performanceOf(portion, evaluation);
        await store.insertPerformance(rows);
        metrics.rows.inc({ table: 'performance_windows' }, rows.length);
        for (const row of rows) addWindows(written, row, [row.startMs]);
      }
    }
    if (settledDecisions.size > mostRemembered) settledDecisions.clear();
    for (const [key, decision] of decisions) settledDecisions.set(key, decision);
  }

  async function estimate(changed: ReadonlyMap<string, VersionWindows>): Promise<void> {
    const versions = new Map(
      [...changed].map(([key, { model, version, startsMs }]) => {
        const earliestMs = [...startsMs].reduce(
          (least, startMs) => Math.min(least, startMs),
          Number.POSITIVE_INFINITY,
        );
        return [key, { model, version, earliestMs, predictedMs: new Set<number>() }];
      }),
    );
    for (const windows of announced.values())
      for (const startMs of windows.startsMs)
        versions.get(versionKey(windows))!.predictedMs.add(startMs);
    await estimator.estimate([...versions.values()], version =>
      settledDecisions.get(versionKey(version)),
    );
  }

  async function announce(written: readonly VersionWindows[]): Promise<void> {
    const portions = written.flatMap(version =>
      [...portionsOfWindows([version], mostWindowsPerUpdate)].flat(),
    );
    await sendRecords(
      producer,
      portions.map(({ model, version, startsMs }) => ({
        topic: topic(topics.windows),
        key: model,
        value: encodeUpdate({
          kind: 'performance',
          model,
          version,
          sourcePartition: -1,
          watermark: null,
          windowSizeMs: settings.of(model).window,
          windowStarts: [...startsMs],
        }),
      })),
    );
  }

  function reset(): void {
    feedback = [];
    announced.clear();
    deadLetters.clear();
    joinedOffsets.clear();
    settledDecisions.clear();
    estimator.reset();
  }

  return { reset, take, flush };
}

function partitionKey({
  model,
  version,
  sourcePartition,
}: Pick<WindowUpdate, 'model' | 'version' | 'sourcePartition'>) {
  return JSON.stringify([model, version, sourcePartition]);
}

function sameDecision(one: TaskDecision | undefined, other: TaskDecision | undefined): boolean {
  return one?.task === other?.task && one?.positiveLabel === other?.positiveLabel;
}
