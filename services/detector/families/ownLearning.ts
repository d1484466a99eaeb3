import { variableKey } from '../blocks/windowObservation.ts';
import type { FamilyName } from '../significance/family.ts';
import {
  classKey,
  errorKey,
  type MeasuredScale,
  ownLogOdds,
  type TestKey,
} from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { rateOfMetric } from './classFamily.ts';
import type { Evidence } from './evidence.ts';
import type { TestOptions } from './testFamily.ts';

const predictionName = 'prediction';
const predictionKey = variableKey('output', predictionName);
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
  knownErrors:
    'Only the outputs changed, and the labels of the same windows show that the errors did not rise.',
  movedInputs:
    'Only error rates changed, and the inputs moved the outputs by as much as makes up for that.',
  learning:
    'Only the outputs changed, and the model may still be learning, because its predictions were ' +
    'never seen to be stable.',
};

/** What else is known of the compared blocks. */
export interface WindowContext {
  /** Returns whether the recent blocks logged a version of the code that the reference never did. */
  hasNewCode(): boolean;
  /**
   * Returns by how many standard deviations the inputs are expected to have moved the mean output
   * at a scale; 0 if that is unknown.
   */
  inputsMoved(scale: number): number;
}

/** Inputs that move the mean output by d standard deviations move error rates by 2 d at most. */
const maxEffectOfMovement = 2;

function isExplainedByInputs(
  { family, scale, effect }: Evidence,
  inputsMoved: WindowContext['inputsMoved'],
): boolean {
  return (
    (family === 'error' || family === 'class_error') &&
    effect !== undefined &&
    effect <= maxEffectOfMovement * inputsMoved(scale)
  );
}

/** Families about what the model does; all others are about what it is given or compared with. */
const ownFamilies: ReadonlySet<FamilyName> = new Set([
  'predictions',
  'model',
  'error',
  'class_error',
]);

/**
 * Returns the families whose evidence is withheld, each with the reason. A model that continues to
 * learn changes its own outputs and errors, and in the end significantly. If nothing else changed,
 * the following rules apply.
 *
 * - A distribution that changed by less than the setting `minimumEffect` is no evidence.
 * - Changed errors are no evidence if the inputs moved the outputs by so much that harder inputs
 *   explain them.
 * - Everything else is evidence if a new version of the serving code came with it, or if the model
 *   was seen to stand still (`isNotLearned`).
 * - A changed score alone is no evidence, because scores become more extreme while a model learns.
 * - Changed predictions are evidence if they changed by much (PSI of 0.25 or more), if no labels of
 *   the same blocks show that the errors stayed the same, and if the predictions were stationary
 *   before.
 * - Changed errors are evidence if they rose by more than changed predictions alone can explain
 *   (`changedShare`). The predictions of a model that is not learning do not change without its
 *   inputs. If they change by more than the stream usually varies, errors and predictions confirm
 *   each other.
 */
export function withheldEvidence(
  evidence: readonly Evidence[],
  measured: readonly MeasuredScale[],
  stream: StreamNullModel,
  options: TestOptions & WindowContext,
): Map<FamilyName, string> {
  // Outputs that changed by little may confirm that errors rose.
  const others = evidence.filter(({ small, family }) => !small || ownFamilies.has(family));
  return new Map([
    ...withheldOfLearning(others, measured, stream, options),
    ...evidence.filter(({ small }) => small).map(({ family }) => [family, reasons.small] as const),
  ]);
}

function withheldOfLearning(
  evidence: readonly Evidence[],
  measured: readonly MeasuredScale[],
  stream: StreamNullModel,
  options: TestOptions & WindowContext,
): Map<FamilyName, string> {
  const withhold = (reason: string) => new Map(evidence.map(({ family }) => [family, reason]));
  if (evidence.length === 0 || evidence.some(({ family }) => !ownFamilies.has(family)))
    return new Map();
  if (evidence.every(one => isExplainedByInputs(one, options.inputsMoved)))
    return withhold(reasons.movedInputs);
  const standsStill = options.standsStill();
  if (options.hasNewCode() || isNotLearned(evidence, stream, standsStill)) return new Map();
  const errors = evidence.filter(({ family }) => family === 'error' || family === 'class_error');
  const predictions = evidence.find(({ family }) => family === 'predictions');
  if (errors.length > 0) {
    const predictionsChanged =
      predictions !== undefined && Object.hasOwn(predictions.contributions, predictionName);
    const confirmed = errors.some(({ family, rise, scale }) =>
      family === 'error'
        ? predictionsChanged || rise! > changedShare(measured, scale)
        : rise! > (standsStill === true ? 1 : marginOfClasses) * changedShare(measured, scale),
    );
    return confirmed ? new Map() : withhold(reasons.explainedErrors);
  }
  if (!predictions?.large) return withhold(reasons.smallChange);
  const errorsAreKnown = measured.some(
    ({ scale, tests }) => scale === predictions.scale && tests.has(errorKey),
  );
  if (errorsAreKnown) return withhold(reasons.knownErrors);
  return mayLearn(stream, options.frozen) ? withhold(reasons.learning) : new Map();
}

/**
 * Returns whether evidence cannot come from a model that keeps learning, because the model was seen
 * to stand still. Changed outputs have to be unexplained by the inputs. Without a model of the
 * outputs, the rates of a class and the predictions must have varied by sampling noise for about 20
 * blocks.
 */
function isNotLearned(
  evidence: readonly Evidence[],
  stream: StreamNullModel,
  standsStill: boolean | null,
): boolean {
  const isSteady = (key: TestKey) => ownLogOdds(stream.of(key).history) >= oddsOfStandingStill;
  return evidence.some(({ family, feature, metric }) => {
    if (family === 'model') return standsStill === true;
    if (family !== 'class_error' || standsStill !== null) return false;
    return isSteady(classKey(rateOfMetric(metric), feature!)) && isSteady(predictionKey);
  });
}

/**
 * Assumes that the model may still be learning until its predictions have varied by sampling noise
 * for about 20 blocks, where the features vary by sampling noise.
 */
function mayLearn(stream: StreamNullModel, frozen: TestOptions['frozen']): boolean {
  if (ownLogOdds(stream.of(predictionKey).history) >= oddsOfStandingStill) return false;
  return [...frozen].some(
    ([key, { kind }]) => kind === 'feature' && stream.of(key).noiseWeight >= 0.5,
  );
}

/**
 * Returns an upper bound of the share of predictions that changed, computed from the frequency of
 * each prediction. The total variation is at most half the root of the chi-squared distance
 * (Cauchy-Schwarz). That distance is here G minus its degrees of freedom, divided by the effective
 * number of records of the comparison.
 */
function changedShare(measured: readonly MeasuredScale[], ofScale: number): number {
  const predictions = measured
    .find(({ scale }) => scale === ofScale)
    ?.tests.get(predictionKey)?.plain;
  if (!predictions) return 0;
  const { statistic, degreesOfFreedom, size } = predictions;
  return Math.sqrt(Math.max(0, statistic - degreesOfFreedom) / size) / 2;
}
