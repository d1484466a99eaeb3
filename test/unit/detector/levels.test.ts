import { describe, expect, it } from 'vitest';
import { observationOf } from '../../../services/detector/store/observedWindows.ts';
import { emptyFeatureProfile } from '../../../services/shared/profile/featureProfile.ts';
import { toProfileRow } from '../../../services/shared/profile/profileRow.ts';
import {
  foldAll,
  hourMs,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const hoursOfDay = 24;
const onset = 20 * hoursOfDay;
const dayOf = (window: number) => Math.floor(window / hoursOfDay);
/** 1970-01-01 was a Thursday. */
const isWeekend = (window: number) => [2, 3].includes(dayOf(window) % 7);

function eventsOf(
  days: number,
  records: number,
  recordOf: (random: Randomness, window: number) => SyntheticRecord,
) {
  const windows = days * hoursOfDay;
  return foldAll(syntheticWindows({ seed: 11, windows, records, recordOf })).events;
}

const steady = ({ normal, uniform }: Randomness): SyntheticRecord => {
  const label = uniform() < 0.3 ? 'yes' : 'no';
  return {
    features: { amount: normal(), city: uniform() < 0.4 ? 'Rome' : 'Oslo' },
    prediction: uniform() < 0.2 ? (label === 'yes' ? 'no' : 'yes') : label,
    label,
  };
};

describe('a stream in windows of an hour', { timeout: 120_000 }, () => {
  it('raises nothing while nothing changes', () => {
    expect(eventsOf(40, 40, steady)).toEqual([]);
  });

  it('shows a slow ramp in its days', () => {
    const [event, ...others] = eventsOf(34, 40, (random, window) => {
      const record = steady(random);
      const moved = Math.max(0, window - onset) / hoursOfDay / 30;
      return { ...record, features: { ...record.features, amount: random.normal() + moved } };
    });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ cause: 'data_drift', feature: 'amount' });
    expect(event!.scale! % hoursOfDay).toBe(0);
    expect(dayOf(event!.windowStart / hourMs)).toBeLessThan(dayOf(onset) + 12);
  });

  it('is as before soon after broken data were mended, and shows them no second time', () => {
    const mended = onset + 10 + 24;
    const events = eventsOf(36, 40, (random, window) => {
      const record = steady(random);
      const isBroken = window >= onset + 10 && window < mended;
      return isBroken ? { ...record, features: { ...record.features, amount: null } } : record;
    });
    const [event, ...others] = [...new Map(events.map(one => [one.id, one])).values()];
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      cause: 'data_quality',
      status: 'closed',
      endReason: 'recovered',
    });
    expect(event!.endedAt! / hourMs - mended).toBeLessThan(3 * hoursOfDay);
  });

  it('shows a rare class that is found half as often', () => {
    const [event] = eventsOf(28, 40, ({ uniform, normal }, window) => {
      const label = uniform() < 0.02 ? 'fraud' : 'fine';
      const isFound = uniform() < (window < onset ? 0.8 : 0.3);
      return {
        features: { amount: normal() },
        prediction: label === 'fraud' && isFound ? 'fraud' : 'fine',
        label,
      };
    });
    expect(event).toMatchObject({
      cause: 'concept_drift',
      severity: 'critical',
    });
    expect(event!.explanation).toContain('recall of class "fraud" fell');
    expect(dayOf(event!.windowStart / hourMs)).toBeLessThan(dayOf(onset) + 6);
  });

  it('tells broken labels from a changed concept when they lack a class', () => {
    const [event] = eventsOf(22, 40, (random, window) => {
      const record = steady(random);
      return window < onset ? record : { ...record, label: 'no' };
    });
    expect(event).toMatchObject({ windowStart: expect.any(Number) });
    expect(event!.explanation).toMatch(/label no longer has "yes"/);
    expect(event!.cause).toBe('data_quality');
  });

  it('tells a class that is predicted no more as a defect of the outputs', () => {
    const [event] = eventsOf(22, 40, (random, window) => {
      const record = steady(random);
      return window < onset ? record : { ...record, prediction: 'no' };
    });
    expect(event!.explanation).toMatch(/prediction no longer has "yes"/i);
    expect(event!.cause).toBe('data_quality');
  });

  it('raises nothing on weekends with other people, once it has seen two of them', () => {
    const events = eventsOf(42, 40, (random, window) => {
      const record = steady(random);
      const moved = isWeekend(window) ? 0.5 : 0;
      return { ...record, features: { ...record.features, amount: random.normal() + moved } };
    });
    const late = events.filter(({ windowStart }) => dayOf(windowStart / hourMs) >= 14);
    expect(late).toEqual([]);
  });
});

describe('the classes of a stored window', () => {
  it('are read from its confusion matrix, also if their names have an arrow', () => {
    const profile = emptyFeatureProfile();
    const row = { segment: '', start_ms: 0, kind: 'output' as const, feature: 'prediction' };
    const { performance } = observationOf(
      [{ ...row, ...toProfileRow(profile) }],
      {
        segment: '',
        start_ms: 0,
        task: 'multiclass',
        labelled: 12,
        loss_sum: 5,
        loss_square_sum: 5,
        label_counts: { a: 7, 'a→b': 5 },
        confusion: { 'a→a': 4, 'a→c': 3, 'a→b→a→b': 3, 'a→b→a': 2 },
      },
      undefined,
      hourMs,
    );
    expect(performance).toMatchObject({
      predictedCounts: new Map([
        ['a', 6],
        ['a→b', 3],
        ['c', 3],
      ]),
      rightCounts: new Map([
        ['a', 4],
        ['a→b', 3],
      ]),
    });
  });
});
