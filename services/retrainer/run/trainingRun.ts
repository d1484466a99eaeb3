import type { Logger } from 'pino';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { ModelVersion } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import {
  type ReferenceProfiles,
  referenceProfiles,
} from '../../shared/profile/referenceProfiles.ts';
import { removeAttempts, TakenOver, withAttemptFolder } from '../artifacts/attemptFolder.ts';
import { claimVersionName } from '../artifacts/claimVersionName.ts';
import { modelFolder as folderOfModel } from '../artifacts/modelFolder.ts';
import { type JudgedVersion, type RunResult, readResult } from '../artifacts/runResult.ts';
import { type Cause, type Decision, type ModelHistory, runId } from '../causes/retrainer.ts';
import { type GateVerdict, judgeChallenger } from '../gates/gates.ts';
import type { RetrainerStore, RunStatus, TrainingRun } from '../store/store.ts';
import { trainerCodeVersion } from '../trainer/trainerCodeVersion.ts';
import { TrainerFailure } from '../trainer/trainerContract.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { type Candidate, trainCandidate } from './trainCandidate.ts';

export interface TrainingRunContext {
  store: RetrainerStore;
  /** DRIFTLOOP_ARTIFACTS */
  artifactsFolder: string;
  publish(version: ModelVersion): Promise<void>;
  publishReference(reference: ReferenceProfiles, model: string, version: string): Promise<void>;
  log: Logger;
  /** Stops a training; the run is done again from its start by whoever gets the cause next. */
  signal: AbortSignal;
}

type Ending = Pick<TrainingRun, 'reasons'> &
  Partial<Pick<TrainingRun, 'metrics'>> & { status: Exclude<RunStatus, 'started'> };

const longestReasonCharacters = 2_000;
/** What a full, broken or forbidden file system answers: the run fails, the service goes on. */
const fileSystemErrors = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ENAMETOOLONG',
  'EMFILE',
]);

/**
 * Answers a cause with at most one training: a run that has come to an end is not repeated, one that was cut off is done again, and
 * one that was skipped may be taken up when the cause comes again, as a drift that goes on does with each revision.
 * @returns how the run ended now, or null when it had ended before
 */
export async function answerCause(
  cause: Cause,
  settings: ModelSettings,
  decide: (history: ModelHistory) => Decision,
  context: TrainingRunContext,
): Promise<RunStatus | null> {
  const { store, signal } = context;
  signal.throwIfAborted();
  const id = runId(cause);
  const log = context.log.child({
    model: cause.model,
    run: id,
    cause: `${cause.type} ${cause.id}`,
  });
  const earlier = await store.runState(cause.model, id);
  if (hasEnded(earlier)) {
    // Whoever ended it may have been killed before it had cleaned up.
    await removeAttempts({
      modelFolder: folderOfModel(context.artifactsFolder, cause.model),
      runId: id,
    });
    return null;
  }
  const history = await store.history(cause.model);
  const run: TrainingRun = {
    id,
    revision: nextRevision(earlier),
    cause,
    status: 'started',
    reasons: [],
    datasetId: '',
    championVersion: history.championVersion ?? '',
    candidateVersion: '',
    metrics: {},
    trainer: '',
    seed: 0,
    startedAtMs: Date.now(),
    finishedAtMs: null,
  };
  const ending = await endingOf(run, settings, decide(history), { ...context, log });
  const meanwhile = await store.runState(cause.model, id);
  // Another process had the same cause in hand and was faster. A result is the same for both, other endings give way.
  if (ending === null || (!isResult(ending) && hasEnded(meanwhile))) return null;
  await store.insertRun({
    ...run,
    ...ending,
    revision: nextRevision(meanwhile),
    finishedAtMs: Date.now(),
  });
  log.info(
    { status: ending.status, version: run.candidateVersion, reasons: ending.reasons },
    'training run ended',
  );
  return ending.status;
}

type RunState = Pick<TrainingRun, 'status' | 'revision'> | null;

function isResult({ status }: Ending): boolean {
  return status === 'approved' || status === 'rejected';
}

function hasEnded(state: RunState): boolean {
  return state !== null && state.status !== 'started' && state.status !== 'skipped';
}

function nextRevision(state: RunState): number {
  return (state?.revision ?? 0) + 1;
}

/** Null when another process says how the run ends. */
async function endingOf(
  run: TrainingRun,
  settings: ModelSettings,
  decision: Decision,
  context: TrainingRunContext,
): Promise<Ending | null> {
  const folder = folderOfModel(context.artifactsFolder, run.cause.model);
  try {
    // A run that was cut off after it had come to its result: that is published (again).
    const result = await readResult(folder, run.id);
    if (result) {
      await removeAttempts({ modelFolder: folder, runId: run.id });
      return await publishResult(run, result, context);
    }
    if (!decision.train) return { status: 'skipped', reasons: [decision.reason] };
    if (run.championVersion === '')
      return { status: 'skipped', reasons: ['no predictions of this model are known'] };
    await context.store.insertRun(run);
    context.log.info('training run started');
    return await withAttemptFolder({ modelFolder: folder, runId: run.id }, attempt =>
      train(run, settings, { modelFolder: folder, attempt }, context),
    );
  } catch (error) {
    if (error instanceof TakenOver) {
      context.log.warn(error.message);
      return null;
    }
    const reason = failureReason(error);
    if (reason === null) throw error;
    return { status: 'failed', reasons: [reason.slice(0, longestReasonCharacters)] };
  }
}

