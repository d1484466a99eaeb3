import type { ClassLabel } from '../../shared/model/model.ts';
import type { Task } from '../../shared/task.ts';
import type { DataSplit, RowRange } from './dataSplit.ts';
import type { DatasetRow } from './dataset.ts';

export interface TrainingFeature {
  name: string;
  type: 'number' | 'text';
}

export interface DatasetVerdict {
  /** Why the rows must not reach a training; none if they may. */
  refusals: string[];
  /** What was found and dealt with. */
  notes: string[];
  /** Features to train on, in order of name. */
  features: TrainingFeature[];
}

const mostClasses = 100;
/** The newest rows are looked at in blocks, so that a short outage at their end is seen. */
const newestBlocks = 6;
/** A share of missing, non-finite or wrongly typed values that rises by more than this from the older rows to a block is no drift: it is a fault. */
const absurdRise = 0.3;
const mostRefusals = 20;

/** Whether labelled rows, in the order of event time, are fit to train on. Drifted data is; broken data is not. */
export function validateDataset(
  rows: readonly DatasetRow[],
  split: DataSplit,
  { task, classes }: { task: Task; classes: ClassLabel[] },
  minimumRows: number,
): DatasetVerdict {
  const refusals = [...labelRefusals(rows, split, task, classes)];
  const notes: string[] = [];
  if (rows.length < minimumRows)
    refusals.unshift(`${rows.length} labelled rows, at least ${minimumRows} are needed`);
  const names = new Set(rows.flatMap(row => Object.keys(row.features)));
  const features: TrainingFeature[] = [];
  for (const name of [...names].sort()) {
    const type = majorityType(rows, split.train, name);
    const fault = featureFault(rows, split, name, type);
    if (fault) refusals.push(fault);
    else if (isConstant(rows, split.train, name))
      notes.push(`feature ${name}: is constant in the training rows and was left out`);
    else features.push({ name, type });
  }
  if (features.length === 0 && refusals.length === 0)
    refusals.push('no feature that varies in the training rows');
  return { refusals: limited(refusals), notes: limited(notes), features };
}

function* labelRefusals(
  rows: readonly DatasetRow[],
  split: DataSplit,
  task: Task,
  classes: ClassLabel[],
): Generator<string> {
  if (rows.length === 0) return;
  const trainLabels = new Set(slice(rows, split.train).map(row => row.label));
  if (task !== 'regression' && classes.length > mostClasses) {
    yield `labels: ${classes.length} distinct classes, at most ${mostClasses} are trained`;
  } else if (trainLabels.size < 2) {
    const seen = [...trainLabels].map(label => JSON.stringify(label)).join();
    yield `labels: only ${seen || 'none'} in the ${split.train.end} training rows, at least two ${task === 'regression' ? 'values' : 'classes'} are needed`;
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

/** The sentence that refuses a feature whose values broke off in one of the newest blocks. */
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
    for (const fault of ['missing', 'wrong type', 'not finite'] as const) {
      if (shares[fault] - older[fault] <= absurdRise) continue;
      const since = new Date(blockRows[0]!.eventTimeMs).toISOString();
      return `feature ${name}: ${percent(shares[fault])} ${fault} in the ${blockRows.length} rows from ${since} on, ${percent(older[fault])} in the older ones`;
    }
  }
  return null;
}

function faultShares(rows: readonly DatasetRow[], name: string, type: TrainingFeature['type']) {
  const counts = { missing: 0, 'wrong type': 0, 'not finite': 0 };
  for (const row of rows) {
    const value = row.features[name];
    if (value === undefined) counts.missing++;
    else if ((typeof value === 'number') !== (type === 'number')) counts['wrong type']++;
    else if (typeof value === 'number' && !Number.isFinite(value)) counts['not finite']++;
  }
  const share = (count: number) => count / Math.max(1, rows.length);
  return {
    missing: share(counts.missing),
    'wrong type': share(counts['wrong type']),
    'not finite': share(counts['not finite']),
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function limited(lines: string[]): string[] {
  return lines.length <= mostRefusals
    ? lines
    : [...lines.slice(0, mostRefusals), `and ${lines.length - mostRefusals} more`];
}
