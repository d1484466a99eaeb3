import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { Settings } from '../../services/shared/config/settings.ts';
import { reportQueries } from './reportQueries.ts';

export interface ReplayTimings {
  /** ISO 8601. */
  startedAt: string;
  /** Start of servers and services, topics and tables. */
  stackMs: number;
  /** From the first line sent to the last. */
  sendMs: number;
  /** From the last line sent until everything that followed from it was processed. */
  processMs: number;
  totalMs: number;
  /** Lines per second of sendMs and processMs together. */
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
  timings: () => ReplayTimings;
}

/**
 * Writes what a replay has found, as schemas/replay-report.schema.json says. Rows go from ClickHouse to the file as they come, one
 * line each, so that a report may be larger than memory; the file is there whole or not at all.
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
  const queries = reportQueries(clickhouse, environment);
  yield `{\n"input": ${JSON.stringify(input)},\n"models": [`;
  let separator = '\n';
  for (const { model, version, counts } of await queries.counts()) {
    const windowSizeMs = settings.of(model).windowSizeMs;
    yield `${separator}{ ${fields({ model, version, windowSizeMs, counts })},\n"windows": `;
    yield* arrayText(queries.windows(model, version));
    yield ',\n"performance": ';
    yield* arrayText(queries.performance(model, version));
    yield ',\n"driftMetrics": ';
    yield* arrayText(queries.driftMetrics(model, version));
    yield ' }';
    separator = ',\n';
  }
  yield '],\n"driftEvents": ';
  yield* arrayText(queries.driftEvents());
  yield ',\n"modelVersions": ';
  yield* arrayText(queries.modelVersions());
  yield ',\n"deadLettered": ';
  yield* arrayText(queries.deadLettersOfNoVersion());
  yield `,\n${fields({ timings: timings() })}\n}\n`;
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
