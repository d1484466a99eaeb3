import type { DriftEvent } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { Evidence } from '../families/evidence.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import { decidingEvidence, driftCause, driftSeverity } from './driftCause.ts';

/** Whose windows are folded. */
export interface StreamName {
  model: string;
  version: string;
  /** name=value, or empty for all predictions. */
  segment: string;
}

/** One drift from its first sign until a new reference has been quiet: whatever is seen meanwhile belongs to it. */
export interface Episode {
  windowStartMs: number;
  windowEndMs: number;
  reference: ReferenceSource;
  /** Versions of the serving code that came with it. */
  newCodeVersions: readonly string[];
  /** Of each family the last that said more than those before. */
  evidence: readonly Evidence[];
  /** How often even the new reference did not hold. */
  renewals: number;
}

/** A drift event before it is numbered: the same content is never published twice. */
export type DriftEventContent = Omit<DriftEvent, 'revision'>;

/** The episode with what was found now, or the very same episode when that says nothing new. */
export function withEvidence(episode: Episode, found: readonly Evidence[]): Episode {
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

/** A drift that shows in ever more features is told with all of them; so it can grow as often as there are features, and no more. */
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
