import type { ChangedValue, DriftEvent } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { Evidence } from '../families/evidence.ts';
import { decidingEvidence, driftCause, driftSeverity } from './driftCause.ts';
import type { DriftEnd } from './driftEnd.ts';
import type { DatedEvidence, Episode } from './episode.ts';
import { explanationOf } from './explanation.ts';

/** Whose windows are folded. */
export interface StreamName {
  model: string;
  version: string;
  /** name=value, or empty for all predictions. */
  segment: string;
}

/**
 * Notes the window in which evidence was found, and its scale in windows. The window's row of
 * drift_metrics has the same numbers.
 */
export function datedEvidence(
  evidence: readonly Evidence[],
  { startMs }: { startMs: number },
  windowsPerBlock: number,
): DatedEvidence[] {
  return evidence.map(found => ({
    ...found,
    scale: found.scale * windowsPerBlock,
    windowStartMs: startMs,
  }));
}

/** A drift event before it is numbered: the same content is never published twice. */
export type DriftEventContent = Omit<DriftEvent, 'revision'>;

/**
 * Returns the episode with what was found now, or the very same episode when that says nothing new.
 */
export function withEvidence(episode: Episode, found: readonly DatedEvidence[]): Episode {
  const known = new Map(episode.evidence.map(evidence => [evidence.family, evidence]));
  const news = found.filter(evidence => saysMore(evidence, known.get(evidence.family)));
  if (news.length === 0) return episode;
  // What was large once stays so.
  const changed = news.map(evidence => ({
    ...evidence,
    large: evidence.large || known.get(evidence.family)?.large === true,
  }));
  const families = new Set(news.map(({ family }) => family));
  return {
    ...episode,
    evidence: [...episode.evidence.filter(({ family }) => !families.has(family)), ...changed],
  };
}

/** Returns whether evidence names a family, or a feature of one, that the episode does not have. */
export function isNews(episode: Episode, found: readonly DatedEvidence[]): boolean {
  return found.some(({ family, contributions }) => {
    const known = episode.evidence.find(evidence => evidence.family === family);
    return (
      !known ||
      Object.keys(contributions).some(feature => !Object.hasOwn(known.contributions, feature))
    );
  });
}

/**
 * Whether evidence says more than what is known. A drift that spreads to another feature is
 * published again with all of its features, so there is at most one revision for each feature.
 */
function saysMore(
  { family, large, contributions }: Evidence,
  known: Evidence | undefined,
): boolean {
  if (!known || (large && !known.large)) return true;
  const further = Object.keys(contributions).some(
    feature => !Object.hasOwn(known.contributions, feature),
  );
  // One broken feature does not explain the next one, which may break when the first is mended.
  if (family === 'data_quality') return further;
  return (
    further &&
    Object.keys(known.contributions).every(feature => Object.hasOwn(contributions, feature))
  );
}

/** Returns the id of the drift event of an episode. */
export function driftEventId(
  { model, version, segment }: StreamName,
  { windowStartMs }: Pick<Episode, 'windowStartMs'>,
): string {
  return deterministicId('drift', model, version, segment, windowStartMs);
}

/**
 * Returns the drift event of an episode, with the numbers of the evidence that decides on its
 * cause.
 *
 * @param end null while the drift is not over
 */
export function driftEventOf(
  name: StreamName,
  episode: Episode,
  end: DriftEnd | null,
): DriftEventContent {
  const { model, version, segment } = name;
  const cause = driftCause(episode.evidence, episode.newCodeVersions);
  const {
    feature,
    metric,
    value,
    threshold,
    pValue,
    records,
    scale,
    windowStartMs,
    contributions,
    predictionContributions,
  } = decidingEvidence(episode.evidence);
  return {
    id: driftEventId(name, episode),
    status: end ? 'closed' : 'open',
    model,
    version,
    segment,
    feature,
    cause,
    severity: driftSeverity(episode.evidence, cause),
    windowStart: episode.windowStartMs,
    windowEnd: episode.windowEndMs,
    metric,
    value,
    threshold,
    pValue,
    records,
    scale,
    evidenceWindowStart: windowStartMs,
    reference: episode.reference,
    contributions,
    predictionContributions,
    changedValues: changedValuesOf(episode),
    explanation: explanationOf(episode, cause),
    detectedAtEventTime: episode.windowEndMs,
    persistingSince: episode.persistingSinceMs,
    endReason: end?.reason ?? null,
    endedBy: end?.by ?? null,
    endedAt: end?.atMs ?? null,
    standing: end?.statement ?? episode.told?.statement ?? null,
  };
}

/** Returns the values that any evidence names, those of the deciding one first; null for none. */
function changedValuesOf({ evidence }: Episode): ChangedValue[] | null {
  const deciding = decidingEvidence(evidence);
  const values = [deciding, ...evidence].flatMap(found => found.values);
  const byName = new Map<string, ChangedValue>();
  for (const changed of values) {
    const key = JSON.stringify([changed.kind, changed.name, changed.value]);
    if (!byName.has(key)) byName.set(key, changed);
  }
  return byName.size === 0 ? null : [...byName.values()];
}