/** Validate and freeze the data, train, judge the candidate, keep the result, publish it. Fills in `run` on the way. */
async function train(
  run: TrainingRun,
  settings: ModelSettings,
  { modelFolder, attempt }: { modelFolder: string; attempt: string },
  context: TrainingRunContext,
): Promise<Ending> {
  const { store, signal } = context;
  const { model } = run.cause;
  const championVersion = run.championVersion;
  const taken = await takeSnapshot(store, {
    model,
    championVersion,
    settings,
    modelFolder,
    attempt,
  });
  if (!taken.snapshot) return { status: 'skipped', reasons: taken.refusals };
  const { snapshot } = taken;
  run.datasetId = snapshot.id;
  run.seed = seedOf(snapshot.id);
  run.trainer = trainerCodeVersion(settings.retraining.command);
  await store.insertDataset(datasetRecord(model, snapshot));

  const result = await trainCandidate(
    snapshot,
    { model, runId: run.id, seed: run.seed, settings, modelFolder, folder: attempt, signal },
    async candidate => {
      const version = await claimVersionName(
        championVersion,
        await store.takenVersions(model, run.id),
        {
          modelFolder,
          runId: run.id,
        },
      );
      const reference = trainingReference(snapshot, candidate, settings.windowSizeMs);
      const verdict = judge(snapshot, candidate, championVersion, settings.segments);
      const reasons = [...verdict.reasons, ...snapshot.notes];
      return {
        reference,
        version: modelVersion(run, { version, ...verdict, reasons }, candidate, reference.id),
      };
    },
  );
  return publishResult(run, result, context);
}

/** The profile of the training rows, with what the candidate itself answers to them. */
function trainingReference(
  { rows, split }: Snapshot,
  { outputs }: Candidate,
  windowSizeMs: number,
): ReferenceProfiles {
  const records = rows.slice(0, split.train.end).map(({ eventTimeMs, features }, row) => {
    const output = outputs.get(row);
    return {
      eventTimeMs,
      features,
      ...(output && {
        prediction: output.predictionValue ?? output.prediction,
        score: output.score,
      }),
    };
  });
  return referenceProfiles(records, windowSizeMs);
}

function datasetRecord(
  model: string,
  { id, rows, split, features, task, uri, checksum }: Snapshot,
) {
  const [fromMs, toMs] = [rows[0]!.eventTimeMs, rows.at(-1)!.eventTimeMs];
  return {
    id,
    model,
    split,
    fromMs,
    toMs,
    features: features.map(feature => feature.name),
    task,
    uri,
    checksum,
  };
}

function judge(
  { rows, split, task }: Snapshot,
  { outputs }: Candidate,
  championVersion: string,
  segments: string[],
): GateVerdict {
  const gateRows = rows.slice(split.gate.start, split.gate.end).flatMap((row, index) => {
    const challenger = outputs.get(split.gate.start + index)!;
    return row.version === championVersion ? [{ truth: row, champion: row, challenger }] : [];
  });
  return judgeChallenger(task, gateRows, segments);
}

function modelVersion(
  run: TrainingRun,
  verdict: Pick<JudgedVersion, 'version' | 'status' | 'reasons' | 'metrics'>,
  { artifactUri, artifactChecksum }: Candidate,
  referenceId: string,
): JudgedVersion {
  const { cause, championVersion, datasetId } = run;
  return {
    ...verdict,
    id: deterministicId('model-version', cause.model, verdict.version, verdict.status),
    model: cause.model,
    championVersion,
    runId: run.id,
    causeType: cause.type,
    causeId: cause.id,
    datasetId,
    codeVersion: run.trainer,
    artifactUri,
    artifactChecksum,
    referenceId,
    time: Date.now(),
  };
}

/**
 * Publishes the reference, the candidate and its verdict; once more, when a process that was cut off or is as far had done so. The rows
 * first, then the event: whoever hears of a version can read about it.
 */
async function publishResult(
  run: TrainingRun,
  { version, reference }: RunResult,
  { store, publish, publishReference }: TrainingRunContext,
): Promise<Ending> {
  const { model, status, reasons, metrics } = version;
  await publishReference(reference, model, version.version);
  const candidate: ModelVersion = {
    ...version,
    id: deterministicId('model-version', model, version.version, 'candidate'),
    status: 'candidate',
    reasons: [],
    metrics: {},
  };
  for (const state of [candidate, version]) {
    await store.insertVersion(state);
    await publish(state);
  }
  run.datasetId = version.datasetId;
  run.championVersion = version.championVersion ?? '';
  run.candidateVersion = version.version;
  run.trainer = version.codeVersion;
  run.seed = seedOf(version.datasetId);
  return { status, reasons, metrics };
}

/** The same data give the same model. 28 bits, as TensorFlow.js takes 32-bit integers. */
function seedOf(datasetId: string): number {
  return Number.parseInt(datasetId.slice(0, 7), 16);
}

/** The reason to publish, or null when the error is none of the training's. */
function failureReason(error: unknown): string | null {
  if (error instanceof TrainerFailure) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  return code !== undefined && fileSystemErrors.has(code) ? `artifacts: ${message}` : null;
}
