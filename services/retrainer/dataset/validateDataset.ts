import type { FeatureKind, FeatureKinds } from '../../shared/featureKind.ts';
import { columnReading, isLearnable } from '../../shared/kinds/columnReading.ts';
import type { ClassLabel } from '../../shared/model/model.ts';
import type { Task } from '../../shared/task.ts';
import type { DataSplit, RowRange } from './dataSplit.ts';
import type { DatasetRow } from './dataset.ts';

export interface TrainingFeature {
  name: string;
  type: 'number' | 'text';
}

/** What validation found. All texts are sentences for the user. */
export interface DatasetValidation {
  /** Why the rows must not be trained on. Empty if they may. */
  refusals: string[];
  /** What was left out, though the rows may be trained on. */
  notes: string[];
  /** Features to train on, in the order of their names. */
  features: TrainingFeature[];
}

const maxClasses = 100;
/** The newest rows are examined in blocks, so that a short outage at their end is seen. */
const newestBlocks = 6;
/**
 * Maximum rise of the share of missing, non-finite or wrongly typed values from the older rows to a
 * block. A larger rise is a fault in the data, not a drift.
 */
const maxFaultRise = 0.3;
const maxListed = 20;

/**
 * Decides whether labelled rows, in the order of event time, may be trained on. Drifted data may,
 * broken data may not.
 *
 * @param declared kinds of features by the settings
 */
export function validateDataset(
  rows: readonly DatasetRow[],
  split: DataSplit,
  { task, classes }: { task: Task; classes: ClassLabel[] },
  minRows: number,
  declared: FeatureKinds = {},
): DatasetValidation {
  const refusals = [...labelRefusals(rows, split, task, classes)];
  const notes: string[] = [];
  if (rows.length < minRows) refusals.unshift(tooFewRows(rows.length, minRows));
  const names = new Set(rows.flatMap(row => Object.keys(row.features)));
  const features: TrainingFeature[] = [];
  for (const name of [...names].sort()) {
    const type = majorityType(rows, split.train, name);
    const fault = featureFault(rows, split, name, type);
    if (fault) refusals.push(fault);
    else if (isConstant(rows, split.train, name))
      notes.push(`Feature ${name} was left out, because it is constant in the training rows.`);
    else {
      const note = type === 'text' ? textNote(rows, split.train, name, declared[name]) : null;
      if (note) notes.push(note);
      else features.push({ name, type });
    }
  }
  if (features.length === 0 && refusals.length === 0)
    refusals.push('No feature varies in the training rows.');
  return { refusals: limited(refusals), notes: limited(notes), features };
}

export function tooFewRows(rows: number, minRows: number): string {
  return (
    `The number of labelled rows is ${rows}, but at least ${minRows} are needed ` +
    '(retraining.minimumLabelledRows).'
  );
}

function* labelRefusals(
  rows: readonly DatasetRow[],
  split: DataSplit,
  task: Task,
  classes: ClassLabel[],
): Generator<string> {
  if (rows.length === 0) return;
  const [label, ...others] = new Set(slice(rows, split.train).map(row => row.label));
  if (task !== 'regression' && classes.length > maxClasses) {
    const found = `The labels have ${classes.length} distinct classes`;
    yield `${found}, but at most ${maxClasses} can be trained on.`;
  } else if (others.length === 0) {
    const found =
      label === undefined
        ? 'There are no training rows'
        : `All of the ${split.train.end} training rows have the label ${JSON.stringify(label)}`;
    yield `${found}, but at least two ${task === 'regression' ? 'values' : 'classes'} are needed.`;
  }
}

function slice(rows: readonly DatasetRow[], range: RowRange): readonly DatasetRow[] {
  return rows.slice(range.start, range.end);
}

function majorityType(
  rows: readonly DatasetRow[],
  range: RowRange,
  name: string,
): TrainingFeature['type'] {
  let balance = 0;
  for (const row of slice(rows, range)) {
    const value = row.features[name];
    if (value !== undefined) balance += typeof value === 'number' ? 1 : -1;
  }
  return balance >= 0 ? 'number' : 'text';
}

function isConstant(rows: readonly DatasetRow[], range: RowRange, name: string): boolean {
  const first = rows[range.start]?.features[name];
  return slice(rows, range).every(row => Object.is(row.features[name], first));
}

/** Says why a text is left out; null if something can be learned from it. */
function textNote(
  rows: readonly DatasetRow[],
  range: RowRange,
  name: string,
  declared: FeatureKind | undefined,
): string | null {
  const values = slice(rows, range).map(row => row.features[name]);
  const { kind } = columnReading(name, values, declared);
  if (isLearnable(kind)) return null;
  return `Feature ${name} was left out, because nothing can be learned from a text of the kind ${kind}.`;
}

/** Returns the refusal of a feature whose values turn bad in one of the newest blocks, or null. */
function featureFault(
  rows: readonly DatasetRow[],
  split: DataSplit,
  name: string,
  type: TrainingFeature['type'],
): string | null {
  const older = faultShares(slice(rows, split.train), name, type);
  const newest = slice(rows, { start: split.train.end, end: rows.length });
  for (let block = 0; block < newestBlocks; block++) {
    const blockRows = newest.slice(
      (block * newest.length) / newestBlocks,
      ((block + 1) * newest.length) / newestBlocks,
    );
    const shares = faultShares(blockRows, name, type);
    for (const fault of faults) {
      if (shares[fault] - older[fault] <= maxFaultRise) continue;
      const since = new Date(blockRows[0]!.eventTimeMs).toISOString();
      return (
        `Feature ${name} looks broken: ${percent(shares[fault])} of its values ${fault} in the ` +
        `${blockRows.length} rows from ${since} on, and ${percent(older[fault])} in the older rows.`
      );
    }
  }
  return null;
}

/** What may be wrong with values, as the rest of a sentence about them. */
const faults = ['are missing', 'have the wrong type', 'are not finite'] as const;

function faultShares(
  rows: readonly DatasetRow[],
  name: string,
  type: TrainingFeature['type'],
): Record<(typeof faults)[number], number> {
  let [missing, wrongType, notFinite] = [0, 0, 0];
  for (const row of rows) {
    const value = row.features[name];
    if (value === undefined) missing++;
    else if ((typeof value === 'number') !== (type === 'number')) wrongType++;
    else if (typeof value === 'number' && !Number.isFinite(value)) notFinite++;
  }
  const count = Math.max(1, rows.length);
  return {
    'are missing': missing / count,
    'have the wrong type': wrongType / count,
    'are not finite': notFinite / count,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function limited(sentences: string[]): string[] {
  return sentences.length <= maxListed
    ? sentences
    : [...sentences.slice(0, maxListed), `There are ${sentences.length - maxListed} more.`];
}
