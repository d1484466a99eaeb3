import { createWriteStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileArtifactStore } from '../../shared/artifacts/fileArtifactStore.ts';
import { hashFile } from '../../shared/artifacts/folderChecksum.ts';
import { syncFile } from '../../shared/artifacts/syncFolder.ts';
import type { ClassLabel } from '../../shared/model/model.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import { type DataSplit, dataSplit } from '../dataset/dataSplit.ts';
import { type DatasetRow, datasetHash, readDataset } from '../dataset/dataset.ts';
import { labelTask } from '../dataset/labelTask.ts';
import { maturedUntilMs } from '../dataset/maturedUntil.ts';
import { type TrainingFeature, tooFewRows, validateDataset } from '../dataset/validateDataset.ts';
import { minGateRows } from '../gates/gates.ts';
import type { DatasetRecord } from '../store/datasetTable.ts';
import type { LabelledRowQueries, SourcePositions } from '../store/labelledRowQueries.ts';
import type { RunStart } from './runOutcome.ts';

/** The frozen rows that a run trains on. */
export interface Snapshot {
  /** datasets.id */
  id: string;
  /** The Parquet file on this machine, and where it is kept. */
  file: string;
  uri: string;
  /** SHA-256 of the file. */
  checksum: string;
  /** Where the rows came from; known when it is recorded. */
  positions?: SourcePositions;
  rows: DatasetRow[];
  split: DataSplit;
  /** First row since the change; 0 if no change is known. */
  changedAt: number;
  /** What the champion's outputs mean. */
  meaning: OutputMeaning;
  classes: ClassLabel[];
  labelsAreNumbers: boolean;
  features: TrainingFeature[];
  /** What was left out, as sentences for the user. */
  notes: string[];
}

export type SnapshotResult =
  | { snapshot: Snapshot; refusals: [] }
  /** Why the rows must not be trained on. */
  | { snapshot: null; refusals: string[] };

/** Maximum rows × features that are held in memory. More features mean fewer rows. */
const maxValues = 5_000_000;
const maxFeatures = 2_000;

/**
 * Freezes the newest labelled rows of a model. ClickHouse writes them as a Parquet file, which is
 * read back and checked. Only if the rows may be trained on is the file kept, as
 * `datasets/<hash of the rows>/rows.parquet`.
 * @param attempt folder for the file
 */
export async function takeSnapshot(
  labelledRows: LabelledRowQueries,
  run: RunStart,
  attempt: string,
): Promise<SnapshotResult> {
  const { championVersion, settings, cause } = run;
  const { maximumRows, minimumLabelledRows } = settings.retraining;
  const { model } = cause;
  const newest = await labelledRows.selectNewestRange(model, maximumRows);
  if (!newest) return refused([tooFewRows(0, minimumLabelledRows)]);
  const meaning = await labelledRows.selectMeaning(model, championVersion, settings);
  if (meaning === null)
    return refused([
      `No label of a prediction of the champion, version ${championVersion}, is known.`,
    ]);
  if (!meaning.comparable) return refused([incomparable(championVersion, meaning)]);
  const coverage = await labelledRows.selectCoverage(model, newest, settings.windowSizeMs);
  const range = { fromMs: newest.fromMs, toMs: Math.min(newest.toMs, maturedUntilMs(coverage)) };
  const features = await labelledRows.selectFeatureNames(model, range);
  const columns = features.number.length + features.text.length;
  if (columns > maxFeatures)
    return refused([
      `The model has ${columns} features, but at most ${maxFeatures} can be trained on.`,
    ]);
  const rows = Math.min(maximumRows, Math.floor(maxValues / Math.max(1, columns)));

  const incoming = join(attempt, 'incoming.parquet');
  const { segments } = settings;
  const wanted = { model, range, championVersion, rows, features, segments, meaning };
  const bytes = await labelledRows.exportParquet(wanted);
  await pipeline(bytes, createWriteStream(incoming));
  await syncFile(incoming);
  const result = await checkAndKeep(incoming, run, meaning);
  if (result.snapshot) {
    const { snapshot } = result;
    const [fromMs, toMs] = [snapshot.rows[0]!.eventTimeMs, snapshot.rows.at(-1)!.eventTimeMs + 1];
    snapshot.positions = await labelledRows.selectPositions(model, { fromMs, toMs });
  }
  if (rows < maximumRows)
    result.snapshot?.notes.push(
      `At most the newest ${rows} rows were used instead of ${maximumRows} ` +
        `(retraining.maximumRows), because there are ${columns} features.`,
    );
  return result;
}

/** Keeps the file if its rows may be trained on. */
async function checkAndKeep(
  incoming: string,
  run: RunStart,
  meaning: OutputMeaning,
): Promise<SnapshotResult> {
  const rows = await readDataset(incoming);
  const changedAt = firstRowSince(rows, run.change?.atMs);
  const split = dataSplit(rows.length, changedAt);
  const { task, classes, numeric } = labelTask(rows, meaning);
  const { refusals, notes, features } = validateDataset(
    rows,
    split,
    { task, classes },
    run.settings.retraining.minimumLabelledRows,
    run.settings.detection.featureKinds,
  );
  const refused = [...refusals, ...gateRefusals(rows, split, run.championVersion)];
  if (refused.length > 0) return { snapshot: null, refusals: refused };

  const id = datasetHash(rows);
  const local = fileArtifactStore(dirname(incoming));
  const { sha256: checksum } = await hashFile(local, basename(incoming));
  const file = `datasets/${id}/rows.parquet`;
  await run.artifacts.putFile(file, incoming);
  const uri = run.artifacts.uri(file);
  const frozen = { id, file: incoming, uri, checksum, rows, split, changedAt };
  const labels = { meaning, classes, labelsAreNumbers: numeric };
  return { snapshot: { ...frozen, ...labels, features, notes }, refusals: [] };
}

function firstRowSince(rows: readonly DatasetRow[], changedAtMs = 0): number {
  const first = rows.findIndex(({ eventTimeMs }) => eventTimeMs >= changedAtMs);
  return first < 0 ? rows.length : first;
}

/** Says why a challenger cannot be compared with the champion at all. */
function incomparable(championVersion: string, { evidence }: OutputMeaning): string {
  return (
    `The predictions of the champion, version ${championVersion}, cannot be compared with labels. ` +
    `${evidence.join(' ')} So no challenger can be judged: the verdict is not evaluable.`
  );
}

function gateRefusals(
  rows: readonly DatasetRow[],
  { gate }: DataSplit,
  championVersion: string,
): string[] {
  const comparable = rows.slice(gate.start).filter(row => row.version === championVersion).length;
  if (comparable >= minGateRows) return [];
  return [
    `The champion, version ${championVersion}, predicted ${comparable} of the newest ` +
      `${gate.end - gate.start} rows, but at least ${minGateRows} are needed to compare a ` +
      'challenger with it.',
  ];
}

function refused(refusals: string[]): SnapshotResult {
  return { snapshot: null, refusals };
}

/** Returns the row of the table datasets. */
export function datasetRecord(
  model: string,
  { id, rows, split, features, meaning, uri, checksum, positions }: Snapshot,
): DatasetRecord {
  const [fromMs, toMs] = [rows[0]!.eventTimeMs, rows.at(-1)!.eventTimeMs];
  const { task } = meaning;
  return {
    id,
    model,
    split,
    fromMs,
    toMs,
    features,
    task,
    uri,
    checksum,
    ...(positions && { positions }),
  };
}
