import type { Feedback } from '../contracts.ts';
import type { LoggedPrediction } from '../profile/features.ts';
import type { Rejection } from './decodeRecord.ts';

const longestNameCharacters = 256;
const mostFeatures = 2_000;
export const futureToleranceMs = 3_600_000;
/** Earlier times are mistakes (zero, or seconds taken for milliseconds), not history. */
const earliestTimeMs = Date.UTC(1980, 0, 1);

function checkName(field: string, value: string): Rejection | null {
  if (value === '') return { class: 'invalid-field', message: `${field}: is empty` };
  if (value.length > longestNameCharacters) {
    return {
      class: 'invalid-field',
      message: `${field}: has ${value.length} characters, at most ${longestNameCharacters} are allowed`,
    };
  }
  return null;
}

/** Avro carries NaN and infinities; as a truth they say nothing. */
function checkFinite(field: string, value: unknown): Rejection | null {
  if (typeof value !== 'number' || Number.isFinite(value)) return null;
  return { class: 'invalid-field', message: `${field}: expected a finite number, got ${value}` };
}

function checkTime(timeMs: number, nowMs: number): Rejection | null {
  if (timeMs < earliestTimeMs) {
    return {
      class: 'implausible-time',
      message: `time: ${isoTime(timeMs)} is before 1980; expected milliseconds since the epoch or ISO 8601 (got ${timeMs}: seconds?)`,
    };
  }
  if (timeMs > nowMs + futureToleranceMs) {
    return {
      class: 'future-time',
      message: `time: ${isoTime(timeMs)} is more than an hour ahead of the wall clock`,
    };
  }
  return null;
}

function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

/** What the type alone cannot say of a prediction. @returns null when it can be used */
export function checkPrediction(prediction: LoggedPrediction, nowMs: number): Rejection | null {
  const rejection =
    checkName('id', prediction.id) ??
    checkName('model', prediction.model) ??
    checkName('version', prediction.version) ??
    checkTime(prediction.time, nowMs) ??
    (prediction.features.names.length > mostFeatures
      ? ({ class: 'too-many-features', message: `features: more than ${mostFeatures}` } as const)
      : null);
  return rejection && { ...rejection, model: prediction.model, version: prediction.version };
}

/** What the type alone cannot say of feedback. @returns null when it can be used */
export function checkFeedback(feedback: Feedback, nowMs: number): Rejection | null {
  const rejection =
    checkName('id', feedback.id) ??
    (feedback.model === null ? null : checkName('model', feedback.model)) ??
    checkTime(feedback.time, nowMs) ??
    checkFinite('label', feedback.label) ??
    checkFinite('value', feedback.value);
  return rejection && feedback.model !== null ? { ...rejection, model: feedback.model } : rejection;
}
