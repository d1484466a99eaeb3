import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { OutgoingRecord } from '../../shared/kafka/kafka.ts';
import { withAttemptFolder } from '../artifacts/attemptFolder.ts';
import { withTrainingLog } from '../artifacts/trainingLog.ts';
import { readDataset } from '../dataset/dataset.ts';
import { fetchFiles } from '../external/fetchFiles.ts';
import { sendRequest } from '../external/sendRequest.ts';
import { platformName, platformOf } from '../external/trainingRequest.ts';
import { readTrainingResult, resultFile, type TrainedFiles } from '../external/trainingResult.ts';
import type { OutsideRun, RunStatus } from '../store/trainingRunTable.ts';
import { datasetFile, outputFolderName, taskFile } from '../trainer/trainerContract.ts';
import { judgeAndPublish } from './attemptRun.ts';
import { type Handover, outputPath, readHandover } from './handOver.ts';
import { keptTask } from './keptTask.ts';
import { endedRun, orFailed, type RunOutcome, type RunStart, startedRun } from './runOutcome.ts';
import { trainedCandidate } from './trainCandidate.ts';
import {
  publishedBefore,
  recordOutcome,
  runOfModel,
  type TrainingRunContext,
} from './trainingRun.ts';

/** The reason that is added to a run whose result came when it had ended. */
export const lateResult = 'A result came after the deadline, and was refused.';

/** Begins the reason of a run that has ended at its deadline. */
const noResult = 'The training outside has left no result before';

export interface OutsideRunContext extends TrainingRunContext {
  /** Writes a record for a platform to Kafka. */
  send(record: OutgoingRecord): Promise<void>;
}

/**
 * Looks after a run that a platform outside trains: sends the request as long as it is not accepted,
 * judges the result when it is there, and ends the run at its deadline. It does not wait, and can be
 * cut off at any moment, because everything is in the store and in the table.
 * @returns how the run has ended now, or null if it has not
 */
export async function answerOutsideRun(
  row: OutsideRun,
  settings: ModelSettings,
  context: OutsideRunContext,
): Promise<RunStatus | null> {
  const known = runOfModel(row.model, row.id, context);
  const log = context.log.child({ model: row.model, run: row.id });
  const handover = await readHandover(known);
  if (handover === null) {
    log.error({ folder: known.artifacts.uri('external') }, 'the request of a run is missing');
    return null;
  }
  const { deadlineMs, handedOverAtMs, revision } = row;
  const outside = { deadlineMs, ...(handedOverAtMs !== null && { handedOverAtMs }) };
  const run: RunStart = { ...known, ...handover.run, settings, revision: revision + 1, outside };
  if (row.status === 'failed') {
    await refuseLateResult(run, row, handover, context);
    return null;
  }
  const outcome = await outcomeOf(run, handover, { ...context, log });
  return outcome && recordOutcome(run, outcome, { ...context, log });
}

/** Returns how a run ends, or null if it goes on waiting. */
async function outcomeOf(
  run: RunStart,
  handover: Handover,
  context: OutsideRunContext,
): Promise<RunOutcome | null> {
  const before = await publishedBefore(run, context);
  if (before !== null) return before;
  const { training } = handover;
  const failed = (reason: string): RunOutcome => ({ kind: 'failed', reason, training });
  const result = await resultOf(run);
  if (result.kind === 'failed') return failed(result.reason);
  if (result.kind === 'trained') return judgeResult(run, handover, result.trained, context);
  const { deadlineMs, handedOverAtMs } = run.outside!;
  if (Date.now() < deadlineMs)
    return handedOverAtMs === undefined ? ask(run, handover, context) : null;
  const until = new Date(deadlineMs).toISOString();
  return failed(
    handedOverAtMs === undefined
      ? `${noResult} ${until} (retraining.timeout), because ${training.trainer} has not accepted the request.`
      : `${noResult} ${until} (retraining.timeout). ${result.found}`,
  );
}

async function resultOf({ artifacts, runId }: RunStart) {
  return readTrainingResult(await artifacts.read(`${outputPath(runId)}/${resultFile}`), runId);
}

/** Sends the request. @returns how the run ends if the platform refuses it, or null */
async function ask(
  run: RunStart,
  { request, training }: Handover,
  { store, log, send }: OutsideRunContext,
): Promise<RunOutcome | null> {
  const platform = platformOf(run.settings.retraining);
  if (platform === null) {
    log.warn('the settings name no platform any more; the run waits until its deadline');
    return null;
  }
  const acceptance = await sendRequest(request, platform, send);
  if (acceptance.kind === 'refused') return { kind: 'failed', reason: acceptance.reason, training };
  if (acceptance.kind === 'away') {
    log.warn({ reason: acceptance.reason }, 'a training cannot be handed over; trying again');
    return null;
  }
  const { deadlineMs } = run.outside!;
  const outside = { deadlineMs, handedOverAtMs: Date.now() };
  await store.runs.insert({ ...startedRun({ ...run, outside }), ...training });
  log.info({ platform: platformName(platform) }, 'training handed over');
  return null;
}

/** Judges what a platform has trained, as what a trainer on this machine has. */
async function judgeResult(
  run: RunStart,
  handover: Handover,
  { files, codeVersion }: TrainedFiles,
  context: OutsideRunContext,
): Promise<RunOutcome> {
  const { task } = handover;
  const { trainer } = handover.training;
  const training = {
    ...handover.training,
    trainer: codeVersion === undefined ? trainer : `${trainer}: ${codeVersion}`,
  };
  const failed = (reason: string): RunOutcome => ({ kind: 'failed', reason, training });
  const outcome = await withAttemptFolder(
    run,
    attempt =>
      orFailed(training, async () => {
        const { id, checksum } = handover.snapshot;
        const dataset = run.artifacts.below(`datasets/${id}`);
        const lost = await fetchFiles(dataset, { 'rows.parquet': checksum }, attempt);
        if (lost !== null) return failed(`The dataset is not the one that was frozen: ${lost}.`);
        const output = join(attempt, outputFolderName);
        const left = run.artifacts.below(outputPath(run.runId));
        const mistake = await fetchFiles(left, files, output);
        if (mistake !== null) return failed(`The result was refused: ${mistake}.`);
        const file = join(attempt, datasetFile);
        await rename(join(attempt, 'rows.parquet'), file);
        await writeFile(join(attempt, taskFile), keptTask(task));
        const snapshot = { ...handover.snapshot, file, rows: await readDataset(file) };
        const trained = await withTrainingLog(run, logFile =>
          trainedCandidate(run, snapshot, handover, {
            ...{ folder: attempt, logFile, signal: context.signal },
          }),
        );
        if (!trained.candidate) return failed(trained.failure);
        return judgeAndPublish(run, snapshot, training, trained.candidate, attempt, context);
      }),
    ({ kind }) => kind === 'failed',
  );
  return outcome ?? { kind: 'taken-over' };
}

async function refuseLateResult(
  run: RunStart,
  { reasons, finishedAtMs }: OutsideRun,
  { training }: Handover,
  { store, log }: OutsideRunContext,
): Promise<void> {
  const hasEndedWithout = reasons[0]?.startsWith(noResult);
  if (!hasEndedWithout || (await resultOf(run)).kind === 'none') return;
  log.warn({ model: run.cause.model, run: run.runId }, lateResult);
  const ended = endedRun(
    run,
    { kind: 'failed', reason: '', training },
    run.revision,
    finishedAtMs!,
  );
  await store.runs.insert({ ...ended, reasons: [...reasons, lateResult] });
}
