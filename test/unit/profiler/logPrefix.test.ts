import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PredictionRecord } from '../../../services/profiler/counting/profiler.ts';
import { type ModelSettings, parseSettings } from '../../../services/shared/config/settings.ts';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import { featuresOf } from '../../../services/shared/profile/features.ts';
import { PlainClock } from '../../plainClock.ts';
import { emptyStore, ProfilerModel, type StoreModel } from './storeModel.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);
const settings: ModelSettings = {
  ...parseSettings('', 'test').of('m'),
  windowSizeMs: 10 * minuteMs,
  gracePeriodMs: 60 * minuteMs,
  segments: ['country'],
};

/**
 * Generates a log. Event times rise with the offset, with leaps ahead and steps back, some beyond
 * the horizon.
 */
const log: fc.Arbitrary<PredictionRecord[]> = fc
  .array(
    fc.record({
      id: fc.nat(40),
      leapMinutes: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: -8, max: 8 }) },
        fc.integer({ min: -200, max: 60 }),
        fc.integer({ min: 1_500, max: 4_500 }),
      ),
      amount: fc.oneof(
        fc.integer({ min: -1000, max: 1000 }),
        fc.constant(null),
        fc.constantFrom('wrong', 'type'),
      ),
      country: fc.constantFrom('DE', 'FR', undefined),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map(drawn =>
    drawn.map(({ id, leapMinutes, amount, country }, offset) => ({
      offset,
      prediction: {
        ...predictionDefaults,
        id: `${id}`,
        model: 'm',
        version: '1',
        time: startMs + 24 * 60 * minuteMs + (offset * 2 + leapMinutes) * minuteMs,
        features: featuresOf({ amount }),
        prediction: id % 2 ? 'yes' : 'no',
        score: null,
        probabilities: null,
        segment: country ? { country } : null,
      },
    })),
  );

type Event =
  | { do: 'take'; count: number }
  | { do: 'flush' }
  | { do: 'crash'; afterSteps: number; back: number }
  | { do: 'replace' }
  | { do: 'zombie'; count: number; steps: number }
  | { do: 'evict' };
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      count: fc.integer({ min: 1, max: 15 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'flush' as const }) },
  fc.record({ do: fc.constant('crash' as const), afterSteps: fc.nat(5), back: fc.nat(30) }),
  fc.constant({ do: 'replace' as const }),
  fc.record({
    do: fc.constant('zombie' as const),
    count: fc.nat(15),
    steps: fc.integer({ min: 1, max: 5 }),
  }),
  fc.constant({ do: 'evict' as const }),
);

/** Returns what one profiler that nothing happens to has stored after the whole log. */
function undisturbed(records: readonly PredictionRecord[]): StoreModel {
  const store = emptyStore();
  const profiler = new ProfilerModel(store, settings);
  profiler.take(records, records.length);
  profiler.flush(6);
  return store;
}

function disturbed(records: readonly PredictionRecord[], events: readonly Event[]): StoreModel {
  const store = emptyStore();
  let profiler = new ProfilerModel(store, settings);
  /**
   * Members that lost the partition without knowing. They write what they hold, but cannot commit.
   */
  const zombies: ProfilerModel[] = [];
  for (const happening of events) {
    if (happening.do === 'take') profiler.take(records, happening.count);
    if (happening.do === 'flush') profiler.flush(6);
    if (happening.do === 'evict') profiler.evict(0);
    if (happening.do === 'crash') {
      profiler.flush(happening.afterSteps);
      profiler = new ProfilerModel(store, settings, Math.max(0, store.committed - happening.back));
    }
    if (happening.do === 'replace') {
      zombies.push(profiler);
      profiler = new ProfilerModel(store, settings);
    }
    if (happening.do === 'zombie') {
      zombies[0]?.take(records, happening.count);
      zombies.shift()?.flush(happening.steps);
    }
  }
  profiler.take(records, records.length);
  profiler.flush(6);
  for (const zombie of zombies) zombie.flush(5);
  return store;
}

/** Returns what readers of the tables see. */
const contents = ({ windows, samples, progress, predictions, deadLetters }: StoreModel) => ({
  windows: [...windows].sort(([left], [right]) => (left < right ? -1 : 1)),
  samples: [...samples].sort(([left], [right]) => left - right),
  progress,
  predictions: [...predictions.keys()].sort(),
  deadLetters: [...deadLetters].sort((a, b) => a - b),
});

describe('the log-prefix rule', () => {
  it('ends with the same rows as one pass, in spite of crashes during a flush, redelivery from any offset, zombies and eviction', () => {
    fc.assert(
      fc.property(log, fc.array(event, { maxLength: 30 }), (records, events) => {
        expect(contents(disturbed(records, events))).toEqual(contents(undisturbed(records)));
      }),
      { numRuns: 200 },
    );
  });

  it('counts the same records as a plain pass that keeps all ids in a set', () => {
    fc.assert(
      fc.property(log, records => {
        const ids = new Set<string>();
        const expected = { predictions: 0, duplicates: 0, late: 0, too_late: 0 };
        const clock = new PlainClock(settings);
        for (const { prediction } of records) {
          if (clock.isTooLate(prediction.time)) expected.too_late++;
          else if (ids.has(prediction.id)) expected.duplicates++;
          else {
            expected.predictions++;
            ids.add(prediction.id);
            if (clock.count(prediction.time)) expected.late++;
          }
        }
        expect(undisturbed(records).progress).toMatchObject(expected);
      }),
    );
  });
});
