import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rememberCountedId } from '../../../services/profiler/counting/deduplication.ts';
import { countPrediction, isCounted } from '../../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import { newVersionState, watermarkMs } from '../../../services/profiler/counting/versionState.ts';
import { type ModelSettings, parseSettings } from '../../../services/shared/config/settings.ts';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import { featuresOf } from '../../../services/shared/profile/features.ts';
import { seededRandom } from '../shared/profile/distributions.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);
const settings: ModelSettings = {
  ...parseSettings('', 'test').of('m'),
  windowSizeMs: 5 * minuteMs,
};
const plain = {
  ...predictionDefaults,
  model: 'm',
  version: '1',
  features: featuresOf({}),
  prediction: 'yes',
};

describe('deduplication', () => {
  it('recognises every repeated id within the horizon and no other id, and keeps no more ids than its limit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 80 }), (seed, spacingMs) => {
        const random = seededRandom(seed);
        const state = newVersionState('m', '1', settings);
        const tally = emptyTally();
        const timeOf = new Map<string, number>();
        let [recognised, missed] = [0, 0];
        for (let offset = 0; offset < 130_000; offset++) {
          const earlier = Math.floor(random() * offset);
          const again = offset > 0 && random() < 0.1;
          const id = again ? `${earlier}` : `${offset}`;
          const time = startMs + (again ? earlier : offset) * spacingMs;
          const knownSince = timeOf.get(id);
          const withinHorizon =
            knownSince !== undefined && knownSince >= watermarkMs(state) - settings.deduplicationMs;
          const record = { prediction: { ...plain, id, time }, offset };
          const result = countPrediction(state, record, tally);
          if (isCounted(result) && withinHorizon) missed++;
          if (result === 'duplicate') {
            recognised++;
            if (knownSince === undefined) throw new Error(`${id} never came before`);
          }
          if (!timeOf.has(id)) timeOf.set(id, time);
        }
        expect(missed).toBe(0);
        expect(recognised).toBeGreaterThan(0);
        const kept = Math.ceil((settings.deduplicationMs + settings.outOfOrdernessMs) / spacingMs);
        const inOneWindow = Math.ceil(settings.windowSizeMs / spacingMs);
        expect(state.knownIds.size).toBeLessThanOrEqual(Math.max(100_000, kept) + 2 * inOneWindow);
        expect(tally.idsForgottenEarly).toBe(0);
      }),
      { numRuns: 2 },
    );
  });

  it('keeps at most a million ids, the newest ones, and remembers the same ids after a restart', () => {
    const hourly: ModelSettings = { ...settings, windowSizeMs: 60 * minuteMs };
    const state = newVersionState('m', '1', hourly);
    const tally = emptyTally();
    const idsPerSecond = 20_000;
    const timeOf = (id: number) => startMs + Math.floor(id / idsPerSecond) * 1000 + (id % 1000);
    const ids = 1_100_000;
    for (let id = 0; id < ids; id++)
      countPrediction(
        state,
        { prediction: { ...plain, id: `${id}`, time: timeOf(id) }, offset: id },
        tally,
      );
    // At the first id beyond a million, the oldest whole seconds were forgotten until at most
    // 900,000 ids were left.
    const forgotten = 120_000;
    expect(state.knownIds.size).toBe(ids - forgotten);
    expect(tally.idsForgottenEarly).toBe(forgotten);
    expect(state.deduplicatedFromMs).toBe(timeOf(forgotten));

    const restarted = { ...newVersionState('m', '1', hourly), lastOffset: state.lastOffset };
    restarted.deduplicatedFromMs = state.deduplicatedFromMs;
    restarted.maxEventTimeMs = state.maxEventTimeMs;
    // Add the ids as loadVersions.ts does.
    for (let id = 0; id < ids; id++)
      if (timeOf(id) >= state.deduplicatedFromMs) rememberCountedId(restarted, `${id}`, timeOf(id));
    for (const known of [state, restarted]) {
      const resultOf = (id: number) => {
        const prediction = { ...plain, id: `${id}`, time: timeOf(id) };
        return countPrediction(known, { prediction, offset: known.lastOffset + 1 }, emptyTally());
      };
      expect([ids - 1, forgotten, forgotten - 1].map(resultOf)).toEqual([
        'duplicate',
        'duplicate',
        'on_time',
      ]);
    }
    expect(restarted.knownIds.size).toBe(state.knownIds.size);
  });
});
