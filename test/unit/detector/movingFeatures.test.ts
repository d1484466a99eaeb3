import { describe, expect, it } from 'vitest';
import { kindNotices } from '../../../services/detector/events/kindNotices.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import { knownFeatures } from '../../../services/detector/reference/knownFeature.ts';
import type { FeatureValue } from '../../../services/shared/profile/featureProfile.ts';
import { context, foldAll, hourMs, type Randomness, syntheticWindows } from './syntheticStream.ts';

type Draw = (window: number, random: Randomness) => FeatureValue;

const windows = 240;
const weekend = (window: number) => [5, 6].includes(Math.floor(window / 24) % 7);
const day = (window: number) => new Date(window * hourMs).toISOString().slice(0, 10);

function fold(
  name: string,
  draw: Draw,
  start = initialState(null, context, hourMs),
  used = context,
) {
  const drawn = syntheticWindows({
    seed: 3,
    windows,
    records: 60,
    recordOf: (random, window) => ({
      features: { x: random.normal(), [name]: draw(window, random) },
      prediction: random.uniform() < 0.5 ? 'up' : 'down',
    }),
  });
  return foldAll(drawn, start, used);
}

let numbered = 0;

/** Ten days of features that move by themselves, while nothing changes. */
const moving: [string, Draw][] = [
  ['order_date', day],
  ['due_date', (window, { uniform }) => day(window + 24 * (400 + Math.floor(9 * uniform())))],
  ['at', (window, { uniform }) => `${day(window)} ${Math.floor(10 + 13 * uniform())}:00:00`],
  ['is_weekend', window => (weekend(window) ? 1 : 0)],
  ['isWeekend', weekend],
  ['day_of_week', window => Math.floor(window / 24) % 7],
  ['hour', window => window % 24],
  ['number', () => 1000 + numbered++],
  ['order', (_, { uniform }) => `ORD-${numbered++}-${Math.floor(1e6 * uniform())}`],
  ['amount', (_, { normal }) => Math.exp(3 + normal()).toFixed(2)],
  ['price', (_, { uniform }) => (uniform() < 0.01 ? 'N/A' : (90 * uniform()).toFixed(1))],
];

describe('features that move by themselves', () => {
  it.each(moving)('%s raises no alarm while nothing changes', (name, draw) => {
    expect(fold(name, draw).events).toEqual([]);
  });

  it('raise one alarm at most when a constant changes again and again', () => {
    const { events, state } = fold('week', window => `w${Math.floor(window / 40)}`);
    expect(events.length).toBeLessThanOrEqual(1);
    expect(state.inputs.regime!.frozen.get('feature/week')).toMatchObject({ featureKind: 'steps' });
    expect(
      fold('rate', window => 1 + Math.floor(window / 40) / 8).events.length,
    ).toBeLessThanOrEqual(1);
  });

  it.each([
    ['order_date', (window: number) => (window < 100 ? day(window) : 'unknown')],
    ['number', (window: number) => (window < 100 ? numbered++ : 'unknown')],
    [
      'amount',
      (window: number, { normal }: Randomness) =>
        window < 100 ? Math.exp(3 + normal()).toFixed(2) : 'unknown',
    ],
  ])('%s alarms when its values are of another type', (name, draw) => {
    const [event] = fold(name, draw).events;
    expect(event).toMatchObject({
      cause: 'data_quality',
      feature: name,
      metric: 'wrong_type_rate',
    });
  });

  it('alarm when days lie much further from the event time than before', () => {
    // Before the second day of 1970 a day cannot be told from a time of the day.
    const yearHours = 365 * 24;
    const { events } = fold('due_date', (window, { uniform }) =>
      day(window + (window >= 100 && uniform() < 0.3 ? 2 : 1) * yearHours),
    );
    const [event] = events;
    expect(event).toMatchObject({ cause: 'data_quality', metric: 'out_of_range_rate' });
  });

  it('alarm when they are missing', () => {
    const [event] = fold('order_date', window => (window < 100 ? day(window) : null)).events;
    expect(event).toMatchObject({ cause: 'data_quality', metric: 'missing_rate' });
  });
});

describe('numbers written as text', () => {
  it('alarm when they become larger, by the numbers that they say', () => {
    const { events } = fold('amount', (window, { normal }) =>
      Math.exp((window < 100 ? 3 : 3.8) + normal()).toFixed(2),
    );
    expect(events).toMatchObject([{ cause: 'data_drift', feature: 'amount' }]);
    expect(events[0]!.explanation).toContain('values');
  });
});

describe('free text', () => {
  it('alarms when it becomes longer, and not when it says something else', () => {
    const text = (words: number, { uniform }: Randomness) =>
      Array.from({ length: words }, () => `word${Math.floor(1e4 * uniform())}`).join(' ');
    const draw = (longer: number) => (window: number, random: Randomness) =>
      text(5 + Math.floor(9 * random.uniform()) + (window < 100 ? 0 : longer), random);
    expect(fold('comment', draw(0)).events).toEqual([]);
    expect(fold('comment', draw(3)).events).toMatchObject([{ feature: 'comment' }]);
  });
});

describe('the setting of a kind', () => {
  it('takes the place of the kind that the values look like', () => {
    const draw: Draw = (window, { normal }) => normal() + window / 20;
    expect(fold('x2', draw).events).not.toEqual([]);
    const detection = { ...context.detection, featureKinds: { x2: 'counter' as const } };
    const used = { ...context, detection };
    expect(fold('x2', draw, initialState(null, used, hourMs), used).events).toEqual([]);
  });
});

describe('notices on kinds of features', () => {
  const noticesOf = (name: string, draw: Draw, used = context) =>
    kindNotices(
      knownFeatures(fold(name, draw, initialState(null, used, hourMs), used).state.inputs.regime!),
    );

  it('say what is odd, with evidence, since when and what to do', () => {
    expect(noticesOf('amount', (_, { uniform }) => (10 + 80 * uniform()).toFixed(2))).toEqual([
      {
        code: 'numbers-written-as-text',
        subject: 'amount',
        sinceMs: 0,
        message: 'Feature amount is text, but its values are numbers.',
        evidence: expect.stringMatching(
          /^1020 of 1020 texts are numbers, from 10\.\d+ to 89\.\d+\.$/,
        ),
        advice: expect.stringContaining('Log numbers'),
      },
    ]);
    expect(noticesOf('order_date', day)).toMatchObject([{ code: 'dates-written-as-text' }]);
    expect(noticesOf('number', () => numbered++)).toMatchObject([{ code: 'counter-as-feature' }]);
  });

  it('say nothing about plain features, nor about what the settings declare', () => {
    expect(noticesOf('y', (_, { normal }) => normal())).toEqual([]);
    const featureKinds = { number: 'counter' as const };
    const used = { ...context, detection: { ...context.detection, featureKinds } };
    expect(noticesOf('number', () => numbered++, used)).toEqual([]);
  });
});
