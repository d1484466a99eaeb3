import { describeDuration, hourMs } from '../../services/shared/duration.ts';

/** A version whose files may be removed. */
export interface KeptVersion {
  model: string;
  version: string;
  state: string;
  /** When it came to this state. */
  sinceMs: number;
  aliases: string[];
  datasetId: string;
  artifactUri: string;
  artifactChecksum: string;
}

/** A dataset whose file may be removed. */
export interface KeptDataset {
  model: string;
  id: string;
  uri: string;
  checksum: string;
  createdAtMs: number;
}

/** What a store holds of some models, and what is going on there. */
export interface KeptArtifacts {
  versions: readonly KeptVersion[];
  datasets: readonly KeptDataset[];
  /** Models with a run that has not ended, and when the first of these has started. */
  runsSinceMs: ReadonlyMap<string, number>;
}

/** Of the versions that no longer serve, what is kept. */
export interface Retention {
  /** As many of the newest of a model that have served, and as many of those that have not. */
  keep: number;
  /** All that came to their state within this time; null for no such limit. */
  olderThanMs: number | null;
}

export interface PruneDecision<T> {
  of: T;
  remove: boolean;
  /** Why it is kept or removed, as a sentence. */
  reason: string;
}

export interface PrunePlan {
  versions: PruneDecision<KeptVersion>[];
  datasets: PruneDecision<KeptDataset>[];
}

/**
 * States in which a version has no future. One that is superseded may be gone back to, so it is
 * retired before its files are removed.
 */
const finalStates = ['superseded', 'rolled_back', 'rejected', 'retired'];

/** A run whose start is not yet seen may be about to train on a dataset as young as this. */
const minDatasetAgeMs = hourMs;

/**
 * Decides what can be removed: the files of versions that nothing needs, and the datasets of which
 * no version is left. A version that an alias names, that has a future, or that is within what is
 * kept stays, and so does the dataset that it was trained on.
 */
export function prunePlan(
  { versions, datasets, runsSinceMs }: KeptArtifacts,
  retention: Retention,
  nowMs: number,
): PrunePlan {
  const decided = versions.map(version => ofVersion(version, versions, retention, nowMs));
  const keptVersions = decided.filter(({ remove }) => !remove).map(({ of }) => of);
  return {
    versions: decided,
    datasets: datasets.map(dataset =>
      ofDataset(dataset, keptVersions, runsSinceMs.get(dataset.model), nowMs),
    ),
  };
}

function ofVersion(
  version: KeptVersion,
  versions: readonly KeptVersion[],
  { keep, olderThanMs }: Retention,
  nowMs: number,
): PruneDecision<KeptVersion> {
  const { state, aliases, sinceMs } = version;
  const kept = (reason: string) => ({ of: version, remove: false, reason });
  if (aliases.length > 0) return kept(`The alias ${aliases.join(' and ')} names it.`);
  const name = state.replaceAll('_', ' ');
  if (!finalStates.includes(state)) return kept(`It is ${name}.`);
  const rank = versions.filter(other => isNewerOfKind(other, version)).length;
  const kind = hasServed(version) ? 'that have served' : 'that have not served';
  if (rank < keep) return kept(`It is ${name}, but one of the newest ${keep} ${kind} (--keep).`);
  if (olderThanMs !== null && nowMs - sinceMs < olderThanMs)
    return kept(`It is ${name}, but not for ${describeDuration(olderThanMs)} yet (--older-than).`);
  return {
    of: version,
    remove: true,
    reason: `It is ${name}, and none of the newest ${keep} ${kind}.`,
  };
}

function isNewerOfKind(other: KeptVersion, { model, version, state, sinceMs }: KeptVersion) {
  return (
    other.model === model &&
    finalStates.includes(other.state) &&
    hasServed(other) === hasServed({ state }) &&
    (other.sinceMs > sinceMs || (other.sinceMs === sinceMs && other.version > version))
  );
}

function hasServed({ state }: Pick<KeptVersion, 'state'>): boolean {
  return state === 'superseded';
}

function ofDataset(
  dataset: KeptDataset,
  keptVersions: readonly KeptVersion[],
  runSinceMs: number | undefined,
  nowMs: number,
): PruneDecision<KeptDataset> {
  const kept = (reason: string) => ({ of: dataset, remove: false, reason });
  const users = keptVersions
    .filter(({ model, datasetId }) => model === dataset.model && datasetId === dataset.id)
    .map(({ version }) => version);
  if (users.length > 0) return kept(`Version ${users.join(', ')} was trained on it.`);
  const { createdAtMs } = dataset;
  if (runSinceMs !== undefined && createdAtMs >= runSinceMs)
    return kept('A training that has not ended may use it.');
  if (nowMs - createdAtMs < minDatasetAgeMs)
    return kept(`It was frozen less than ${describeDuration(minDatasetAgeMs)} ago.`);
  return { of: dataset, remove: true, reason: 'No version that is kept was trained on it.' };
}
