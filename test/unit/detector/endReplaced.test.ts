import { describe, expect, it } from 'vitest';
import type { WindowPerformance } from '../../../services/detector/blocks/windowObservation.ts';
import type { Episode } from '../../../services/detector/events/episode.ts';
import { begunHarm } from '../../../services/detector/events/harm.ts';
import { endReplaced } from '../../../services/detector/fold/endReplaced.ts';
import { begunTruth, withDrifts } from '../../../services/detector/fold/truthFold.ts';
import { begunFold, openEvents } from '../../../services/detector/fold/versionFold.ts';

function labels(labelled: number, meanError: number): WindowPerformance {
  return {
    task: 'regression',
    labelled,
    lossSum: labelled * meanError,
    lossSquareSum: labelled * meanError ** 2 * 1.5,
    labelCounts: new Map(),
    predictedCounts: new Map(),
    rightCounts: new Map(),
  };
}

/** The fold of a version of which a drift persists. */
function foldOf(before: WindowPerformance | null, wasFound: boolean) {
  const episode: Episode = {
    windowStartMs: 0,
    windowEndMs: 1,
    reference: 'bootstrap',
    newCodeVersions: [],
    evidence: [
      {
        family: 'features',
        scale: 1,
        feature: 'x',
        metric: 'psi',
        value: 1,
        threshold: 0.1,
        pValue: 0,
        logPValue: -99,
        records: 200,
        referenceRecords: 1000,
        large: true,
        contributions: { x: 1 },
        predictionContributions: {},
        values: [],
        summary: 'x changed',
        numbers: '',
        windowStartMs: 0,
      },
    ],
    renewals: 0,
    mostlyIn: null,
    openUntilMs: 0,
    differs: true,
    harm: { ...begunHarm(before, 0), wasFound },
    persistingSinceMs: 2,
    told: null,
  };
  const drifts = new Map([['', { episode: null, persisting: [episode] }]]);
  const truth = withDrifts(begunTruth(new Map()), drifts);
  return { ...begunFold({ model: 'm', version: '1' }), truth };
}

const successor = (...newest: WindowPerformance[]) => ({
  version: '2',
  untilMs: 99,
  labels: new Map([['', newest]]),
});

describe('endReplaced', () => {
  it.each([
    ['mended, if it did harm and the version is as good', true, [labels(300, 1)], 'mended'],
    ['with its version, if it did no harm', false, [labels(300, 1)], 'version_replaced'],
    ['by the newest labels', true, [labels(300, 1), labels(900, 8)], 'mended'],
  ] as const)('ends a drift %s', (_, wasFound, newest, reason) => {
    const { fold, ended } = endReplaced(foldOf(labels(5_000, 1), wasFound), successor(...newest));
    expect(ended).toMatchObject([
      { status: 'closed', endReason: reason, endedBy: '2', endedAt: 99 },
    ]);
    expect(openEvents(fold)).toEqual([]);
  });

  it('keeps it while the version in its place is worse, or has too few labels', () => {
    for (const newest of [[labels(300, 8)], [labels(199, 1)], []]) {
      const before = foldOf(labels(5_000, 1), true);
      expect(endReplaced(before, successor(...newest))).toEqual({ fold: before, ended: [] });
    }
  });

  it('ends it with its version where no labels tell the harm', () => {
    const { ended } = endReplaced(foldOf(null, true), successor());
    expect(ended).toMatchObject([{ endReason: 'version_replaced' }]);
  });
});
