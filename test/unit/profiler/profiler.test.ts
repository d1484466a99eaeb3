import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addWindow, windowBlock } from '../../../services/profiler/blocks/windowBlock.ts';
import {
  type CountResult,
  countPrediction,
  isCounted,
  type PredictionRecord,
} from '../../../services/profiler/counting/profiler.ts';
import { overflowName } from '../../../services/profiler/counting/segmentProfiles.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import {
  newVersionState,
  type VersionState,
  watermarkMs,
} from '../../../services/profiler/counting/versionState.ts';
import { countWaitingRecords } from '../../../services/profiler/counting/windowState.ts';
import { evictToBytes, settleVersion } from '../../../services/profiler/memory/versionMemory.ts';
import { nativeBytes } from '../../../services/shared/clickhouse/nativeBlock.ts';
import { type ModelSettings, parseSettings } from '../../../services/shared/config/settings.ts';
import { type Prediction, predictionDefaults } from '../../../services/shared/contracts.ts';
import {
  type LoggedPrediction,
  loggedPrediction,
} from '../../../services/shared/profile/features.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const settings: ModelSettings = { ...parseSettings('', 'test').of('m'), segments: ['country'] };

function prediction(fields: Partial<Prediction>): LoggedPrediction {
  return loggedPrediction({
    ...predictionDefaults,
    id: 'a',
    model: 'm',
    version: '1',
    time: startMs,
    features: { amount: 1 },
    prediction: 'yes',
    ...fields,
  });
}

function count(state: VersionState, prediction: LoggedPrediction, offset: number): CountResult {
  return countPrediction(state, { prediction, offset }, emptyTally());
}

function counted(
  records: PredictionRecord[],
  state = newVersionState('m', '1', settings),
): VersionState {
  for (const { prediction, offset } of records) count(state, prediction, offset);
  return state;
}

function profileOf(state: VersionState, windowStart: number, segment: string, name: string) {
  const window = state.windows.get(windowStart);
  if (window) countWaitingRecords(window);
  return window?.segments.get(segment)?.feature.get(name);
}

describe('counting a prediction', () => {
  it('counts it in its window, both over all predictions and in declared segments', () => {
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

  it('counts a repeated id once, even if it comes again in another window', () => {
    const state = newVersionState('m', '1', settings);
    expect(count(state, prediction({}), 0)).toBe('on_time');
    expect(count(state, prediction({}), 1)).toBe('duplicate');
    expect(count(state, prediction({ time: startMs + 2 * hourMs }), 2)).toBe('duplicate');
    expect([state.predictions, state.duplicates]).toEqual([1, 2]);
  });

  it('counts a late record, and rejects a record behind the horizon with its delay and the limit', () => {
    const time = startMs + 8 * 24 * hourMs;
    const state = counted(
      ['a', 'b', 'c', 'd', 'e'].map((id, offset) => ({
        prediction: prediction({ id, time }),
        offset,
      })),
    );
    const late = prediction({ id: 'late', time: startMs + 2 * 24 * hourMs });
    expect(count(state, late, 5)).toBe('late');
    expect(state.late).toBe(1);
    const rejection = count(state, prediction({ id: 'too late' }), 6);
    expect(isCounted(rejection)).toBe(false);
    expect(rejection).toEqual({
      class: 'too-late',
      message:
        'time: 2026-01-01T00:00:00.000Z is 8 d behind the watermark of model m, version 1; at most 7 d are accepted',
      model: 'm',
      version: '1',
    });
    expect(state.windows.has(startMs)).toBe(false);
  });

  it('does not count a record that is delivered again, but announces its window again', () => {
    const state = counted([{ prediction: prediction({}), offset: 5 }]);
    state.touchedWindows.clear();
    expect(count(state, prediction({}), 5)).toBe('replayed');
    expect(profileOf(state, startMs, '', 'amount')?.count).toBe(1);
    expect([...state.touchedWindows]).toEqual([startMs]);
  });

  it('counts each prediction of one record once, also when the record is delivered again', () => {
    const rows = [0, 1, 2].map(row => ({ prediction: prediction({ id: `a-${row}` }), row }));
    const take = (state: VersionState) =>
      rows.map(row => countPrediction(state, { ...row, offset: 5 }, emptyTally()));
    const state = newVersionState('m', '1', settings);
    expect(take(state)).toEqual(['on_time', 'on_time', 'on_time']);
    expect(take(state)).toEqual(['replayed', 'replayed', 'replayed']);
    expect(profileOf(state, startMs, '', 'amount')!.count).toBe(3);
    expect(state.windows.get(startMs)).toMatchObject({ lastOffset: 5, sampledOffset: 5 });

    // A process that has only what was stored knows the whole record.
    const stored = { ...newVersionState('m', '1', settings), lastOffset: 5 };
    expect(take(stored)).toEqual(['replayed', 'replayed', 'replayed']);
  });

  it('does not count a record twice in a window that was stored at a higher offset than the version', () => {
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

  it('bounds the number of segments and of feature names', () => {
    const state = newVersionState('m', '1', settings);
    for (let i = 0; i < 150; i++)
      count(state, prediction({ id: `s${i}`, segment: { country: `c${i}` } }), i);
    const window = state.windows.get(startMs)!;
    countWaitingRecords(window);
    const { segments } = window;
    expect(segments.size).toBe(102);
    expect(segments.get(`country=${overflowName}`)!.output.get('prediction')!.count).toBe(50);
    const features = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, 1]));
    count(state, prediction({ id: 'wide', features }), 150);
    expect(profileOf(state, startMs, '', overflowName)!.count).toBe(5000 - 3999);
  });

  it('forgets ids only behind the deduplication horizon, and stores from which time on it knows them', () => {
    const state = newVersionState('m', '1', settings);
    for (let i = 0; i <= 100_000; i++)
      count(state, prediction({ id: `x${i}`, time: startMs + i * 100 }), i);
    expect(state.deduplicatedFromMs).toBe(startMs + hourMs);
    const again = prediction({ id: 'x99999', time: startMs + 99_999 * 100 });
    expect(count(state, again, 100_001)).toBe('duplicate');
  });
});

describe('the rows of a window', () => {
  it('are refused while records of the window wait to be counted', () => {
    const state = counted([{ prediction: prediction({}), offset: 0 }]);
    const window = state.windows.get(startMs)!;
    expect(() => addWindow(windowBlock(), state, window, 0)).toThrow(/not counted yet/);
    countWaitingRecords(window);
    const block = windowBlock();
    addWindow(block, state, window, 0);
    expect(block.rows).toBe(2);
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

  it('removes the closed windows that were stored the longest ago, then whole versions', () => {
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
    // The rest of each version needs less than half of its former memory.
    expect(evictToBytes([held], newer.bytes / 2)).toEqual({ windows: 5, versions: 1 });
    expect([...held.keys()], 'the version that was used last stays').toEqual(['newer']);
    expect([...newer.windows.keys()], 'the open window stays').toEqual([startMs + 3 * hourMs]);
    expect(evictToBytes([held], 0)).toEqual({ windows: 0, versions: 1 });
  });

  it('measures the memory of a version', () => {
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

  it('gives the same rows with a restart at any offset as without one', () => {
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
          for (const window of state.windows.values()) {
            countWaitingRecords(window);
            addWindow(written, state, window, 0);
          }
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
