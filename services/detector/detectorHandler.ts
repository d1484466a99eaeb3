import { chunk } from '../shared/chunk.ts';
import { earliestMs, latestMs } from '../shared/clickhouse/eventTimeBounds.ts';
import type { WindowUpdate } from '../shared/contracts.ts';
import { hourMs, weekMs } from '../shared/duration.ts';
import type { KafkaRecord } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import type { BatchHandler } from '../shared/service/batchConsumer.ts';
import { type DecodedRecord, decodeOrDeadLetter } from '../shared/service/decodeOrDeadLetter.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import { AlertRequests } from './alertRequests.ts';
import { ChangedWindows } from './changedWindows.ts';
import { foldAlgorithm } from './checkpoints/foldAlgorithm.ts';
import { detectorMetrics } from './detectorMetrics.ts';
import { DriftRequests } from './driftRequests.ts';
import { EventPublisher } from './eventPublisher.ts';
import type { DriftEventRevision } from './events/driftEventRevisions.ts';
import { kindNotices } from './events/kindNotices.ts';
import { volumeNotices, volumeWeeks } from './events/volumeNotices.ts';
import { endOfReplaced, replacedVersions } from './judging/endReplacedVersions.ts';
import { judgeVersions } from './judging/judgeVersions.ts';
import { type FoldLimits, foldLimits, keepFolds } from './judging/keepFolds.ts';
import { loadVersions } from './judging/loadVersions.ts';
import { newReference } from './judging/newReference.ts';
import {
  hasWork,
  isOfOtherWindows,
  type WatchedVersion,
  withAnnouncement,
  withChangeFrom,
} from './judging/watchedVersion.ts';
import type { JudgedWindowOfVersion } from './store/judgedWindow.ts';
import { type DetectorStore, detectorStore } from './store/store.ts';
import type { VolumeRange } from './store/volumes.ts';

/** Versions take a few kilobytes each, without their folds. */
export const maxVersionsInMemory = 10_000;
/** Versions that one query asks for. */
const versionsPerGroup = 32;

type DetectorContext = Omit<ServiceContext, 'environment' | 'kafka'>;

/** What a handler is made of. */
interface HandlerParts {
  context: DetectorContext;
  /** Wall clock, ms. */
  now: () => number;
  store: DetectorStore;
  limits: FoldLimits;
  publisher: EventPublisher;
  driftRequests: DriftRequests;
  alertRequests: AlertRequests;
}

/**
 * Makes the handler of the detector.
 * @param now wall clock, ms
 * @param store given by tests
 * @param limits given by tests
 */
export async function detectorHandler(
  context: DetectorContext,
  now: () => number,
  store: DetectorStore = detectorStore(context.clickhouse),
  limits: FoldLimits = foldLimits,
): Promise<BatchHandler> {
  const publisher = await EventPublisher.create(context, store);
  const changed = await ChangedWindows.create(context, store);
  const driftRequests = new DriftRequests(context, store, changed);
  const alertRequests = new AlertRequests(context, store, changed);
  return new DetectorHandler({
    ...{ context, now, store, limits, publisher },
    ...{ driftRequests, alertRequests },
  });
}

/**
 * Takes announcements of windows. At the flush it judges all windows that have become ready or
 * have changed, once per model version, publishes what follows, and stores the ledgers last.
 *
 * The invariant: the map holds the newest value of each version in memory, and only this class
 * puts values there. The loop never calls two methods at once, so that a value is still the newest
 * after an await. A version in the map has taken every announcement of its windows since it was
 * loaded, and what it had taken before is in the tables (see `FoldLedger`). So versions can leave
 * memory between two flushes, and nothing is lost when the process dies.
 */
class DetectorHandler implements BatchHandler {
  readonly #context: DetectorContext;
  readonly #now: () => number;
  readonly #store: DetectorStore;
  readonly #limits: FoldLimits;
  readonly #publisher: EventPublisher;
  readonly #driftRequests: DriftRequests;
  readonly #alertRequests: AlertRequests;
  readonly #counters: ReturnType<typeof detectorMetrics>;
  readonly #algorithm = foldAlgorithm();
  /** By `versionKey`, least recently used first, so that these can leave memory first. */
  readonly #versions = new Map<string, WatchedVersion>();
  /** Up to where it was said whether predictions come as usual, by `versionKey`. */
  readonly #volumesUntilMs = new Map<string, number>();
  /** Whether what was taken since the last flush has made windows ready or has changed them. */
  #workWaits = false;

  constructor(parts: HandlerParts) {
    const { context, now, store, limits, publisher, driftRequests, alertRequests } = parts;
    this.#context = context;
    this.#now = now;
    this.#store = store;
    this.#limits = limits;
    this.#publisher = publisher;
    this.#driftRequests = driftRequests;
    this.#alertRequests = alertRequests;
    this.#counters = detectorMetrics(context.metrics, () => this.#versions.values(), now);
  }

