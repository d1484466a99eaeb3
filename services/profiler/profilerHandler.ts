import { blockBytes, clearBlock } from '../shared/clickhouse/nativeBlock.ts';
import type { WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { LoggedPrediction } from '../shared/profile/features.ts';
import { checkPrediction } from '../shared/records/checkRecord.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type UsableRecord, usableRecords } from '../shared/service/usableRecords.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { versionKey } from '../shared/versionKey.ts';
import { addPrediction, predictionBlock } from './blocks/predictionBlock.ts';
import { addSample, sampleBlock } from './blocks/sampleBlock.ts';
import { addWindow, windowBlock } from './blocks/windowBlock.ts';
import {
  countPrediction,
  evictToBytes,
  newWindowState,
  profileCount,
  settleVersion,
  type VersionState,
  watermarkMs,
} from './counting/profiler.ts';
import { profilerMetrics } from './profilerMetrics.ts';
import { type ProfilerStore, profilerStore, progressRow, windowKey } from './store/store.ts';

/** Decoded at a time: few enough that what was decoded is garbage before the garbage collector would move it to its old space. */
const recordsPerPortion = 500;
/** Of all that is held of versions: ids, profiles. */
export const mostBytesInMemory = 128 * 1024 * 1024;
/** Rows that are inserted at once, flush or not. */
export const mostRawRows = 100_000;
export const mostRawBytes = 32 * 1024 * 1024;
/** Profiles that are inserted at once, and all of the window that reaches it. */
const windowRowsPerInsert = 20_000;
/** Their raw rows are stored on the way. */
export const mostUnflushedRecords = 500_000;
/** Profiles that are begun before what was counted is stored, flush or not. */
export const mostNewProfiles = 50_000;

type UsablePrediction = UsableRecord<LoggedPrediction>;

/**
 * Counts predictions by the log-prefix rule and announces the windows that changed.
 * @param addRow appends a counted prediction to the raw rows of the next flush
 */
export async function profilerHandler(
  context: ServiceContext,
  store: ProfilerStore = profilerStore(context.clickhouse),
  addRow: typeof addPrediction = addPrediction,
): Promise<BatchHandler> {
  const { settings, schemas, deadLetters, producer, metrics, topic } = context;
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  /** Versions of each source partition. */
  const partitions = new Map<number, Map<string, VersionState>>();
  /** Of the table predictions: what was counted and not inserted yet. */
  const rows = predictionBlock();
  const windows = windowBlock();
  const samples = sampleBlock();
  let flushes = 0;
  /** Whether a watermark has passed the end of a window since the last flush: the detector waits to judge it. */
  let windowEnded = false;
  const { count } = profilerMetrics(metrics, () =>
    [...partitions.values()]
      .flatMap(held => [...held.values()])
      .reduce((bytes, version) => bytes + version.bytes, 0),
  );
  metrics.observeCaches(() => heldInMemory([...partitions.values()]));

  /** The version of each record, loaded if it is not in memory. */
  async function versionsOf(
    held: Map<string, VersionState>,
    partition: number,
    records: readonly UsablePrediction[],
  ) {
    const keys: string[] = [];
    for (const [index, { value }] of records.entries()) {
      const before = index > 0 ? records[index - 1]!.value : null;
      // Neighbours are often of one version, and a key is a new text that has to be hashed.
      const isSame =
        before !== null && before.model === value.model && before.version === value.version;
      keys.push(isSame ? keys[index - 1]! : versionKey(value));
    }
    const unknown = new Map<string, LoggedPrediction>();
    for (const [index, key] of keys.entries())
      if (!held.has(key)) unknown.set(key, records[index]!.value);
    for (const state of await store.loadVersions([...unknown.values()], partition, settings.of))
      held.set(versionKey(state), state);
    return keys.map(key => held.get(key)!);
  }

  /** Brings to memory, in one query, the windows that the records may have to go on with. */
  async function loadWindows(
    partition: number,
    records: readonly UsablePrediction[],
    versions: VersionState[],
  ) {
    const wanted = new Map<
      string,
      { model: string; version: string; startMs: number; state: VersionState }
    >();
    for (const [index, { value, record }] of records.entries()) {
      const state = versions[index]!;
      const startMs = windowStartMs(value.time, state.settings.window);
      const mayBeStored =
        record.offset > state.lastOffset &&
        startMs <= state.highestWindowStartMs &&
        !state.windows.has(startMs);
      const { model, version } = state;
      if (mayBeStored)
        wanted.set(windowKey(model, version, startMs), { model, version, startMs, state });
    }
    const loaded = await store.loadWindows([...wanted.values()], partition, settings.of);
    for (const [key, { state, startMs }] of wanted) {
      state.windows.set(startMs, loaded.get(key) ?? newWindowState(startMs, state.settings.window));
    }
  }

  async function take(records: KafkaRecord[], mayStore: () => Promise<boolean>): Promise<void> {
    for (let start = 0; start < records.length; start += recordsPerPortion) {
      await takePortion(records.slice(start, start + recordsPerPortion));
      await keepWithinLimits(mayStore);
    }
  }

  async function takePortion(records: KafkaRecord[]): Promise<void> {
    const partition = records[0]!.partition;
    const held = partitions.get(partition) ?? new Map<string, VersionState>();
    partitions.set(partition, held);
    const nowMs = Date.now();
    const usable = await usableRecords(records, 'Prediction', context, value =>
      checkPrediction(value, nowMs),
    );
    const versions = await versionsOf(held, partition, usable);
    await loadWindows(partition, usable, versions);
    const endedBefore = Array.from(new Set(versions), version => ({
      version,
      beforeMs: endedUntilMs(version),
    }));
    for (const [index, { value, record }] of usable.entries()) {
      const verdict = countPrediction(versions[index]!, {
        prediction: value,
        offset: record.offset,
      });
      if (verdict === 'counted') addRow(rows, value, partition, record.offset);
      else if (typeof verdict === 'object') deadLetters.add({ record, rejection: verdict });
    }
    for (const { version, beforeMs } of endedBefore)
      windowEnded ||= endedUntilMs(version) > beforeMs;
  }

  const holdsManyRows = () => rows.rows >= mostRawRows || blockBytes(rows) >= mostRawBytes;

  function holdsManyNewProfiles(): boolean {
    let newProfiles = 0;
    for (const held of partitions.values())
      for (const { tally } of held.values()) newProfiles += tally.newProfiles;
    return newProfiles >= mostNewProfiles;
  }

  /**
   * Both may be stored before the next ordinary flush: raw rows count only when the progress says so, and a flush stores a prefix of each
   * partition. Where `mayStore` says no, the loop has all that is held forgotten at that flush, a moment later.
   */
  async function keepWithinLimits(mayStore: () => Promise<boolean>): Promise<void> {
    const manyNewProfiles = holdsManyNewProfiles();
    if (!(manyNewProfiles || holdsManyRows()) || !(await mayStore())) return;
    await (manyNewProfiles ? flush() : insertRows());
  }

  async function insertRows(): Promise<void> {
    await store.insertPredictions(rows);
    metrics.rows.inc({ table: 'predictions' }, rows.rows);
    clearBlock(rows);
  }

  async function insertWindows(): Promise<void> {
    await store.insertWindows(windows);
    metrics.rows.inc({ table: 'window_profiles' }, windows.rows);
    clearBlock(windows);
    await store.insertSamples(samples);
    metrics.rows.inc({ table: 'window_samples' }, samples.rows);
    clearBlock(samples);
  }

  /** Rows first, dead letters before the progress that would hide a record that is delivered again, announcements last. */
  async function flush(): Promise<void> {
    const updates: WindowUpdate[] = [];
    const progress: object[] = [];
    await insertRows();
    for (const [partition, held] of partitions) {
      for (const version of held.values()) {
        if (version.touchedWindows.size > 0) updates.push(windowUpdate(version, partition));
        if (!version.changed) continue;
        progress.push(progressRow(version, partition));
        for (const window of version.windows.values()) {
          if (window.changed) {
            addWindow(windows, version, window, partition);
            addSample(samples, version, window, partition);
          }
          if (windows.rows >= windowRowsPerInsert) await insertWindows();
        }
      }
    }
    await insertWindows();
    await deadLetters.flush();
    await store.insertProgress(progress);
    await sendRecords(
      producer,
      updates.map(update => ({
        topic: topic(topics.windows),
        key: update.model,
        value: encodeUpdate(update),
      })),
    );
    settle();
  }

  /** After a flush nothing in memory is newer than what is stored, and memory is brought back to its limits. */
  function settle(): void {
    flushes++;
    for (const held of partitions.values()) {
      for (const version of held.values()) {
        if (!version.changed && version.touchedWindows.size === 0) continue;
        count(version);
        settleVersion(version, flushes);
      }
    }
    windowEnded = false;
    const evicted = evictToBytes([...partitions.values()], mostBytesInMemory);
    metrics.cacheEvictions.inc({ cache: 'windows' }, evicted.windows);
    metrics.cacheEvictions.inc({ cache: 'versions' }, evicted.versions);
  }

  function reset(): void {
    partitions.clear();
    clearBlock(rows);
    clearBlock(windows);
    clearBlock(samples);
    deadLetters.clear();
    windowEnded = false;
  }

  return { reset, take, flush, isUrgent: () => windowEnded, mostUnflushedRecords };
}

/** End of the last window that the watermark has passed. */
function endedUntilMs(version: VersionState): number {
  return windowStartMs(watermarkMs(version), version.settings.window);
}

function windowUpdate(state: VersionState, partition: number): WindowUpdate {
  return {
    kind: 'profile',
    model: state.model,
    version: state.version,
    sourcePartition: partition,
    watermark: state.predictions > 0 ? watermarkMs(state) : null,
    windowSizeMs: state.settings.window,
    windowStarts: [...state.touchedWindows].sort((a, b) => a - b),
  };
}

function heldInMemory(partitions: readonly Map<string, VersionState>[]): Record<string, number> {
  const held = { versions: 0, windows: 0, profiles: 0, deduplication_ids: 0 };
  for (const version of partitions.flatMap(versions => [...versions.values()])) {
    held.versions++;
    held.windows += version.windows.size;
    held.deduplication_ids += version.knownIds.size;
    for (const window of version.windows.values()) held.profiles += profileCount(window);
  }
  return held;
}
