import type { JudgedStream } from '../judge/judgeStream.ts';
import type { Target, Track } from '../streams/tracks.ts';
import { meanScore } from './score.ts';
import { byClock, meansByMode, scoreCells } from './streamReport.ts';
import { wantedMeans } from './wantedTable.ts';

const daysOfMonth = 30;

/** Returns the result of a track beside its target, as a row of a table. */
export function trackRow(
  { name, target }: Track,
  streams: readonly JudgedStream[],
): Record<string, string | number> {
  const measured = measure(streams);
  const { f1Abrupt, f1Gradual, falsePerThousandRows, falsePerThousandWindows, falsePerModelMonth } =
    measured;
  const shown = (value: number | undefined, digits: number) =>
    value === undefined ? '-' : value.toFixed(digits);
  return {
    track: name,
    streams: streams.length,
    windows: Math.round(streams.reduce((sum, stream) => sum + windowsOf(stream), 0)),
    'F1 abrupt': shown(f1Abrupt, 3),
    gradual: shown(f1Gradual, 3),
    found: shown(measured.found, 3),
    'right causes': shown(measured.rightCauses, 3),
    'false alarms': measured.falseAlarms,
    'per 1000 rows': shown(falsePerThousandRows, 4),
    'per 1000 windows': shown(falsePerThousandWindows, 2),
    'per model and month': shown(falsePerModelMonth, 2),
    target: targetText(target),
    met: Object.keys(target).length === 0 ? '-' : isMet(target, measured) ? 'yes' : 'no',
  };
}

/** A track without drifts has no share of found ones, and one without a mode has no F1 of it. */
interface Measured
  extends Required<Omit<Target, 'f1Abrupt' | 'f1Gradual' | 'found' | 'rightCauses'>> {
  f1Abrupt?: number;
  f1Gradual?: number;
  found?: number;
  rightCauses?: number;
  falseAlarms: number;
}

function measure(streams: readonly JudgedStream[]): Measured {
  return streams.every(({ expectation }) => expectation !== null)
    ? measureWanted(streams)
    : measureByRule(streams);
}

/** Measures a track of which it is known what a person wants. */
function measureWanted(streams: readonly JudgedStream[]): Measured {
  const { found, rightCauses, falseAlarms, falsePerThousandWindows } = wantedMeans(streams);
  return {
    ...(found !== null && { found }),
    ...(rightCauses !== null && { rightCauses }),
    falseAlarms,
    falsePerThousandRows: falsePerThousandWindows / streams[0]!.windowRows,
    falsePerThousandWindows,
    falsePerModelMonth: falseAlarms / monthsOf(streams),
  };
}

function monthsOf(streams: readonly JudgedStream[]): number {
  return streams.reduce((sum, { daysMonitored }) => sum + daysMonitored, 0) / daysOfMonth;
}

/**
 * Measures a track by the published rule. F1 is the mean over the cells that have drifts; false
 * alarms are over all cells.
 */
function measureByRule(streams: readonly JudgedStream[]): Measured {
  const withDrifts = scoreCells(
    streams.filter(({ truth }) => truth.starts.length > 0),
    byClock,
  );
  const means = meansByMode(withDrifts);
  const cells = scoreCells(streams, byClock);
  const perRow = cells.reduce((sum, { score }) => sum + score.falseAlarms, 0) / cells.length;
  const falseAlarms = cells.reduce((sum, { score }) => sum + score.falsePositives, 0);
  return {
    ...(means.has('ABRUPT') && { f1Abrupt: means.get('ABRUPT')!.f1 }),
    ...(means.has('GRADUAL') && { f1Gradual: means.get('GRADUAL')!.f1 }),
    ...(withDrifts.length > 0 && {
      found: meanScore(withDrifts.map(({ score }) => score)).episodeRecall,
    }),
    falseAlarms,
    falsePerThousandRows: perRow,
    falsePerThousandWindows: perRow * streams[0]!.windowRows,
    falsePerModelMonth: falseAlarms / monthsOf(streams),
  };
}

function windowsOf({ truth: { rows, monitoredFrom }, windowRows }: JudgedStream): number {
  return (rows - monitoredFrom) / windowRows;
}

function targetText({ f1Abrupt, f1Gradual, found, rightCauses, ...limits }: Target): string {
  const f1 = [f1Abrupt, f1Gradual].filter(value => value !== undefined).join(' / ');
  const names: Record<string, string> = {
    falsePerThousandRows: '/1000 rows',
    falsePerThousandWindows: '/1000 windows',
    falsePerModelMonth: '/model and month',
  };
  const alarms = Object.entries(limits).map(
    ([name, value]) => `≤ ${Number(value.toPrecision(3))} ${names[name]}`,
  );
  return (
    [
      ...(f1 ? [`F1 ≥ ${f1}`] : []),
      ...(found === undefined ? [] : [`found ≥ ${found}`]),
      ...(rightCauses === undefined ? [] : [`right causes ≥ ${rightCauses}`]),
      ...alarms,
    ].join(', ') || '-'
  );
}

function isMet(
  { f1Abrupt = 0, f1Gradual = 0, found = 0, rightCauses = 0, ...limits }: Target,
  measured: Measured,
): boolean {
  return (
    (measured.f1Abrupt ?? 1) >= f1Abrupt &&
    (measured.f1Gradual ?? 1) >= f1Gradual &&
    (measured.found ?? 1) >= found &&
    (measured.rightCauses ?? 1) >= rightCauses &&
    Object.entries(limits).every(([name, value]) => measured[name as keyof typeof limits] <= value)
  );
}
