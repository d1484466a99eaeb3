import { utcMinute } from '../../shared/utcMinute.ts';
import { type DriftCause, decidingEvidence } from './driftCause.ts';
import type { Episode } from './episode.ts';

const maxHeadlineLength = 160;
/** Up to a semicolon or the end of a sentence, which names in quotes may contain. */
const firstStatement = /^(?:"(?:[^"\\]|\\.)*"|(?!; |\. |\.$).)*/s;

/** What somebody who is on call does first, by cause. */
const advice: Record<DriftCause, string> = {
  data_quality:
    'Check what writes these values (a producer, a schema, a source of data) before anything is retrained on them.',
  data_drift:
    'Check whether the change is real. If it is, the model needs training on newer data; if not, mend the source.',
  concept_drift:
    'The same inputs now lead to other outcomes. The model needs training on newer labels.',
  prediction_drift:
    'The inputs did not change. Check what was deployed: the model, its thresholds, its preprocessing.',
  code_change:
    'Compare with the code version before, and roll back if this change was not intended.',
};

/**
 * Explains an episode to a person: what changed and by how much, since when, what to do. The
 * numbers of the tests follow at the end.
 */
export function explanationOf(
  { evidence, mostlyIn, newCodeVersions, reference, renewals, windowStartMs, windowEndMs }: Episode,
  cause: DriftCause,
): string {
  const deciding = decidingEvidence(evidence);
  const ordered = [deciding, ...evidence.filter(other => other !== deciding)];
  const [first, ...others] = ordered.map(({ summary }) => summary);
  const where = mostlyIn === null ? '' : `, mostly in ${mostlyIn}`;
  const found = [`${first}${where}`, ...others].join('; ');
  const code =
    newCodeVersions.length > 0 ? ` Code version ${newCodeVersions.join(', ')} is new.` : '';
  const times = renewals === 1 ? 'once' : `${renewals} times`;
  const ongoing =
    renewals > 0 ? ` The values kept changing after a new reference was taken (${times}).` : '';
  return (
    `${found[0]!.toUpperCase()}${found.slice(1)}.${code} ` +
    `This was first seen from ${utcMinute(windowStartMs)} to ${utcMinute(windowEndMs)} UTC, ` +
    `compared with the ${reference} reference.${ongoing} ${advice[cause]} ` +
    `Numbers: ${ordered.map(({ numbers }) => numbers).join('; ')}.`
  );
}

/**
 * Returns the first statement of an explanation, shortened to a line: what changed most and by how
 * much.
 *
 * @example headlineOf('The labels changed; so did the errors. This was …') // 'the labels changed'
 */
export function headlineOf(explanation: string): string {
  const [first] = firstStatement.exec(explanation)!;
  const headline = `${first.slice(0, 1).toLowerCase()}${first.slice(1)}`;
  return headline.length > maxHeadlineLength
    ? `${headline.slice(0, maxHeadlineLength - 1)}…`
    : headline;
}
