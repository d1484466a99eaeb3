import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { mergeFeatureProfiles } from '../../services/shared/profile/featureProfile.ts';
import type { VersionName } from '../../services/shared/versionKey.ts';
import { referenceProfile, variableNames, windowProfiles } from './profileQueries.ts';
import {
  driftMetricRows,
  estimateRows,
  listOf,
  outputRows,
  performanceRows,
  type Row,
  type VersionCounts,
  windowRows,
} from './reportQueries.ts';
import { type VariableView, variableView } from './variableView.ts';

/** A line of a chart: a value for each time, null where there is none. */
export interface Series {
  startsMs: number[];
  values: (number | null)[];
}

/** A metric of drift of one variable, or of the quality (`feature` null), over time. */
export interface DriftSeries extends Series {
  kind: string;
  feature: string | null;
  metric: string;
  thresholds: (number | null)[];
}

/** The estimate of a metric of quality over time, with its interval. */
export interface EstimateSeries extends Series {
  lower: (number | null)[];
  upper: (number | null)[];
}

/** What the page shows of a model version. */
export interface VersionView extends VersionName {
  counts: VersionCounts['counts'];
  windowSizeMs: number;
  task: string | null;
  /** Why the output is read as it is, sentence by sentence. */
  outputEvidence: string[];
  windows: { startsMs: number[]; records: number[]; states: (string | null)[] };
  /** By metric, for all predictions. */
  quality: Record<string, Series>;
  estimates: Record<string, EstimateSeries>;
  drift: DriftSeries[];
  variables: VariableView[];
  /** Variables that the page leaves out, because there are too many. */
  variablesLeftOut: number;
}

const maxPeriods = 60;
const maxVariables = 100;
/** Columns of a performance row that are no metric of quality. */
const noMetrics = new Set([
  'segment',
  'start',
  'end',
  'task',
  'predictions',
  'weight',
  'setApart',
  'labelDelayP50Ms',
  'labelDelayP95Ms',
]);

/** Reads what the page shows of one version. */
export async function versionView(
  clickhouse: Clickhouse,
  { model, version, counts }: VersionCounts,
  windowSizeMs: number,
): Promise<VersionView> {
  const name = { model, version };
  const windows = await listOf(windowRows(clickhouse, name));
  const performance = await listOf(performanceRows(clickhouse, name));
  const ofAll = performance.filter(({ segment }) => segment === '');
  const { variables, leftOut } = await variableViews(clickhouse, name, windows);
  return {
    ...name,
    counts,
    windowSizeMs,
    task: (ofAll.at(-1)?.task as string | undefined) ?? null,
    outputEvidence: (await listOf(outputRows(clickhouse, name))).flatMap(
      ({ evidence }) => evidence as string[],
    ),
    windows: {
      startsMs: windows.map(startMs),
      records: windows.map(({ count }) => Number(count)),
      states: windows.map(({ status }) => status as string | null),
    },
    quality: qualitySeries(ofAll),
    estimates: estimateSeries(await listOf(estimateRows(clickhouse, name))),
    drift: driftSeries(await listOf(driftMetricRows(clickhouse, name))),
    variables,
    variablesLeftOut: leftOut,
  };
}

function startMs({ start }: Row): number {
  return Date.parse(start as string);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function qualitySeries(rows: readonly Row[]): VersionView['quality'] {
  const metrics = Object.keys(rows[0] ?? {}).filter(
    name => !noMetrics.has(name) && rows.some(row => typeof row[name] === 'number'),
  );
  const startsMs = rows.map(startMs);
  return Object.fromEntries(
    metrics.map(name => [name, { startsMs, values: rows.map(row => numberOrNull(row[name])) }]),
  );
}

function estimateSeries(rows: readonly Row[]): VersionView['estimates'] {
  return Object.fromEntries(
    Array.from(
      Map.groupBy(rows, ({ metric }) => String(metric)),
      ([metric, ofMetric]) => [
        metric,
        {
          startsMs: ofMetric.map(startMs),
          values: ofMetric.map(({ estimate }) => numberOrNull(estimate)),
          lower: ofMetric.map(({ lower }) => numberOrNull(lower)),
          upper: ofMetric.map(({ upper }) => numberOrNull(upper)),
        },
      ],
    ),
  );
}

function driftSeries(rows: readonly Row[]): DriftSeries[] {
  const ofAll = rows.filter(({ segment }) => segment === '');
  const groups = Map.groupBy(ofAll, ({ kind, feature, metric }) =>
    JSON.stringify([kind, feature, metric]),
  );
  return Array.from(groups.values(), group => ({
    kind: String(group[0]!.kind),
    feature: group[0]!.feature as string | null,
    metric: String(group[0]!.metric),
    startsMs: group.map(startMs),
    values: group.map(({ value }) => numberOrNull(value)),
    thresholds: group.map(({ threshold }) => numberOrNull(threshold)),
  }));
}

/** Reads the variables one after the other, so that the profiles of one at a time are in memory. */
async function variableViews(
  clickhouse: Clickhouse,
  name: VersionName,
  windows: readonly Row[],
): Promise<{ variables: VariableView[]; leftOut: number }> {
  const windowsPerPeriod = Math.ceil(windows.length / maxPeriods);
  const periods = new Map(
    windows.map((window, index) => [startMs(window), Math.floor(index / windowsPerPeriod)]),
  );
  const referenceStarts = new Set(
    windows.filter(({ status }) => status === 'reference').map(startMs),
  );
  const names = await variableNames(clickhouse, name);
  const variables: VariableView[] = [];
  for (const variable of names.slice(0, maxVariables)) {
    const profiles = await windowProfiles(clickhouse, name, variable);
    const ownWindows = profiles.filter(window => referenceStarts.has(window.startMs));
    const reference =
      (await referenceProfile(clickhouse, name, variable)) ??
      mergeFeatureProfiles(...(ownWindows.length > 0 ? ownWindows : profiles).map(p => p.profile));
    variables.push(variableView(variable, reference, profiles, start => periods.get(start)!));
  }
  return { variables, leftOut: Math.max(0, names.length - maxVariables) };
}
