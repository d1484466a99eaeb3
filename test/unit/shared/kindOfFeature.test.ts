import { describe, expect, it } from 'vitest';
import { hourMs } from '../../../services/shared/duration.ts';
import type { FeatureKind } from '../../../services/shared/featureKind.ts';
import { readValue } from '../../../services/shared/kinds/columnReading.ts';
import { type FeaturePart, kindOfFeature } from '../../../services/shared/kinds/kindOfFeature.ts';
import { viewedProfile } from '../../../services/shared/kinds/viewedProfile.ts';
import type { FeatureValue } from '../../../services/shared/profile/featureProfile.ts';
import { fromProfileRow, toProfileRow } from '../../../services/shared/profile/profileRow.ts';
import { seededRandom } from './profile/distributions.ts';
import { profileOf, rowWithoutSums } from './profile/profileOf.ts';

const monday = Date.UTC(2026, 2, 2);

/** Returns ten parts of an hour each with the values that `draw` draws. */
function partsOf(
  draw: (timeMs: number, random: () => number, index: number) => FeatureValue,
  { partMs = hourMs, records = 150, startMs = monday } = {},
): FeaturePart[] {
  const random = seededRandom(7);
  let index = 0;
  return Array.from({ length: 10 }, (_, part) => {
    const start = startMs + part * partMs;
    const values = Array.from({ length: records }, (_, record) =>
      draw(start + Math.floor((record * partMs) / records), random, index++),
    );
    return { startMs: start, endMs: start + partMs, profile: profileOf(values) };
  });
}

const storedPart = (part: FeaturePart): FeaturePart => ({
  ...part,
  profile: fromProfileRow(JSON.parse(JSON.stringify(toProfileRow(part.profile)))),
});

const kindOf = (name: string, parts: FeaturePart[], declared?: FeatureKind) =>
  kindOfFeature(name, parts, declared).kind;

const iso = (timeMs: number) => new Date(timeMs).toISOString();
const german = (number: number, minimumFractionDigits: number, maximumFractionDigits: number) =>
  number.toLocaleString('de', { minimumFractionDigits, maximumFractionDigits });
const words = ['the', 'parcel', 'came', 'late', 'again', 'and', 'nobody', 'answers', 'my', 'mail'];

