import type { BatchHandler } from '../shared/batchConsumer.ts';
import { checkPrediction } from '../shared/checkRecord.ts';
import type { Prediction, WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, sendRecords } from '../shared/kafka.ts';
import type { ServiceContext } from '../shared/service.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { topics } from '../shared/topics.ts';
import { usableRecords } from '../shared/usableRecords.ts';
import { versionKey } from '../shared/versionKey.ts';
import {
  countPrediction,
  evictClosedWindows,
  newWindowState,
  type PredictionRecord,
  type VersionState,
  watermarkMs,
} from './profiler.ts';
import { profilerStore, progressRow, windowKey, windowRows } from './store.ts';

const mostProfilesPerVersion = 4_000;
const mostVersionsInMemory = 2_000;

/** State of one source partition: versions in the order of their last use, so that the least used leave memory first. */
interface PartitionState {
  versions: Map<string, VersionState>;
  /** Counted since the last flush. */
  counted: PredictionRecord[];
}

/** Counts predictions by the log-prefix rule and announces the windows that changed. */
export async function profilerHandler(context: ServiceContext): Promise<BatchHandler> {
  const { settings, clickhouse, schemas, deadLetters, producer, metrics, topic } = context;
  const store = profilerStore(clickhouse);
  const encodeUpdate = await schemas.encoder<WindowUpdate>('WindowUpdate', topic(topics.windows));
  const partitions = new Map<number, PartitionState>();

  /** Brings to memory, in one query each, what the records need to be counted without waiting. */
  async function load(state: PartitionState, partition: number, records: readonly PredictionRecord[]): Promise<void> {
    const used = new Map(records.map(({ prediction }) => [versionKey(prediction), prediction]));
    for (const [key, prediction] of used) {
      const version =
        state.versions.get(key) ?? (await store.loadVersion(prediction, partition, settings.of(prediction.model)));
      state.versions.delete(key);
      state.versions.set(key, version);
    }
    const wanted = new Map<string, { model: string; version: string; startMs: number; state: VersionState }>();
    for (const { prediction, offset } of records) {
      const version = state.versions.get(versionKey(prediction))!;
      const startMs = windowStartMs(prediction.time, version.settings.window);
      const mayBeStored =
        offset > version.lastOffset && startMs <= version.highestWindowStartMs && !version.windows.has(startMs);
      const { model, version: name } = version;
      if (mayBeStored) wanted.set(windowKey(model, name, startMs), { model, version: name, startMs, state: version });
    }
    const loaded = await store.loadWindows([...wanted.values()], partition, settings.of);
    for (const [key, window] of wanted) {
      window.state.windows.set(
        window.startMs,
        loaded.get(key) ?? newWindowState(window.startMs, window.state.settings.window),
      );
    }
  }

  async function take(records: KafkaRecord[]): Promise<void> {
    const partition = records[0]!.partition;
    const state: PartitionState = partitions.get(partition) ?? { versions: new Map(), counted: [] };
    partitions.set(partition, state);
    const nowMs = Date.now();
    const usable = await usableRecords<Prediction>(records, 'Prediction', context, value =>
      checkPrediction(value, nowMs),
    );
    const predictions = usable.map(({ value, record }) => ({ prediction: value, offset: record.offset }));
    await load(state, partition, predictions);
    for (const [index, prediction] of predictions.entries()) {
      const verdict = countPrediction(state.versions.get(versionKey(prediction.prediction))!, prediction);
      if (verdict === 'counted') state.counted.push(prediction);
      else if (typeof verdict === 'object') deadLetters.add({ record: usable[index]!.record, rejection: verdict });
    }
  }

  /** Rows first, dead letters before the progress that would hide a record that is delivered again, announcements last. */
  async function flush(): Promise<void> {
    const updates: WindowUpdate[] = [];
    const progress: object[] = [];
    const windows: object[] = [];
    for (const [partition, { versions, counted }] of partitions) {
      await store.insertPredictions(counted, partition);
      metrics.rows.inc({ table: 'predictions' }, counted.length);
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
    for (const state of partitions.values()) settle(state);
  }

  function reset(): void {
    partitions.clear();
    deadLetters.clear();
  }

  return { reset, take, flush };
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

/** After a flush nothing in memory is newer than what is stored, and memory is brought back to its limits. */
function settle(state: PartitionState): void {
  state.counted = [];
  for (const version of state.versions.values()) {
    if (!version.changed && version.touchedWindows.size === 0) continue;
    version.changed = false;
    version.touchedWindows.clear();
    for (const window of version.windows.values()) window.changed = false;
    evictClosedWindows(version, mostProfilesPerVersion);
  }
  for (const key of state.versions.keys()) {
    if (state.versions.size <= mostVersionsInMemory) break;
    state.versions.delete(key);
  }
}
