import { deterministicId } from '../../shared/deterministicId.ts';
import { classNames } from '../../shared/output/comparedOutput.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import {
  type ReferenceProfiles,
  referenceProfiles,
} from '../../shared/profile/referenceProfiles.ts';
import type { RunResult } from '../artifacts/runResult.ts';
import { type GateDecision, judgeChallenger } from '../gates/gates.ts';
import type { RowOutput } from '../trainer/trainerContract.ts';
import type { RunStart, Training } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';
import type { Candidate } from './trainCandidate.ts';

/**
 * Compares a candidate with the champion on the gate rows.
 * @returns the result of the run, which names the candidate `version`
 */
export function judgeCandidate(
  run: RunStart,
  snapshot: Snapshot,
  training: Training,
  candidate: Candidate,
  version: string,
): RunResult {
  const { cause, championVersion, settings } = run;
  const reference = trainingReference(snapshot, candidate, settings.windowSizeMs);
  const { status, reasons, metrics } = passGates(run, snapshot, candidate);
  return {
    reference,
    version: {
      id: deterministicId('model-version', cause.model, version, status),
      model: cause.model,
      version,
      status,
      reasons: [...reasons, ...snapshot.notes],
      metrics,
      championVersion,
      runId: run.runId,
      causeType: cause.type,
      causeId: cause.id,
      datasetId: training.datasetId,
      codeVersion: training.trainer,
      artifactUri: candidate.artifactUri,
      artifactChecksum: candidate.artifactChecksum,
      referenceId: reference.id,
      time: Date.now(),
    },
  };
}

/** Returns the profiles of the training rows, with what the candidate itself answers to them. */
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

/**
 * Passes the gates with the rows that the champion predicted. Others cannot be compared, and neither
 * can those of which it predicted none of the classes.
 */
function passGates(
  { championVersion, settings }: RunStart,
  { rows, split, meaning }: Snapshot,
  { outputs }: Candidate,
): GateDecision {
  const named = namedOutput(meaning);
  const gateRows = rows.slice(split.gate.start, split.gate.end).flatMap((row, index) => {
    const challenger = named(outputs.get(split.gate.start + index)!);
    return row.version === championVersion && row.prediction !== ''
      ? [{ truth: row, champion: row, challenger }]
      : [];
  });
  return judgeChallenger(meaning.task, gateRows, settings.segments);
}

/** Returns what names the classes of a challenger's answer as those of the labels are named. */
function namedOutput(meaning: OutputMeaning): (output: RowOutput) => RowOutput {
  if (meaning.task === 'regression') return output => output;
  const nameOf = classNames(meaning, meaning.openLabels);
  const named = (text: string) => nameOf(text) ?? text;
  return output => ({
    ...output,
    prediction: named(output.prediction),
    probabilities:
      output.probabilities &&
      Object.fromEntries(
        Object.entries(output.probabilities).map(([name, value]) => [named(name), value]),
      ),
  });
}
