import { createHash } from 'node:crypto';
import type { TaskDecision } from '../task.ts';
import type { Spelling } from './spelling.ts';

/** What the field `prediction` holds. */
export type PredictionKind =
  | 'class'
  /** A number. The task is a regression. */
  | 'number'
  /** The probability of the class `scoreOf`. */
  | 'probability'
  /** A number on another scale that is higher for the class `scoreOf`, such as log-odds. */
  | 'score';

/** What the field `score` of a binary model holds. */
export type ScoreKind =
  /** The probability of the class `scoreOf`, or another number that is higher for it. */
  | 'class'
  /** The probability of whatever class was predicted. */
  | 'confidence';

/** A class with the texts that stand for it. */
export interface OutputClass {
  /** The spelling that is the most frequent among the labels, or else among the predictions. */
  name: string;
  /** The texts that were seen, the name first. */
  spellings: string[];
}

/** What predictions, labels and scores of a model version mean. It is decided from its reference. */
export interface OutputMeaning extends TaskDecision {
  predictionIs: PredictionKind;
  /** The known classes, the most frequent first. Empty for a regression. */
  classes: OutputClass[];
  spelling: Spelling;
  /** True if a label that is none of the classes is a class nevertheless, and false if it is set apart. */
  openLabels: boolean;
  /** The same for a prediction. */
  openPredictions: boolean;
  /**
   * False if no prediction can be compared with a label, because their classes have nothing in
   * common, or predictions are scores without a threshold.
   */
  comparable: boolean;
  scoreIs: ScoreKind;
  /** The class whose probability `score` is. Null unless the task is binary. */
  scoreOf: string | null;
  /** False if scores lie outside 0 to 1, so that they only rank the records. */
  scoresAreProbabilities: boolean;
  /** Probability or score from which on the class `scoreOf` is predicted; null if none is needed. */
  threshold: number | null;
  /** Why it was decided so, one sentence per decision. */
  evidence: string[];
  /** How scores, predictions and settings contradict each other, in one sentence, or null. */
  disagreement: string | null;
}

/** What settings say about the output. A field that is absent is decided from the reference. */
export interface OutputSettings {
  task?: TaskDecision['task'] | undefined;
  positiveLabel?: string | undefined;
  scoreOf?: string | undefined;
  threshold?: number | undefined;
}

/** Returns a text that changes with everything that quality figures depend on. 16 hex digits. */
export function meaningKey(meaning: OutputMeaning): string {
  const decided = [
    ...[meaning.task, meaning.positiveLabel, meaning.predictionIs, meaning.scoreIs],
    ...[meaning.scoreOf, meaning.scoresAreProbabilities, meaning.threshold, meaning.comparable],
    ...[meaning.openLabels, meaning.openPredictions, meaning.spelling.caseMatters],
    Object.entries(meaning.spelling.truthWords).sort(([one], [other]) => (one < other ? -1 : 1)),
    meaning.classes.map(({ name, spellings }) => [name, spellings]),
  ];
  return createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 16);
}

/** Returns the class of a binary task that is not the given one, or null if it is not known. */
export function otherClass({ classes }: OutputMeaning, name: string): string | null {
  return classes.find(other => other.name !== name)?.name ?? null;
}

/** Returns the texts of a class: those that were seen, or else its name. Null is no class. */
export function spellingsOf(
  { classes }: Pick<OutputMeaning, 'classes'>,
  name: string | null,
): string[] {
  if (name === null) return [];
  return classes.find(known => known.name === name)?.spellings ?? [name];
}
