import { mergePerformance, type WindowPerformance } from '../blocks/windowObservation.ts';
import { type DriftEnd, isHarmful, worseClasses } from '../events/driftEnd.ts';
import { type DriftEventContent, driftEventOf } from '../events/driftEpisode.ts';
import { type Episode, type OpenDrifts, openDriftsOf } from '../events/episode.ts';
import { balancedFigures, lossStanding, lossStatement } from '../events/harm.ts';
import { lastOutcome, withDrifts } from './truthFold.ts';
import type { VersionFold } from './versionFold.ts';

/** The version that serves in the place of another one. */
export interface Successor {
  version: string;
  /** End of its newest judged window. */
  untilMs: number;
  /** Its labels per window since the other one served last, by segment, the newest first. */
  labels: ReadonlyMap<string, readonly WindowPerformance[]>;
}

/**
 * Ends the drifts of a version that no longer serves. Where labels tell the harm, the version that
 * serves now has to be within reach of the quality from before the drift, and its newest labels
 * decide; otherwise the drift ends with its version.
 */
export function endReplaced(
  fold: VersionFold,
  successor: Successor,
): { fold: VersionFold; ended: DriftEventContent[] } {
  const { model, version, truth } = fold;
  if (!truth) return { fold, ended: [] };
  const ended: DriftEventContent[] = [];
  const left = new Map<string, OpenDrifts>();
  for (const [segment, drifts] of lastOutcome(truth).drifts) {
    const ends = new Map(
      openDriftsOf(drifts).map(episode => [episode, endBy(successor, segment, episode)]),
    );
    for (const [episode, end] of ends)
      if (end) ended.push(driftEventOf({ model, version, segment }, episode, end));
    const isLeft = (episode: Episode) => !ends.get(episode);
    const persisting = drifts.persisting.filter(isLeft);
    const episode = drifts.episode && isLeft(drifts.episode) ? drifts.episode : null;
    if (episode || persisting.length > 0) left.set(segment, { episode, persisting });
  }
  return ended.length === 0
    ? { fold, ended }
    : { fold: { ...fold, truth: withDrifts(truth, left) }, ended };
}

function endBy(
  { version, untilMs, labels }: Successor,
  segment: string,
  episode: Episode,
): DriftEnd | null {
  const { before } = episode.harm;
  const end = { by: version, atMs: untilMs };
  const replaced = `Version ${version} serves instead.`;
  if (before === null) return { ...end, reason: 'version_replaced', statement: replaced };
  const classes = worseClasses(episode);
  let newest: WindowPerformance | null = null;
  for (const window of labels.get(segment) ?? []) {
    newest = mergePerformance(newest, window)!;
    const standing = lossStanding(before, newest, balancedFigures(before, newest, classes));
    if (standing === 'left') return null;
    if (standing === 'over')
      return {
        ...end,
        reason: isHarmful(episode) ? 'mended' : 'version_replaced',
        statement: `${replaced} ${lossStatement(before, newest)}.`,
      };
  }
  return null;
}
