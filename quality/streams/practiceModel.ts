import type { StreamRow } from './generatedStream.ts';
import { deviationOfLogAmount, meanLogAmount } from './practicePerson.ts';

/** Share of frauds among the records of a model of frauds. */
export const fraudRate = 0.005;
const usualRecall = 0.8;
const usualFalseAlarmRate = 0.0012;

const intercept = -0.97;
const ofCountry: Record<string, number> = { DE: 0.1, FR: -0.1, IT: 0.1, ES: -0.2, NL: 0.1 };
const ofDevice: Record<string, number> = { mobile: 0.1, desktop: -0.15, tablet: 0 };
const ofPlan: Record<string, number> = { free: 0.15, basic: -0.15, pro: -0.5 };
/** The model is less certain than it could be by this factor. */
const certainty = 1.55;

/**
 * The fixed model: the logit of its score. An input that it cannot use, since it is missing or of
 * another type, counts as a usual one.
 */
export function logitOf(features: StreamRow['features']): number {
  const { amount, temperature, tenure, visits, usage, signal, sensor } = features;
  const logAmount = typeof amount === 'number' && amount > 0 ? Math.log(amount) : null;
  return (
    intercept +
    0.35 * standard(logAmount, meanLogAmount, deviationOfLogAmount) +
    0.1 * standard(temperature, 12, 4) -
    0.3 * standard(tenure, 24, 24) +
    0.2 * standard(visits, 3, 3.5) +
    0.3 * standard(usage, 10, 3) +
    0.35 * standard(signal, 0, 1) +
    0.1 * standard(sensor, 50, 1.4) +
    (ofCountry[String(features.country)] ?? 0) +
    (ofDevice[String(features.device)] ?? 0) +
    (ofPlan[String(features.plan)] ?? 0)
  );
}

/** The concept: the probability that the label of a person is positive. */
export function positiveRate(person: StreamRow['features'], changeOfUsage: number): number {
  const logit = logitOf(person) + changeOfUsage * standard(person.usage, 10, 3);
  return 1 / (1 + Math.exp(-certainty * logit));
}

/** The model of frauds: the logit of its score, positive where it takes a record for a fraud. */
export function fraudLogit(
  isFraud: boolean,
  known: number,
  { recall = usualRecall, falseAlarmRate = usualFalseAlarmRate }: FraudModel,
  { model, noise }: { model: number; noise: number },
): number {
  if (model < (isFraud ? recall : falseAlarmRate)) return 0.3 + Math.abs(noise);
  return Math.min(-0.1, (isFraud ? -2.5 : -5) + 0.3 * known + 0.8 * noise);
}

interface FraudModel {
  recall?: number;
  falseAlarmRate?: number;
}

function standard(value: unknown, mean: number, deviation: number): number {
  return typeof value === 'number' ? (value - mean) / deviation : 0;
}
