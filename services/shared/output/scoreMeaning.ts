import type { OutputClass, OutputSettings, PredictionKind, ScoreKind } from './outputMeaning.ts';
import { numberOf, percent, type ReferenceOutput } from './referenceOutput.ts';
import { classKey, type Spelling } from './spelling.ts';

/** The positive class of a binary task, and the class that its scores are about. */
export interface ScoreMeaning {
  positiveLabel: string | null;
  scoreIs: ScoreKind;
  scoreOf: string | null;
  scoresAreProbabilities: boolean;
  reasons: string[];
  disagreement: string | null;
}

/** What a class must be called to be the positive one, in lower case. */
const positiveNames = new Set(['1', 'true', 'yes', 'positive']);
/** Share of the records whose score has to be the probability of a class. */
const minEqualShare = 0.98;
/** Records of each predicted class that tell which class has the high scores. */
const minRecordsPerClass = 2;
/** Records of each label that tell it where all predictions are of one class. */
const minLabelsPerClass = 10;
/** AUC of scores against predicted classes from which on the scores belong to a class. */
const minPredictedAuc = 0.8;
/** Standard errors by which the AUC of scores against labels has to be away from one half. */
const minLabelledDeviation = 4;

/** A record with its classes, as indices of `classes`. -1 is neither. */
interface Scored {
  score: number;
  predicted: number;
  label: number;
  equals: number[] | null;
}

/**
 * Decides the positive class and the class that scores are about.
 *
 * The score is about, in this order: the configured class; the class whose probability equals the
 * score of nearly all records; the class that is predicted at high scores; the configured positive
 * class; the class that is named 1, true, yes or positive; the class that labels say at high scores,
 * if that is no chance; the last in order. It is the confidence of the predicted class if it equals
 * the probability of whatever class is predicted, or if it is never below one half and high for
 * either class.
 *
 * The positive class is, in this order: the configured one; the one that is named 1, true, yes or
 * positive; the one that the scores are about.
 *
 * @param classes one or two
 */
export function scoreMeaning(
  outputs: readonly ReferenceOutput[],
  kind: PredictionKind,
  { classes, spelling }: { classes: readonly OutputClass[]; spelling: Spelling },
  configured: OutputSettings,
): ScoreMeaning {
  const names = classes.map(({ name }) => name);
  const keys = names.map(name => classKey(name, spelling));
  const nameOf = (text: string) => names[keys.indexOf(classKey(text, spelling))] ?? text;
  const given = (text: string | undefined) => (text === undefined ? undefined : nameOf(text));
  const [wanted, wantedPositive] = [given(configured.scoreOf), given(configured.positiveLabel)];
  const named = names.find((name, index) => isPositive(name, keys[index]!, spelling));
  const byName = wantedPositive ?? named;
  const scored = scoredRecords(outputs, kind, keys, spelling);
  const found = evidenceOfScores(scored, kind, names);
  const labelled = byName === undefined ? labelledAtHighScores(scored, names) : null;
  const last = [...names].sort().at(-1);
  const scoreOf = wanted ?? found?.scoreOf ?? byName ?? labelled?.scoreOf ?? last ?? null;
  const positiveLabel = byName ?? scoreOf;
  const scoreIs = wanted === undefined ? (found?.scoreIs ?? 'class') : 'class';
  return {
    positiveLabel,
    scoreIs,
    scoreOf: scoreIs === 'confidence' ? positiveLabel : scoreOf,
    scoresAreProbabilities: kind !== 'score' && areProbabilities(scored),
    reasons: [
      positiveReason(positiveLabel, configured, named),
      wanted === undefined
        ? (found?.reason ?? labelled?.reason ?? '')
        : `The settings say that the score is of ${quoted(wanted)}.`,
    ].filter(reason => reason !== ''),
    disagreement: disagreementOf(scored, kind, names, wanted),
  };
}

/** Returns whether nearly all scores lie within 0 to 1. */
function areProbabilities(scored: readonly Scored[]): boolean {
  const inside = scored.filter(({ score }) => score >= 0 && score <= 1).length;
  return inside >= scored.length * minEqualShare;
}

const quoted = (name: string | null) => JSON.stringify(name);

function isPositive(name: string, key: string, { truthWords }: Spelling): boolean {
  return Object.keys(truthWords).length > 0 ? key === '1' : positiveNames.has(name.toLowerCase());
}

function positiveReason(
  positiveLabel: string | null,
  configured: OutputSettings,
  named: string | undefined,
): string {
  if (positiveLabel === null) return '';
  const because =
    configured.positiveLabel !== undefined
      ? 'the settings say so'
      : named !== undefined
        ? 'of its name'
        : 'the scores are about it, or it is the last in order';
  return `The positive class is ${quoted(positiveLabel)}, because ${because}.`;
}

function scoredRecords(
  outputs: readonly ReferenceOutput[],
  kind: PredictionKind,
  keys: readonly string[],
  spelling: Spelling,
): Scored[] {
  const indexOf = (text: string) => keys.indexOf(classKey(text, spelling));
  return outputs.flatMap(output => {
    const score =
      kind === 'class' ? output.score : numberOf(output.predictionValue, output.prediction);
    if (score === null || !Number.isFinite(score)) return [];
    return [
      {
        score,
        predicted: kind === 'class' ? indexOf(output.prediction) : -1,
        label: indexOf(output.label),
        equals: output.classesOfScore?.map(indexOf) ?? null,
      },
    ];
  });
}

type ScoreEvidence = Pick<ScoreMeaning, 'scoreIs'> & {
  scoreOf: string | undefined;
  reason: string;
};

