import { variableKey } from '../blocks/windowObservation.ts';
import type { FamilyName } from '../significance/family.ts';
import { errorKey, type MeasuredScale, ownLogOdds } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import type { Evidence } from './evidence.ts';
import type { TestOptions } from './testFamily.ts';

const predictionName = 'prediction';
const predictionKey = variableKey('output', predictionName);
/**
 * Log odds that the predictions reach when they vary by sampling noise for about 20 blocks,
 * including those of the reference.
 */
const oddsOfStandingStill = 6;

const reasons = {
  explainedErrors:
    'Only outputs and errors changed. The errors rose by no more than the changed predictions of a ' +
    'model that keeps learning can bring about.',
  smallChange:
    'Only the outputs changed, by a PSI of less than 0.25. A model that keeps learning changes its ' +
    'outputs by as much.',
  knownErrors:
    'Only the outputs changed, and the labels of the same windows show that the errors did not rise.',
  learning:
    'Only the outputs changed, and the model may still be learning, because its predictions were ' +
    'never seen to be stable.',
};

/**
 * Returns the families whose evidence is withheld, each with the reason. A model that continues to
 * learn changes its own outputs and errors, and in the end significantly. If nothing else changed,
 * the following rules apply.
 *
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
  { frozen }: TestOptions,
): Map<FamilyName, string> {
  const withhold = (reason: string) => new Map(evidence.map(({ family }) => [family, reason]));
  if (evidence.some(({ family }) => family !== 'predictions' && family !== 'error'))
    return new Map();
  const error = evidence.find(({ family }) => family === 'error');
  const predictions = evidence.find(({ family }) => family === 'predictions');
  if (error) {
    const predictionsChanged =
      predictions !== undefined && Object.hasOwn(predictions.contributions, predictionName);
    const confirmed = predictionsChanged || error.rise! > changedShare(measured, error.scale);
    return confirmed ? new Map() : withhold(reasons.explainedErrors);
  }
  if (!predictions) return new Map();
  if (!predictions.large) return withhold(reasons.smallChange);
  const errorsAreKnown = measured.some(
    ({ scale, tests }) => scale === predictions.scale && tests.has(errorKey),
  );
  if (errorsAreKnown) return withhold(reasons.knownErrors);
  return mayLearn(stream, frozen) ? withhold(reasons.learning) : new Map();
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
