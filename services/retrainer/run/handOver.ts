import type { RunOfModel } from '../artifacts/runOfModel.ts';
import type { TrainRows } from '../dataset/trainRows.ts';
import { type TrainingRequest, trainingRequest } from '../external/trainingRequest.ts';
import type { TrainingTask } from '../trainer/trainerContract.ts';
import type { RunOutcome, RunStart, Training } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';
import { choicesOfRows, trainingTask } from './trainCandidate.ts';

/**
 * What is kept of a run that a platform outside trains: the request, and what is needed to judge
 * the result.
 */
export interface Handover {
  request: TrainingRequest;
  run: Pick<
    RunStart,
    'cause' | 'championVersion' | 'change' | 'rowsSinceChange' | 'marginUsed' | 'startedAtMs'
  >;
  /** The rows are in the store. */
  snapshot: Omit<Snapshot, 'rows' | 'file'>;
  training: Training;
  choice: TrainRows;
  task: TrainingTask;
}

type RunOfStore = Pick<RunOfModel, 'artifacts' | 'runId'>;

const folderOf = (runId: string) => `external/${runId}`;
const handoverFile = (runId: string) => `${folderOf(runId)}/handover.json`;

/** The folder in the store where a platform puts the result of a run. */
export function outputPath(runId: string): string {
  return `${folderOf(runId)}/output`;
}

/** Reads what is kept of a run that was handed over, or returns null if it was not. */
export async function readHandover({ artifacts, runId }: RunOfStore): Promise<Handover | null> {
  const content = await artifacts.read(handoverFile(runId));
  return content && JSON.parse(content.toString('utf8'));
}

/** Returns how a run goes on whose training was, or is being, handed over. */
export function waitsFor({ training, request }: Handover): RunOutcome {
  return { kind: 'waits', training, deadlineMs: Date.parse(request.data.deadline) };
}

/**
 * Keeps the request for a training outside, before it is sent. A run has one request, even if it was
 * cut off or is in the hands of two processes: the first one that is kept.
 */
export async function handOver(
  run: RunStart,
  snapshot: Snapshot,
  training: Training,
): Promise<RunOutcome> {
  const { artifacts, runId, settings, championVersion, startedAtMs } = run;
  const { change, rowsSinceChange, marginUsed, cause } = run;
  const { model } = cause;
  const { seed } = training;
  const { rows: wanted, timeoutMs } = settings.retraining;
  const [choice] = choicesOfRows(snapshot, wanted, { drawsRows: false, seed });
  const { rows: _, file: __, ...frozen } = snapshot;
  const outputUri = artifacts.uri(outputPath(runId));
  const { costs } = settings.output;
  const task = trainingTask(snapshot, choice!, { model, seed, outputFolder: outputUri, costs });
  const taskFile = `${folderOf(runId)}/task-${snapshot.id.slice(0, 16)}.json`;
  await artifacts.create(taskFile, `${JSON.stringify(task, null, 2)}\n`);
  const request = trainingRequest(
    {
      ...{ runId, model, championVersion, seed },
      datasetUri: snapshot.uri,
      datasetChecksum: snapshot.checksum,
      taskUri: artifacts.uri(taskFile),
      outputUri,
      deadline: new Date(Date.now() + timeoutMs).toISOString(),
    },
    startedAtMs,
  );
  const facts = { cause, championVersion, change, rowsSinceChange, marginUsed, startedAtMs };
  const handover: Handover = {
    ...{ request, run: facts, snapshot: frozen, training },
    ...{ choice: choice!, task },
  };
  await artifacts.create(handoverFile(runId), JSON.stringify(handover));
  return waitsFor((await readHandover(run))!);
}
