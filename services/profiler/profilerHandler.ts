import type { BatchHandler } from '../shared/batchConsumer.ts';
import { checkPrediction } from '../shared/checkRecord.ts';
import type { Prediction, WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka.ts';
import { emptyRowBinary, type RowBinary } from '../shared/rowBinary.ts';
import type { ServiceContext } from '../shared/service.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { topics } from '../shared/topics.ts';
import { type UsableRecord, usableRecords } from '../shared/usableRecords.ts';
import { versionKey } from '../shared/versionKey.ts';
import { writePredictionRow } from './predictionRow.ts';
import {
  countPrediction,
  evictClosedWindows,
  newWindowState,
  profileCount,
  type VersionState,
  watermarkMs,
} from './profiler.ts';
import { profilerMetrics } from './profilerMetrics.ts';
import { type ProfilerStore, profilerStore, progressRow, windowKey, windowRows } from './store.ts';

const mostProfilesPerVersion = 4_000;
const mostVersionsInMemory = 2_000;

type UsablePrediction = UsableRecord<Prediction>;

/** State of one source partition: versions in the order of their last use, so that the least used leave memory first. */
interface PartitionState {
  versions: Map<string, VersionState>;
  /** Of the table predictions: what was counted since the last flush. */
  rows: RowBinary;
}

/**
 * Counts predictions by the log-prefix rule and announces the windows that changed.
 * @param writeRow appends a counted prediction to the raw rows of the next flush
 */
export async function profilerHandler(
  context: ServiceContext,
  store: ProfilerStore = profilerStore(context.clickhouse),
  writeRow: typeof writePredictionRow = writePredictionRow,
): Promise<BatchHandler> {
  const { settings, schemas, deadLetters, producer, metrics, topic } = context;
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  const partitions = new Map<number, PartitionState>();
  /** Whether a watermark has passed the end of a window since the last flush: the detector waits to judge it. */
  let windowEnded = false;
  const { count } = profilerMetrics(metrics);
  metrics.observeCaches(() => heldInMemory([...partitions.values()]));

  /** The version of each record, loaded if it is not in memory. */
  async function versionsOf(state: PartitionState, partition: number, records: readonly UsablePrediction[]) {
    const versions: VersionState[] = [];
    for (const { value } of records) {
      const key = versionKey(value);
      let version = state.versions.get(key);
      if (!version) {
        version = await store.loadVersion(value, partition, settings.of(value.model));
        state.versions.set(key, version);
      }
      versions.push(version);
    }
    for (const version of new Set(versions)) {
      const key = versionKey(version);
      state.versions.delete(key);
      state.versions.set(key, version);
    }
    return versions;
  }

  /** Brings to memory, in one query, the windows that the records may have to go on with. */
  async function loadWindows(partition: number, records: readonly UsablePrediction[], versions: VersionState[]) {
    const wanted = new Map<string, { model: string; version: string; startMs: number; state: VersionState }>();
    for (const [index, { value, record }] of records.entries()) {
      const state = versions[index]!;
      const startMs = windowStartMs(value.time, state.settings.window);
      const mayBeStored =
        record.offset > state.lastOffset && startMs <= state.highestWindowStartMs && !state.windows.has(startMs);
      const { model, version } = state;
      if (mayBeStored) wanted.set(windowKey(model, version, startMs), { model, version, startMs, state });
    }
    const loaded = await store.loadWindows([...wanted.values()], partition, settings.of);
    for (const [key, { state, startMs }] of wanted) {
      state.windows.set(startMs, loaded.get(key) ?? newWindowState(startMs, state.settings.window));
    }
  }

  async function take(records: KafkaRecord[]): Promise<void> {
    const partition = records[0]!.partition;
    const state: PartitionState = partitions.get(partition) ?? { versions: new Map(), rows: emptyRowBinary() };
    partitions.set(partition, state);
    const nowMs = Date.now();
    const usable = await usableRecords<Prediction>(records, 'Prediction', context, value =>
      checkPrediction(value, nowMs),
    );
    const versions = await versionsOf(state, partition, usable);
    await loadWindows(partition, usable, versions);
    const endedBefore = new Map(versions.map(version => [version, endedUntilMs(version)]));
    for (const [index, { value, record }] of usable.entries()) {
      const verdict = countPrediction(versions[index]!, { prediction: value, offset: record.offset });
      if (verdict === 'counted') writeRow(state.rows, value, partition, record.offset);
      else if (typeof verdict === 'object') deadLetters.add({ record, rejection: verdict });
    }
    for (const [version, beforeMs] of endedBefore) windowEnded ||= endedUntilMs(version) > beforeMs;
  }

  /** Rows first, dead letters before the progress that would hide a record that is delivered again, announcements last. */
  async function flush(): Promise<void> {
    const updates: WindowUpdate[] = [];
    const progress: object[] = [];
    const windows: object[] = [];
    for (const [partition, { versions, rows }] of partitions) {
      await store.insertPredictions(rows);
      metrics.rows.inc({ table: 'predictions' }, rows.rows);
      for (const version of versions.values()) {
        if (version.touchedWindows.size > 0) updates.push(windowUpdate(version, partition));
        if (!version.changed) continue;
        progress.push(progressRow(version, partition));
        for (const window of version.windows.values())
          if (window.changed) windows.push(...windowRows(version, window, partition));
      }
    }
    await store.insertWindows(windows);
    await deadLetters.flush();
    await store.insertProgress(progress);
    metrics.rows.inc({ table: 'window_profiles' }, windows.length);
    await sendRecords(
      producer,
      updates.map(update => ({ topic: topic(topics.windows), key: update.model, value: encodeUpdate(update) })),
    );
    for (const state of partitions.values()) {
      for (const version of state.versions.values()) count(version);
      const evicted = settle(state);
      metrics.cacheEvictions.inc({ cache: 'windows' }, evicted.windows);
      metrics.cacheEvictions.inc({ cache: 'versions' }, evicted.versions);
    }
    windowEnded = false;
  }

  function reset(): void {
    partitions.clear();
    deadLetters.clear();
    windowEnded = false;
  }

  return { reset, take, flush, isUrgent: () => windowEnded };
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

function heldInMemory(partitions: readonly PartitionState[]): Record<string, number> {
  const held = { versions: 0, windows: 0, profiles: 0, deduplication_ids: 0 };
  for (const version of partitions.flatMap(({ versions }) => [...versions.values()])) {
    held.versions++;
    held.windows += version.windows.size;
    held.deduplication_ids += version.knownIds.size;
    for (const window of version.windows.values()) held.profiles += profileCount(window);
  }
  return held;
}

/**
 * After a flush nothing in memory is newer than what is stored, and memory is brought back to its limits.
 * @returns what left memory
 */
function settle(state: PartitionState): { windows: number; versions: number } {
  const evicted = { windows: 0, versions: 0 };
  state.rows = emptyRowBinary();
  for (const version of state.versions.values()) {
    if (!version.changed && version.touchedWindows.size === 0) continue;
    version.changed = false;
    version.touchedWindows.clear();
    for (const window of version.windows.values()) window.changed = false;
    evicted.windows += evictClosedWindows(version, mostProfilesPerVersion);
  }
  for (const key of state.versions.keys()) {
    if (state.versions.size <= mostVersionsInMemory) break;
    state.versions.delete(key);
    evicted.versions++;
  }
  return evicted;
}
