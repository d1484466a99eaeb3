import { earliestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { rewoundLedger } from '../checkpoints/foldLedger.ts';
import { unpackStates } from '../checkpoints/packedStates.ts';
import { alertIdOf } from '../events/alertLifecycle.ts';
import { openEpisodes, rewound } from '../fold/versionFold.ts';
import type { DetectorStore } from '../store/store.ts';
import type { WatchedVersion } from './watchedVersion.ts';

/**
 * Brings the folds of the versions to where they can be taken up: after the last window before the first that changed. From
 * memory, else from the newest checkpoint of the ledger, else to the very beginning, with the reference that was given. What
 * was folded after that is void, in memory and in the ledger.
 */
export async function resumeFolds(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<void> {
  let wanted: WatchedVersion[] = [];
  for (const version of versions) {
    const { live, changedFromMs } = version;
    version.ledger = rewoundLedger(version.ledger, changedFromMs);
    const fold = live && rewound(live.fold, changedFromMs);
    const goesBack = changedFromMs < Number.POSITIVE_INFINITY;
    version.live =
      live && fold && fold.checkpoints.length > 0 ? { ...live, fold, passed: [] } : null;
    if (goesBack || !version.live) wanted.push(version);
  }
  while (wanted.length > 0) {
    await loadFolds(
      store,
      wanted.filter(({ live }) => live === null),
    );
    await loadPublished(store, wanted);
    wanted = wanted.filter(goesBackFurther);
  }
}

async function loadFolds(store: DetectorStore, versions: readonly WatchedVersion[]): Promise<void> {
  const begun = versions.filter(({ ledger }) => ledger.checkpoints.length > 0);
  if (begun.length > 0) await loadCheckpoints(store, begun);
  const fresh = versions.filter(({ live }) => live === null);
  if (fresh.length > 0) await beginFolds(store, fresh);
}

async function loadCheckpoints(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<void> {
  let wanted = versions;
  while (wanted.length > 0) {
    const newest = wanted.map(({ model, version, ledger }) => ({
      model,
      version,
      slot: ledger.checkpoints.at(-1)!.slot,
    }));
    const states = await store.states(newest);
    for (const version of wanted) takeCheckpoint(version, states.get(versionKey(version)));
    wanted = wanted.filter(({ live, ledger }) => live === null && ledger.checkpoints.length > 0);
  }
}

/** A state that is not the one that the ledger names is none. */
function takeCheckpoint(version: WatchedVersion, text: string | undefined): void {
  const { model, ledger } = version;
  const { windowStartMs, ordinal, digest } = ledger.checkpoints.at(-1)!;
  const unpacked = text === undefined ? null : unpackStates(text, digest);
  if (!unpacked) {
    version.ledger = { ...ledger, checkpoints: ledger.checkpoints.slice(0, -1) };
    return;
  }
  const fold = {
    model,
    version: version.version,
    given: null,
    checkpoints: [{ windowStartMs, ordinal, states: unpacked.states }],
  };
  version.live = { fold, passed: [], stateBytes: unpacked.bytes, measuredOrdinal: ordinal };
}

async function beginFolds(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<void> {
  const ids = await store.referenceIds(versions);
  for (const version of versions) {
    const { model, version: name, ledger } = version;
    const referenceId = ids.get(versionKey(version)) ?? null;
    const given = referenceId === null ? null : await store.givenReference(version, referenceId);
    version.ledger = { ...ledger, referenceId };
    version.live = {
      fold: { model, version: name, given, checkpoints: [] },
      passed: [],
      stateBytes: 0,
      measuredOrdinal: 0,
    };
  }
}

async function loadPublished(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<void> {
  const events = versions.map(({ model, version, live }) => ({
    model,
    version,
    sinceMs: live!.fold.checkpoints.at(-1)?.windowStartMs ?? earliestMs,
    ids: openEpisodes(live!.fold).map(({ id }) => id),
  }));
  const alerts = events.map(wanted => ({ ...wanted, ids: wanted.ids.map(alertIdOf) }));
  const [eventsOf, alertsOf] = await Promise.all([store.driftEvents(events), store.alerts(alerts)]);
  for (const version of versions) {
    const key = versionKey(version);
    version.events = eventsOf.get(key) ?? new Map();
    version.alerts = alertsOf.get(key) ?? new Map();
  }
}

/**
 * An event that is open, but not in the checkpoint that follows it, was published by a process that had been overtaken. The
 * windows since are judged again, which says what became of it.
 */
function goesBackFurther(version: WatchedVersion): boolean {
  const { events } = version;
  const { fold } = version.live!;
  const resumedAfter = fold.checkpoints.at(-1);
  if (!resumedAfter) return false;
  const open = new Set(openEpisodes(fold).map(({ id }) => id));
  const unknown = [...events.values()].filter(
    ({ id, status, windowStart, windowEnd }) =>
      status === 'open' &&
      !open.has(id) &&
      windowStart <= resumedAfter.windowStartMs &&
      windowEnd - windowStart === version.settings.windowSizeMs,
  );
  if (unknown.length === 0) return false;
  version.changedFromMs = Math.min(
    version.changedFromMs,
    ...unknown.map(({ windowStart }) => windowStart),
  );
  version.ledger = rewoundLedger(version.ledger, version.changedFromMs);
  version.live = null;
  return true;
}
