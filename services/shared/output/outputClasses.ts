import type { Task } from '../task.ts';
import type { OutputClass, OutputMeaning, PredictionKind } from './outputMeaning.ts';
import { countsOf, type ReferenceOutput } from './referenceOutput.ts';
import { classKey, isMissing, type Spelling, trimmed, truthWordsOf } from './spelling.ts';

export type ClassTask = Exclude<Task, 'regression'>;

/** The part of the meaning of an output that classes decide. */
export type ClassMeaning = Pick<
  OutputMeaning,
  'classes' | 'spelling' | 'openLabels' | 'openPredictions' | 'comparable'
> & {
  task: ClassTask;
  reason: string;
};

/** A class is set apart if its share is at most this, and only labels or only predictions have it. */
const maxStrayShare = 0.05;
/** A text for an absent value is a class if both sides have a larger share of it. */
const maxMissingShare = 0.01;
/** Records from which on classes can be said to have nothing in common. */
const minRecordsToDiffer = 20;
/** Share of the records with common keys that agree in case if case matters. */
const minSameCase = 0.75;
const maxClasses = 1_000;
const maxSpellings = 20;
/** Names that come to mind for the class that a word of truth stands against. */
const opposites: Readonly<Record<string, string>> = {
  ...{ true: 'false', True: 'False', TRUE: 'FALSE', yes: 'no', Yes: 'No', YES: 'NO' },
  ...{ y: 'n', Y: 'N', t: 'f', T: 'F', '1': '0', false: 'true', False: 'True', FALSE: 'TRUE' },
  ...{ no: 'yes', No: 'Yes', NO: 'YES', n: 'y', N: 'Y', f: 't', F: 'T', '0': '1', '-1': '1' },
};

/** Texts of one side by class. */
type Side = Map<string, { count: number; spellings: Map<string, number> }>;

/**
 * Finds the classes of a version, by the majority of the records. A class is what labels and
 * predictions both have, or what more than 5 % of either side are. Up to two of them are a binary
 * task, more are multiclass. What else a binary task has is set apart, unless it is more than 5 %.
 *
 * @param task as it is configured
 */
export function outputClasses(
  outputs: readonly ReferenceOutput[],
  kind: PredictionKind,
  task: ClassTask | undefined,
): ClassMeaning {
  const labelTexts = outputs.map(({ label }) => label);
  const predictionTexts = kind === 'class' ? outputs.map(({ prediction }) => prediction) : [];
  const absent = absentWords(labelTexts, predictionTexts);
  const present = (texts: readonly string[]) => texts.filter(text => !absent(text));
  const sides = [present(labelTexts), present(predictionTexts)] as const;
  const truthWords = truthWordsOf(sides);
  const folded = { caseMatters: false, truthWords };
  const caseMatters = kind === 'class' && doesCaseMatter(outputs, folded);
  const spelling: Spelling = { caseMatters, truthWords: caseMatters ? {} : truthWords };
  const labels = sideOf(sides[0], spelling);
  const predictions = sideOf(sides[1], spelling);
  if (haveNothingInCommon(labels, predictions)) {
    const ofLabels = task ?? (labels.size > 2 ? 'multiclass' : 'binary');
    const names = (side: Side) => namesOf(side).slice(0, 3).join(', ');
    return {
      ...classesOf(labels, new Map(), spelling, [...labels.keys()], ofLabels),
      openPredictions: false,
      comparable: false,
      reason: `The classes of labels (${names(labels)}) and of predictions (${names(predictions)}) have nothing in common.`,
    };
  }
  return chosenClasses(labels, predictions, spelling, kind, task);
}

/** Returns what tells the texts that stand for an absent value. */
function absentWords(
  labels: readonly string[],
  predictions: readonly string[],
): (text: string) => boolean {
  const wordsOf = (texts: readonly string[]) => {
    const counts = countsOf(texts.filter(isMissing).map(text => trimmed(text).toLowerCase()));
    return new Set(
      [...counts].filter(([, n]) => n > texts.length * maxMissingShare).map(([w]) => w),
    );
  };
  const [ofLabels, ofPredictions] = [wordsOf(labels), wordsOf(predictions)];
  return text => {
    if (!isMissing(text)) return false;
    const word = trimmed(text).toLowerCase();
    return word === '' || !ofLabels.has(word) || !ofPredictions.has(word);
  };
}

function sideOf(texts: readonly string[], spelling: Spelling): Side {
  const side: Side = new Map();
  for (const [text, count] of countsOf(texts)) {
    const key = classKey(text, spelling);
    const known = side.get(key) ?? { count: 0, spellings: new Map() };
    known.count += count;
    known.spellings.set(text, count);
    side.set(key, known);
  }
  return side;
}

