import type { BatchHandler } from '../shared/batchConsumer.ts';
import { cloudEvent } from '../shared/cloudEvent.ts';
import type { Alert, DriftEvent, WindowUpdate } from '../shared/contracts.ts';
import { type KafkaRecord, type OutgoingRecord, sendRecords } from '../shared/kafka.ts';
import type { ServiceContext } from '../shared/service.ts';
import { topics } from '../shared/topics.ts';
import { usableRecords } from '../shared/usableRecords.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import { alertRevisions } from './alertLifecycle.ts';
import { detectorMetrics } from './detectorMetrics.ts';
import { type DriftEventRevision, driftEventRevisions } from './driftEventRevisions.ts';
import { detectorStore } from './store.ts';
import { hasWork, judgeVersion, loadVersion, type WatchedVersion } from './watchedVersion.ts';
import { withWatermark } from './windowReadiness.ts';

const mostVersionsInMemory = 200;
const source = 'detector';

/**
 * Takes announcements of windows, and judges all that they made ready or changed at the flush, once per model version.
 * A version that is not in memory is loaded and folded from its first window, with the same result.
 *
 * @param now wall clock, ms
 */
export async function detectorHandler(context: ServiceContext, now: () => number): Promise<BatchHandler> {
  const { settings, clickhouse, schemas, deadLetters, producer, metrics, topic, log } = context;
  const store = detectorStore(clickhouse);
  const encodeEvent = await schemas.encoder<DriftEvent>('DriftEvent', topic(topics.driftEvents));
  const encodeAlert = await schemas.encoder<Alert>('Alert', topic(topics.alerts));
  /** In the order of their last use, so that the least used leave memory first. */
  const versions = new Map<string, WatchedVersion>();
  const gauges = detectorMetrics(metrics, () => versions.values(), now);

  async function used(name: VersionName): Promise<WatchedVersion> {
    const key = versionKey(name);
    const { model, version } = name;
    const watched = versions.get(key) ?? (await loadVersion(store, { model, version }, settings.of(model), now()));
    versions.delete(key);
    versions.set(key, watched);
    return watched;
  }

  async function takeUpdate(update: WindowUpdate): Promise<void> {
    const version = await used(update);
    const { settings } = version;
    // Windows of another size are from before the setting was changed.
    if (update.windowSizeMs !== settings.window) return;
    if (update.kind === 'reference') await takeReference(version);
    if (update.kind === 'end') version.readiness = { ...version.readiness, ended: true };
    if (update.kind === 'profile' && update.watermark !== null) {
      version.readiness = withWatermark(version.readiness, update.sourcePartition, update.watermark, now());
    }
    for (const startMs of update.windowStarts) {
      const judged = startMs + settings.window <= Math.max(version.evaluatedUntilMs, version.foldedUntilMs);
      if (judged) version.changedFromMs = Math.min(version.changedFromMs, startMs);
    }
  }

  /** A version whose first windows were judged before its reference was there is judged again from the start. */
  async function takeReference(version: WatchedVersion): Promise<void> {
    const given = await store.givenReference(version);
    if (!given) return;
    log.info({ model: version.model, version: version.version, reference: given.id }, 'new reference');
    version.fold = { ...version.fold, given };
    version.changedFromMs = Number.NEGATIVE_INFINITY;
  }

  async function take(records: KafkaRecord[]): Promise<void> {
    const updates = await usableRecords<WindowUpdate>(records, 'WindowUpdate', context);
    for (const { value } of updates) await takeUpdate(value);
  }

  async function judge(version: WatchedVersion): Promise<void> {
    const { settled, fresh, refoldedFromMs } = await judgeVersion(store, version, now(), (evaluations, metricCount) => {
      for (const { verdict } of evaluations) gauges.evaluatedWindows.inc({ status: verdict.status });
      metrics.rows.inc({ table: 'evaluated_windows' }, evaluations.length);
      metrics.rows.inc({ table: 'drift_metrics' }, metricCount);
    });
    const revisions = driftEventRevisions(version.events, settled, fresh, refoldedFromMs, version.settings.window);
    const alerts = alertRevisions(version, revisions);
    await publish(revisions, alerts);
    version.events = new Map([...version.events, ...revisions.map(({ event }) => [event.id, event] as const)]);
    version.alerts = new Map([...version.alerts, ...alerts.map(alert => [alert.id, alert] as const)]);
  }

  /**
   * Sends first and writes the rows afterwards: the rows say what was published, and a crash in between publishes the
   * same ids once more. The other way round it would publish nothing.
   */
  async function publish(revisions: readonly DriftEventRevision[], alerts: readonly Alert[]): Promise<void> {
    await sendRecords(producer, [...revisions.map(driftEventRecord), ...alerts.map(alertRecord)]);
    await store.insertDriftEvents(revisions);
    await store.insertAlerts(alerts);
    for (const { event } of revisions) {
      const { model, version, segment, cause, feature, status, windowStart, revision } = event;
      gauges.driftEvents.inc({ cause, status });
      log.info({ model, version, segment, window: windowStart, cause, feature, status, revision }, 'drift event');
    }
  }

  function driftEventRecord({ event, atMs }: DriftEventRevision): OutgoingRecord {
    return cloudEvent({
      topic: topic(topics.driftEvents),
      key: event.model,
      type: 'io.driftloop.drift-event',
      source,
      identity: [event.id, event.revision],
      subject: `${event.model}:${event.version}`,
      timeMs: atMs,
      value: encodeEvent(event),
    });
  }

  function alertRecord(alert: Alert): OutgoingRecord {
    return cloudEvent({
      topic: topic(topics.alerts),
      key: alert.model,
      type: 'io.driftloop.alert',
      source,
      identity: [alert.id, alert.revision],
      subject: `${alert.model}:${alert.version}`,
      timeMs: alert.updatedAtEventTime,
      value: encodeAlert(alert),
    });
  }

  async function judgeAll(): Promise<void> {
    for (const version of versions.values()) if (hasWork(version, now())) await judge(version);
    for (const key of versions.keys()) {
      if (versions.size <= mostVersionsInMemory) break;
      versions.delete(key);
      metrics.cacheEvictions.inc({ cache: 'versions' });
    }
  }

  return {
    reset() {
      versions.clear();
      deadLetters.clear();
    },
    take,
    async flush() {
      await judgeAll();
      await deadLetters.flush();
    },
    // A partition that has fallen idle makes windows ready without any record.
    tick: judgeAll,
  };
}
