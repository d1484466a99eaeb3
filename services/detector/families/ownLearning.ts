import { scaleIndex } from '../reference/comparison.ts';
import type { FamilyName } from '../significance/family.ts';
import { classKey, ownLogOdds, type TestKey } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { rateOfMetric } from './classFamily.ts';
import type { Evidence } from './evidence.ts';
import { type InputFacts, predictionKey } from './inputFacts.ts';
import type { TestOptions } from './testFamily.ts';

/**
 * Log odds that the predictions reach when they vary by sampling noise for about 20 blocks,
 * including those of the reference.
 */
const oddsOfStandingStill = 6;

/**
 * The rates of a class change with each step of a model that learns, so that they have to change by
 * this times as much.
 */
const marginOfClasses = 2;

const reasons = {
  small:
    'The change is certain, but too small to matter: smaller than the setting detection.minimumEffect.',
  explainedErrors:
    'Only outputs and errors changed. The errors rose by no more than the changed predictions of a ' +
    'model that keeps learning can bring about.',
  smallChange:
    'Only the outputs changed, by a PSI of less than 0.25. A model that keeps learning changes its ' +
    'outputs by as much.',
  movedInputs:
    'Only error rates changed, and the inputs moved the outputs by as much as makes up for that.',
  learning:
    'Only the outputs changed, and the model may still be learning, because its predictions were ' +
    'never seen to be stable.',
};

/** Inputs that move the mean output by d standard deviations move error rates by 2 d at most. */
const maxEffectOfMovement = 2;

/** What is known beside the tests of labels and errors. */
interface ErrorFacts extends InputFacts {
  /** As in `withheldOutputs`. */
  hasNewCode(): boolean;
  /** Returns an upper bound of the share of predictions that changed since the reference. */
  changedShareAt(scale: number): number;
}

/** Families about the outputs; others are about what the model is given or compared with. */
const outputFamilies: ReadonlySet<FamilyName> = new Set(['predictions', 'model']);
const errorFamilies: ReadonlySet<FamilyName> = new Set(['error', 'class_error']);

/** Returns the families whose distribution changed by less than the setting `minimumEffect`. */
export function withheldAsSmall(evidence: readonly Evidence[]): Map<FamilyName, string> {
  return withheld(
    evidence.filter(({ small }) => small),
    reasons.small,
  );
}

/**
 * Returns the families of inputs and outputs whose evidence is withheld, each with the reason. A
 * model that continues to learn changes its own outputs, and in the end significantly. So if
 * nothing but the outputs changed, the following rules apply.
 *
 * - Everything is evidence if a new version of the serving code came with it, or if the outputs
 *   are not explained by the inputs of a model that was seen to stand still.
 * - A changed score alone is no evidence, because scores become more extreme while a model learns.
 * - Changed predictions are evidence if they changed by much (PSI of 0.25 or more), and if the
 *   predictions were stationary before.
 *
 * @param hasNewCode returns whether recent blocks logged a version of the code that the reference
 * never did
 */
export function withheldOutputs(
  evidence: readonly Evidence[],
  stream: StreamNullModel,
  options: TestOptions,
  hasNewCode: () => boolean,
): Map<FamilyName, string> {
  if (evidence.length === 0 || evidence.some(({ family }) => !outputFamilies.has(family)))
    return new Map();
  const isNotLearned =
    evidence.some(({ family }) => family === 'model') && options.standsStill() === true;
  if (hasNewCode() || isNotLearned) return new Map();
  const predictions = evidence.find(({ family }) => family === 'predictions');
  if (!predictions?.large) return withheld(evidence, reasons.smallChange);
  return mayLearn(stream, options.frozen) ? withheld(evidence, reasons.learning) : new Map();
}

/**
 * Returns the families of labels and errors whose evidence is withheld, each with the reason. A
 * model that continues to learn changes its own errors, and in the end significantly. So if nothing
 * but the errors changed, or only together with outputs that are no evidence, these rules apply.
 *
 * - Changed errors are no evidence if the inputs moved the outputs by so much that harder inputs
 *   explain them.
 * - Everything else is evidence if a new version of the serving code came with it, or if the rates
 *   of a class changed of a model whose predictions and rates were seen to stand still.
 * - Changed errors are evidence if they rose by more than changed predictions alone can explain
 *   (`changedShareOf`). The predictions of a model that is not learning do not change without its
 *   inputs. If they change by more than the stream usually varies, errors and predictions confirm
 *   each other.
 *
 * @param inputs what the inputs and outputs of the same blocks showed
 */
export function withheldErrors(
  evidence: readonly Evidence[],
  stream: StreamNullModel,
  inputs: ErrorFacts,
): Map<FamilyName, string> {
  if (inputs.changed || evidence.some(({ family }) => !errorFamilies.has(family))) return new Map();
  if (evidence.every(one => isExplainedByInputs(one, inputs)))
    return withheld(evidence, reasons.movedInputs);
  if (inputs.hasNewCode() || isSteadyClass(evidence, stream, inputs)) return new Map();
  const { predictionsChanged, standsStill, changedShareAt } = inputs;
  const margin = standsStill === true ? 1 : marginOfClasses;
  const isConfirmed = evidence.some(({ family, rise, scale }) => {
    const share = changedShareAt(scale);
    return family === 'error' ? predictionsChanged || rise! > share : rise! > margin * share;
  });
  return isConfirmed ? new Map() : withheld(evidence, reasons.explainedErrors);
}

function withheld(evidence: readonly Evidence[], reason: string): Map<FamilyName, string> {
  return new Map(evidence.map(({ family }) => [family, reason]));
}

function isExplainedByInputs({ scale, effect }: Evidence, { inputsMoved }: InputFacts): boolean {
  return (
    effect !== undefined && effect <= maxEffectOfMovement * (inputsMoved[scaleIndex(scale)] ?? 0)
  );
}

/**
 * Returns whether a rate of a class changed that had varied by sampling noise for about 20 blocks,
 * as the predictions had. Where there is a model of the outputs, that tells more.
 */
function isSteadyClass(
  evidence: readonly Evidence[],
  stream: StreamNullModel,
  { standsStill, predictionsAreSteady }: InputFacts,
): boolean {
  return evidence.some(
    ({ family, feature, metric }) =>
      family === 'class_error' &&
      standsStill === null &&
      predictionsAreSteady &&
      isSteady(stream, classKey(rateOfMetric(metric), feature!)),
  );
}

/** Returns whether a test has varied by sampling noise for about 20 blocks. */
export function isSteady(stream: StreamNullModel, key: TestKey): boolean {
  return ownLogOdds(stream.of(key).history) >= oddsOfStandingStill;
}

/**
 * Assumes that the model may still be learning until its predictions have varied by sampling noise
 * for about 20 blocks, where the features vary by sampling noise.
 */
function mayLearn(stream: StreamNullModel, frozen: TestOptions['frozen']): boolean {
  if (isSteady(stream, predictionKey)) return false;
  return [...frozen].some(
    ([key, { kind }]) => kind === 'feature' && stream.of(key).noiseWeight >= 0.5,
  );
}
