import { chunk } from '../../shared/chunk.ts';
import type { Alert } from '../../shared/contracts.ts';
import { dayMs } from '../../shared/duration.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import { alertRevisions } from '../events/alertLifecycle.ts';
import { type DriftEventRevision, driftEventRevisions } from '../events/driftEventRevisions.ts';
import { endReplaced, type Successor } from '../fold/endReplaced.ts';
import type { DetectorStore } from '../store/store.ts';
import { isLive, type WatchedVersion, withPublished } from './watchedVersion.ts';

/** Newest windows of a version whose labels are compared with those of the one before. */
const maxComparedWindows = 1_000;
const versionsPerQuery = 32;

/** A version that has open drift events, and the one of its model that serves now. */
export interface ReplacedVersion extends VersionName {
  /** End of its newest judged window. */
  lastMs: number;
  successor: WatchedVersion;
}

/**
 * Returns the versions with open drift events that have had no predictions for a day and a window,
 * while another version of their model, one of these, had some. Then it serves in their place.
 */
export async function replacedVersions(
  store: DetectorStore,
  judged: readonly WatchedVersion[],
): Promise<ReplacedVersion[]> {
  const newest = new Map<string, WatchedVersion>();
  for (const version of judged) {
    const known = newest.get(version.model);
    if (!known || version.judgedUntilMs > known.judgedUntilMs) newest.set(version.model, version);
  }
  const open = await store.versionsWithOpenEvents([...newest.keys()]);
  const others = open.filter(({ model, version }) => newest.get(model)!.version !== version);
  const replaced: ReplacedVersion[] = [];
  for (const names of chunk(others, versionsPerQuery)) {
    const judgedUntilMs = await store.judgedUntilMs(names);
    for (const { model, version } of names) {
      const successor = newest.get(model)!;
      const lastMs = judgedUntilMs.get(versionKey({ model, version }));
      const quietMs = dayMs + successor.settings.windowSizeMs;
      if (lastMs !== undefined && successor.judgedUntilMs >= lastMs + quietMs)
        replaced.push({ model, version, lastMs, successor });
    }
  }
  return replaced;
}

/** A version after its drifts were ended, with what is to be published. */
export interface EndedVersion {
  version: WatchedVersion;
  revisions: readonly DriftEventRevision[];
  alerts: readonly Alert[];
}

/**
 * Ends the drifts of a version that no longer serves, as far as the one in its place is good enough.
 * @param version judged up to its end
 */
export async function endOfReplaced(
  store: DetectorStore,
  version: WatchedVersion,
  { lastMs, successor }: Pick<ReplacedVersion, 'lastMs' | 'successor'>,
): Promise<EndedVersion> {
  if (!isLive(version)) throw new Error('the version was not judged before');
  const untilMs = successor.judgedUntilMs;
  const labels = await labelsOf(store, successor, lastMs);
  const { fold, ended } = endReplaced(version.live.fold, {
    version: successor.version,
    untilMs,
    labels,
  });
  const revisions = driftEventRevisions(
    version.events,
    [],
    ended.map(content => ({ content, atMs: untilMs })),
    Number.POSITIVE_INFINITY,
    version.settings.windowSizeMs,
  );
  const alerts = alertRevisions(version, revisions, untilMs);
  const after = withPublished(version, revisions, alerts);
  return { version: { ...after, live: { ...version.live, fold } }, revisions, alerts };
}

/** Reads the newest labels of a version from a time on. */
async function labelsOf(
  store: DetectorStore,
  { model, version, settings, judgedUntilMs }: WatchedVersion,
  fromMs: number,
): Promise<Successor['labels']> {
  const { windowSizeMs } = settings;
  const range = {
    model,
    version,
    windowSizeMs,
    fromMs: Math.max(fromMs, judgedUntilMs - maxComparedWindows * windowSizeMs),
    toMs: judgedUntilMs - windowSizeMs,
  };
  const windows = (await store.labels([range])).get(versionKey({ model, version })) ?? new Map();
  const bySegment = new Map<string, WindowPerformance[]>();
  for (const [, segments] of [...windows].sort(([left], [right]) => right - left))
    for (const [segment, performance] of segments)
      bySegment.set(segment, [...(bySegment.get(segment) ?? []), performance]);
  return bySegment;
}
