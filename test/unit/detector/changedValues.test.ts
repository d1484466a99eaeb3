import { describe, expect, it } from 'vitest';
import {
  maxUnseenValues,
  mergeUnseenValues,
  unseenValues,
} from '../../../services/detector/blocks/unseenValues.ts';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { headlineOf } from '../../../services/detector/events/explanation.ts';
import { freezeBins } from '../../../services/shared/bins/freezeBins.ts';
import { profileOf } from '../shared/profile/profileOf.ts';
import {
  foldAll,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const onset = 60;

/** Draws a category by its share; the shares sum to 1. */
function drawn(shares: Readonly<Record<string, number>>, { uniform }: Randomness): string {
  let left = uniform();
  for (const [name, share] of Object.entries(shares)) {
    left -= share;
    if (left < 0) return name;
  }
  return Object.keys(shares).at(-1)!;
}

const countries = { DE: 0.4, FR: 0.38, IT: 0.18, LU: 0.04 };

/** Returns the first event of a stream whose feature `country` changes after 60 windows. */
function eventOf(
  changed: (country: string, random: Randomness, window: number) => unknown,
  shares: Readonly<Record<string, number>> = countries,
): DriftEventContent {
  const { events } = foldAll(
    syntheticWindows({
      seed: 5,
      windows: onset + 10,
      records: 300,
      recordOf: (random, window) => {
        const country = drawn(shares, random);
        const now = window < onset ? country : changed(country, random, window);
        return {
          features: { country: now as string, age: random.normal() },
          prediction: random.uniform() < 0.5 ? 'a' : 'b',
        };
      },
    }),
  );
  return events[0]!;
}

const rounded = ({ changedValues }: DriftEventContent) =>
  changedValues?.map(({ value, share, referenceShare, renamedFrom }) => [
    value,
    Number(share.toFixed(1)),
    Number(referenceShare.toFixed(1)),
    renamedFrom,
  ]);

describe('a drift event', { timeout: 60_000 }, () => {
  it('names a value that is new and the one that is gone, as perhaps renamed', () => {
    const event = eventOf(country => (country === 'IT' ? 'Italy' : country));
    expect(event).toMatchObject({ cause: 'data_quality', feature: 'country' });
    expect(headlineOf(event.explanation)).toMatch(
      /^"Italy" is new in country \([\d.]+ % of the records\), "IT" is gone \([\d.]+ % before\): perhaps renamed$/,
    );
    expect(rounded(event)).toEqual([
      ['Italy', 0.2, 0, 'IT'],
      ['IT', 0, 0.2, null],
    ]);
    expect(event.changedValues).toContainEqual(
      expect.objectContaining({ kind: 'feature', name: 'country', value: 'Italy' }),
    );
  });

  it('names a value that was renamed in the middle of a window', () => {
    const event = eventOf((country, { uniform }, window) =>
      country === 'IT' && (window > onset || uniform() < 0.6) ? 'Italy' : country,
    );
    expect(headlineOf(event.explanation)).toMatch(
      /"Italy" is new in country .*"IT" fell from [\d.]+ % to [\d.]+ %: perhaps renamed$/,
    );
  });

  it('pairs several values that were renamed at once', () => {
    const names: Record<string, string> = { DE: 'Germany', IT: 'Italy', LU: 'Luxembourg' };
    const { explanation } = eventOf(country => names[country] ?? country);
    expect(headlineOf(explanation)).toContain('"Germany" (');
    expect(explanation).toMatch(
      /: perhaps "DE" is now "Germany", "IT" is now "Italy" and "LU" is now "Luxembourg"/,
    );
  });

  it('does not guess which of two values was renamed', () => {
    const shares = { DE: 0.6, FR: 0.2, IT: 0.2 };
    const event = eventOf((country, { uniform }) => {
      if (country === 'DE') return country;
      return uniform() < 0.5 ? 'Italy' : 'DE';
    }, shares);
    expect(event.explanation).toMatch(/"Italy" is new in country/);
    expect(event.explanation).toMatch(/"FR" is gone .*"IT" is gone|"IT" is gone .*"FR" is gone/);
    expect(event.explanation).not.toContain('perhaps');
    expect(event.changedValues!.every(({ renamedFrom }) => renamedFrom === null)).toBe(true);
  });

  it('names a value that came beside the others, and only it', () => {
    const event = eventOf((country, { uniform }) => (uniform() < 0.05 ? 'XK' : country));
    expect(headlineOf(event.explanation)).toMatch(
      /^"XK" is new in country \([\d.]+ % of the records\)$/,
    );
    expect(event.changedValues).toHaveLength(1);
  });

  it('names a value that is gone', () => {
    const event = eventOf(country => (country === 'IT' ? 'DE' : country));
    expect(event.cause).toBe('data_drift');
    expect(headlineOf(event.explanation)).toMatch(
      /most of all country \(PSI [\d.]+\): .*"IT" is gone \(1[78][\d.]* % before\)/,
    );
  });

  it('names a number that was never logged before', () => {
    const { events } = foldAll(
      syntheticWindows({
        seed: 7,
        windows: onset + 10,
        records: 300,
        recordOf: ({ uniform }, window) => {
          const floor = uniform() < 0.5 ? 1 : 2;
          const now = window >= onset && uniform() < 0.3 ? 5 : floor;
          return { features: { floor: now }, prediction: 'a' };
        },
      }),
    );
    const { explanation } = events[0]!;
    expect(explanation).toMatch(/5 is new/);
  });

  it('says so where the names are not known', () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`city ${i}`, 1 / 400]));
    const { explanation, changedValues } = eventOf(() => 'city 3', many);
    expect(explanation).toMatch(
      /a group of values, which have no names because there are too many/,
    );
    expect(changedValues).toBeNull();
  });

  it('keeps a full stop within a name in the title', () => {
    const { explanation } = eventOf(country => (country === 'IT' ? 'St. Gallen; CH' : country));
    expect(headlineOf(explanation)).toMatch(/^"St\. Gallen; CH" is new .* perhaps renamed$/);
  });
});

