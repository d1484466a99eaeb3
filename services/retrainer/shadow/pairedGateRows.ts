import { classNames } from '../../shared/output/comparedOutput.ts';
import { type OutputMeaning, otherClass } from '../../shared/output/outputMeaning.ts';
import type { GateRow } from '../gates/gate.ts';
import { comparedRows } from '../run/comparedRows.ts';
import type { LoggedOutput, PairedRow } from '../store/shadowQueries.ts';

/** Which of the two versions has which part in a comparison. */
export type Part = 'served' | 'shadow';

/**
 * Returns rows for the gates, from what two versions logged.
 * @param challenger the other one is the champion
 */
export function pairedGateRows(
  pairs: readonly PairedRow[],
  meaning: OutputMeaning,
  challenger: Part,
): GateRow[] {
  const champion = challenger === 'served' ? 'shadow' : 'served';
  const probabilitiesOf = {
    served: probabilitiesIn(pairs, 'served', meaning),
    shadow: probabilitiesIn(pairs, 'shadow', meaning),
  };
  const rows = pairs.map((pair, index) => ({
    id: String(index),
    eventTimeMs: pair.eventTimeMs,
    version: champion,
    prediction: pair[champion].prediction,
    predictionValue: pair[champion].predictionValue,
    score: null,
    label: pair.label,
    labelValue: pair.labelValue,
    labelProbability: probabilitiesOf[champion](pair[champion])?.[pair.label] ?? null,
    weight: pair.weight,
    segments: pair.segments,
    features: pair.identifiers,
  }));
  const outputs = new Map(
    pairs.map((pair, index) => {
      const { prediction, predictionValue } = pair[challenger];
      const probabilities = probabilitiesOf[challenger](pair[challenger]);
      return [index, { prediction, predictionValue, score: null, probabilities }];
    }),
  );
  const all = { start: 0, end: rows.length };
  return comparedRows({ rows, meaning, classes: [] }, all, outputs, champion);
}

/** Returns what gives the probability of each class, or null where they are not known. */
function probabilitiesIn(
  pairs: readonly PairedRow[],
  part: Part,
  meaning: OutputMeaning,
): (output: LoggedOutput) => Record<string, number> | null {
  if (meaning.task === 'regression') return () => null;
  const nameOf = classNames(meaning, meaning.openLabels);
  const useScores = scoresAreOfClass(
    pairs.map(pair => pair[part]),
    meaning,
  );
  return ({ score, probabilities, prediction }) => {
    const given = Object.entries(probabilities);
    if (given.length > 0)
      return Object.fromEntries(given.map(([name, value]) => [nameOf(name) ?? name, value]));
    const scored = meaning.scoreIs === 'confidence' ? prediction : meaning.scoreOf;
    const other = scored === null ? null : otherClass(meaning, scored);
    if (!useScores || score === null || scored === null || other === null) return null;
    return { [scored]: score, [other]: 1 - score };
  };
}

/**
 * Returns whether scores are probabilities of the class that those of the version that served are
 * about. A version in shadow may have been logged in another way, and then errors are compared.
 */
function scoresAreOfClass(
  outputs: readonly LoggedOutput[],
  { task, scoresAreProbabilities, scoreIs, scoreOf }: OutputMeaning,
): boolean {
  if (task !== 'binary' || !scoresAreProbabilities) return false;
  if (scoreIs === 'confidence') return true;
  const meanOf = (isOfClass: boolean) => {
    const scores = outputs.flatMap(({ score, prediction }) =>
      score !== null && (prediction === scoreOf) === isOfClass ? [score] : [],
    );
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  };
  // Without rows of one of the two classes nothing contradicts.
  return !(meanOf(true) < meanOf(false));
}
