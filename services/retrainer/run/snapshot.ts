import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { ClassLabel } from '../../shared/model/model.ts';
import { syncFile, syncFolder } from '../../shared/model/modelArtifact.ts';
import type { Task } from '../../shared/task.ts';
import { type DataSplit, dataSplit } from '../dataset/dataSplit.ts';
import { type DatasetRow, datasetHash, readDataset } from '../dataset/dataset.ts';
import { labelTask } from '../dataset/labelTask.ts';
import { maturedUntilMs } from '../dataset/maturedUntil.ts';
import { type TrainingFeature, validateDataset } from '../dataset/validateDataset.ts';
import { fewestGateRows } from '../gates/gates.ts';
import type { RetrainerStore } from '../store/store.ts';

export interface Snapshot {
  /** datasets.id */
  id: string;
  /** The Parquet file. */
  file: string;
  uri: string;
  /** SHA-256 of the file. */
  checksum: string;
  rows: DatasetRow[];
  split: DataSplit;
  task: Task;
  classes: ClassLabel[];
  labelsAreNumbers: boolean;
  features: TrainingFeature[];
  /** What validation found and dealt with. */
  notes: string[];
}

export type SnapshotResult = { snapshot: Snapshot } | { snapshot: null; refusals: string[] };

/** Rows × features that are held in memory; more features mean fewer rows. */
const mostValues = 5_000_000;
const mostFeatures = 2_000;

/**
 * Freezes the newest labelled rows of a model: ClickHouse writes them as Parquet, they are read back, checked, and only if they are fit
 * to train on does the file get its name, `datasets/<hash of the rows>/rows.parquet`.
 * @param options.attempt folder for the file before that
 */
export async function takeSnapshot(
  store: RetrainerStore,
  options: {
    model: string;
    championVersion: string;
    settings: ModelSettings;
    modelFolder: string;
    attempt: string;
  },
): Promise<SnapshotResult> {
  const { model, championVersion, settings, attempt } = options;
  const { maximumRows } = settings.retraining;
  const newest = await store.newestOutcomes(model, maximumRows);
  if (!newest)
    return refused([
      `0 labelled rows, at least ${settings.retraining.minimumLabelledRows} are needed`,
    ]);
  const coverage = await store.labelCoverage(model, newest, settings.window);
  const range = { fromMs: newest.fromMs, toMs: Math.min(newest.toMs, maturedUntilMs(coverage)) };
  const features = await store.featureNames(model, range);
  const columns = features.number.length + features.text.length;
  if (columns > mostFeatures)
    return refused([`${columns} features, at most ${mostFeatures} are trained on`]);
  const rows = Math.min(maximumRows, Math.floor(mostValues / Math.max(1, columns)));

  const incoming = join(attempt, 'incoming.parquet');
  const bytes = await store.exportDataset({
    model,
    range,
    championVersion,
    rows,
    features,
    segments: settings.segments,
  });
  await pipeline(bytes, createWriteStream(incoming));
  await syncFile(incoming);
  const result = await checkAndName(incoming, options);
  if (rows < maximumRows)
    result.snapshot?.notes.push(
      `rows: the newest ${rows} instead of ${maximumRows}, as there are ${columns} features`,
    );
  return result;
}

async function checkAndName(
  incoming: string,
  {
    championVersion,
    settings,
    modelFolder,
  }: { championVersion: string; settings: ModelSettings; modelFolder: string },
): Promise<SnapshotResult> {
  const rows = await readDataset(incoming);
  const split = dataSplit(rows.length);
  const { task, classes, numeric } = labelTask(rows, settings.positiveLabel);
  const verdict = validateDataset(
    rows,
    split,
    { task, classes },
    settings.retraining.minimumLabelledRows,
  );
  const comparable = rows
    .slice(split.gate.start)
    .filter(row => row.version === championVersion).length;
  const refusals = [...verdict.refusals];
  if (comparable < fewestGateRows) {
    refusals.push(
      `gate rows: ${comparable} of the newest ${split.gate.end - split.gate.start} were predicted by the champion, version ${championVersion}; at least ${fewestGateRows} are needed to compare with it`,
    );
  }
  if (refusals.length > 0) return refused(refusals);

  const id = datasetHash(rows);
  const checksum = await fileChecksum(incoming);
  const file = join(modelFolder, 'datasets', id, 'rows.parquet');
  await mkdir(dirname(file), { recursive: true });
  await rename(incoming, file);
  await syncFolder(dirname(file));
  const { notes, features } = verdict;
  const uri = pathToFileURL(file).href;
  return {
    snapshot: {
      id,
      file,
      uri,
      checksum,
      rows,
      split,
      task,
      classes,
      labelsAreNumbers: numeric,
      features,
      notes,
    },
  };
}

function refused(refusals: string[]): SnapshotResult {
  return { snapshot: null, refusals };
}

async function fileChecksum(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