describe('classes', { timeout: 60_000 }, () => {
  const first = (changed: (record: SyntheticRecord, random: Randomness) => SyntheticRecord) =>
    foldAll(
      syntheticWindows({
        seed: 6,
        windows: onset + 10,
        records: 300,
        recordOf: (random, window) => {
          const label = drawn({ low: 0.5, mid: 0.3, high: 0.2 }, random);
          const record = { features: { age: random.normal() }, prediction: label, label };
          return window < onset ? record : changed(record, random);
        },
      }),
    ).events[0]!;

  it('that are no longer predicted, and those that are new, are named', () => {
    const event = first(record => ({
      ...record,
      prediction: record.prediction === 'high' ? 'HIGH' : record.prediction,
    }));
    expect(event.cause).toBe('data_quality');
    expect(event.changedValues).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'output', value: 'HIGH', renamedFrom: 'high' }),
        expect.objectContaining({ kind: 'output', value: 'high', share: 0 }),
      ]),
    );
  });

  it('that labels no longer have are named', () => {
    const event = first(record => ({
      ...record,
      label: record.label === 'high' ? 'mid' : record.label!,
    }));
    expect(event.explanation).toMatch(/^The label no longer has "high"/);
    expect(event.changedValues).toContainEqual({
      kind: 'label',
      name: 'label',
      value: 'high',
      share: 0,
      referenceShare: expect.closeTo(0.2, 1),
      renamedFrom: null,
    });
  });
});

describe('unseenValues', () => {
  const bins = freezeBins(profileOf(['a', 'b', 'b']));

  it('are the most frequent values without a bin, by names of 64 characters at most', () => {
    const long = 'x'.repeat(100);
    const unseen = unseenValues(profileOf(['a', 'c', long, long, `${long}y`]), bins);
    expect([...unseen!]).toEqual([
      [`${'x'.repeat(63)}…`, 3],
      ['c', 1],
    ]);
    const many = Array.from({ length: 20 }, (_, index) => `new ${index}`);
    expect(unseenValues(profileOf([...many, 'new 7']), bins)).toHaveLength(maxUnseenValues);
  });

  it('are the same for merged blocks', () => {
    const [left, right] = [['c', 'd'], ['d']].map(values => unseenValues(profileOf(values), bins));
    expect([...mergeUnseenValues(left, right)!]).toEqual([
      ['d', 2],
      ['c', 1],
    ]);
    expect(mergeUnseenValues(undefined, right)).toBe(right);
  });

  it('are not known of hashed categories', () => {
    const hashed = profileOf(Array.from({ length: 300 }, (_, index) => `city ${index}`));
    expect(unseenValues(hashed, bins)).toBeUndefined();
  });
});
