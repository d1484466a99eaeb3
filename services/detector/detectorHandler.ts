import { chunk } from '../shared/chunk.ts';
import type { Alert, DriftEvent, WindowUpdate } from '../shared/contracts.ts';
import { cloudEvent } from '../shared/kafka/cloudEvent.ts';
import { type KafkaRecord, type OutgoingRecord, sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type UsableRecord, usableRecords } from '../shared/service/usableRecords.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import { foldAlgorithm } from './checkpoints/foldAlgorithm.ts';
import { advanced } from './checkpoints/foldLedger.ts';
import { detectorMetrics } from './detectorMetrics.ts';
import { alertRevisions } from './events/alertLifecycle.ts';
import { type DriftEventRevision, driftEventRevisions } from './events/driftEventRevisions.ts';
import { type JudgeRun, judgeVersions } from './judging/judgeVersions.ts';
import { type FoldLimits, foldLimits, keepFolds } from './judging/keepFolds.ts';
import { hasWork, loadVersions, type WatchedVersion } from './judging/watchedVersion.ts';
import { withWatermark } from './judging/windowReadiness.ts';
import { type DetectorStore, detectorStore } from './store/store.ts';

/** A few kilobytes each, without their folds. */
export const maxVersionsInMemory = 10_000;
/** Versions that one query asks for. */
const versionsPerGroup = 32;
const source = 'detector';

/**
 * Takes announcements of windows, and judges all that they made ready or changed at the flush, once per model version.
 * What is stored is enough to take up a version where it was left: see `FoldLedger`.
 *
 * @param now wall clock, ms
 */
