import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

export const hourMs = 3_600_000;
export const startMs = Date.UTC(2026, 0, 1);
const model = 'churn';
const version = '3';
/** Windows that version 0.1 has seen. */
export const oldWindows = 80;
export const recordsPerWindow = 52;

/**
 * Three drifts: `amount` is a little higher from a window on, so that a test needs several windows
 * to see it; `rate` stands still for some windows; and in the end the model is mostly wrong.
 */
const shiftFrom = 30;
const stuckFrom = 58;
const stuckUntil = 62;
const errorsFrom = 74;

/** Lines of files as `driftloop replay` takes them. */
export interface PredictionLine {
  id: string;
  model: string;
  version: string;
  time: number;
  features: { amount: number; rate: number; city: string };
  prediction: string;
}

export interface FeedbackLine {
  id: string;
  label: string;
  time: number;
}

/** Returns the predictions of an hour with their labels. The same hour is the same every time. */
export function hourOfStream(window: number): {
  predictions: PredictionLine[];
  feedback: FeedbackLine[];
} {
  const uniform = seededRandom(1000 + window);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const predictions: PredictionLine[] = [];
  const feedback: FeedbackLine[] = [];
  for (let index = 0; index < recordsPerWindow; index++) {
    const amount = round(normal() + (window < shiftFrom ? 0 : 0.5));
    const isStuck = window >= stuckFrom && window < stuckUntil;
    const rate = isStuck ? 0.5 : round(uniform());
    const prediction = amount > 0 ? 'stays' : 'leaves';
    const isRight = uniform() < (window < errorsFrom ? 0.85 : 0.25);
    const other = prediction === 'stays' ? 'leaves' : 'stays';
    const id = `p${window}-${index}`;
    const time = startMs + window * hourMs + Math.floor((index * hourMs) / recordsPerWindow);
    const features = { amount, rate, city: uniform() < 0.3 ? 'Rome' : 'Oslo' };
    predictions.push({ id, model, version, time, features, prediction });
    feedback.push({ id, label: isRight ? prediction : other, time: time + hourMs / 2 });
  }
  return { predictions, feedback };
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