  reset(): void {
    this.#versions.clear();
    this.#volumesUntilMs.clear();
    this.#context.deadLetters.clear();
    this.#context.notices.clear();
    this.#workWaits = false;
  }

  async take(records: KafkaRecord[]): Promise<void> {
    const { topic } = records[0]!;
    if (topic === this.#context.topic(topics.driftRequests))
      return this.#driftRequests.answer(records);
    if (topic === this.#context.topic(topics.alertRequests))
      return this.#alertRequests.answer(records);
    const updates = await decodeOrDeadLetter(records, 'WindowUpdate', this.#context);
    await this.#loadMissing(updates.map(({ value }) => value));
    for (const update of updates) await this.#takeUpdate(update);
    const names = updates.map(({ value }) => value);
    this.#workWaits ||= this.#held(names).some(version => hasWork(version, this.#now()));
  }

  async flush(): Promise<void> {
    await this.#judgeAll();
    await this.#storeLedgers([...this.#versions.values()]);
    await this.#context.deadLetters.flush();
    this.#forgetUnused();
    this.#workWaits = false;
  }

  /** A partition that has fallen idle makes windows ready without any record. */
  async tick(): Promise<void> {
    await this.#judgeAll();
  }

  isUrgent(): boolean {
    return this.#workWaits;
  }

  async #loadMissing(updates: readonly VersionName[]): Promise<void> {
    const missing = new Map<string, VersionName>();
    for (const { model, version } of updates) {
      const key = versionKey({ model, version });
      if (!this.#versions.has(key)) missing.set(key, { model, version });
    }
    for (const names of chunk([...missing.values()], versionsPerGroup)) {
      const loaded = await loadVersions(this.#store, names, {
        settingsOf: this.#context.settings.of,
        algorithm: this.#algorithm,
        nowMs: this.#now(),
      });
      this.#put(loaded);
      // From which window on changed settings count is stored before windows are judged with them.
      await this.#storeLedgers(loaded);
    }
  }

  async #takeUpdate({ value: update, record }: DecodedRecord<WindowUpdate>): Promise<void> {
    const key = versionKey(update);
    const version = withAnnouncement(this.#versions.get(key)!, update, record, this.#now());
    const isNew = update.kind === 'reference' && (await this.#isNewReference(version, update));
    this.#versions.delete(key);
    // Windows that were judged before the reference came are judged again, from the first one on.
    this.#versions.set(key, isNew ? withChangeFrom(version, Number.NEGATIVE_INFINITY) : version);
  }

  async #isNewReference(version: WatchedVersion, update: WindowUpdate): Promise<boolean> {
    if (isOfOtherWindows(version, update)) return false;
    const id = (await this.#store.referenceIds([version])).get(versionKey(version));
    if (id === undefined || id === version.ledger.referenceId) return false;
    const { model, version: name } = version;
    this.#context.log.info({ model, version: name, reference: id }, 'new reference');
    return true;
  }

  async #judgeAll(): Promise<void> {
    for (;;) {
      const versions = [...this.#versions.values()];
      const waiting = versions.filter(version => hasWork(version, this.#now()));
      if (waiting.length === 0) return;
      for (const group of chunk(waiting, versionsPerGroup)) await this.#judge(group);
    }
  }

  /** Judges versions, publishes what follows, and stores how far they have come. */
  async #judge(names: readonly VersionName[]): Promise<void> {
    const judged = await judgeVersions(this.#store, this.#held(names), {
      nowMs: this.#now(),
      windowsPerRun: this.#limits.windowsPerRun,
      onWritten: (windows, metrics) => this.#countJudged(windows, metrics),
    });
    this.#put(judged.map(({ version }) => version));
    const revisions = judged.flatMap(({ revisions }) => revisions);
    const alerts = judged.flatMap(({ alerts }) => alerts);
    await this.#publisher.publish(revisions, alerts);
    this.#countPublished(revisions);
    await this.#storeFeatures(names);
    await this.#stateVolumes(names);
    await this.#context.notices.flush();
    const passed = new Map(judged.map(({ version, passed }) => [versionKey(version), passed]));
    await this.#endReplaced(names);
    const kept = await keepFolds(this.#store, this.#versions.values(), passed, this.#limits);
    this.#put(kept.changed);
    this.#context.metrics.rows.inc({ table: 'fold_states' }, kept.stored);
    await this.#storeLedgers(this.#held(names));
  }

  /** Ends the drifts of versions in whose place some of these serve. */
  async #endReplaced(names: readonly VersionName[]): Promise<void> {
    const replaced = await replacedVersions(this.#store, this.#held(names));
    if (replaced.length === 0) return;
    await this.#loadMissing(replaced);
    const judged = await judgeVersions(this.#store, this.#held(replaced), {
      nowMs: this.#now(),
      windowsPerRun: this.#limits.windowsPerRun,
      onWritten: (windows, metrics) => this.#countJudged(windows, metrics),
    });
    for (const [index, { version, revisions, alerts }] of judged.entries()) {
      const ended = await endOfReplaced(this.#store, version, replaced[index]!);
      const all = [...revisions, ...ended.revisions];
      await this.#publisher.publish(all, [...alerts, ...ended.alerts]);
      this.#countPublished(all);
      this.#put([ended.version]);
    }
  }

  /** Stores and says what the features of versions are where their reference is a new one. */
  async #storeFeatures(names: readonly VersionName[]): Promise<void> {
    const changed = this.#held(names).flatMap(version => newReference(version) ?? []);
    await this.#store.insertFeatureKinds(changed.map(({ known }) => known));
    for (const { known } of changed)
      this.#context.notices.state(known, 'features', kindNotices(known.features), known.windows);
    this.#put(changed.map(({ version }) => version));
  }

  /** Says whether the predictions of a model come as usual, when a version gets to another hour. */
  async #stateVolumes(names: readonly VersionName[]): Promise<void> {
    const versions = this.#held(names).filter(version => {
      const untilMs = volumeUntilMs(version);
      const known = this.#volumesUntilMs.get(versionKey(version)) ?? Number.NEGATIVE_INFINITY;
      return Number.isFinite(untilMs) && untilMs >= known + hourMs;
    });
    if (versions.length === 0) return;
    const counted = await this.#store.volumes(versions.map(volumeRange));
    for (const version of versions) {
      const { windowSizeMs, detection } = version.settings;
      const untilMs = volumeUntilMs(version);
      const records = counted.get(version.model) ?? new Map();
      const falseAlarms = detection.falseAlarmsPerThousandWindows / 1000;
      const notices = volumeNotices({ windowSizeMs, records, untilMs }, falseAlarms);
      this.#context.notices.state(version, 'volume', notices, Math.floor(untilMs / 1000));
      this.#volumesUntilMs.set(versionKey(version), untilMs);
    }
  }

