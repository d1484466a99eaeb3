import type { StoredMeaning } from '../../../shared/output/meaningStore.ts';
import type { Notice } from '../../../shared/service/notice.ts';

/** What is known of the newest windows of a version. */
export interface NewestOutcomes {
  /** Outcomes of these windows. */
  outcomes: number;
  setApart: number;
  /** Up to three that are set apart. */
  examples: readonly string[];
  /** Start of the first window that has some. */
  sinceMs: number;
}

/** Returns what is odd in the outputs and labels of a version. */
export function outputNotices(stored: StoredMeaning, newest: NewestOutcomes): Notice[] {
  return [
    nothingInCommon(stored),
    noClasses(stored),
    noProbabilities(stored),
    disagreement(stored),
    labelsSetApart(stored, newest),
  ].filter(notice => notice !== null);
}

function nothingInCommon({ meaning, records, fromMs }: StoredMeaning): Notice | null {
  if (meaning.comparable || meaning.predictionIs === 'score') return null;
  return {
    code: 'classes-have-nothing-in-common',
    subject: '',
    sinceMs: fromMs,
    message:
      meaning.task === 'regression'
        ? 'Labels are numbers, but predictions are not, so they cannot be compared.'
        : 'The classes of predictions and labels have nothing in common, so they cannot be compared.',
    evidence: `${meaning.evidence.join(' ')} ${recordsOf(records)}`,
    advice: 'Log predictions and labels with the same names of classes.',
  };
}

function noClasses({ meaning, records, fromMs }: StoredMeaning): Notice | null {
  const { predictionIs, threshold, scoreOf } = meaning;
  if (predictionIs !== 'probability' && predictionIs !== 'score') return null;
  const isProbability = predictionIs === 'probability';
  const what = isProbability ? 'probabilities' : 'scores such as log-odds';
  const read =
    threshold === null
      ? 'so they rank the records, and are compared with no label'
      : `and are read as class ${JSON.stringify(scoreOf)} from ${threshold} on`;
  return {
    code: isProbability ? 'prediction-is-a-probability' : 'prediction-is-a-score',
    subject: '',
    sinceMs: fromMs,
    message: `Predictions are ${what} and no classes of the labels, ${read}.`,
    evidence: `${meaning.evidence.join(' ')} ${recordsOf(records)}`,
    advice:
      'Log the predicted class as prediction and the number as score, or set output.threshold.',
  };
}

function noProbabilities({ meaning, records, fromMs }: StoredMeaning): Notice | null {
  if (meaning.scoresAreProbabilities || meaning.predictionIs !== 'class') return null;
  return {
    code: 'score-is-no-probability',
    subject: '',
    sinceMs: fromMs,
    message: 'Scores lie outside 0 to 1, so they rank the records, and are no probabilities.',
    evidence: `${meaning.evidence.join(' ')} ${recordsOf(records)}`,
    advice: 'Log a probability between 0 and 1 as score to have log-loss and Brier score.',
  };
}

function disagreement({ meaning, records, fromMs }: StoredMeaning): Notice | null {
  if (meaning.disagreement === null) return null;
  return {
    code: 'score-disagrees-with-predictions',
    subject: '',
    sinceMs: fromMs,
    message: meaning.disagreement,
    evidence: `${meaning.evidence.join(' ')} ${recordsOf(records)}`,
    advice:
      'Log as score the probability of one class, the one that is predicted at high scores, and name it in output.scoreOf.',
  };
}

const recordsOf = (records: number) =>
  `Decided from the first ${records} labelled predictions of the version.`;

function labelsSetApart(
  { meaning }: StoredMeaning,
  { outcomes, setApart, examples, sinceMs }: NewestOutcomes,
): Notice | null {
  if (setApart === 0) return null;
  const expected =
    meaning.task === 'regression'
      ? 'numbers'
      : `classes of the version (${meaning.classes
          .slice(0, 5)
          .map(({ name }) => JSON.stringify(name))
          .join(', ')})`;
  return {
    code: 'labels-set-apart',
    subject: '',
    sinceMs,
    message: `Some labels or predictions are not ${expected}, and are set apart.`,
    evidence: `${setApart} of ${outcomes} labelled predictions in the newest windows, such as ${examples.join('; ')}.`,
    advice:
      'Send a label only when the truth is known, in the form that the other labels have, or set output.task.',
  };
}

/** Labels of a version that belong to none of its predictions. */
export interface StrayLabels {
  predictions: number;
  firstMs: number;
  labels: number;
  labelId: string;
  predictionId: string;
}

/** Says that no label of a version has found its prediction. */
export function neverMatchNotice(stray: StrayLabels): Notice {
  const { predictions, firstMs, labels, labelId, predictionId } = stray;
  return {
    code: 'labels-never-match',
    subject: '',
    sinceMs: firstMs,
    message: 'No label belongs to a prediction of this version.',
    evidence:
      `The version has ${predictions} predictions, with ids such as ${JSON.stringify(predictionId)}. ` +
      `At least ${labels} labels wait, for ids such as ${JSON.stringify(labelId)}.`,
    advice: 'Send feedback with the id of the prediction, and with the same model if it names one.',
  };
}
