import { earliestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { rewoundLedger } from '../checkpoints/foldLedger.ts';
import { unpackStates } from '../checkpoints/packedStates.ts';
import { alertIdOf } from '../events/alertLifecycle.ts';
import {
  begunFold,
  foldedMs,
  openEvents,
  relabelled,
  rewound,
  type VersionFold,
} from '../fold/versionFold.ts';
import type { DetectorStore } from '../store/store.ts';
import { liveFold } from './liveFold.ts';
import {
  firstChangeMs,
  isLive,
  type LiveVersion,
  type WatchedVersion,
  withChangeFrom,
} from './watchedVersion.ts';

/**
 * Returns the versions with their folds in memory, each at its last window before the first one
 * that changed. The fold is taken from memory, otherwise from the newest checkpoint of the ledger,
 * and otherwise begun anew with the reference that was given. What was folded after that window is
 * void, in memory and in the ledger. Where only the labels of a window changed, only the labels go
 * back, as long as the fold has notes of its inputs.
 */
export async function resumeFolds(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<LiveVersion[]> {
  const resumed = new Map<string, LiveVersion>();
  let wanted: WatchedVersion[] = [];
  for (const version of versions.map(rewoundVersion)) {
    const goesBack = firstChangeMs(version) < Number.POSITIVE_INFINITY;
    if (isLive(version) && !goesBack) resumed.set(versionKey(version), version);
    else wanted.push(version);
  }
  while (wanted.length > 0) {
    const loaded = await loadPublished(store, await loadFolds(store, wanted));
    wanted = [];
    for (const version of loaded) {
      const unknownFromMs = firstUnknownEventMs(version);
      if (unknownFromMs === Number.POSITIVE_INFINITY) resumed.set(versionKey(version), version);
      else wanted.push(rewoundVersion(withChangeFrom({ ...version, live: null }, unknownFromMs)));
    }
  }
  return versions.map(version => {
    const { ledger, ...rest } = resumed.get(versionKey(version))!;
    return { ...rest, ledger: rewoundLedger(ledger, firstChangeMs(version)) };
  });
}

/** Returns the version without what was folded from its first changed window on. */
function rewoundVersion(version: WatchedVersion): WatchedVersion {
  const { live, changedFromMs } = version;
  const ledger = rewoundLedger(version.ledger, changedFromMs);
  const fold = live && goneBack(live.fold, version);
  return { ...version, ledger, live: live && fold && { ...live, fold } };
}

/** Returns a fold before all that changed; null if it does not go back so far. */
function goneBack(
  fold: VersionFold,
  { changedFromMs, labelsChangedFromMs }: WatchedVersion,
): VersionFold | null {
  const unchanged = rewound(fold, changedFromMs);
  return unchanged.checkpoints.length > 0 ? relabelled(unchanged, labelsChangedFromMs) : null;
}

async function loadFolds(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<LiveVersion[]> {
  const [live, others] = partition(versions);
  const [begun, notBegun] = partition(await loadCheckpoints(store, others));
  return [...live, ...begun, ...(await beginFolds(store, notBegun))];
}

function partition(
  versions: readonly WatchedVersion[],
): [live: LiveVersion[], others: WatchedVersion[]] {
  return [versions.filter(isLive), versions.filter(version => !isLive(version))];
}

/** Takes up folds from the newest checkpoint of each ledger that can be used; some have none. */
async function loadCheckpoints(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<WatchedVersion[]> {
  const hasCheckpoint = ({ live, ledger }: WatchedVersion) =>
    live === null && ledger.checkpoints.length > 0;
  let loaded = [...versions];
  for (;;) {
    const wanted = loaded.filter(hasCheckpoint);
    if (wanted.length === 0) return loaded;
    const states = await store.states(
      wanted.map(({ model, version, ledger }) => ({
        model,
        version,
        slot: ledger.checkpoints.at(-1)!.slot,
      })),
    );
    loaded = loaded.map(version =>
      hasCheckpoint(version)
        ? withNewestCheckpoint(version, states.get(versionKey(version)))
        : version,
    );
  }
}

/**
 * Returns the version with the fold of its ledger's newest checkpoint. If the stored state is not
 * the one that the ledger names by its digest, the checkpoint is dropped instead.
 */
function withNewestCheckpoint(version: WatchedVersion, text: string | undefined): WatchedVersion {
  const { model, ledger } = version;
  const { windowStartMs, ordinal, digest } = ledger.checkpoints.at(-1)!;
  const unpacked = text === undefined ? null : unpackStates(text, digest);
  if (!unpacked) return withoutNewest(version);
  const { states, truth, bytes } = unpacked;
  const checkpoints = [{ windowStartMs, ordinal, states }];
  const stored = { model, version: version.version, given: null, checkpoints, truth };
  const fold = goneBack(stored, version);
  return fold ? { ...version, live: liveFold(fold, bytes, ordinal) } : withoutNewest(version);
}

function withoutNewest(version: WatchedVersion): WatchedVersion {
  const { ledger } = version;
  return { ...version, ledger: { ...ledger, checkpoints: ledger.checkpoints.slice(0, -1) } };
}

async function beginFolds(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<LiveVersion[]> {
  if (versions.length === 0) return [];
  const ids = await store.referenceIds(versions);
  const begun: LiveVersion[] = [];
  for (const version of versions) {
    const { model, version: name, ledger } = version;
    const referenceId = ids.get(versionKey(version)) ?? null;
    const given = referenceId === null ? null : await store.givenReference(version, referenceId);
    const fold = begunFold({ model, version: name }, given);
    begun.push({ ...version, ledger: { ...ledger, referenceId }, live: liveFold(fold) });
  }
  return begun;
}

/** Returns the versions with the drift events and alerts that judging them may change. */
async function loadPublished(
  store: DetectorStore,
  versions: readonly LiveVersion[],
): Promise<LiveVersion[]> {
  const events = versions.map(({ model, version, live }) => ({
    model,
    version,
    sinceMs: Math.max(foldedMs(live.fold), earliestMs),
    ids: openEvents(live.fold).map(({ id }) => id),
  }));
  const alerts = events.map(wanted => ({ ...wanted, ids: wanted.ids.map(alertIdOf) }));
  const [eventsOf, alertsOf, acceptancesOf, actsOf] = await Promise.all([
    store.driftEvents(events),
    store.alerts(alerts),
    store.acceptances(versions),
    store.alertActs(versions),
  ]);
  return versions.map(version => {
    const key = versionKey(version);
    return {
      ...version,
      events: eventsOf.get(key) ?? new Map(),
      alerts: alertsOf.get(key) ?? new Map(),
      acceptances: acceptancesOf.get(key) ?? new Map(),
      acts: actsOf.get(key) ?? [],
    };
  });
}

/**
 * Returns the start of the first event that is open, but not in the states that the fold was taken
 * up from; Infinity if there is none. A process that had been overtaken published such an event.
 * The windows since then are judged again, which says what became of it.
 */
function firstUnknownEventMs({ events, live, settings }: LiveVersion): number {
  const resumedAfterMs = foldedMs(live.fold);
  const known = new Set(openEvents(live.fold).map(({ id }) => id));
  const unknown = [...events.values()].filter(
    ({ id, status, windowStart, windowEnd }) =>
      status === 'open' &&
      !known.has(id) &&
      windowStart <= resumedAfterMs &&
      windowEnd - windowStart === settings.windowSizeMs,
  );
  return unknown.reduce(
    (firstMs, { windowStart }) => Math.min(firstMs, windowStart),
    Number.POSITIVE_INFINITY,
  );
}
