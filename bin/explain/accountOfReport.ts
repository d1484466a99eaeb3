import { readFileSync } from 'node:fs';
import { families } from '../../services/detector/families/families.ts';
import {
  type EventAccount,
  type FamilyAccount,
  nearness,
  type TestAccount,
  type WindowAccount,
} from '../../services/detector/fold/windowAccount.ts';
import type { ExplainedWindow } from '../../services/detector/judging/explainWindow.ts';
import { UserError } from '../../services/shared/userError.ts';

/** What `explain` reads of the report of a replay (schemas/replay-report.schema.json). */
export interface ReplayReport {
  models: ReportedVersion[];
  driftEvents: (Omit<EventAccount, 'windowStart' | keyof EndAccount> &
    Partial<EndAccount> &
    Pick<ExplainedWindow, 'model' | 'version' | 'segment'> & {
      windowStart: string;
      evidenceWindowStart: string | null;
    })[];
}

/** How an event ended. It is absent in reports from before events said so. */
interface EndAccount extends Pick<EventAccount, 'endReason' | 'endedBy' | 'standing'> {
  persistingSince: string | null;
}

interface ReportedVersion {
  model: string;
  version: string;
  windowSizeMs: number;
  windows: { start: string; count: number; status: WindowAccount['status'] | null }[];
  /** Absent in reports from before features had kinds. */
  features?: WindowAccount['features'];
  driftMetrics: ReportedMetric[];
}

type ReportedMetric = Omit<TestAccount, 'changed' | 'nearness' | 'feature' | 'pValue' | 'level'> & {
  segment: string;
  start: string;
  family?: string;
  feature: string | null;
  pValue: number | null;
  level: number | null;
  reason: string;
};

/** Reads the report of a replay. @throws UserError when the file is no such report */
export function readReport(path: string): ReplayReport {
  let report: Partial<ReplayReport>;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`--report ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(report?.models) || !Array.isArray(report?.driftEvents))
    throw new UserError(`--report ${path}: expected the report of "driftloop replay"`);
  const [metric] = report.models.flatMap(({ driftMetrics }) => driftMetrics.slice(0, 1));
  if (metric && metric.family === undefined)
    throw new UserError(
      `--report ${path}: this report was written by version 0.1, which did not keep the results of tests; run the replay again`,
    );
  return report as ReplayReport;
}

/**
 * Finds the window in which a drift event of a report was decided.
 * @throws UserError when the report has no such event
 */
export function requestOfEvent(report: ReplayReport, id: string): ExplainedWindow {
  const event = report.driftEvents.find(one => one.id === id);
  if (!event) {
    const known = report.driftEvents.map(one => one.id);
    throw new UserError(
      `The report has no drift event ${id}; it has ${known.length === 0 ? 'none' : known.join(', ')}.`,
    );
  }
  const { model, version, segment, windowStart, evidenceWindowStart } = event;
  return { model, version, segment, timeMs: Date.parse(evidenceWindowStart ?? windowStart) };
}

/**
 * Accounts for a window from the rows of a report. The report has one row for each metric, at the
 * scale that decided or came nearest, and does not say what the reference was made of.
 *
 * @throws UserError when the report does not have the version or the window
 */
export function accountOfReport(report: ReplayReport, request: ExplainedWindow): WindowAccount {
  const { model, version, segment, timeMs } = request;
  const found = report.models.find(one => one.model === model && one.version === version);
  if (!found) {
    const known = report.models.map(one => `${one.model} ${one.version}`).join(', ');
    throw new UserError(`The report has no version ${model} ${version}; it has ${known}.`);
  }
  const startMs = Math.floor(timeMs / found.windowSizeMs) * found.windowSizeMs;
  const isOfWindow = ({ start }: { start: string }) => Date.parse(start) === startMs;
  const window = found.windows.find(isOfWindow);
  if (!window)
    throw new UserError(
      `The report has no window of ${model} ${version} at ${new Date(startMs).toISOString()}.`,
    );
  const rows = found.driftMetrics.filter(row => row.segment === segment && isOfWindow(row));
  return {
    model,
    version,
    segment,
    windowStartMs: startMs,
    windowEndMs: startMs + found.windowSizeMs,
    records: window.count,
    status: window.status ?? 'insufficient_data',
    untested: rows.length > 0 ? null : whyUntested(window.status),
    waiting: null,
    reference: null,
    event: eventAt(report, request, startMs),
    families: familiesOf(rows),
    features: found.features ?? [],
  };
}

function whyUntested(status: WindowAccount['status'] | null): string {
  if (status === 'reference') return 'The window became part of the first reference.';
  if (status === 'insufficient_data') return 'The window has too few records for a test.';
  return 'The window was not judged.';
}

/**
 * Returns the last drift event that began at the window or before it, and was decided by it or is
 * still open.
 */
function eventAt(
  { driftEvents }: ReplayReport,
  { model, version, segment }: ExplainedWindow,
  startMs: number,
): EventAccount | null {
  const event = driftEvents.findLast(
    one =>
      one.model === model &&
      one.version === version &&
      one.segment === segment &&
      Date.parse(one.windowStart) <= startMs &&
      Date.parse(one.evidenceWindowStart ?? one.windowStart) >= startMs,
  );
  if (!event) return null;
  const { id, status, cause, severity, feature, explanation } = event;
  const { endReason = null, endedBy = null, standing = null, persistingSince: since } = event;
  const windowStart = Date.parse(event.windowStart);
  const persistingSince = since ? Date.parse(since) : null;
  const ended = { persistingSince, endReason, endedBy, standing };
  return { id, status, cause, severity, feature, windowStart, explanation, ...ended };
}

function familiesOf(rows: readonly ReportedMetric[]): FamilyAccount[] {
  return families.flatMap(({ name, question }) => {
    const ofFamily = rows.filter(({ family }) => family === name);
    if (ofFamily.length === 0) return [];
    const tests = ofFamily.map(testAccount);
    const withheld = ofFamily.find(({ reason }) => reason !== '')?.reason ?? '';
    return [{ name, question, changed: tests.some(({ changed }) => changed), withheld, tests }];
  });
}

function testAccount(row: ReportedMetric): TestAccount {
  const { kind, metric, scale, value, referenceValue, threshold, records } = row;
  const { referenceRecords, cycle, overdispersion, noiseWeight } = row;
  const pValue = row.pValue ?? 1;
  const level = row.level ?? 0;
  return {
    kind,
    feature: row.feature ?? '',
    metric,
    scale,
    value,
    referenceValue,
    threshold,
    pValue,
    level,
    changed: threshold !== null && value >= threshold,
    nearness: nearness(Math.log(pValue), level),
    records,
    referenceRecords,
    cycle,
    overdispersion,
    noiseWeight,
  };
}
