import { blockBytes, clearBlock } from '../shared/clickhouse/nativeBlock.ts';
import { sourcePartition, topicsOfKind } from '../shared/config/inputs.ts';
import type { Flag, WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { readDeclaredVectors } from '../shared/profile/features.ts';
import { checkPrediction } from '../shared/records/checkRecord.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import { recentAt } from '../shared/service/recentRecords.ts';
import { RefusalBoard } from '../shared/service/refusalBoard.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { addFlag, flagBlock } from './blocks/flagBlock.ts';
import { addPrediction, predictionBlock } from './blocks/predictionBlock.ts';
import { addSample, sampleBlock } from './blocks/sampleBlock.ts';
import { addShadow, shadowBlock } from './blocks/shadowBlock.ts';
import { addWindow, windowBlock } from './blocks/windowBlock.ts';
import { countPrediction, isCounted } from './counting/profiler.ts';
import { emptyTally } from './counting/tally.ts';
import { timeNotices } from './counting/timeNotices.ts';
import { type VersionState, watermarkMs } from './counting/versionState.ts';
import { countWaitingRecords } from './counting/windowState.ts';
import { flagPublisher } from './flagging/flagPublisher.ts';
import { RuleBook } from './flagging/ruleBook.ts';
import { HeldVersions } from './memory/heldVersions.ts';
import { settleVersion } from './memory/versionMemory.ts';
import { addResult, noResults, type ProfilerMetrics, profilerMetrics } from './profilerMetrics.ts';
import { progressRow } from './store/progressTable.ts';
import { type ProfilerStore, profilerStore } from './store/store.ts';

/**
 * Records that are decoded at a time: few enough that the decoded objects die in V8's young
 * generation.
 */
const recordsPerPortion = 500;
/** Maximum memory of the versions that are held: ids and profiles. */
export const maxBytesInMemory = 128 * 1024 * 1024;
/** Rows of predictions that are inserted at once, whether or not a flush is due. */
export const maxRawRows = 100_000;
export const maxRawBytes = 32 * 1024 * 1024;
/**
 * Rows of window_profiles after which a block is inserted. A block has whole windows, so it may
 * exceed this by one window.
 */
const windowRowsPerInsert = 20_000;
/** Maximum records taken before a flush. Their raw rows are stored on the way. */
export const maxUnflushedRecords = 500_000;
/** Profiles begun after which what was counted is stored, whether or not a flush is due. */
export const maxNewProfiles = 50_000;

/**
 * Returns the handler of the profiler.
 * @param addRow appends a counted prediction to the raw rows of the next flush. A benchmark leaves
 * the rows out.
 */
export async function profilerHandler(
  context: ServiceContext,
  store: ProfilerStore = profilerStore(context.clickhouse),
  addRow: typeof addPrediction = addPrediction,
): Promise<BatchHandler> {
  const { schemas, topic } = context;
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  return new ProfilerHandler(context, store, addRow, encodeUpdate, await flagPublisher(context));
}

/**
 * Counts predictions by the log-prefix rule and announces the windows that changed.
 *
 * Invariant: what was taken since the last flush is in the versions in memory, the raw rows and the
 * dead letters, all of them together. A flush stores all of it, so that what is stored is a prefix
 * of each partition; a reset forgets all of it.
 */
class ProfilerHandler implements BatchHandler {
  readonly maxUnflushedRecords: BatchHandler['maxUnflushedRecords'] = maxUnflushedRecords;
  readonly #context: ServiceContext;
  readonly #store: ProfilerStore;
  readonly #addRow: typeof addPrediction;
  readonly #encodeUpdate: (update: WindowUpdate) => Buffer;
  readonly #sendFlags: (flags: readonly Flag[]) => Promise<void>;
  readonly #metrics: ProfilerMetrics;
  readonly #versions: HeldVersions;
  readonly #refusals: RefusalBoard;
  readonly #rules = new RuleBook();
  /** Counted predictions that are not inserted yet. */
  readonly #rows = predictionBlock();
  /** Shadow predictions that are not inserted yet. */
  readonly #shadows = shadowBlock();
  /** Flags that were sent and are not inserted yet. */
  readonly #flags = flagBlock();
  /** Filled and emptied within a flush. */
  readonly #windows = windowBlock();
  readonly #samples = sampleBlock();
  /**
   * Results and tally since the last flush. They reach the metrics when what they speak of is
   * stored.
   */
  #results = noResults();
  #tally = emptyTally();
  /**
   * True if a watermark has passed the end of a window since the last flush: the detector waits to
   * judge it.
   */
  #windowEnded = false;
  #flushes = 0;

  constructor(
    context: ServiceContext,
    store: ProfilerStore,
    addRow: typeof addPrediction,
    encodeUpdate: (update: WindowUpdate) => Buffer,
    sendFlags: (flags: readonly Flag[]) => Promise<void>,
  ) {
    this.#context = context;
    this.#store = store;
    this.#addRow = addRow;
    this.#encodeUpdate = encodeUpdate;
    this.#sendFlags = sendFlags;
    this.#versions = new HeldVersions(store, context.settings.of);
    this.#refusals = refusalBoard(context, store);
    this.#metrics = profilerMetrics(context.metrics, () => this.#versions.bytes());
    context.metrics.observeCaches(() => this.#versions.sizes());
  }

  isUrgent(): boolean {
    return this.#windowEnded;
  }

  async take(records: KafkaRecord[], mayStore: () => Promise<boolean>): Promise<void> {
    for (let start = 0; start < records.length; start += recordsPerPortion) {
      await this.#takePortion(records.slice(start, start + recordsPerPortion));
      await this.#keepWithinLimits(mayStore);
    }
  }

  async #takePortion(records: KafkaRecord[]): Promise<void> {
    this.#refusals.note(records);
    const partition = sourcePartition(records[0]!, this.#context.topic(topics.predictions));
    const nowMs = this.#context.clock.nowMs();
    const decoded = await decodeOrDeadLetter(records, 'Prediction', this.#context, value =>
      checkPrediction(value, nowMs),
    );
    const usable = decoded.filter(({ value }) => value.shadow !== true);
    for (const { value, record } of decoded) {
      if (value.shadow !== true) continue;
      addShadow(this.#shadows, value, partition, record.offset);
      this.#results.shadow++;
    }
    const predictions = usable.map(({ value, row, record: { offset } }) => ({
      prediction: value,
      offset,
      row,
    }));
    const versions = await this.#versions.versionsOf(partition, predictions);
    const endedBefore = Array.from(new Set(versions), version => ({
      version,
      beforeMs: endedUntilMs(version),
    }));
    const flags: Flag[] = [];
    for (const [index, record] of predictions.entries()) {
      const { featureKinds } = versions[index]!.settings.detection;
      if (featureKinds) readDeclaredVectors(record.prediction.features, featureKinds);
      const result = countPrediction(versions[index]!, record, this.#tally);
      addResult(this.#results, result);
      const { prediction, offset } = record;
      const { settings } = versions[index]!;
      if (isCounted(result)) {
        flags.push(...this.#rules.flags(prediction, settings));
        this.#addRow(this.#rows, prediction, partition, offset, settings.keepVectors);
      } else if (typeof result === 'object')
        this.#context.deadLetters.add({ record: usable[index]!.record, rejection: result });
    }
    for (const { version, beforeMs } of endedBefore)
      this.#windowEnded ||= endedUntilMs(version) > beforeMs;
    // At once, because whoever reads them may stop harm. What is taken again is flagged again.
    await this.#sendFlags(flags);
    for (const flag of flags) addFlag(this.#flags, flag);
  }

  /**
   * Stores early what takes too much memory. Both ways are safe before a flush is due: raw rows
   * count only when the progress says so, and a flush stores a prefix of each partition. If
   * `mayStore` says no, the consumer resets this handler instead of flushing it, a moment later.
   */
  async #keepWithinLimits(mayStore: () => Promise<boolean>): Promise<void> {
    const holdsManyProfiles = this.#tally.newProfiles >= maxNewProfiles;
    const holdsManyRows =
      this.#rows.rows + this.#shadows.rows + this.#flags.rows >= maxRawRows ||
      blockBytes(this.#rows) + blockBytes(this.#shadows) + blockBytes(this.#flags) >= maxRawBytes;
    if (!(holdsManyProfiles || holdsManyRows) || !(await mayStore())) return;
    await (holdsManyProfiles ? this.flush() : this.#insertRows());
  }

  /**
   * Rows first, dead letters before the progress that would hide a record that is delivered again,
   * what is refused by what is stored then, announcements last.
   */
  async flush(): Promise<void> {
    const updates: WindowUpdate[] = [];
    const progress: object[] = [];
    await this.#insertRows();
    for (const [partition, version] of this.#versions) {
      if (version.touchedWindows.size > 0) updates.push(windowUpdate(version, partition));
      if (!version.changed) continue;
      this.#stateTimeNotices(version);
      this.#stateRuleNotices(version);
      progress.push(progressRow(version, partition));
      await this.#addWindows(version, partition);
    }
    await this.#insertWindows();
    const refused = await this.#context.deadLetters.flush();
    await this.#context.notices.flush();
    await this.#store.progress.insert(progress);
    await this.#refusals.state(refused > 0);
    await this.#context.notices.flush();
    await this.#announce(updates);
    this.#settle();
  }

  /** States what is odd about the times of a version, when that is known first or has changed. */
  #stateTimeNotices(version: VersionState): void {
    const notices = timeNotices(version);
    const told = notices?.map(({ code }) => code).join() ?? null;
    if (notices === null || told === version.toldOfTimes) return;
    this.#context.notices.state(version, 'time', notices, version.predictions);
    version.toldOfTimes = told;
  }

  /** States which guardrails have nothing to check, when that is known first or has changed. */
  #stateRuleNotices(version: VersionState): void {
    const notices = this.#rules.notices(version, version.settings);
    if (notices) this.#context.notices.state(version, 'guardrails', notices, version.predictions);
  }

  async #insertRows(): Promise<void> {
    await this.#store.predictions.insert(this.#rows);
    this.#context.metrics.rows.inc({ table: 'predictions' }, this.#rows.rows);
    clearBlock(this.#rows);
    await this.#store.predictions.insertShadows(this.#shadows);
    this.#context.metrics.rows.inc({ table: 'shadow_predictions' }, this.#shadows.rows);
    clearBlock(this.#shadows);
    await this.#store.predictions.insertFlags(this.#flags);
    this.#context.metrics.rows.inc({ table: 'flags' }, this.#flags.rows);
    clearBlock(this.#flags);
  }

  /**
   * Appends the changed windows of a version to the blocks, and inserts the blocks when they are
   * full.
   */
  async #addWindows(version: VersionState, partition: number): Promise<void> {
    for (const window of version.windows.values()) {
      if (window.changed) {
        countWaitingRecords(window);
        addWindow(this.#windows, version, window, partition);
        addSample(this.#samples, version, window, partition);
      }
      if (this.#windows.rows >= windowRowsPerInsert) await this.#insertWindows();
    }
  }

  async #insertWindows(): Promise<void> {
    const { rows } = this.#context.metrics;
    await this.#store.windows.insertProfiles(this.#windows);
    rows.inc({ table: 'window_profiles' }, this.#windows.rows);
    clearBlock(this.#windows);
    await this.#store.windows.insertSamples(this.#samples);
    rows.inc({ table: 'window_samples' }, this.#samples.rows);
    clearBlock(this.#samples);
  }

  async #announce(updates: readonly WindowUpdate[]): Promise<void> {
    const { producer, topic } = this.#context;
    await sendRecords(
      producer,
      updates.map(update => ({
        topic: topic(topics.windows),
        key: update.model,
        value: this.#encodeUpdate(update),
      })),
    );
  }

  /**
   * After a flush nothing in memory is newer than what is stored, so memory can be brought back to
   * its limit.
   */
  #settle(): void {
    this.#flushes++;
    for (const [, version] of this.#versions)
      if (version.changed || version.touchedWindows.size > 0) settleVersion(version, this.#flushes);
    this.#metrics.add(this.#results, this.#tally);
    this.#beginFlushInterval();
    const evicted = this.#versions.evictToBytes(maxBytesInMemory);
    const { cacheEvictions } = this.#context.metrics;
    cacheEvictions.inc({ cache: 'windows' }, evicted.windows);
    cacheEvictions.inc({ cache: 'versions' }, evicted.versions);
  }

  reset(): void {
    this.#versions.clear();
    clearBlock(this.#rows);
    clearBlock(this.#shadows);
    clearBlock(this.#flags);
    this.#rules.clear();
    clearBlock(this.#windows);
    clearBlock(this.#samples);
    this.#context.deadLetters.clear();
    this.#context.notices.clear();
    this.#refusals.reset();
    this.#beginFlushInterval();
  }

  #beginFlushInterval(): void {
    this.#results = noResults();
    this.#tally = emptyTally();
    this.#windowEnded = false;
  }
}

function refusalBoard(context: ServiceContext, { progress }: ProfilerStore): RefusalBoard {
  const ownTopic = context.topic(topics.predictions);
  return new RefusalBoard(context, {
    service: 'profiler',
    topics: [ownTopic, ...topicsOfKind(context.settings.inputs, 'prediction')],
    async usable(models, newest) {
      const ends = new Map(newest.map(range => [sourcePartition(range, ownTopic), range.end]));
      const counted = await progress.recentOfModels(models);
      return counted.flatMap(({ model, version, sourcePartition: partition, ...recent }) => {
        const end = ends.get(partition);
        return end === undefined ? [] : [{ model, version, records: recentAt(recent, end) }];
      });
    },
  });
}

/** Returns the end of the last window that the watermark has passed. */
function endedUntilMs(version: VersionState): number {
  return windowStartMs(watermarkMs(version), version.settings.windowSizeMs);
}

function windowUpdate(state: VersionState, partition: number): WindowUpdate {
  return {
    kind: 'profile',
    model: state.model,
    version: state.version,
    sourcePartition: partition,
    watermark: state.predictions > 0 ? watermarkMs(state) : null,
    windowSizeMs: state.settings.windowSizeMs,
    windowStarts: [...state.touchedWindows].sort((a, b) => a - b),
  };
}
