import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addWindow, windowBlock } from '../../../services/profiler/blocks/windowBlock.ts';
import {
  countedSegments,
  countPrediction,
  evictToBytes,
  newVersionState,
  overflowName,
  settleVersion,
  type VersionState,
  watermarkMs,
} from '../../../services/profiler/counting/profiler.ts';
import { nativeBytes } from '../../../services/shared/clickhouse/nativeBlock.ts';
import { type ModelSettings, parseSettings } from '../../../services/shared/config/settings.ts';
import type { Prediction } from '../../../services/shared/contracts.ts';
import {
  type LoggedPrediction,
  loggedPrediction,
} from '../../../services/shared/profile/features.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const settings: ModelSettings = { ...parseSettings('', 'test').of('m'), segments: ['country'] };

function prediction(fields: Partial<Prediction>): LoggedPrediction {
  return loggedPrediction({
    id: 'a',
    model: 'm',
    version: '1',
    time: startMs,
    features: { amount: 1 },
    prediction: 'yes',
    score: null,
    probabilities: null,
    segment: null,
    codeVersion: null,
    latencyMs: null,
    ...fields,
  });
}

function counted(
  records: { prediction: LoggedPrediction; offset: number }[],
  state = newVersionState('m', '1', settings),
): VersionState {
  for (const record of records) countPrediction(state, record);
  return state;
}

function profileOf(state: VersionState, windowStart: number, segment: string, name: string) {
  const window = state.windows.get(windowStart);
  return window && countedSegments(window).get(segment)?.feature.get(name);
}

describe('counting a prediction', () => {
  it('counts it in its window, overall and in declared segments', () => {
    const state = counted([
      { prediction: prediction({ segment: { country: 'DE', channel: 'web' } }), offset: 0 },
      {
        prediction: prediction({ id: 'b', time: startMs + hourMs, segment: { country: 'FR' } }),
        offset: 1,
      },
    ]);
    expect([...state.windows.keys()]).toEqual([startMs, startMs + hourMs]);
    expect([...state.windows.get(startMs)!.segments.keys()]).toEqual(['', 'country=DE']);
    expect(profileOf(state, startMs, 'country=DE', 'amount')?.count).toBe(1);
  });

  it('counts a repeated id once, in whatever window it comes again', () => {
    const state = newVersionState('m', '1', settings);
    expect(countPrediction(state, { prediction: prediction({}), offset: 0 })).toBe('counted');
    expect(countPrediction(state, { prediction: prediction({}), offset: 1 })).toBe('duplicate');
    expect(
      countPrediction(state, { prediction: prediction({ time: startMs + 2 * hourMs }), offset: 2 }),
    ).toBe('duplicate');
    expect([state.predictions, state.duplicates]).toEqual([1, 2]);
  });

  it('counts a late record and rejects one behind the horizon, naming both times', () => {
    const state = counted([
      { prediction: prediction({ time: startMs + 8 * 24 * hourMs }), offset: 0 },
    ]);
    expect(
      countPrediction(state, {
        prediction: prediction({ id: 'b', time: startMs + 2 * 24 * hourMs }),
        offset: 1,
      }),
    ).toBe('counted');
    expect(state.late).toBe(1);
    const verdict = countPrediction(state, { prediction: prediction({ id: 'c' }), offset: 2 });
    expect(verdict).toMatchObject({
      class: 'too-late',
      message: expect.stringMatching(/2026-01-01T00:00:00.000Z is 8 d behind.*at most 7 d/),
    });
    expect(state.windows.has(startMs)).toBe(false);
  });

  it('takes a record that is delivered again as counted, and announces its window again', () => {
    const state = counted([{ prediction: prediction({}), offset: 5 }]);
    state.touchedWindows.clear();
    expect(countPrediction(state, { prediction: prediction({}), offset: 5 })).toBe('replayed');
    expect(profileOf(state, startMs, '', 'amount')?.count).toBe(1);
    expect([...state.touchedWindows]).toEqual([startMs]);
  });

  it('does not count again in a window that was stored beyond the progress of the version', () => {
    const stored = counted([
      { prediction: prediction({}), offset: 0 },
      { prediction: prediction({ id: 'b' }), offset: 1 },
    ]);
    const restarted = newVersionState('m', '1', settings);
    restarted.windows.set(startMs, stored.windows.get(startMs)!);
    counted(
      [
        { prediction: prediction({}), offset: 0 },
        { prediction: prediction({ id: 'b' }), offset: 1 },
        { prediction: prediction({ id: 'c' }), offset: 2 },
      ],
      restarted,
    );
    expect(restarted.predictions).toBe(3);
    expect(profileOf(restarted, startMs, '', 'amount')?.count).toBe(3);
  });

  it('keeps the number of segments and of feature names bounded', () => {
    const state = newVersionState('m', '1', settings);
    for (let i = 0; i < 150; i++)
      countPrediction(state, {
        prediction: prediction({ id: `s${i}`, segment: { country: `c${i}` } }),
        offset: i,
      });
    const segments = countedSegments(state.windows.get(startMs)!);
    expect(segments.size).toBe(102);
    expect(segments.get(`country=${overflowName}`)!.output.get('prediction')!.count).toBe(50);
    const features = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, 1]));
    countPrediction(state, { prediction: prediction({ id: 'wide', features }), offset: 150 });
    expect(profileOf(state, startMs, '', overflowName)!.count).toBe(5000 - 3999);
  });

  it('forgets ids only behind the deduplication horizon, and says from where on it knows them', () => {
    const state = newVersionState('m', '1', settings);
    for (let i = 0; i <= 100_000; i++)
      countPrediction(state, {
        prediction: prediction({ id: `x${i}`, time: startMs + i * 100 }),
        offset: i,
      });
    expect(state.deduplicatedFromMs).toBe(startMs + hourMs);
    expect(
      countPrediction(state, {
        prediction: prediction({ id: 'x99999', time: startMs + 99_999 * 100 }),
        offset: 100_001,
      }),
    ).toBe('duplicate');
  });
});