describe('the kind of a feature', () => {
  const kinds: [string, FeatureKind, FeaturePart[]][] = [
    ['x', 'numeric', partsOf((_, random) => random())],
    ['flag', 'categorical', partsOf((_, random) => random() < 0.3)],
    ['city', 'categorical', partsOf((_, random) => `city ${Math.floor(random() * 500)}`)],
    ['grade', 'categorical', partsOf((_, random) => String(Math.floor(random() * 6)))],
    [
      'zip',
      'categorical',
      partsOf((_, random) => String(Math.floor(random() * 300)).padStart(5, '0')),
    ],
    ['amount', 'numeric-text', partsOf((_, random) => (random() * 900).toFixed(2))],
    [
      'price',
      'numeric-text',
      partsOf((_, random) => (random() < 0.02 ? 'N/A' : (random() * 9).toFixed(1))),
    ],
    ['pi', 'numeric-text', partsOf((_, random) => german(random() * 900, 2, 2))],
    ['euros', 'numeric-text', partsOf((_, random) => german(random() * 9e6, 2, 2))],
    ['weight', 'numeric-text', partsOf((_, random) => german(random() * 90, 0, 3))],
    [
      'half',
      'numeric-text',
      partsOf((_, random) => (random() < 0.03 ? '-' : german(random() * 90, 1, 1))),
    ],
    // Nothing tells decimals from thousands here.
    [
      'ambiguous',
      'categorical',
      partsOf((_, random) => german(1 + Math.floor(random() * 500) / 8, 3, 3)),
    ],
    [
      'english',
      'categorical',
      partsOf((_, random) => (1000 + 7 * Math.floor(random() * 500)).toLocaleString('en')),
    ],
    [
      'mixed',
      'categorical',
      partsOf((_, random) =>
        random() < 0.8 ? (random() * 90).toFixed(2) : german(random() * 90, 2, 2),
      ),
    ],
    ['day', 'time', partsOf(timeMs => iso(timeMs).slice(0, 10))],
    ['at', 'time', partsOf(timeMs => iso(timeMs))],
    ['sql', 'time', partsOf(timeMs => iso(timeMs).replace('T', ' ').slice(0, 19))],
    ['german', 'time', partsOf(timeMs => iso(timeMs).slice(0, 10).split('-').reverse().join('.'))],
    ['named', 'time', partsOf(timeMs => new Date(timeMs).toUTCString())],
    ['clock', 'time', partsOf(timeMs => iso(timeMs).slice(11, 16))],
    ['ordered', 'time', partsOf((timeMs, random) => Math.round(timeMs / 1000 - random() * 9e5))],
    ['ordered', 'time', partsOf((timeMs, random) => String(Math.round(timeMs - random() * 9e8)))],
    ['yyyymmdd', 'time', partsOf(timeMs => Number(iso(timeMs).slice(0, 10).replaceAll('-', '')))],
    ['number', 'counter', partsOf((_, random, index) => 5000 + index + Math.floor(random() * 5))],
    ['number', 'counter', partsOf((_timeMs, _random, index) => String(70_000 + index * 3))],
    [
      'order',
      'identifier',
      partsOf((_, random, index) => `ORD-${index}-${Math.floor(random() * 1e9)}`),
    ],
    // Each of them comes about 3 times; the names differ.
    ['userId', 'identifier', partsOf((_, random) => `u${Math.floor(random() * 500)}`)],
    ['store_id', 'categorical', partsOf((_, random) => `store ${Math.floor(random() * 60)}`)],
    ['customer', 'categorical', partsOf((_, random) => `c${Math.floor(random() * 5000)}`)],
    ['is_weekend', 'calendar', partsOf(() => 0)],
    ['isWeekend', 'calendar', partsOf(() => false)],
    ['month', 'calendar', partsOf(() => 3)],
    ['dayOfWeek', 'calendar', partsOf(() => 'Monday')],
    ['hour', 'calendar', partsOf(timeMs => new Date(timeMs).getUTCHours())],
    ['birth_month', 'numeric', partsOf((_, random) => 1 + Math.floor(random() * 12))],
    ['is_holiday', 'categorical', partsOf((_, random) => random() < 0.5)],
    ['rate', 'steps', partsOf(timeMs => (timeMs < monday + 5 * hourMs ? 1.25 : 1.3))],
    ['constant', 'numeric', partsOf(() => 7)],
    [
      'comment',
      'free-text',
      partsOf((_, random) =>
        Array.from(
          { length: 4 + Math.floor(random() * 9) },
          () => words[Math.floor(random() * 10)],
        ).join(' '),
      ),
    ],
  ];

  it.each(kinds)('%s is %s', (name, kind, parts) => {
    expect(kindOf(name, parts)).toBe(kind);
  });

  it('does not depend on whether the profiles were stored, nor on where records were counted', () => {
    for (const [name, kind, parts] of kinds) {
      const stored = parts.map(storedPart);
      expect(kindOfFeature(name, stored)).toEqual(kindOfFeature(name, parts));
      expect(kindOf(name, stored)).toBe(kind);
    }
  });

  it('is what the settings say, where the values can be watched as that', () => {
    const numbers = partsOf((_, random) => random());
    const texts = partsOf((_, random) => `${random()}`);
    expect(kindOf('x', numbers, 'counter')).toBe('counter');
    expect(kindOf('x', numbers, 'identifier')).toBe('numeric');
    expect(kindOf('x', texts, 'vector')).not.toBe('vector');
    expect(kindOf('x', texts, 'identifier')).toBe('identifier');
    expect(kindOfFeature('x', texts, 'categorical')).toMatchObject({
      kind: 'categorical',
      view: 'logged',
      declared: true,
    });
  });

  it('tells texts with decimal points from the numbers where the comma is the decimal sign', () => {
    const commas = partsOf((_, random) => german(random() * 9000, 0, 2), { records: 400 });
    const { view, kind } = kindOfFeature('price', commas.map(storedPart));
    expect(kind).toBe('numeric-text');
    expect(view).toBe('commas');
    const profile = viewedProfile(profileOf(['1.234,5', '7', 'N/A', '3.14', 2, null]), view)!;
    const { numeric, categorical, missing } = profile;
    expect([numeric.count, numeric.minimum, numeric.maximum]).toEqual([3, 2, 1234.5]);
    expect([categorical.count, missing]).toEqual([2, 1]);
    expect(kindOfFeature('price', commas, 'numeric').view).toBe('commas');
    expect(readValue('1.234,5', view)).toBe(1234.5);
    expect(readValue('3.14', view)).toBe('3.14');
  });

  it('is that of steps when a constant has another value than in the reference before', () => {
    const parts = partsOf(() => 'B');
    const earlier = (constant: string | null) => ({ kind: 'categorical' as const, constant });
    expect(kindOfFeature('week', parts, undefined, earlier('B')).kind).toBe('categorical');
    expect(kindOfFeature('week', parts, undefined, earlier(null)).kind).toBe('categorical');
    expect(kindOfFeature('week', parts, undefined, earlier('A')).kind).toBe('steps');
    const known = { kind: 'steps' as const, constant: 'B' };
    expect(kindOfFeature('week', parts, undefined, known).kind).toBe('steps');
  });

  it('is a plain one where old profiles do not tell what their texts say', () => {
    const old = partsOf((_, random) => (random() * 900).toFixed(4)).map(part => ({
      ...part,
      profile: { ...part.profile, categorical: { ...part.profile.categorical, text: null } },
    }));
    const hashed = partsOf((_, random) => (random() * 900).toFixed(4), { records: 400 }).map(
      part => ({
        ...part,
        profile: { ...part.profile, categorical: { ...part.profile.categorical, text: null } },
      }),
    );
    expect(kindOf('amount', old)).toBe('numeric-text');
    expect(kindOf('amount', hashed)).toBe('categorical');
    expect(viewedProfile(hashed[0]!.profile, 'numbers')).toBeNull();
  });

  it('tells the numbers behind it, with an example', () => {
    const evidence = (parts: FeaturePart[]) => kindOfFeature('x', parts).evidence;
    expect(evidence(partsOf((_, random) => (10 + random() * 80).toFixed(2)))).toMatch(
      /^1500 of 1500 texts are numbers, from 10\.\d+ to 89\.\d+$/,
    );
    expect(evidence(partsOf((_, random) => `id-${Math.floor(random() * 1e9)}`))).toMatch(
      /^about 1\d{3} different texts in 1500 records, such as "id-\d+"$/,
    );
  });
});

describe('viewedProfile', () => {
  it('shows the same for exact and for hashed categories, and keeps the number of records', () => {
    const values = Array.from({ length: 400 }, (_, index) =>
      index % 50 === 0 ? 'N/A' : `${index}`,
    );
    const hashed = viewedProfile(profileOf(values), 'numbers')!;
    expect(hashed.numeric.count).toBe(392);
    expect(hashed.categorical.count).toBe(8);
    const exact = viewedProfile(profileOf(values.slice(0, 100)), 'numbers')!;
    expect(rowWithoutSums(exact)).toEqual(
      rowWithoutSums({
        ...profileOf(
          values
            .slice(0, 100)
            .filter(value => value !== 'N/A')
            .map(Number),
        ),
        count: 100,
        categorical: { ...profileOf([]).categorical, count: 2 },
      }),
    );
  });
});
