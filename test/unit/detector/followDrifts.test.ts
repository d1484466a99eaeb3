import { describe, expect, it } from 'vitest';
import type { WindowPerformance } from '../../../services/detector/blocks/windowObservation.ts';
import type { Acceptance } from '../../../services/detector/events/driftEnd.ts';
import { driftEventId } from '../../../services/detector/events/driftEpisode.ts';
import { noDrifts, type OpenDrifts } from '../../../services/detector/events/episode.ts';
import type { Evidence } from '../../../services/detector/families/evidence.ts';
import { followDrifts, type WindowSaid } from '../../../services/detector/fold/followDrifts.ts';
import { hourMs } from './syntheticStream.ts';

const name = { model: 'm', version: '1', segment: '' };
const evidence: Evidence = {
  family: 'features',
  scale: 1,
  feature: 'x',
  metric: 'likelihood_ratio',
  value: 100,
  threshold: 40,
  pValue: 1e-12,
  logPValue: Math.log(1e-12),
  records: 200,
  referenceRecords: 1000,
  large: false,
  contributions: { x: 1 },
  predictionContributions: {},
  values: [],
  summary: 'x changed',
  numbers: '',
};

function labels(errorRate: number): WindowPerformance {
  return {
    task: 'binary',
    labelled: 100_000,
    lossSum: 100_000 * errorRate,
    lossSquareSum: 100_000 * errorRate,
    labelCounts: new Map(),
    predictedCounts: new Map(),
    rightCounts: new Map(),
  };
}

/** A calm window. With an alarm it is one in which a change begins. */
function window(
  hour: number,
  errorRate: number | null,
  { alarm = false, ...fields }: Partial<WindowSaid> & { alarm?: boolean } = {},
): WindowSaid {
  const [startMs, endMs] = [hour * hourMs, (hour + 1) * hourMs];
  const said = {
    level: 0,
    windowsPerBlock: 1,
    reference: 'bootstrap' as const,
    evidence: [evidence],
    alarm: { newCodeVersions: [], openUntilMs: endMs },
    wasCalm: true,
  };
  return {
    startMs,
    endMs,
    isJudged: true,
    isCalm: !alarm,
    isOwnCalm: !alarm,
    differs: null,
    said: alarm ? [said] : [],
    performance: errorRate === null ? null : labels(errorRate),
    outputs: null,
    usual: labels(0.1),
    usualOutputs: 0,
    ...fields,
  };
}

function follow(
  windows: readonly WindowSaid[],
  acceptances: ReadonlyMap<string, Acceptance> = new Map(),
) {
  let drifts: OpenDrifts = noDrifts;
  const told: (string | number | null)[][] = [];
  for (const one of windows) {
    const { changes, ...after } = followDrifts(drifts, one, { ...name, acceptances });
    drifts = after;
    for (const { windowStart, status, endReason, persistingSince } of changes) {
      const since = persistingSince === null ? null : persistingSince / hourMs;
      told.push([windowStart / hourMs, status, since, endReason]);
    }
  }
  return { told, drifts };
}

describe('followDrifts', () => {
  const begins = window(1, 0.4, { alarm: true });

  it('keeps a drift whose harm is left, until the quality is as before', () => {
    const { told } = follow([begins, window(2, 0.4), window(3, 0.4), window(4, 0.1)]);
    expect(told).toEqual([
      [1, 'open', null, null],
      [1, 'open', 3, null],
      [1, 'closed', 3, 'recovered'],
    ]);
  });

  it('ends a drift that does no harm as the new normal, and one that is gone as recovered', () => {
    const harmless = window(1, 0.1, { alarm: true });
    expect(follow([harmless, window(2, 0.1)]).told.at(-1)).toEqual([1, 'closed', null, 'accepted']);
    const gone = window(2, 0.1, { differs: false });
    expect(follow([harmless, gone]).told.at(-1)).toEqual([1, 'closed', null, 'recovered']);
  });

  describe('of which the weeks are not calm yet', () => {
    const unsettled = { isCalm: false, isOwnCalm: true };
    const begins = window(1, 0.4, { alarm: true });
    const back = (hour: number, errorRate: number) =>
      window(hour, errorRate, { ...unsettled, differs: false });
    const weekly = (hour: number, wasCalm: boolean) => {
      const alarmed = window(hour, 0.1, { alarm: true });
      const [own] = alarmed.said;
      const said = [{ ...own!, level: 2, windowsPerBlock: 168, wasCalm }];
      return { ...alarmed, ...unsettled, said };
    };

    it('ends when the windows are as before, and no harm is left', () => {
      expect(follow([begins, back(2, 0.4), back(3, 0.1)]).told).toEqual([
        [1, 'open', null, null],
        [1, 'closed', null, 'recovered'],
      ]);
      const different = window(2, 0.1, { ...unsettled, differs: true });
      expect(follow([begins, different]).drifts.episode).not.toBeNull();
      const differsInWeeks = window(2, 0.1, unsettled);
      expect(follow([begins, differsInWeeks]).drifts.episode).not.toBeNull();
    });

    it('is not begun again by what the weeks still show of it, but by the next one', () => {
      const ended = [begins, back(2, 0.1), weekly(3, false)];
      expect(follow(ended).drifts.episode).toBeNull();
      expect(follow([...ended, weekly(4, true)]).drifts.episode).toMatchObject({
        windowStartMs: 4 * hourMs,
      });
    });
  });

  it('keeps a drift whose labels have not come, and says when they show the harm', () => {
    const unlabelled = window(1, null, { alarm: true });
    expect(follow([unlabelled, window(2, null), window(3, 0.4), window(4, 0.4)]).told).toEqual([
      [1, 'open', null, null],
      [1, 'open', 3, null],
      [1, 'open', 3, null],
    ]);
  });

  it('finds the next drift beside one that persists, and asks only for what that one has added', () => {
    const next = window(5, 0.4, { alarm: true });
    const { told, drifts } = follow([begins, window(2, 0.4), next, window(6, 0.4)]);
    expect(told.slice(2)).toEqual([
      [5, 'open', null, null],
      [5, 'closed', null, 'accepted'],
    ]);
    expect(drifts.persisting.map(({ windowStartMs }) => windowStartMs / hourMs)).toEqual([1]);
  });

  it('ends a drift that a person has accepted with the window that was seen last', () => {
    const id = driftEventId(name, { windowStartMs: hourMs });
    const acceptance = { fromMs: 4 * hourMs, by: 'alice', note: 'the new tariff' };
    const { told, drifts } = follow(
      [begins, window(2, 0.4), window(3, 0.4), window(4, 0.4)],
      new Map([[id, acceptance]]),
    );
    expect(told.at(-1)).toEqual([1, 'closed', 3, 'accepted']);
    expect(drifts).toMatchObject(noDrifts);
  });

  it('keeps at most eight drifts that persist', () => {
    const windows = Array.from({ length: 10 }, (_, index) => [
      window(2 * index, 0.1 * 1.25 ** (index + 1), { alarm: true }),
      window(2 * index + 1, 0.1 * 1.25 ** (index + 1)),
    ]).flat();
    const { told, drifts } = follow(windows);
    expect(drifts.persisting).toHaveLength(8);
    expect(told.filter(([, , , reason]) => reason === 'covered')).toHaveLength(2);
  });
});
