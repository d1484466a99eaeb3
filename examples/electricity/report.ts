import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { QuarterScore } from './scorerLine.ts';
import { curlCommand, rowsOf, statements } from './statements.ts';
import { percent, type QuarterAccuracy, type StoryEntry } from './story.ts';

/** Everything that a run has printed, as data: the content of the file of --report. */
export interface Report {
  /** True if every part of the story happened. */
  complete: boolean;
  /** One line per part of the story that did not happen. */
  missing: string[];
  /** Start of the run by the wall clock, in ISO 8601. */
  startedAt: string;
  durationSeconds: number;
  story: StoryEntry[];
  quarters: QuarterAccuracy[];
  overall: Omit<QuarterAccuracy, 'quarter'>;
  counts: LoopCounts;
  /** Queries to try while the stack is up, each with the number of rows of its answer. */
  statements: { question: string; sql: string; command: string; rows: number }[];
}

/** Numbers from ClickHouse at the end. */
export interface LoopCounts {
  /** Predictions in the profiles of windows. */
  predictions: number;
  windows: number;
  /** Windows that the detector has judged or taken for the reference. */
  evaluatedWindows: number;
  /** Predictions that have a label. */
  outcomes: number;
  /** Outcomes whose prediction was right. */
  rightOutcomes: number;
  deadLetters: number;
  driftEvents: number;
  trainingRuns: { approved: number; rejected: number; skipped: number; failed: number };
  /**
   * Approved versions that the view lineage connects with a drift event, data, an artifact and a
   * reference.
   */
  approvedWithLineage: number;
}

export interface StoryEnd {
  clickhouse: Clickhouse;
  clickhouseUrl: string;
  database: string;
  model: string;
  startedAtMs: number;
  story: StoryEntry[];
  scores: QuarterScore[];
}

export async function makeReport(end: StoryEnd): Promise<Report> {
  const { clickhouse, clickhouseUrl, database, model, startedAtMs, story, scores } = end;
  const total = scores.reduce((sum, score) => ({
    quarter: '',
    predictions: sum.predictions + score.predictions,
    rightWithLoop: sum.rightWithLoop + score.rightWithLoop,
    rightAlone: sum.rightAlone + score.rightAlone,
  }));
  const { quarter: _, ...overall } = accuracyOf(total);
  const counts = await countLoop(clickhouse, model);
  const asked = await Promise.all(
    statements.map(async ({ question, sql }) => ({
      question,
      sql,
      command: curlCommand(clickhouseUrl, database, sql),
      rows: await rowsOf(clickhouseUrl, database, sql),
    })),
  );
  const missing = [
    ...missingParts(counts, total, story),
    ...asked.filter(({ rows }) => rows === 0).map(noRows),
  ];
  return {
    complete: missing.length === 0,
    missing,
    startedAt: new Date(startedAtMs).toISOString(),
    durationSeconds: Math.round((Date.now() - startedAtMs) / 1000),
    story,
    quarters: scores.map(accuracyOf),
    overall,
    counts,
    statements: asked,
  };
}

export function accuracyOf({
  quarter,
  predictions,
  rightWithLoop,
  rightAlone,
}: QuarterScore): QuarterAccuracy {
  return {
    quarter,
    predictions,
    accuracyWithLoop: rightWithLoop / predictions,
    accuracyAlone: rightAlone / predictions,
  };
}

async function countLoop(clickhouse: Clickhouse, model: string): Promise<LoopCounts> {
  const [row] = await clickhouse.select<LoopCounts>(
    `WITH {model:String} AS own
     SELECT
       (SELECT sum(records) FROM window_counts WHERE model = own AND segment = '') AS predictions,
       (SELECT count() FROM window_counts WHERE model = own AND segment = '') AS windows,
       (SELECT count() FROM evaluated_windows FINAL
        WHERE model = own AND segment = '') AS evaluatedWindows,
       (SELECT count() FROM outcomes FINAL WHERE model = own) AS outcomes,
       (SELECT countIf(prediction = label) FROM outcomes FINAL WHERE model = own) AS rightOutcomes,
       (SELECT count() FROM dead_letters FINAL) AS deadLetters,
       (SELECT count() FROM drift_events FINAL
        WHERE model = own AND status != 'withdrawn') AS driftEvents,
       (SELECT map('approved', countIf(status = 'approved'), 'rejected', countIf(status = 'rejected'),
                   'skipped', countIf(status = 'skipped'), 'failed', countIf(status = 'failed'))
        FROM training_runs FINAL WHERE model = own) AS trainingRuns,
       (SELECT count() FROM lineage
        WHERE model = own AND version_status = 'approved' AND drift_cause != ''
          AND dataset_rows > 0 AND artifact_checksum != ''
          AND reference_id IN (SELECT reference_id FROM reference_profiles)) AS approvedWithLineage`,
    { model },
  );
  return row!;
}

/** Returns one line for each part of the story that did not happen. */
function missingParts(
  counts: LoopCounts,
  total: QuarterScore,
  story: readonly StoryEntry[],
): string[] {
  const { predictions, rightWithLoop, rightAlone } = total;
  const parts: [happened: boolean, otherwise: string][] = [
    [story.some(entry => entry.kind === 'discovered'), 'the model was not discovered'],
    [
      counts.predictions === predictions,
      `${counts.predictions} of ${predictions} predictions are in windows`,
    ],
    [counts.evaluatedWindows > 0, 'no window was judged'],
    [
      counts.outcomes === predictions && counts.rightOutcomes === rightWithLoop,
      `Driftloop has ${counts.outcomes} outcomes, ${counts.rightOutcomes} of them right; the scorer had ${predictions} and ${rightWithLoop}`,
    ],
    [counts.deadLetters === 0, `${counts.deadLetters} records went to dead-letters`],
    [counts.driftEvents > 0, 'no drift was found'],
    [
      counts.trainingRuns.approved + counts.trainingRuns.rejected > 0,
      'no training ended with a verdict',
    ],
    [
      counts.approvedWithLineage > 0,
      'no approved version leads back to its drift event, data and artifact',
    ],
    [
      story.some(entry => entry.kind === 'switched'),
      'the scorer never switched to another version',
    ],
    [
      rightWithLoop > rightAlone,
      `accuracy with the loop (${percent(rightWithLoop / predictions)}) is not above that of version 1 alone (${percent(rightAlone / predictions)})`,
    ],
  ];
  return parts.filter(([happened]) => !happened).map(([, otherwise]) => otherwise);
}

function noRows({ question }: { question: string }): string {
  return `the statement for "${question}" returned no row`;
}
