import type { DriftEvent } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { Evidence } from '../families/evidence.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import { decidingEvidence, driftCause, driftSeverity } from './driftCause.ts';

/** Names a stream of windows: the predictions of a model version, or of one segment of it. */
export interface StreamName {
  model: string;
  version: string;
  /** name=value, or empty for all predictions. */
  segment: string;
}

/**
 * One drift, from the first evidence until a new reference has held for some blocks. All evidence
 * that is found in between belongs to it.
 */
export interface Episode {
  windowStartMs: number;
  windowEndMs: number;
  reference: ReferenceSource;
  /** Versions of the serving code that were new when it began. */
  newCodeVersions: readonly string[];
  /** For each family the last evidence that said more than the evidence before. */
  evidence: readonly Evidence[];
  /** How often a new reference was taken that did not hold either. */
  renewals: number;
}

/** A drift event without its revision. The same content is never published twice in a row. */
export type DriftEventContent = Omit<DriftEvent, 'revision'>;

/** Returns the episode with new evidence, or the same object if the evidence says nothing new. */
export function withEvidence(episode: Episode, found: readonly Evidence[]): Episode {
  const known = new Map(episode.evidence.map(evidence => [evidence.family, evidence]));
  const news = found.filter(evidence => saysMore(evidence, known.get(evidence.family)));
  if (news.length === 0) return episode;
  // A drift that was large stays large.
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

/**
 * Returns whether evidence says more than what is known of its family: that the drift is large, or
 * that it has spread to another feature. So there is at most one revision per feature.
 */
function saysMore(
  { family, large, contributions }: Evidence,
  known: Evidence | undefined,
): boolean {
  if (!known || (large && !known.large)) return true;
  const further = Object.keys(contributions).some(
    feature => !Object.hasOwn(known.contributions, feature),
  );
  // Another broken feature is news even if the first has been mended meanwhile.
  if (family === 'data_quality') return further;
  return (
    further &&
    Object.keys(known.contributions).every(feature => Object.hasOwn(contributions, feature))
  );
}

export function driftEventOf(
  name: StreamName,
  episode: Episode,
  status: Exclude<DriftEvent['status'], 'withdrawn'>,
): DriftEventContent {
  const cause = driftCause(episode.evidence, episode.newCodeVersions);
  const {
    feature,
    metric,
    value,
    threshold,
    pValue,
    records,
    contributions,
    predictionContributions,
  } = decidingEvidence(episode.evidence, cause);
  return {
    id: deterministicId('drift', name.model, name.version, name.segment, episode.windowStartMs),
    status,
    ...name,
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
    reference: episode.reference,
    contributions,
    predictionContributions,
    explanation: explanationOf(episode),
    detectedAtEventTime: episode.windowEndMs,
  };
}

function explanationOf({ evidence, newCodeVersions, reference, renewals }: Episode): string {
  const cause = driftCause(evidence, newCodeVersions);
  const deciding = decidingEvidence(evidence, cause);
  const others = evidence.filter(other => other !== deciding).map(({ statement }) => statement);
  const code =
    newCodeVersions.length > 0 ? `code version ${newCodeVersions.join(', ')} is new; ` : '';
  const ongoing =
    renewals > 0 ? `; it went on ${renewals} times after a new reference was taken` : '';
  return `${[code + deciding.statement, ...others].join('; ')}; compared with the ${reference} reference${ongoing}.`;
}