  /** @param versions judged as far as their announcements were taken */
  async #storeLedgers(versions: readonly WatchedVersion[]): Promise<void> {
    const changed = versions.filter(({ ledgerChanged }) => ledgerChanged);
    await this.#store.insertLedgers(changed);
    this.#put(changed.map(version => ({ ...version, ledgerChanged: false })));
  }

  /** Returns the newest values of versions in memory. */
  #held(names: readonly VersionName[]): WatchedVersion[] {
    return names.map(name => this.#versions.get(versionKey(name))!);
  }

  /** Puts newer values in place; it does not count as use. */
  #put(versions: readonly WatchedVersion[]): void {
    for (const version of versions) this.#versions.set(versionKey(version), version);
  }

  #forgetUnused(): void {
    for (const key of this.#versions.keys()) {
      if (this.#versions.size <= maxVersionsInMemory) break;
      this.#versions.delete(key);
      this.#volumesUntilMs.delete(key);
      this.#context.metrics.cacheEvictions.inc({ cache: 'versions' });
    }
  }

  #countJudged(windows: readonly JudgedWindowOfVersion[], metrics: number): void {
    const { rows } = this.#context.metrics;
    for (const { verdict } of windows) this.#counters.judgedWindows.inc({ status: verdict.status });
    rows.inc({ table: 'evaluated_windows' }, windows.length);
    rows.inc({ table: 'drift_metrics' }, metrics);
  }

  #countPublished(revisions: readonly DriftEventRevision[]): void {
    for (const { event } of revisions) {
      const { model, version, segment, cause, feature, status, windowStart, revision } = event;
      this.#counters.driftEvents.inc({ cause, status });
      this.#context.log.info(
        { model, version, segment, window: windowStart, cause, feature, status, revision },
        'drift event',
      );
    }
  }
}

/** Returns up to where it is known how many predictions came: no more come after an end. */
function volumeUntilMs({ readiness, judgedUntilMs, foldedUntilMs }: WatchedVersion): number {
  return readiness.ended ? judgedUntilMs : foldedUntilMs;
}

/** Returns the windows whose volume is looked at. */
function volumeRange(watched: WatchedVersion): VolumeRange {
  const { model, settings } = watched;
  const { windowSizeMs } = settings;
  const untilMs = volumeUntilMs(watched);
  const fromMs = Math.max(earliestMs, untilMs - volumeWeeks * weekMs);
  const toMs = Math.min(latestMs, untilMs - windowSizeMs);
  return { model, windowSizeMs, fromMs, toMs };
}
