import { describeDuration } from '../../shared/duration.ts';
import { fnv1a } from '../../shared/profile/categoryHash.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import { addToSample } from '../../shared/profile/recordSample.ts';
import type { Rejection } from '../../shared/records/decodeRecord.ts';
import { countRecent } from '../../shared/service/recentRecords.ts';
import { windowStartMs } from '../../shared/timeWindow.ts';
import { forgetOldIds, isCountedBefore } from './deduplication.ts';
import { advanceClock, minLeapRecords, setClockBack } from './eventClock.ts';
import type { Tally } from './tally.ts';
import { type VersionState, watermarkMs } from './versionState.ts';
import { addToWindow, newWindowState, type WindowState } from './windowState.ts';

/*
 * The log-prefix rule: all state in this folder is a pure function of the records of one source
 * partition up to an offset. So a record that is delivered again changes nothing, and of two stored
 * rows with the same key the one with the higher offset is right.
 */

/** One usable record of the topic predictions. */
export interface PredictionRecord {
  prediction: LoggedPrediction;
  offset: number;
  /** Which of the predictions of its record it is, from 0 on; 0 where it is the only one. */
  row?: number;
}

/**
 * What became of a record. It was counted if it is on time or late. A duplicate repeats an id that
 * was counted, a replayed record was counted when Kafka delivered it before. A record that is too
 * late is rejected.
 */
export type CountResult = 'on_time' | 'late' | 'duplicate' | 'replayed' | Rejection;

export function isCounted(result: CountResult): boolean {
  return result === 'on_time' || result === 'late';
}

/**
 * Counts one prediction. Its window must be in `state.windows` if it may have been stored before (a
 * start up to `highestWindowStartMs`); a later window is opened here.
 */
export function countPrediction(
  state: VersionState,
  record: PredictionRecord,
  tally: Tally,
): CountResult {
  const { prediction, offset, row = 0 } = record;
  const startMs = windowStartMs(prediction.time, state.settings.windowSizeMs);
  if (!isNew(offset, row, state.lastOffset, state.lastRow)) {
    state.touchedWindows.add(startMs);
    return 'replayed';
  }
  state.lastOffset = offset;
  state.lastRow = row;
  state.changed = true;
  const watermark = watermarkMs(state);
  const isBehind = prediction.time < watermark - state.settings.gracePeriodMs;
  if (isBehind && state.predictions >= minLeapRecords) {
    state.tooLate++;
    return tooLate(state, prediction.time, watermark);
  }
  countRecent(state.recent, offset);
  const idHash = fnv1a(prediction.id);
  if (isCountedBefore(state, prediction.id, prediction.time, idHash)) {
    state.duplicates++;
    return 'duplicate';
  }
  if (isBehind) setClockBack(state, prediction.time, state.firstEventTimeMs, state.predictions);
  else advanceClock(state, prediction.time, state.settings.gracePeriodMs);
  const isLate = startMs + state.settings.windowSizeMs <= watermark && !isBehind;
  if (isLate) state.late++;
  state.predictions++;
  state.firstEventTimeMs = Math.min(state.firstEventTimeMs, prediction.time);
  forgetOldIds(state, watermarkMs(state), tally);
  countInWindow(state, startMs, record, idHash, tally);
  return isLate ? 'late' : 'on_time';
}

/**
 * Counts a record in its window. The window may have been stored at a higher offset than the
 * progress of the version, by a process that died in between. Then its profiles, or its sample as
 * well, contain the record already.
 */
function countInWindow(
  state: VersionState,
  startMs: number,
  { prediction, offset, row = 0 }: PredictionRecord,
  idHash: number,
  tally: Tally,
): void {
  const window = state.windows.get(startMs) ?? openWindow(state, startMs);
  state.touchedWindows.add(startMs);
  if (isNew(offset, row, window.lastOffset, window.lastRow)) {
    window.lastRow = row;
    addToWindow(window, prediction, offset, state.settings.segments, tally);
  }
  if (isNew(offset, row, window.sampledOffset, window.sampledRow)) {
    window.sampledOffset = offset;
    window.sampledRow = row;
    window.changed = true;
    const output = prediction.score ?? prediction.prediction;
    addToSample(window.sample, idHash, prediction.features, output);
  }
}

/**
 * Returns whether a prediction comes after what was counted last. All predictions of one record are
 * taken between two flushes, so what is stored ends with a whole record: then `lastRow` is infinite.
 */
function isNew(offset: number, row: number, lastOffset: number, lastRow: number): boolean {
  return offset > lastOffset || (offset === lastOffset && row > lastRow);
}

function openWindow(state: VersionState, startMs: number): WindowState {
  const window = newWindowState(startMs, state.settings.windowSizeMs);
  state.windows.set(startMs, window);
  state.highestWindowStartMs = Math.max(state.highestWindowStartMs, startMs);
  return window;
}

function tooLate(state: VersionState, timeMs: number, watermark: number): Rejection {
  const { model, version, settings } = state;
  const time = new Date(timeMs).toISOString();
  const delay = describeDuration(watermark - timeMs);
  const accepted = describeDuration(settings.gracePeriodMs);
  const message =
    `time: ${time} is ${delay} behind the watermark of model ${model}, version ${version}; ` +
    `at most ${accepted} are accepted`;
  return { class: 'too-late', message, model, version };
}