function evidenceOfScores(
  scored: readonly Scored[],
  kind: PredictionKind,
  names: readonly string[],
): ScoreEvidence | null {
  return (
    equalProbabilities(scored, names) ??
    (kind === 'class' ? predictedAtHighScores(scored, names) : null)
  );
}

function equalProbabilities(
  scored: readonly Scored[],
  names: readonly string[],
): ScoreEvidence | null {
  const given = scored.filter(({ equals }) => equals !== null);
  if (given.length === 0) return null;
  const share = (holds: (record: Scored) => boolean) => given.filter(holds).length / given.length;
  const shares = names.map((_, index) => share(({ equals }) => equals!.includes(index)));
  const equal = shares.filter(value => value >= minEqualShare);
  if (equal.length === 1) {
    const index = shares.indexOf(equal[0]!);
    return {
      scoreIs: 'class',
      scoreOf: names[index],
      reason: `The score is of ${quoted(names[index]!)}, because it equals the probability of that class in ${percent(equal[0]!)} of the records that have both.`,
    };
  }
  const ofPredicted = share(({ equals, predicted }) => equals!.includes(predicted));
  if (equal.length > 0 || ofPredicted < minEqualShare) return null;
  return {
    scoreIs: 'confidence',
    scoreOf: undefined,
    reason: `The score is the probability of the predicted class in ${percent(ofPredicted)} of the records that have both.`,
  };
}

function predictedAtHighScores(
  scored: readonly Scored[],
  names: readonly string[],
): ScoreEvidence | null {
  const auc = areaUnderCurve(scored, ({ predicted }) => predicted, minRecordsPerClass);
  if (auc === null) return null;
  if (Math.max(auc.value, 1 - auc.value) >= minPredictedAuc) {
    const name = names[auc.value >= minPredictedAuc ? 1 : 0];
    return {
      scoreIs: 'class',
      scoreOf: name,
      reason: `The score is of ${quoted(name!)}, because that class is predicted at high scores (AUC ${shown(Math.max(auc.value, 1 - auc.value))} of scores against predictions).`,
    };
  }
  if (scored.some(({ score }) => score < 0.5 || score > 1)) return null;
  return {
    scoreIs: 'confidence',
    scoreOf: undefined,
    reason:
      'The score is the probability of the predicted class, because it is never below one half, and high for either class.',
  };
}

function labelledAtHighScores(
  scored: readonly Scored[],
  names: readonly string[],
): { scoreOf: string; reason: string } | null {
  const auc = areaUnderCurve(scored, ({ label }) => label, minLabelsPerClass);
  if (auc === null || Math.abs(auc.value - 0.5) < minLabelledDeviation * auc.standardError)
    return null;
  const name = names[auc.value > 0.5 ? 1 : 0]!;
  return {
    scoreOf: name,
    reason: `The score is of ${quoted(name)}, because that is the label at high scores (AUC ${shown(Math.max(auc.value, 1 - auc.value))}).`,
  };
}

function disagreementOf(
  scored: readonly Scored[],
  kind: PredictionKind,
  names: readonly string[],
  wanted: string | undefined,
): string | null {
  const equal = equalProbabilities(scored, names);
  const predicted = kind === 'class' ? predictedAtHighScores(scored, names) : null;
  const claims = [
    wanted === undefined ? null : { who: 'the settings say that score is of', of: wanted },
    equal?.scoreOf === undefined ? null : { who: 'score is the probability of', of: equal.scoreOf },
  ].filter(claim => claim !== null);
  const first = claims[0];
  const other = claims.find(({ of }) => of !== first?.of);
  if (first && other)
    return `${capital(first.who)} ${quoted(first.of)}, but ${other.who} ${quoted(other.of)}.`;
  if (first && predicted?.scoreOf !== undefined && predicted.scoreOf !== first.of)
    return `${capital(first.who)} ${quoted(first.of)}, but predictions say ${quoted(predicted.scoreOf)} at high scores.`;
  return contradiction(scored, kind, predicted);
}

/** Says that scores have nothing to do with the predicted classes, if they have not. */
function contradiction(
  scored: readonly Scored[],
  kind: PredictionKind,
  predicted: ScoreEvidence | null,
): string | null {
  if (kind !== 'class' || predicted !== null) return null;
  const auc = areaUnderCurve(scored, record => record.predicted, minLabelsPerClass);
  if (auc === null) return null;
  return `Scores do not tell which class is predicted (AUC ${shown(auc.value)} of scores against predictions).`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const shown = (value: number) => String(Number(value.toPrecision(3)));

/**
 * Returns the AUC with which scores tell records of class 1 from those of class 0, and its standard
 * error if they do not (Mann, Whitney 1947). Null if a class has too few records.
 */
function areaUnderCurve(
  scored: readonly Scored[],
  classOf: (record: Scored) => number,
  minPerClass: number,
): { value: number; standardError: number } | null {
  const ascending = scored
    .map(record => ({ score: record.score, of: classOf(record) }))
    .filter(({ of }) => of >= 0)
    .sort((one, other) => one.score - other.score);
  let [below, wins, positives] = [0, 0, 0];
  for (let from = 0; from < ascending.length; ) {
    let to = from;
    let tied = 0;
    for (; to < ascending.length && ascending[to]!.score === ascending[from]!.score; to++)
      tied += ascending[to]!.of;
    wins += tied * (below + (to - from - tied) / 2);
    below += to - from - tied;
    positives += tied;
    from = to;
  }
  if (Math.min(below, positives) < minPerClass) return null;
  const standardError = Math.sqrt((below + positives + 1) / (12 * below * positives));
  return { value: wins / (below * positives), standardError };
}