export async function detectorHandler(
  context: Omit<ServiceContext, 'environment' | 'kafka'>,
  now: () => number,
  store: DetectorStore = detectorStore(context.clickhouse),
  limits: FoldLimits = foldLimits,
): Promise<BatchHandler> {
  const { settings, schemas, deadLetters, producer, metrics, topic, log } = context;
  const encodeEvent = await schemas.encoder<DriftEvent>('DriftEvent', topic(topics.driftEvents));
  const encodeAlert = await schemas.encoder<Alert>('Alert', topic(topics.alerts));
  const algorithm = foldAlgorithm();
  /** In the order of their last use, so that the least used leave memory first. */
  const versions = new Map<string, WatchedVersion>();
  const gauges = detectorMetrics(metrics, () => versions.values(), now);
  /** Whether what was taken since the last flush makes windows ready, or changes them. */
  let workWaits = false;

  async function loadMissing(updates: readonly WindowUpdate[]): Promise<void> {
    const missing = new Map<string, VersionName>();
    for (const { model, version } of updates) {
      const key = versionKey({ model, version });
      if (!versions.has(key)) missing.set(key, { model, version });
    }
    for (const group of chunk([...missing.values()], versionsPerGroup)) {
      const loaded = await loadVersions(store, group, {
        settingsOf: settings.of,
        algorithm,
        nowMs: now(),
      });
      // From which window on changed settings count is stored before any window is judged with them.
      await storeLedgers(loaded);
      for (const version of loaded) versions.set(versionKey(version), version);
    }
  }

  function used(name: VersionName): WatchedVersion {
    const key = versionKey(name);
    const version = versions.get(key)!;
    versions.delete(key);
    versions.set(key, version);
    return version;
  }

  async function takeUpdate({ value: update, record }: UsableRecord<WindowUpdate>): Promise<void> {
    const version = used(update);
    const { settings } = version;
    version.ledger = {
      ...version.ledger,
      position: advanced(version.ledger.position, record.timestampMs, record.offset),
    };
    version.ledgerChanged = true;
    // Windows of another size are from before the setting was changed.
    if (update.windowSizeMs !== settings.window) return;
    if (update.kind === 'reference') await takeReference(version);
    if (update.kind === 'end') version.readiness = { ...version.readiness, ended: true };
    if (update.kind === 'profile' && update.watermark !== null) {
      version.readiness = withWatermark(
        version.readiness,
        update.sourcePartition,
        update.watermark,
        now(),
      );
    }
    for (const startMs of update.windowStarts) {
      const judged =
        startMs + settings.window <= Math.max(version.judgedUntilMs, version.foldedUntilMs);
      if (judged) version.changedFromMs = Math.min(version.changedFromMs, startMs);
    }
  }

  /** A version whose first windows were judged before its reference was there is judged again from the start. */
  async function takeReference(version: WatchedVersion): Promise<void> {
    const id = (await store.referenceIds([version])).get(versionKey(version));
    if (id === undefined || id === version.ledger.referenceId) return;
    log.info({ model: version.model, version: version.version, reference: id }, 'new reference');
    version.changedFromMs = Number.NEGATIVE_INFINITY;
  }

  async function take(records: KafkaRecord[]): Promise<void> {
    const updates = await usableRecords(records, 'WindowUpdate', context);
    await loadMissing(updates.map(({ value }) => value));
    for (const update of updates) await takeUpdate(update);
    for (const { value } of updates) workWaits ||= hasWork(versions.get(versionKey(value))!, now());
  }

  async function judge(group: readonly WatchedVersion[]): Promise<void> {
    const runs = await judgeVersions(
      store,
      group,
      now(),
      limits.windowsPerRun,
      (windows, metricCount) => {
        for (const { verdict } of windows) gauges.judgedWindows.inc({ status: verdict.status });
        metrics.rows.inc({ table: 'evaluated_windows' }, windows.length);
        metrics.rows.inc({ table: 'drift_metrics' }, metricCount);
      },
    );
    const published = runs.map(revisionsOf);
    await publish(
      published.flatMap(({ revisions }) => revisions),
      published.flatMap(({ alerts }) => alerts),
    );
    metrics.rows.inc({ table: 'fold_states' }, await keepFolds(store, versions.values(), limits));
    await storeLedgers(group);
  }

  /** What a run has to publish; the version remembers what stays open. */
  function revisionsOf({ version, settled, fresh, refoldedFromMs }: JudgeRun) {
    const revisions = driftEventRevisions(
      version.events,
      settled,
      fresh,
      refoldedFromMs,
      version.settings.window,
    );
    const alerts = alertRevisions(version, revisions);
    const events = new Map([
      ...version.events,
      ...revisions.map(({ event }) => [event.id, event] as const),
    ]);
    version.events = new Map([...events].filter(([, { status }]) => status === 'open'));
    const alertsById = new Map([
      ...version.alerts,
      ...alerts.map(alert => [alert.id, alert] as const),
    ]);
    version.alerts = new Map([...alertsById].filter(([, { state }]) => state !== 'resolved'));
    return { revisions, alerts };
  }

  /**
   * Sends first and writes the rows afterwards: the rows say what was published, and a crash in between publishes the
   * same ids once more. The other way round it would publish nothing.
   */
  async function publish(
    revisions: readonly DriftEventRevision[],
    alerts: readonly Alert[],
  ): Promise<void> {
    await sendRecords(producer, [...revisions.map(driftEventRecord), ...alerts.map(alertRecord)]);
    await store.insertDriftEvents(revisions.map(({ event }) => event));
    await store.insertAlerts(alerts);
    for (const { event } of revisions) {
      const { model, version, segment, cause, feature, status, windowStart, revision } = event;
      gauges.driftEvents.inc({ cause, status });
      log.info(
        { model, version, segment, window: windowStart, cause, feature, status, revision },
        'drift event',
      );
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
    for (;;) {
      const waiting = [...versions.values()].filter(version => hasWork(version, now()));
      if (waiting.length === 0) return;
      for (const group of chunk(waiting, versionsPerGroup)) await judge(group);
    }
  }

  /** Of versions that have been judged as far as they were heard of. */
  async function storeLedgers(ofVersions: Iterable<WatchedVersion>): Promise<void> {
    const changed = [...ofVersions].filter(({ ledgerChanged }) => ledgerChanged);
    await store.insertLedgers(
      changed.map(({ model, version, ledger }) => ({ model, version, ledger })),
    );
    for (const version of changed) version.ledgerChanged = false;
  }

  function forgetUnused(): void {
    for (const key of versions.keys()) {
      if (versions.size <= maxVersionsInMemory) break;
      versions.delete(key);
      metrics.cacheEvictions.inc({ cache: 'versions' });
    }
  }

  return {
    reset() {
      versions.clear();
      deadLetters.clear();
      workWaits = false;
    },
    take,
    async flush() {
      await judgeAll();
      await storeLedgers(versions.values());
      await deadLetters.flush();
      forgetUnused();
      workWaits = false;
    },
    // A partition that has fallen idle makes windows ready without any record.
    tick: judgeAll,
    isUrgent: () => workWaits,
  };
}
