import type { Feedback } from '../contracts.ts';
import type { LoggedPrediction } from '../profile/features.ts';
import type { Rejection } from './decodeRecord.ts';
import { acceptedTimes } from './eventTime.ts';
import { levelOf } from './quantileLevel.ts';
import { weightOf } from './weightOf.ts';

const maxNameCharacters = 256;
const maxFeatures = 2_000;
/** One record may stand for this many predictions, so that no sum of a window overflows. */
const maxWeight = 1e15;
const maxQuantiles = 100;
/** Items of a ranked list. */
const maxRanking = 100;
/** An event time may be this far ahead of the wall clock. */
export const futureToleranceMs = 3_600_000;
/** Earlier times are mistakes, such as zero, and not history. */
const minTimeMs = Date.UTC(1980, 0, 1);

function checkName(field: string, value: string): Rejection | null {
  if (value === '') return { class: 'invalid-field', message: `${field}: is empty` };
  if (value.length > maxNameCharacters) {
    return {
      class: 'invalid-field',
      message: `${field}: has ${value.length} characters, at most ${maxNameCharacters} are allowed`,
    };
  }
  return null;
}

/** NaN and infinities say nothing as a prediction, label or value. */
function checkFinite(field: string, value: unknown): Rejection | null {
  if (typeof value !== 'number' || Number.isFinite(value)) return null;
  return { class: 'invalid-field', message: `${field}: expected a finite number, got ${value}` };
}

function checkWeight(prediction: LoggedPrediction): Rejection | null {
  const { weight, samplingRate } = prediction;
  if (weight === null && samplingRate === null) return null;
  const mistake =
    (weight !== null && !(weight > 0 && weight <= maxWeight)
      ? `weight: expected a finite number above 0, at most ${maxWeight}, got ${weight}`
      : null) ??
    (samplingRate !== null && !(samplingRate > 0 && samplingRate <= 1)
      ? `samplingRate: expected a number above 0, at most 1, got ${samplingRate}`
      : null) ??
    (weightOf(prediction) > maxWeight
      ? `samplingRate: expected weight / samplingRate of at most ${maxWeight}, got ${weightOf(prediction)}`
      : null);
  return mistake === null ? null : { class: 'invalid-field', message: mistake };
}

/** Finds a level that is no level, and two that are the same. Values that are not finite are absent. */
function checkQuantiles({ quantiles }: LoggedPrediction): Rejection | null {
  if (quantiles === null) return null;
  const texts = Object.keys(quantiles);
  const levels = new Set<number>();
  for (const text of texts) {
    const level = levelOf(text);
    if (level === null) {
      return {
        class: 'invalid-field',
        message: `quantiles: expected levels above 0 and below 1, such as 0.1, got ${JSON.stringify(text.slice(0, 40))}`,
      };
    }
    levels.add(level);
  }
  if (levels.size < texts.length)
    return { class: 'invalid-field', message: 'quantiles: has the same level twice' };
  return texts.length > maxQuantiles
    ? {
        class: 'invalid-field',
        message: `quantiles: has ${texts.length} levels, at most ${maxQuantiles} are allowed`,
      }
    : null;
}

function checkRanking({ ranking }: LoggedPrediction): Rejection | null {
  if (ranking === null) return null;
  if (ranking.length > maxRanking) {
    return {
      class: 'invalid-field',
      message: `ranking: has ${ranking.length} items, at most ${maxRanking} are allowed`,
    };
  }
  for (const [index, item] of ranking.entries()) {
    const rejection = checkName(`ranking.${index}`, item);
    if (rejection) return rejection;
  }
  return null;
}

function checkTime(timeMs: number, nowMs: number): Rejection | null {
  if (timeMs < minTimeMs) {
    return {
      class: 'implausible-time',
      message: `time: ${isoTime(timeMs)} is before 1980; expected ${acceptedTimes} (got ${timeMs})`,
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

/** Returns whether an event time is neither a mistake nor in the future. */
export function isPlausibleTime(timeMs: number, nowMs: number): boolean {
  return checkTime(timeMs, nowMs) === null;
}

function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

/** Finds what the type alone cannot say of a prediction. Returns null when it can be used. */
export function checkPrediction(prediction: LoggedPrediction, nowMs: number): Rejection | null {
  const rejection =
    checkName('id', prediction.id) ??
    checkName('model', prediction.model) ??
    checkName('version', prediction.version) ??
    checkTime(prediction.time, nowMs) ??
    checkFinite('prediction', prediction.prediction) ??
    checkWeight(prediction) ??
    checkQuantiles(prediction) ??
    checkRanking(prediction) ??
    (prediction.features.names.length > maxFeatures
      ? ({ class: 'too-many-features', message: `features: more than ${maxFeatures}` } as const)
      : null);
  return rejection && { ...rejection, model: prediction.model, version: prediction.version };
}

/** Finds what the type alone cannot say of feedback. Returns null when it can be used. */
export function checkFeedback(feedback: Feedback, nowMs: number): Rejection | null {
  const rejection =
    checkName('id', feedback.id) ??
    (feedback.model === null ? null : checkName('model', feedback.model)) ??
    checkTime(feedback.time, nowMs) ??
    checkFinite('label', feedback.label) ??
    checkFinite('value', feedback.value);
  return rejection && feedback.model !== null ? { ...rejection, model: feedback.model } : rejection;
}
