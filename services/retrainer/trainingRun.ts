import type { Logger } from 'pino';
import type { ModelVersion } from '../shared/contracts.ts';
import { deterministicId } from '../shared/deterministicId.ts';
import { type ReferenceProfiles, referenceProfiles } from '../shared/profile/referenceProfiles.ts';
import type { ModelSettings } from '../shared/settings.ts';
import { type GateVerdict, judgeChallenger } from './gates.ts';
import { modelFolder } from './modelFolder.ts';
import { type Cause, type Decision, type ModelHistory, runId } from './retrainer.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import type { RetrainerStore, RunStatus, TrainingRun } from './store.ts';
import { type Candidate, trainCandidate } from './trainCandidate.ts';
import { trainerCodeVersion } from './trainerCodeVersion.ts';
import { TrainerFailure } from './trainerContract.ts';
import { nextVersionName } from './versionName.ts';

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
  const log = context.log.child({ model: cause.model, run: id, cause: `${cause.type} ${cause.id}` });
  const earlier = await store.runState(cause.model, id);
  if (earlier !== null && earlier.status !== 'started' && earlier.status !== 'skipped') return null;
  const history = await store.history(cause.model);
  const run: TrainingRun = {
    id,
    revision: (earlier?.revision ?? 0) + 1,
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
  const ending =
    (await endingOfCutOffRun(run, context)) ?? (await startAndEnd(run, settings, decide(history), { ...context, log }));
  await store.insertRun({ ...run, ...ending, revision: run.revision + 1, finishedAtMs: Date.now() });
  log.info({ status: ending.status, version: run.candidateVersion, reasons: ending.reasons }, 'training run ended');
  return ending.status;
}

/** A run that was cut off after its verdict had been written: the verdict stands, and is published (again). */
async function endingOfCutOffRun(run: TrainingRun, { store, publish }: TrainingRunContext): Promise<Ending | null> {
  const version = await store.versionOfRun(run.cause.model, run.id);
  if (!version || version.status === 'candidate') return null;
  await publish({ ...version, ...causeFields(run) });
  run.datasetId = version.datasetId;
  run.championVersion = version.championVersion ?? '';
  run.candidateVersion = version.version;
  run.trainer = version.codeVersion;
  run.seed = seedOf(version.datasetId);
  return { status: version.status, reasons: version.reasons, metrics: version.metrics };
}

async function startAndEnd(
  run: TrainingRun,
  settings: ModelSettings,
  decision: Decision,
  context: TrainingRunContext,
): Promise<Ending> {
  if (!decision.train) return { status: 'skipped', reasons: [decision.reason] };
  if (run.championVersion === '') return { status: 'skipped', reasons: ['no predictions of this model are known'] };
  await context.store.insertRun(run);
  context.log.info('training run started');
  try {
    return await train(run, settings, context);
  } catch (error) {
    const reason = failureReason(error);
    if (reason === null) throw error;
    return { status: 'failed', reasons: [reason.slice(0, longestReasonCharacters)] };
  }
}

/** Validate and freeze the data, train, publish the candidate, judge it, publish the verdict. Fills in `run` on the way. */
async function train(run: TrainingRun, settings: ModelSettings, context: TrainingRunContext): Promise<Ending> {
  const { store, signal } = context;
  const { model } = run.cause;
  const folder = modelFolder(context.artifactsFolder, model);
  const result = await takeSnapshot(store, {
    model,
    championVersion: run.championVersion,
    settings,
    modelFolder: folder,
  });
  if (!result.snapshot) return { status: 'skipped', reasons: result.refusals };
  const { snapshot } = result;
  run.datasetId = snapshot.id;
  run.seed = seedOf(snapshot.id);
  run.trainer = trainerCodeVersion(settings.retraining.command);
  const version = nextVersionName(run.championVersion, await store.takenVersions(model, run.id));
  await store.insertDataset(datasetRecord(model, snapshot));

  const candidate = await trainCandidate(snapshot, {
    model,
    version,
    runId: run.id,
    seed: run.seed,
    settings,
    modelFolder: folder,
    signal,
  });
  run.candidateVersion = version;
  const reference = trainingReference(snapshot, candidate, settings.window);
  await context.publishReference(reference, model, version);
  await announce(run, { version, status: 'candidate', reasons: [], metrics: {} }, candidate, reference.id, context);

  const verdict = judge(snapshot, candidate, run.championVersion, settings.segments);
  const reasons = [...verdict.reasons, ...snapshot.notes];
  await announce(run, { version, ...verdict, reasons }, candidate, reference.id, context);
  return { ...verdict, reasons };
}

/** The profile of the training rows, with what the candidate itself answers to them. */
function trainingReference({ rows, split }: Snapshot, { outputs }: Candidate, windowSizeMs: number): ReferenceProfiles {
  const records = rows.slice(0, split.train.end).map(({ eventTimeMs, features }, row) => {
    const output = outputs.get(row);
    return {
      eventTimeMs,
      features,
      ...(output && { prediction: output.predictionValue ?? output.prediction, score: output.score }),
    };
  });
  return referenceProfiles(records, windowSizeMs);
}

function datasetRecord(model: string, { id, rows, split, features, task, uri, checksum }: Snapshot) {
  const [fromMs, toMs] = [rows[0]!.eventTimeMs, rows.at(-1)!.eventTimeMs];
  return { id, model, split, fromMs, toMs, features: features.map(feature => feature.name), task, uri, checksum };
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

/** The row first, then the event: whoever hears of a version can read about it. */
async function announce(
  run: TrainingRun,
  state: Pick<ModelVersion, 'version' | 'status' | 'reasons' | 'metrics'>,
  { artifactUri, artifactChecksum }: Candidate,
  referenceId: string,
  { store, publish }: TrainingRunContext,
): Promise<void> {
  const version: ModelVersion = {
    ...state,
    ...causeFields(run),
    id: deterministicId('model-version', run.cause.model, state.version, state.status),
    model: run.cause.model,
    championVersion: run.championVersion,
    runId: run.id,
    datasetId: run.datasetId,
    codeVersion: run.trainer,
    artifactUri,
    artifactChecksum,
    referenceId,
    time: Date.now(),
  };
  await store.insertVersion(version);
  await publish(version);
}

function causeFields({ cause }: TrainingRun): Pick<ModelVersion, 'causeType' | 'causeId'> {
  return { causeType: cause.type, causeId: cause.id };
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
