import { sum } from 'simple-statistics';
import { validCounts } from '../../shared/bins/countVector.ts';
import { populationStabilityIndex } from '../../shared/statistics/populationStabilityIndex.ts';
import { countVariable } from '../blocks/variableCounts.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';
import type { WindowQuality } from '../events/harm.ts';
import type { VersionReference } from '../reference/reference.ts';

/** Distance of a block without valid outputs: more than that of any that has some. */
const distanceOfNone = 10;

/**
 * Returns how far the outputs of a block lie from the first reference of the version: the largest
 * PSI of its outputs, less what sampling brings about, so that its mean over blocks of any size is
 * 0 where nothing changed. Null if the reference has no outputs.
 */
export function outputDistance(
  versionReference: VersionReference,
  observation: WindowObservation,
): WindowQuality['outputs'] {
  const distances = [...versionReference.values()].flatMap(({ frozen, counts }) => {
    if (frozen.kind !== 'output' || frozen.moving) return [];
    const logged = observation.variables.get(variableKey('output', frozen.name))?.profile;
    const counted = countVariable(frozen, logged, observation);
    if (!counted) return [];
    const [reference, recent] = [validCounts(counts), validCounts(counted.counts)];
    const [before, now] = [sum(reference), sum(recent)];
    if (before === 0) return [];
    if (now === 0) return [distanceOfNone];
    const bins = reference.filter((count, bin) => count + recent[bin]! > 0).length;
    const bySampling = (bins - 1) * (1 / before + 1 / now);
    return [populationStabilityIndex(reference, recent) - bySampling];
  });
  if (distances.length === 0) return null;
  return { distance: Math.max(...distances), records: observation.records };
}
