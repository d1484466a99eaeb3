import { deterministicId } from '../../shared/deterministicId.ts';
import {
  type ReferenceProfiles,
  referenceProfiles,
} from '../../shared/profile/referenceProfiles.ts';
import type { RunResult } from '../artifacts/runResult.ts';
import { minRowsSinceChange } from '../dataset/dataSplit.ts';
import { type GateDecision, judgeChallenger, type Verdict } from '../gates/gates.ts';
import { comparedRows } from './comparedRows.ts';
import type { RunStart, Training } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';
import type { Candidate } from './trainCandidate.ts';

/** With so many rows since the change, a challenger is near what can be learned. */
const maxRowsOfReach = 8 * minRowsSinceChange;

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
  const { status, verdict, reasons, metrics } = passGates(run, snapshot, candidate);
  return {
    reference,
    version: {
      id: deterministicId('model-version', cause.model, version, status),
      model: cause.model,
      version,
      status,
      verdict,
      reasons: [...reasons, ...candidate.notes, ...snapshot.notes],
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
  { rows }: Snapshot,
  { outputs, trainRows: { range, drawn } }: Candidate,
  windowSizeMs: number,
): ReferenceProfiles {
  const isDrawn = drawn && new Set(drawn);
  const records = rows.slice(range.start, range.end).flatMap(({ eventTimeMs, features }, index) => {
    const row = range.start + index;
    if (isDrawn && !isDrawn.has(row)) return [];
    const output = outputs.get(row);
    const answer = output && {
      prediction: output.predictionValue ?? output.prediction,
      score: output.score,
    };
    return [{ eventTimeMs, features, ...answer }];
  });
  return referenceProfiles(records, windowSizeMs);
}

/** Passes the gates with the rows that can be compared, and says what their verdict means. */
function passGates(run: RunStart, snapshot: Snapshot, { outputs }: Candidate): GateDecision {
  const { rows, split, meaning } = snapshot;
  const gateRows = comparedRows(snapshot, split.gate, outputs, run.championVersion);
  const decision = judgeChallenger(meaning.task, gateRows, run.settings.segments, {
    past: rows.slice(0, split.gate.start),
    rule: run.cause.type === 'schedule' ? 'not-worse' : 'better',
    lossBeforeChange: lossToReach(run, snapshot),
    marginUsed: run.marginUsed,
    costs: run.settings.output.costs,
  });
  const [decisive, ...others] = decision.reasons;
  return { ...decision, reasons: [decisive!, meaningOf[decision.verdict], ...others] };
}

const meaningOf: Readonly<Record<Verdict, string>> = {
  promote: 'Verdict: promote.',
  reject: 'Verdict: reject.',
  inconclusive: 'Verdict: inconclusive. This is no approval; more labelled rows may decide.',
  not_evaluable:
    'Verdict: not evaluable. Nothing can be said of the challenger, so it is no approval.',
};

/**
 * Returns what the challenger has to come near, or null if there are so many rows since the change
 * that more of them will hardly teach more.
 */
function lossToReach({ change }: RunStart, { rows, changedAt }: Snapshot): number | null {
  const isEarly = rows.length - changedAt < maxRowsOfReach;
  return change !== null && isEarly ? change.lossBefore : null;
}