/**
 * Returns whether texts that differ in case alone are different classes. That is so if, beside
 * other classes, both sides have such texts and agree in their case.
 */
function doesCaseMatter(outputs: readonly ReferenceOutput[], folded: Spelling): boolean {
  const exact = { caseMatters: true, truthWords: {} };
  const alike = outputs
    .map(({ label, prediction }) => ({
      key: classKey(label, folded),
      predicted: classKey(prediction, folded),
      label: classKey(label, exact),
      prediction: classKey(prediction, exact),
    }))
    .filter(({ key, predicted }) => key === predicted);
  const keys = Map.groupBy(alike, ({ key }) => key);
  if (keys.size <= 2) return false;
  const varied = [...keys.values()].filter(
    records =>
      new Set(records.map(({ label }) => label)).size > 1 &&
      new Set(records.map(({ prediction }) => prediction)).size > 1,
  );
  const records = varied.flat();
  const same = records.filter(({ label, prediction }) => label === prediction).length;
  return records.length > 0 && same >= records.length * minSameCase;
}

function haveNothingInCommon(labels: Side, predictions: Side): boolean {
  if (Math.max(labels.size, predictions.size) < 2) return false;
  if (Math.min(totalOf(labels), totalOf(predictions)) < minRecordsToDiffer) return false;
  return [...labels.keys()].every(key => !predictions.has(key));
}

function totalOf(side: Side): number {
  return [...side.values()].reduce((sum, { count }) => sum + count, 0);
}

function chosenClasses(
  labels: Side,
  predictions: Side,
  spelling: Spelling,
  kind: PredictionKind,
  task: ClassTask | undefined,
): ClassMeaning {
  const share = (side: Side, key: string) => (side.get(key)?.count ?? 0) / (totalOf(side) || 1);
  const [labelTotal, predictionTotal] = [totalOf(labels) || 1, totalOf(predictions) || 1];
  // Whole numbers, because sums of shares would depend on their order.
  const weight = (key: string) =>
    (labels.get(key)?.count ?? 0) * predictionTotal +
    (predictions.get(key)?.count ?? 0) * labelTotal;
  const keys = [...new Set([...labels.keys(), ...predictions.keys()])].sort(
    (one, other) => weight(other) - weight(one) || (one < other ? -1 : 1),
  );
  const isCommon = (key: string) =>
    Math.max(share(labels, key), share(predictions, key)) > maxStrayShare ||
    (labels.has(key) && predictions.has(key));
  const common = keys.filter(isCommon);
  const strays = keys.filter(key => !isCommon(key));
  const strayShare = (side: Side) => strays.reduce((sum, key) => sum + share(side, key), 0);
  const areStraysFew = Math.max(strayShare(labels), strayShare(predictions)) <= maxStrayShare;
  const isBinary = kind !== 'class' || (common.length <= 2 && (areStraysFew || keys.length <= 2));
  const chosenTask = task ?? (isBinary ? 'binary' : 'multiclass');
  const chosen = chosenTask === 'multiclass' ? keys : [...common, ...strays].slice(0, 2);
  return {
    ...classesOf(labels, predictions, spelling, chosen, chosenTask),
    reason: `The task is ${chosenTask}.`,
    comparable: true,
    // Until two classes are known, any other text may be the second.
    ...(common.length < 2 &&
    chosenTask === 'binary' &&
    Object.keys(spelling.truthWords).length === 0
      ? { openLabels: true, openPredictions: true }
      : {}),
  };
}

function classesOf(
  labels: Side,
  predictions: Side,
  spelling: Spelling,
  keys: readonly string[],
  task: ClassTask,
): Omit<ClassMeaning, 'comparable' | 'reason'> {
  const classes = keys.slice(0, maxClasses).map((key): OutputClass => {
    const spellings = [labels, predictions].flatMap(side => {
      const found = [...(side.get(key)?.spellings ?? [])];
      return found
        .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
        .map(([text]) => text);
    });
    const distinct = [...new Set(spellings)].slice(0, maxSpellings);
    return { name: trimmed(distinct[0]!), spellings: distinct };
  });
  return { task, classes: withOpposite(classes, spelling), spelling, ...opennessOf(task) };
}

const opennessOf = (task: ClassTask) => ({
  openLabels: task === 'multiclass',
  openPredictions: task === 'multiclass',
});

/** Adds the other word of truth to a class that is known alone. */
function withOpposite(classes: OutputClass[], spelling: Spelling): OutputClass[] {
  const [only, ...others] = classes;
  if (!only || others.length > 0 || Object.keys(spelling.truthWords).length === 0) return classes;
  const name = opposites[only.name];
  return name === undefined ? classes : [only, { name, spellings: [name] }];
}

function namesOf(side: Side): string[] {
  return [...side.values()].map(({ spellings }) => JSON.stringify([...spellings.keys()][0]));
}