describe('eviction', () => {
  const hours = (model: string) =>
    counted(
      [0, 1, 2, 3].map(i => ({
        prediction: prediction({ id: `${i}`, time: startMs + i * hourMs + 120_000 }),
        offset: i,
      })),
      newVersionState(model, '1', settings),
    );

  it('drops closed windows that were stored the longest ago, then whole versions', () => {
    const [older, newer] = [hours('older'), hours('newer')];
    settleVersion(older, 1);
    settleVersion(newer, 2);
    const held = new Map([
      ['newer', newer],
      ['older', older],
    ]);
    const bytes = older.bytes + newer.bytes;
    expect(evictToBytes([held], bytes)).toEqual({ windows: 0, versions: 0 });
    expect(evictToBytes([held], bytes - 1)).toEqual({ windows: 1, versions: 0 });
    expect([...older.windows.keys()]).toEqual([1, 2, 3].map(i => startMs + i * hourMs));
    // What is left of either is less than half of what it was.
    expect(evictToBytes([held], newer.bytes / 2)).toEqual({ windows: 5, versions: 1 });
    expect([...held.keys()], 'the version that was used last stays').toEqual(['newer']);
    expect([...newer.windows.keys()], 'the open window stays').toEqual([startMs + 3 * hourMs]);
    expect(evictToBytes([held], 0)).toEqual({ windows: 0, versions: 1 });
  });

  it('counts what a version has in memory', () => {
    const state = hours('m');
    settleVersion(state, 1);
    const bytes = state.bytes;
    const features = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
    counted(
      [{ prediction: prediction({ id: 'wide', time: startMs + 3 * hourMs, features }), offset: 4 }],
      state,
    );
    settleVersion(state, 2);
    expect(state.bytes).toBeGreaterThan(bytes + 50_000);
  });
});

describe('the log-prefix rule', () => {
  const records = fc.array(
    fc.record({
      id: fc.integer({ min: 0, max: 30 }),
      minute: fc.integer({ min: 0, max: 600 }),
      amount: fc.double(),
    }),
    { maxLength: 60 },
  );

  it('gives the same rows after a restart at any offset as without one', () => {
    fc.assert(
      fc.property(records, fc.nat(60), fc.nat(60), (drawn, restartAt, back) => {
        const log = drawn.map(({ id, minute, amount }, offset) => ({
          prediction: prediction({
            id: `${id}`,
            time: startMs + minute * 60_000,
            features: { amount },
          }),
          offset,
        }));
        const undisturbed = counted(log);
        const restart = Math.min(restartAt, log.length);
        const resumed = counted(log.slice(0, restart));
        counted(log.slice(Math.max(0, restart - back)), resumed);
        const rows = (state: VersionState) => {
          const written = windowBlock();
          for (const window of state.windows.values()) addWindow(written, state, window, 0);
          return Buffer.concat(nativeBytes(written)).toString('hex');
        };
        expect(rows(resumed)).toEqual(rows(undisturbed));
        expect([resumed.predictions, resumed.duplicates, resumed.late]).toEqual([
          undisturbed.predictions,
          undisturbed.duplicates,
          undisturbed.late,
        ]);
        expect(watermarkMs(resumed)).toBe(watermarkMs(undisturbed));
      }),
    );
  });
});
