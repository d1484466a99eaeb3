import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { Settings } from '../../services/shared/config/settings.ts';
import type { RefusedLines } from './refusedLines.ts';
import {
  driftEventRows,
  driftMetricRows,
  featureKindRows,
  modelVersionRows,
  openNoticeRows,
  outputRows,
  performanceRows,
  unassignedLetterRows,
  versionCounts,
  windowRows,
} from './reportQueries.ts';

export interface ReplayTimings {
  /** ISO 8601. */
  startedAt: string;
  /** Time to start servers and services and to make topics and tables. */
  stackMs: number;
  /** Time from the first line that was sent to the last. */
  sendMs: number;
  /** Time from the last line that was sent until everything that follows from it was processed. */
  processMs: number;
  totalMs: number;
  /** Lines per second over sendMs and processMs. */
  eventsPerSecond: number;
}

export interface ReplayInput {
  file: string;
  lines: number;
}

export interface ReplayReport {
  environment: Environment;
  input: { predictions: ReplayInput; feedback: ReplayInput | null };
  settings: Settings;
  refused: readonly RefusedLines[];
  timings: () => ReplayTimings;
}

/**
 * Writes what a replay has found, in the form of schemas/replay-report.schema.json. Rows go from
 * ClickHouse to the file as they come, one per line, so that a report may be larger than memory.
 * The file is complete or does not exist.
 */
export async function writeReport(
  path: string,
  clickhouse: Clickhouse,
  report: ReplayReport,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await pipeline(Readable.from(reportText(clickhouse, report)), createWriteStream(unfinished));
  await rename(unfinished, path);
}

async function* reportText(clickhouse: Clickhouse, report: ReplayReport): AsyncGenerator<string> {
  const { environment, input, settings, timings } = report;
  yield `{\n"input": ${JSON.stringify(input)},\n"models": [`;
  let separator = '\n';
  for (const { model, version, counts } of await versionCounts(clickhouse)) {
    const windowSizeMs = settings.of(model).windowSizeMs;
    yield `${separator}{ ${fields({ model, version, windowSizeMs, counts })},\n"windows": `;
    yield* arrayText(windowRows(clickhouse, { model, version }));
    yield ',\n"output": ';
    yield await firstText(outputRows(clickhouse, { model, version }));
    yield ',\n"performance": ';
    yield* arrayText(performanceRows(clickhouse, { model, version }));
    yield ',\n"features": ';
    yield* arrayText(featureKindRows(clickhouse, { model, version }));
    yield ',\n"driftMetrics": ';
    yield* arrayText(driftMetricRows(clickhouse, { model, version }));
    yield ' }';
    separator = ',\n';
  }
  yield '],\n"driftEvents": ';
  yield* arrayText(driftEventRows(clickhouse));
  yield ',\n"modelVersions": ';
  yield* arrayText(modelVersionRows(clickhouse));
  yield ',\n"notices": ';
  yield* arrayText(openNoticeRows(clickhouse));
  yield ',\n"deadLettered": ';
  yield* arrayText(unassignedLetterRows(clickhouse, environment.DRIFTLOOP_TOPIC_PREFIX));
  yield `,\n${fields({ refused: report.refused })},\n${fields({ timings: timings() })}\n}\n`;
}

function fields(content: object): string {
  return Object.entries(content)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(', ');
}

async function* arrayText(items: AsyncIterable<object>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]' : ']';
}

/** The first item, or null if there is none. */
async function firstText(items: AsyncIterable<object>): Promise<string> {
  for await (const item of items) return JSON.stringify(item);
  return 'null';
}
